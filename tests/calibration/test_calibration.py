import dataclasses

import numpy as np
import pytest

from autodip.bases import claims, store
from autodip.bases.records import Config
from autodip.calibration import Sweep, calibrate, captures, curves, work
from autodip.calibration.curves import Subject, record, refined_stops, stops
from autodip.calibration.halving import better_half, shortened
from autodip.datasets import own_pairs
from autodip.datasets.pair import Pair
from autodip.errors import FitError, FormatError, ImageError, ParameterError
from autodip.fit.loop import fit, fit_many
from autodip.fit.params import FitParams, NetParams
from autodip.image.scaling import Scale, to_dtype
from autodip.metrics import alexnet, weights
from autodip.metrics.scores import Truth, score, score_stop
from autodip.physics.estimate import estimate_noise
from autodip.refine import combine as refining
from autodip.refine.refinement import RefineParams
from tests.helpers.curves import LARGE, SMALL, Memory
from tests.helpers.pairs import entries_of, save, write

NET = NetParams(2, 4, input_channels=4, lean=True)
PLAIN = Config(NET, FitParams(6, average=0.8, start_at_mean=True), None, every=2)
OTHER = dataclasses.replace(PLAIN, net=NET.replace(width=6))
QUIET = Sweep(device="cpu", lpips=False)


@pytest.fixture
def images(sample):
    noisy, truth = (image.astype(np.float64) / 65535 * 255 for image in sample)
    scale = 200 / truth.max()
    return tuple((image * scale).clip(0, 255).astype(np.uint8) for image in (noisy, truth))


@pytest.fixture
def pair(images):
    return Pair(
        "set",
        "one",
        lambda: images,
        "confocal",
        "mito",
        noise_level="raw",
        fov="1",
        data_range=255.0,
    )


def other_pair(pair, shift=3, **changes):
    """Pair of another field of view."""
    images = tuple(np.roll(image, shift, 0) for image in pair.read())
    changes = {"name": f"moved{shift}", "fov": f"{shift}", **changes}
    return dataclasses.replace(pair, read=lambda: images, **changes)


def run_all(pairs, configs, base, options=QUIET):
    return list(calibrate(pairs, configs, base, options))


def figures(base):
    """Everything that is recorded, except seconds."""
    loaded = store.load(base)
    points = [[dataclasses.replace(p, seconds=0.0) for p in run.points] for run in loaded.runs]
    return loaded.entries, [(r.image, r.config, r.cost, r.engine) for r in loaded.runs], points


def test_stops_are_spread_over_the_curve():
    config = Config(NET, FitParams(400), RefineParams(), every=20)
    assert stops(config) == tuple(range(20, 401, 20))
    assert refined_stops(config) == (40, 100, 180, 280, 400)
    assert stops(dataclasses.replace(config, every=150)) == (150, 300, 400)
    assert refined_stops(dataclasses.replace(config, every=300)) == (300, 400)
    assert refined_stops(dataclasses.replace(config, refine=None)) == ()


def expected_outputs(noisy, config):
    """Average and last outputs at every stop, from two fits."""
    scale = Scale.of(noisy)

    def outputs(params):
        steps = fit(scale.apply(noisy), config.net, params)
        return {s.iteration: scale.invert(s.output(), noisy.dtype) for s in steps}

    return outputs(config.fit), outputs(config.fit.replace(average=0.0))


@pytest.mark.parametrize("restores", [False, True])
def test_one_fit_gives_the_last_output_and_the_average(images, restores):
    noisy, truth = images
    # When a fit diverges, its average starts again.
    wild = {"learning_rate": 1.0, "fallback_db": 1e-6, "checkpoint_every": 3}
    fitted = PLAIN.fit.replace(iterations=12, **(wild if restores else {}))
    config = dataclasses.replace(PLAIN, fit=fitted)
    if restores:
        steps = fit_many([Scale.of(noisy).apply(noisy)], config.net, config.fit)
        assert [step.fallbacks for (step,) in steps][-1] > 0
    ((*points,),) = record([Subject(noisy, Truth(truth, 255.0, False), None)], config)
    average, last = expected_outputs(noisy, config)
    assert [(p.iteration, p.output) for p in points] == [
        (stop, output) for stop in range(2, 13, 2) for output in ("last", "average")
    ]
    for point in points:
        result = (last if point.output == "last" else average)[point.iteration].astype(float)
        psnr = 10 * np.log10(255**2 / np.mean((result - truth) ** 2))
        assert point.psnr == pytest.approx(psnr, abs=0.01)
        assert point.mse == pytest.approx(np.mean((result - truth) ** 2) / 255**2, rel=0.01)
        assert point.lpips is None
    assert [p.seconds for p in points] == sorted(p.seconds for p in points)


