import dataclasses
import os

import numpy as np
import pytest
import tifffile

from autodip.benchmark import Conditions, Row, Store, image_path, plan, rows, run
from autodip.benchmark import cell as cells
from autodip.benchmark.registry import find
from autodip.datasets.pair import Pair, load
from autodip.errors import FormatError, OutputError, ParameterError
from autodip.metrics import affine_psnr, scores, weights
from tests.helpers.methods import LOG, method


@pytest.fixture
def images(rng):
    truth = rng.integers(0, 200, (80, 96)).astype(np.uint8)
    return np.clip(truth + rng.normal(0, 9, truth.shape), 0, 255).astype(np.uint8), truth


@pytest.fixture
def pair(images):
    return Pair(
        "set",
        "folder/a 1.png",
        lambda: images,
        "confocal",
        "actin",
        noise_level="raw",
        fov="1",
        group="confocal actin",
        data_range=255.0,
    )


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """Calls of ``half`` so far, one line for each."""
    path = tmp_path / "calls"
    monkeypatch.setenv(LOG, str(path))
    return lambda: path.read_text().splitlines() if path.exists() else []


def finish(pairs, methods, options=None, finished=None, folder=None):
    options = options or Conditions()
    updates = run(plan(pairs, methods, options), options, finished=finished, images=folder)
    return [update.row for update in updates if not update.starting]


def test_a_row_has_its_figures(pair, images, calls, tmp_path):
    (row,) = finish([pair], [method("half", random=True)], folder=tmp_path)
    noisy, truth = (image.astype(float) for image in images)
    result = np.rint(noisy * 0.5)
    assert row.status == "done"
    assert row.psnr == pytest.approx(10 * np.log10(255**2 / np.mean((result - truth) ** 2)))
    assert row.affine_psnr == pytest.approx(affine_psnr(result, truth, data_range=255))
    assert row.affine_psnr > row.psnr
    assert row.frc_pixels == 2  # noise of 9 grey values in white structure
    assert row.parameters == '{"factor":0.5}'
    assert row.settings == '{"device":"cpu","seed":0}'
    assert (row.dataset, row.group, row.data_range) == ("set", "confocal actin", 255.0)
    assert row.seconds >= 0
    assert 20 < row.memory_mb < 5000
    assert "no MS-SSIM" in row.reason
    assert (tifffile.imread(image_path(tmp_path, row)) == result).all()
    (call,) = calls()
    pid, seed, truth_shown = call.split()
    assert int(pid) != os.getpid()
    assert (seed, truth_shown) == ("0", "False")


def test_each_process_has_its_own_memory(pair, calls):
    plain, hungry = finish([pair], [method("half"), method("hungry")])
    assert 250 < hungry.memory_mb - plain.memory_mb < 450


@pytest.mark.usefixtures("same_process")
def test_oracles_alone_see_the_truth(pair, calls):
    (row,) = finish([pair], [method("oracle")])
    assert (row.psnr, row.ssim) == (float("inf"), 1.0)
    finish([pair], [method("half")])
    assert calls()[0].endswith("False")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("fails", "ArithmeticError: no luck"), ("dies", "code 3"), ("not_finite", "NaN or infinite")],
)
def test_a_failed_cell_is_a_row(pair, calls, name, reason):
    failed, done = finish([pair], [method(name), method("half")])
    assert (failed.status, done.status) == ("failed", "done")
    assert reason in failed.reason


@pytest.mark.usefixtures("same_process")
def test_a_pair_that_cannot_be_read_fails_alone(pair, images, calls):
    def broken():
        raise FormatError("cut off")

    bad = Pair("set", "b", broken, None, None, noise_level="raw", fov="2")
    other = Pair(
        "set", "c", lambda: (images[0], images[1][1:]), None, None, noise_level="raw", fov="2"
    )
    found = {row.image: row for row in finish([bad, other, pair], [method("half")])}
    assert found["b"].reason == "cut off"
    assert "(79, 96)" in found["c"].reason
    assert found["folder/a 1.png"].status == "done"