def test_without_an_average_there_is_the_last_output(images):
    config = dataclasses.replace(PLAIN, fit=FitParams(4))
    (points,) = record([Subject(images[0], Truth(images[1], 255.0, False), None)], config)
    assert [(p.iteration, p.output) for p in points] == [(2, "last"), (4, "last")]


def test_the_kept_output_is_refined_with_the_noise_of_the_image(images):
    noisy, truth = images
    estimated = estimate_noise(noisy)
    params = RefineParams(strengths=(), step=6)
    config = dataclasses.replace(PLAIN, refine=params, every=6)
    (points,) = record([Subject(noisy, Truth(truth, 255.0, False), estimated)], config)
    assert [p.output for p in points] == ["last", "average", "refined"]
    scale = Scale.of(noisy)
    *_, step = fit(scale.apply(noisy), config.net, config.fit)
    pilot = scale.invert(step.output(), np.dtype(np.float64))
    refined = to_dtype(refining.refine(noisy, pilot, estimated, params), noisy.dtype)
    expected = score_stop(refined, Truth(truth, 255.0, False))
    figures = {name: getattr(points[2], name) for name in expected}
    assert figures == pytest.approx(expected)
    assert points[2].seconds > points[1].seconds


@pytest.mark.parametrize("stretched", [False, True])
@pytest.mark.parametrize("data_range", [None, 255.0])
def test_figures_are_those_of_a_benchmark(images, stretched, data_range, shared, monkeypatch):
    monkeypatch.setenv(weights.VARIABLE, str(shared / "weights" / "lpips_alex_v0.1.npz"))
    noisy, truth = images
    judged = Truth(truth.astype(float) + 20, data_range, stretched)
    found = score_stop(noisy, judged, alexnet.load())
    row = score(noisy, noisy, judged)
    for name in ("psnr", "ssim", "lpips"):
        assert found[name] == pytest.approx(row[name])


def test_a_perfect_result_is_a_number(images):
    found = score_stop(images[1], Truth(images[1], 255.0, False))
    assert (found["psnr"], found["ssim"], found["lpips"]) == (200.0, 1.0, None)


def test_a_base_holds_images_and_curves(pair, tmp_path):
    base = tmp_path / "base"
    rows = run_all([pair, other_pair(pair)], [PLAIN, OTHER], base)
    assert [(r.number, r.total, r.status) for r in rows] == [(n, 4, "done") for n in range(1, 5)]
    loaded = store.load(base)
    assert (len(loaded.entries), len(loaded.runs)) == (2, 4)
    entry = loaded.entries[rows[0].run.image]
    assert (entry.name, entry.fov) == ("set/one", "set/confocal/mito/1")
    assert entry.shape == (64, 64)
    assert entry.source["set"] == "set"
    assert "gradient" in entry.descriptors
    run = next(run for run in loaded.runs if run.image == entry.id)
    assert run.cost["flop"] > 0
    assert run.engine.startswith("autodip ")
    assert rows[0].best.psnr == pytest.approx(max(p.psnr for p in rows[0].run.points))
    assert list(base.rglob("*.claim")) == []
    assert not (base / "pixels").exists()


def test_what_is_recorded_is_not_run_again(pair, tmp_path, monkeypatch):
    base = tmp_path / "base"
    run_all([pair], [PLAIN], base)
    before = figures(base)
    keep = dataclasses.replace(QUIET, keep_images=True)
    (row, new) = run_all([pair], [PLAIN, OTHER], base, keep)
    assert (row.status, new.status) == ("kept", "done")
    assert row.run.points == store.load_run(base, row.run.image, PLAIN).points
    assert store.load(base).pixels(row.run.image)[0].shape == (64, 64)
    assert before[0] == figures(base)[0]


def test_seed_and_noise_limit_are_those_of_the_calibration(pair, tmp_path):
    limited = dataclasses.replace(PLAIN, fit=PLAIN.fit.replace(noise_limit=1.0))
    (row,) = run_all([pair], [limited], tmp_path / "a", dataclasses.replace(QUIET, seed=3))
    assert row.config == dataclasses.replace(PLAIN, seed=3)