@pytest.mark.usefixtures("same_process")
def test_what_is_finished_does_not_run_again(pair, images, calls, tmp_path):
    store = Store(tmp_path / "results.csv")
    methods = [method("half", random=True), method("fails")]
    store.add(finish([pair], methods))
    again = finish([pair], methods, finished=store.load())
    assert [row.status for row in again] == ["done", "failed"]
    assert len(calls()) == 1
    newer = [method("half", random=True, version="2")]
    finish([pair], newer, finished=store.load())
    finish([pair], methods[:1], Conditions(seeds=(0, 5)), finished=store.load())
    images[0][0, 0] += 1
    finish([pair], methods[:1], finished=store.load())
    assert [line.split()[1] for line in calls()] == ["0", "0", "5", "0"]


@pytest.mark.usefixtures("same_process")
def test_new_figures_do_not_need_a_new_run(pair, calls, tmp_path, monkeypatch):
    (row,) = finish([pair], [method("half")], folder=tmp_path)
    old = row.replace(scoring=0, psnr=1.0)
    (scored,) = finish([pair], [method("half")], finished={old.key: old}, folder=tmp_path)
    assert (scored.psnr, scored.seconds) == (row.psnr, row.seconds)
    older = row.replace(scoring=2, affine_psnr=None, whiteness=None)
    (scored,) = finish([pair], [method("half")], finished={old.key: older}, folder=tmp_path)
    assert scored == row
    dear = [method("half", seconds=9e9)]
    (scored,) = finish([pair], dear, Conditions(max_hours=0), {old.key: old}, tmp_path)
    assert scored.psnr == row.psnr
    assert len(calls()) == 1
    image_path(tmp_path, row).unlink()
    (kept,) = finish([pair], [method("half")], finished={old.key: old}, folder=tmp_path)
    assert (kept.psnr, len(calls())) == (1.0, 1)


@pytest.mark.usefixtures("same_process")
def test_figures_that_could_not_be_had_are_caught_up(pair, calls, shared, tmp_path, monkeypatch):
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path / "none.npz"))
    monkeypatch.setattr(scores, "perceptual", lambda *_: {"lpips": None, "lpips_standard": None})
    monkeypatch.setattr(cells, "_in_process", lambda work, *given: work(*given))
    (row,) = finish([pair], [method("half")], folder=tmp_path)
    assert row.lpips is None
    monkeypatch.undo()
    monkeypatch.setenv(LOG, str(tmp_path / "again"))
    monkeypatch.setenv(weights.VARIABLE, str(shared / "weights" / "lpips_alex_v0.1.npz"))
    (scored,) = finish([pair], [method("half")], finished={row.key: row}, folder=tmp_path)
    assert 0 < scored.lpips < 2
    assert not (tmp_path / "again").exists()
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path / "none.npz"))
    old = scored.replace(scoring=0)
    (kept,) = finish([pair], [method("half")], finished={row.key: old}, folder=tmp_path)
    assert kept.lpips == scored.lpips


@pytest.mark.usefixtures("same_process")
def test_what_is_newly_said_of_a_pair_holds_for_finished_rows(pair, calls, tmp_path):
    (row,) = finish([pair], [method("half")], folder=tmp_path)
    other = dataclasses.replace(pair, group="new", role="test", data_range=1000.0)
    (known,) = finish([other], [method("half")], finished={row.key: row}, folder=tmp_path)
    assert (known.group, known.role) == ("new", "test")
    assert known.psnr == pytest.approx(row.psnr + 20 * np.log10(1000 / 255))
    stretched = dataclasses.replace(pair, stretched=True)
    (known,) = finish([stretched], [method("half")], finished={row.key: row}, folder=tmp_path)
    assert (known.stretched, known.psnr > row.psnr + 5) == (1, True)
    assert len(calls()) == 1


@pytest.mark.usefixtures("same_process")
def test_a_file_that_vanishes_costs_its_cell_alone(pair, images, calls):
    reads = []

    def once():
        reads.append(1)
        if len(reads) > 1:
            raise FileNotFoundError("gone")
        return images

    vanishing = Pair("set", "v", once, None, None, noise_level="raw", fov="2")
    found = {row.image: row for row in finish([vanishing, pair], [method("half")])}
    assert (found["v"].status, found["v"].reason) == ("failed", "FileNotFoundError: gone")
    assert found["folder/a 1.png"].status == "done"