def test_crops_and_captures_share_the_field_of_view(pair, tmp_path, sample):
    noisy, truth = pair.read()
    large = dataclasses.replace(pair, read=lambda: (np.tile(noisy, (2, 2)), np.tile(truth, (2, 2))))
    again = dataclasses.replace(
        pair, dataset="other", name="again", fov="9", read=lambda: (255 - noisy, truth)
    )
    base = tmp_path / "base"
    run_all([pair, again], [PLAIN], base)
    run_all([large], [PLAIN], base, dataclasses.replace(QUIET, crop=64))
    assert {e.fov for e in store.load(base).entries.values()} == {"set/confocal/mito/1"}


def test_what_cannot_be_run_is_a_row(pair, tmp_path):
    broken = dataclasses.replace(pair, name="broken", read=lambda: (np.ones((4, 4)),) * 2)
    deep = dataclasses.replace(PLAIN, net=NetParams(9, 4))
    rows = run_all([broken, pair], [deep, PLAIN], tmp_path / "base")
    assert [(r.number, r.status) for r in rows] == [(2, "failed"), (3, "not run"), (4, "done")]
    assert rows[0].config is None
    assert "too small" in rows[1].reason


def test_a_fit_that_fails_is_a_row(pair, tmp_path, monkeypatch):
    def blow_up(*_, **__):
        raise FitError("blew up")

    monkeypatch.setattr(work, "record", blow_up)
    (row,) = run_all([pair], [PLAIN], tmp_path / "base")
    assert (row.status, row.reason, row.best) == ("failed", "blew up", None)
    assert list((tmp_path / "base").rglob("*.claim")) == []


def test_a_fit_without_memory_is_a_row(pair, tmp_path, monkeypatch):
    monkeypatch.setattr("autodip.compute.device.free_memory", lambda name: 1000)
    (row,) = run_all([pair], [PLAIN], tmp_path / "base")
    assert (row.status, "needs about" in row.reason) == ("failed", True)


def test_what_another_process_claims_is_left_to_it(pair, tmp_path):
    base = tmp_path / "base"
    run_all([pair], [PLAIN], base)
    (image,) = store.load(base).entries
    theirs = claims.claim(store.run_path(base, image, OTHER).with_suffix(".claim"))
    assert [r.status for r in run_all([pair], [PLAIN, OTHER], base)] == ["kept", "elsewhere"]
    theirs.release()
    assert [r.status for r in run_all([pair], [PLAIN, OTHER], base)] == ["kept", "done"]