@pytest.mark.usefixtures("same_process")
def test_a_result_that_cannot_be_kept_still_counts(pair, calls, tmp_path):
    (tmp_path / "set").write_text("a file where a folder is to be")
    (row,) = finish([pair], [method("half")], folder=tmp_path)
    assert (row.status, "not saved" in row.reason, row.psnr > 0) == ("done", True, True)


def test_cells_of_one_name_are_kept_apart(tmp_path):
    names = ("a b", "a_b", "a/b", "A_b", "a(b", "x" * 300, "x" * 301)
    paths = [str(image_path(tmp_path, ROW.replace(image=name))).lower() for name in names]
    paths += [str(image_path(tmp_path, ROW.replace(crop=64))).lower()]
    paths += [str(image_path(tmp_path, ROW.replace(settings="{}"))).lower()]
    assert len(set(paths)) == len(paths)
    for wrong in ("..", "C:", "a/../../b"):
        kept = image_path(tmp_path, ROW.replace(dataset=wrong, image=wrong))
        assert kept.resolve().is_relative_to(tmp_path.resolve())
        assert len(kept.relative_to(tmp_path).parts) == 3


@pytest.mark.parametrize("device", ["cpu", "cuda:0", "mps"])
def test_every_cell_has_its_cost_predicted(pair, device):
    methods = [find(name) for name in ("sparse", "original", "n2v")]
    cells = plan([pair], methods, Conditions(device=device))
    assert cells[0].method.name == "sparse"
    assert all(cell.row.predicted_seconds > 0 for cell in cells)


@pytest.mark.parametrize("wrong", ["constant", "nan"])
def test_pixels_that_cannot_be_compared_are_named(images, calls, wrong):
    noisy, truth = (image.astype(np.float32) for image in images)
    if wrong == "nan":
        noisy[3, 3] = np.nan
    else:
        truth[:] = 7
    (row,) = finish(
        [Pair("set", "f", lambda: (noisy, truth), None, None, noise_level="raw", fov="1")],
        [method("half")],
    )
    assert row.status == "failed"
    assert {"constant": "true image are equal", "nan": "noisy image has NaN"}[wrong] in row.reason
    assert calls() == []


@pytest.mark.usefixtures("same_process")
def test_cheap_cells_come_first_and_dear_ones_are_left_out(pair, calls):
    methods = [method("half", seconds=9e6), method("oracle", seconds=5), method("fails")]
    found = finish([pair], methods, Conditions(max_hours=1))
    assert [row.method for row in found] == ["fails", "oracle", "half"]
    assert (found[2].status, found[2].predicted_seconds) == ("not run", 9 * 80 * 96)
    assert calls() == []


def test_random_methods_have_a_row_for_each_seed(pair):
    methods = [method("half", random=True), method("oracle")]
    cells = plan([pair], methods, Conditions(seeds=(0, 1, 2)))
    assert sorted((c.method.name, c.seed) for c in cells) == [
        ("half", 0),
        ("half", 1),
        ("half", 2),
        ("oracle", 0),
    ]
    assert len({cell.row.key for cell in cells}) == 4


@pytest.mark.usefixtures("same_process")
def test_the_centre_is_cut_out(pair, images, calls):
    noisy, truth = load(pair, 64)
    assert (noisy == images[0][8:72, 16:80]).all()
    assert (truth.image == images[1][8:72, 16:80]).all()
    (row,) = finish([pair], [method("half")], Conditions(crop=100))
    assert "100 pixels does not fit" in row.reason


@pytest.mark.usefixtures("same_process")
def test_stretched_pairs_are_compared_after_a_linear_fit(pair, images, calls):
    stretched = Pair(
        "set",
        "s",
        lambda: (images[0], images[1] // 2 + 100),
        None,
        None,
        noise_level="raw",
        fov="1",
        data_range=255.0,
        stretched=True,
    )
    (row,) = finish([stretched], [method("half")])
    assert row.psnr > 30


@pytest.mark.usefixtures("same_process")
def test_without_a_convention_the_range_is_that_of_the_truth(images):
    noisy, truth = (image.astype(np.float32) * 10 + 5000 for image in images)
    pair = Pair("set", "f", lambda: (noisy, truth), None, None, noise_level="raw", fov="1")
    (row,) = finish([pair], [method("oracle")])
    assert row.data_range == float(np.ptp(truth))


@pytest.mark.parametrize(
    "wrong",
    [
        {"crop": 10},
        {"crop": -1},
        {"seeds": ()},
        {"seeds": (-1,)},
        {"seeds": (0, 0)},
        {"max_hours": -1},
    ],
)
def test_wrong_options_are_named(wrong):
    with pytest.raises(ParameterError):
        Conditions(**wrong)


ROW = Row(
    dataset="set",
    image='a "quoted", name',
    group="g",
    noise_level="raw",
    role="test",
    crop=0,
    pixels="00ff",
    method="half",
    version="1",
    settings='{"a":1}',
    status="done",
    reason="two\nlines",
    psnr=31.25,
    memory_mb=12.5,
)


def test_rows_survive_their_file(tmp_path):
    store = Store(tmp_path / "r.csv")
    assert store.load() == {}
    store.add([ROW])
    store.add([ROW.replace(psnr=None, status="failed"), ROW.replace(image="b")])
    assert store.load() == {
        ROW.key: ROW.replace(psnr=None, status="failed", reason="two lines"),
        ROW.replace(image="b").key: ROW.replace(image="b", reason="two lines"),
    }


def test_a_line_that_was_cut_off_costs_its_row_alone(tmp_path):
    store = Store(tmp_path / "r.csv")
    store.add([ROW])
    with store.path.open("a") as file:
        file.write("set,b,g,te")
    assert list(store.load()) == [ROW.key]
    store.add([ROW.replace(image="c")])
    assert [key[1] for key in store.load()] == [ROW.image, "c"]


def test_a_damaged_line_is_named_and_left_out(tmp_path):
    store = Store(tmp_path / "r.csv")
    store.add([ROW, ROW.replace(image="b")])
    text = store.path.read_bytes()
    store.path.write_bytes(text.replace(b",31.25,", b",x,", 1) + "set,µ".encode()[:-1])
    assert [key[1] for key in store.load()] == ["b"]
    assert store.damaged == [2, 4]


def test_an_empty_file_is_a_new_one(tmp_path):
    store = Store(tmp_path / "r.csv")
    store.path.touch()
    assert store.load() == {}
    store.add([ROW])
    assert len(store.load()) == 1


def test_a_file_of_an_older_version_gets_its_new_columns(tmp_path):
    store = Store(tmp_path / "r.csv")
    store.add([ROW])
    header, line = store.path.read_text().splitlines()
    without = [",".join(text.rsplit(",", 1)[:-1]) for text in (header, line)]
    old = "\n".join(without) + "\n"
    store.path.write_text(old)
    assert [row.psnr for row in store.read().values()] == [31.25]
    assert store.path.read_text() == old
    store.load()
    store.add([ROW.replace(image="b")])
    assert store.path.read_text().splitlines()[0] == header
    assert [row.psnr for row in store.load().values()] == [31.25, 31.25]


def test_another_file_is_not_taken_for_rows(tmp_path):
    path = tmp_path / "r.csv"
    path.write_text("x,y\n1,2\n")
    with pytest.raises(FormatError, match="columns are x, y"):
        Store(path).load()
    with pytest.raises(OutputError, match="cannot be written"):
        Store(tmp_path / "nowhere" / "r.csv").add([ROW])


def test_equal_settings_are_equal_texts():
    assert rows.to_json({"b": (1, 2), "a": 0.5}) == rows.to_json({"a": 0.5, "b": [1, 2]})


def test_peak_memory_without_proc_is_in_bytes(monkeypatch):
    """getrusage counts in units of 1024 bytes on Linux."""
    plain = cells._peak_memory()
    monkeypatch.setattr(
        cells, "Path", lambda _: type("Missing", (), {"exists": lambda self: False})()
    )
    assert cells._peak_memory() == pytest.approx(plain, rel=0.5)