def test_a_cancelled_run_releases_its_claim(pair, tmp_path, monkeypatch):
    monkeypatch.setattr(work, "record", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run_all([pair], [PLAIN], tmp_path / "base")
    assert list((tmp_path / "base").rglob("*.claim")) == []


def test_images_of_one_shape_are_fitted_at_once_on_an_accelerator(pair, tmp_path, monkeypatch):
    seen = []

    def batched(subjects, config, *, device, **others):
        seen.append((len(subjects), device))
        return record(subjects, config, device="cpu", **others)

    monkeypatch.setattr(work, "record", batched)
    monkeypatch.setattr("autodip.compute.device.resolve", lambda name: name)
    monkeypatch.setattr("autodip.compute.device.free_memory", lambda name: 10**12)
    wide = dataclasses.replace(other_pair(pair), read=lambda: tuple(
        np.tile(image, (1, 2)) for image in pair.read()))  # fmt: skip
    pairs = [pair, other_pair(pair), wide, other_pair(pair, 5), pair]
    rows = run_all(pairs, [PLAIN], tmp_path / "a", dataclasses.replace(QUIET, device="cuda:0"))
    assert seen == [(3, "cuda:0"), (1, "cuda:0")]
    assert [row.status for row in rows] == ["done", "done", "done", "kept", "done"]
    monkeypatch.undo()
    run_all(pairs, [PLAIN], tmp_path / "b")
    batch, single = figures(tmp_path / "a"), figures(tmp_path / "b")
    assert batch[:2] == single[:2]
    for one, other in zip(batch[2], single[2], strict=True):
        assert [p.psnr for p in one] == pytest.approx([p.psnr for p in other], abs=0.05)


def test_one_bad_fit_does_not_spoil_the_others(pair, tmp_path, monkeypatch):
    bad = other_pair(pair)

    def picky(subjects, config, **others):
        if any((one.noisy == bad.read()[0]).all() for one in subjects):
            raise FitError("blew up")
        return record(subjects, config, **{**others, "device": "cpu"})

    monkeypatch.setattr(work, "record", picky)
    monkeypatch.setattr("autodip.compute.device.resolve", lambda name: name)
    monkeypatch.setattr("autodip.compute.device.free_memory", lambda name: 10**12)
    options = dataclasses.replace(QUIET, device="cuda:0")
    rows = run_all([pair, bad, other_pair(pair, 5)], [PLAIN], tmp_path / "base", options)
    assert [row.status for row in rows] == ["done", "failed", "done"]


def test_the_better_half_is_told_by_short_fits(pair, tmp_path):
    grid = [dataclasses.replace(PLAIN, fit=PLAIN.fit.replace(iterations=16, learning_rate=rate))
            for rate in (1e-5, 0.02, 2e-5)]  # fmt: skip
    options = dataclasses.replace(QUIET, halving=True)
    pairs = [pair, other_pair(pair)]
    rows = run_all(pairs, grid, tmp_path / "base", options)
    assert [row.config.fit.iterations for row in rows] == [4] * 6 + [16] * 4
    assert rows[-1].number == rows[-1].total == 10
    assert {row.config.fit.learning_rate for row in rows[6:]} >= {0.02}
    again = run_all(pairs, grid, tmp_path / "base", options)
    assert {row.status for row in again} == {"kept"}
    assert [row.config for row in again] == [row.config for row in rows]


def test_ranks_over_the_images_on_which_all_were_run():
    memory = Memory().add("a", ("confocal", None), (LARGE, 40)).add("b", (None, None), (LARGE, 60))
    assert better_half([SMALL, LARGE], memory.runs) == [1]
    assert better_half([SMALL, LARGE], memory.runs[:1]) == []
    assert better_half([SMALL], memory.runs) == [0]


def test_short_fits_end_at_a_stop():
    config = Config(NET, FitParams(300), RefineParams(), every=20)
    short = shortened(config)
    assert (short.fit.iterations, short.refine) == (60, None)
    assert shortened(dataclasses.replace(config, every=100)).fit.iterations == 100
    assert shortened(dataclasses.replace(config, every=500)).fit.iterations == 300


@pytest.mark.parametrize(
    ("options", "said"),
    [({"crop": 5}, "64 pixels"), ({"crop": -1}, "64 pixels"), ({"seed": -1}, "from 0 up")],
)
def test_options_are_checked(options, said):
    with pytest.raises(ParameterError, match=said):
        Sweep(**options)


def test_nothing_to_run(pair, tmp_path):
    seeds = dataclasses.replace(PLAIN, fit=PLAIN.fit.replace(seeds=2))
    for pairs, grid, said in (([], [PLAIN], "0 images"), ([pair], [seeds], "seeds is 2")):
        with pytest.raises(ParameterError, match=said):
            run_all(pairs, grid, tmp_path / "base")
    assert not (tmp_path / "base").exists()


@pytest.fixture
def field(tmp_path):
    """Five captures of one field without a truth, two of another field, and a pair with a truth."""
    root = write(tmp_path / "data", ["mito"] * 8)
    entries = entries_of(root)
    for number, entry in enumerate(entries[:7]):
        entry |= {"fov": int(number > 4), "capture": number, "truth": None}
        (root / f"truth{number}.png").unlink()
    del entries[0]["truth"]
    save(root, entries)
    return root


def test_the_truth_is_the_mean_of_the_other_captures(field):
    pairs = captures.averaged(field)
    assert [pair.capture for pair in pairs] == ["0", "1", "2", "3", "4"]
    read = [pair.read() for pair in pairs]
    everything = sum(noisy.astype(float) for noisy, _ in read)
    for noisy, truth in read:
        assert truth == pytest.approx((everything - noisy) / 4)
    assert pairs[0].data_range == 255.0


def test_captures_that_cannot_be_averaged(field):
    entries = entries_of(field)
    save(field, entries[2:])
    with pytest.raises(FormatError, match="4 captures of a field are needed"):
        captures.averaged(field)
    save(field, [{**entry, "role": "training"} for entry in entries])
    with pytest.raises(FormatError, match="'training'"):
        captures.averaged(field)
    save(field, entries)
    write(field / "large", ["mito"], size=80)
    (field / "large" / "noisy0.png").rename(field / "noisy1.png")
    with pytest.raises(ImageError, match="have the same shape"):
        captures.averaged(field)[0].read()
    (field / own_pairs.FILE).write_text("[")
    with pytest.raises(FormatError, match="not readable as JSON"):
        captures.averaged(field)


def test_curves_do_not_need_the_noise(images, monkeypatch):
    scores = {"psnr": 1.0, "ssim": 1.0, "lpips": None, "l1": 0.0, "mse": 0.0}
    monkeypatch.setattr(curves, "score_stop", lambda *_: scores)
    config = dataclasses.replace(PLAIN, refine=RefineParams())
    (points,) = record([Subject(images[0], Truth(images[1], 255.0, False), None)], config)
    assert {point.output for point in points} == {"last", "average"}
