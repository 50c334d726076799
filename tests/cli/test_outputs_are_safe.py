"""What a run writes: known before the fit to be writable, and never in place of anything else."""

import errno
import json
import os
import shutil
import threading

import imagecodecs
import numpy as np
import pytest
import tifffile

import autodip
from autodip import io
from autodip.runs import job, places
from autodip.runs.locks import lock_file, locked
from autodip.util import paths
from autodip.util.files import sha256
from tests.cli.conftest import QUICK, sidecar


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def array(here, sample):
    np.save(here / "a.npy", sample[0][:40, :40].astype(np.uint16))
    return here / "a.npy"


@pytest.fixture
def store(here, sample):
    autodip.write(here / "in.ome.zarr", autodip.Image(sample[0][:40, :40], "YX"))
    return here / "in.ome.zarr"


@pytest.fixture
def no_fit(monkeypatch):
    """No fit may be started."""

    def fit(*_):
        raise AssertionError("a fit was started")

    monkeypatch.setattr(job, "_fit", fit)


def everything(folder):
    return {path: path.lstat().st_size for path in folder.rglob("*")}


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
@pytest.mark.parametrize(
    ("dtype", "options", "message"),
    [
        ("float32", ("--format", "png"), "uint8 or uint16"),
        ("uint16", ("--format", "png", "--dtype", "float64"), "uint8 or uint16"),
        ("int32", ("--format", "png"), "uint8 or uint16"),
        ("uint64", ("--format", "ome-tiff"), "no pixels of type uint64"),
        ("float16", ("--format", "ome-tiff"), "no pixels of type float16"),
        ("uint32", ("--format", "mrc"), "not uint32"),
        ("float64", ("--format", "mrc"), "not float64"),
        ("longdouble", ("--format", "ome-zarr"), "at most 64 bits"),
        ("longdouble", ("--format", "tiff"), "at most 64 bits"),
    ],
)
def test_types_are_refused_before_the_fit(denoise, here, no_fit, dtype, options, message, dry):
    np.save(here / "a.npy", np.random.default_rng(0).poisson(50, (40, 40)).astype(dtype))
    code, _, err = denoise("a.npy", "-o", "out", *options, *dry)
    assert (code, message in err, len(err.splitlines())) == (1, True, 2)
    assert not list(here.glob("out/*"))


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
@pytest.mark.parametrize(("axes", "form"), [("TYX", "png"), ("TZCYX", "png"), ("TZYX", "mrc")])
def test_axes_are_refused_before_the_fit(denoise, here, no_fit, axes, form, dry):
    shape = [2] * (len(axes) - 2) + [40, 40]
    np.save(here / "a.npy", np.random.default_rng(0).poisson(50, shape).astype("uint16"))
    code, _, err = denoise("a.npy", "-o", "out", "--axes", axes, "--format", form, *dry)
    assert (code, f"of axes {axes}" in err) == (1, True)


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_imagej_of_float64(denoise, here, no_fit, sample, dry):
    tifffile.imwrite(here / "a.tif", sample[0], imagej=True)
    code, _, err = denoise("a.tif", "-o", "out", "--dtype", "float64", *dry)
    assert (code, "ImageJ TIFF holds" in err, "--format ome-tiff" in err) == (1, True, True)


@pytest.mark.parametrize("tag", [("ResolutionUnit", 77), ("PhotometricInterpretation", 8)])
def test_tags_that_cannot_be_written(denoise, here, sample, tag):
    tifffile.imwrite(here / "a.tif", sample[0], metadata=None, resolution=(5, 5))
    with tifffile.TiffFile(here / "a.tif", mode="r+b") as tif:
        tif.pages[0].tags[tag[0]].overwrite(tag[1])
    code, _, err = denoise("a.tif", "-o", "out")
    assert "unexpected" not in err
    assert code == 0 or not list(here.glob("out/*"))


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("file/x.npy", "cannot be written to"),
        ("file/", "cannot be written to"),
        ("dangling/", "cannot be written to"),
        ("y" * 250 + ".npy", "the name has 267 bytes, of which 255 are allowed"),
        ("sidecar.npy", "sidecar.npy.autodip.json exists and is not a sidecar"),
        ("beside.npy", "beside.npy.autodip.json is a folder"),
        ("pipe.npy", "a device, a pipe or a socket"),
    ],
)
def test_places(denoise, array, here, no_fit, out, message, dry):
    (here / "file").touch()
    (here / "dangling").symlink_to("/nowhere/at/all")
    (here / "sidecar.npy.autodip.json").write_text("mine")
    (here / "beside.npy.autodip.json").mkdir()
    os.mkfifo(here / "pipe.npy")
    (here / "link.npy").symlink_to("a.npy")
    (here / "hard.npy").hardlink_to(array)
    (here / "here").symlink_to(".")
    (here / "sub").mkdir()
    before = everything(here)
    overwrite = () if out == "sidecar.npy" else ("--overwrite",)
    code, _, err = denoise(array, "-o", out, *overwrite, *dry)
    assert (code, message in err, len(err.splitlines())) == (1, True, 2)
    assert everything(here) == before


@pytest.mark.parametrize("options", [("--overwrite",), ("--skip-existing",), ("--dry-run",)])
@pytest.mark.parametrize(
    ("inputs", "out"),
    [
        *(("a.npy", out) for out in ("a.npy", "./a.npy", "link.npy", "hard.npy", "here/a.npy")),
        *(("a.npy", out) for out in (".", "./", "sub/..", "here", "here/sub/..", "{here}")),
        *(("{here}/a.npy", out) for out in (".", "a.npy", "sub/../a.npy")),
        *(("here/a.npy", out) for out in (".", "a.npy")),
        *(("link.npy", out) for out in ("link.npy", "a.npy")),
        *(("sub/*.npy", out) for out in ("sub", "./sub/", "here/sub")),
        *(("list.csv", out) for out in (".", "here")),
    ],
)
def test_an_input_is_never_an_output(denoise, array, here, no_fit, inputs, out, options):
    prepare(here, array)
    before = everything(here)
    code, _, err = denoise(inputs.format(here=here), "-o", out.format(here=here), *options)
    assert (code, "is the input itself" in err, len(err.splitlines())) == (2, True, 1), err
    assert everything(here) == before


@pytest.mark.parametrize("options", [(), ("--overwrite",), ("--format", "png"), ("--dry-run",)])
@pytest.mark.parametrize(
    ("inputs", "out"),
    [("sub", "sub"), ("sub", "./sub/"), ("sub", "here/sub"), ("here/sub", "sub"), (".", "here")],
)
def test_an_input_folder_is_never_the_output_folder(denoise, array, here, inputs, out, options):
    prepare(here, array)
    before = everything(here)
    code, _, err = denoise(inputs, "-o", out, *options)
    assert (code, "is the input folder" in err, len(err.splitlines())) == (2, True, 1), err
    assert everything(here) == before


def prepare(here, array):
    (here / "link.npy").symlink_to("a.npy")
    (here / "hard.npy").hardlink_to(array)
    (here / "here").symlink_to(".")
    (here / "sub").mkdir()
    shutil.copy(array, here / "sub" / "b.npy")
    (here / "list.csv").write_text("file\na.npy\n")


def test_the_longest_name(denoise, array, here):
    """Temporary files have shorter names, also where the ending decides on the flavour."""
    for ending, options in ((".npy", ()), (".ome.tif", ("--format", "ome-tiff"))):
        name = "y" * (255 - len(".autodip.json") - len(ending)) + ending
        assert denoise("a.npy", "-o", name, *options)[0] == 0
        assert denoise("a.npy", "-o", name, "--overwrite", *options)[0] == 0
        assert sidecar(here / name)["output"]["file"] == name
        assert len(list(here.iterdir())) in (3, 5)


@pytest.mark.parametrize(
    "out",
    [
        *("in.ome.zarr/", "in.ome.zarr/sub", "in.ome.zarr/sub/x.ome.zarr", "link/x.ome.zarr"),
        *("link/", "other.ome.zarr/0/x.ome.zarr", "other.ome.zarr/", "in.ome.zarr/0/../x.zarr"),
        *("in.ome.zarr", "link.ome.zarr", "./in.ome.zarr", "in.ome.zarr/../in.ome.zarr"),
    ],
)
def test_nothing_is_written_into_a_store(denoise, store, here, no_fit, out):
    shutil.copytree(store, here / "other.ome.zarr")
    (here / "link").symlink_to(store.name)
    (here / "link.ome.zarr").symlink_to(store.name)
    before = everything(here)
    for inputs in ((store,), (store, here / "other.ome.zarr")):
        code, _, err = denoise(*inputs, "-o", out, "--overwrite")
        assert code in (1, 2)
        assert "inside the Zarr store" in err or "is the input itself" in err or len(inputs) == 2
        for path in (here / "run.json", here / "summary.csv"):
            path.unlink(missing_ok=True)
        assert {path: size for path, size in everything(here).items() if "zarr" in path.name} == {
            path: size for path, size in before.items() if "zarr" in path.name
        }


CONTENT = {
    "notes.txt": True,
    "0/notes.txt": True,
    "0/c/0/1.npy": True,
    "labels/cells/zarr.json": True,
    "other/0/zarr.json": True,
    ".git/0": True,
    ".DS_Store": False,
    "0/c/9/9": False,
}


@pytest.mark.parametrize("name", list(CONTENT))
@pytest.mark.parametrize("kind", ["store", "npy"])
def test_a_store_is_replaced_only_if_it_holds_nothing_else(denoise, store, array, here, name, kind):
    target = here / "x.ome.zarr"
    shutil.copytree(store, target)
    (target / name).parent.mkdir(parents=True, exist_ok=True)
    (target / name).write_text("three years of work")
    source, options = (store, ()) if kind == "store" else (array, ("--format", "ome-zarr"))
    code, _, err = denoise(source, "-o", target, "--overwrite", *options)
    assert (code, (target / name).exists()) == (int(CONTENT[name]), CONTENT[name])
    assert (f"({name})" in err) == CONTENT[name]


def test_folders_called_zarr_that_are_none(denoise, store, here):
    for number, (name, text) in enumerate(
        [("thesis.txt", "x"), ("zarr.json", "garbage"), (".zgroup", "{}"), ("0", "chunk?")]
    ):
        mine = here / f"{number}.ome.zarr" / name
        mine.parent.mkdir()
        mine.write_text(text)
        code, _, err = denoise(store, "-o", mine.parent, "--overwrite")
        assert (code, "is not replaced" in err, mine.read_text()) == (1, True, text)
    (here / "empty.ome.zarr").mkdir()
    assert denoise(store, "-o", here / "empty.ome.zarr", "--overwrite")[0] == 0


def test_an_input_inside_the_store_that_would_be_replaced(denoise, array, here):
    box = here / "box.ome.zarr"
    box.mkdir()
    array.rename(box / "a.npy")
    code, _, _ = denoise(box / "a.npy", "-o", box, "--format", "ome-zarr", "--overwrite")
    assert (code, (box / "a.npy").exists()) == (1, True)


def test_two_inputs_for_one_output(denoise, array, here, monkeypatch):
    (here / "b.npy").hardlink_to(array)
    (here / "out").mkdir()
    (here / "also").symlink_to("out")
    (here / "list.csv").write_text("file,output\na.npy,out/x.npy\nb.npy,also/x.npy\n")
    code, _, err = denoise("list.csv", "-o", ".")
    assert (code, "would both be written" in err) == (2, True)
    (here / "list.csv").write_text("file,output\na.npy,x.npy\nb.npy,X.npy\n")
    monkeypatch.setattr(places, "_ignores_case", lambda folder: True)
    code, _, err = denoise("list.csv", "-o", "out")
    assert (code, "would both be written" in err) == (2, True)


def test_full_disk(denoise, array, here, monkeypatch, no_fit):
    monkeypatch.setattr(paths, "free_space", lambda path: 1000)
    for dry in ((), ("--dry-run",)):
        code, _, err = denoise(array, "-o", "out.npy", *dry)
        assert (code, "MB are needed and 0.001 MB are free" in err) == (1, True)
    assert list(here.iterdir()) == [array]


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), OSError("8 requested, 3 written")]
)
def test_disk_that_becomes_full(denoise, array, here, monkeypatch, error):
    def full(path, image):
        path.write_bytes(b"half")
        if path.parent == here:
            raise error

    monkeypatch.setattr("autodip.io.npy.write", full)
    monkeypatch.setattr("autodip.util.files.free_space", lambda path: 0)
    code, _, err = denoise(array, "-o", "out.npy")
    assert (code, "out.npy: cannot be written (No space left on device)" in err) == (1, True)
    assert list(here.iterdir()) == [array]


def changed_by(monkeypatch, change):
    """Change the input when its fit ends."""
    fit = job._fit

    def wrapped(*arguments):
        result = fit(*arguments)
        change()
        return result

    monkeypatch.setattr(job, "_fit", wrapped)


@pytest.mark.parametrize("change", ["replaced", "truncated", "removed", "touched"])
def test_the_hash_is_that_of_what_was_read(denoise, array, here, monkeypatch, change):
    before = sha256(array)
    changes = {
        "replaced": lambda: np.save(array, np.zeros((40, 40), np.uint16)),
        "truncated": lambda: array.write_bytes(b"half"),
        "removed": array.unlink,
        "touched": array.touch,
    }
    changed_by(monkeypatch, changes[change])
    code, out, _ = denoise(array, "-o", "out.npy")
    assert code == 0
    assert sidecar(here / "out.npy")["input"]["sha256"] == before
    assert ("changed or removed during the run" in out) == (change != "touched")


def test_a_file_that_changes_while_it_is_read(denoise, array, here, monkeypatch, no_fit):
    read = io.read

    def reading(path, *arguments, **options):
        image = read(path, *arguments, **options)
        path.write_bytes(b"other")
        return image

    monkeypatch.setattr(io, "read", reading)
    code, _, err = denoise(array, "-o", "out.npy")
    assert (code, "changed while it was read" in err) == (1, True)


def test_pixels_that_are_read_during_the_fit(denoise, store, here, monkeypatch):
    monkeypatch.setattr("autodip.io.large.LARGE", 1000)
    changed_by(monkeypatch, lambda: shutil.rmtree(store / "0" / "c"))
    code, _, err = denoise(store, "-o", "out.ome.zarr")
    assert (code, "changed while it was read" in err) == (1, True)
    assert not (here / "out.ome.zarr").exists()


def test_an_output_that_appears_during_the_fit(denoise, array, here, monkeypatch):
    changed_by(monkeypatch, lambda: (here / "out.npy").write_text("mine"))
    code, _, err = denoise(array, "-o", "out.npy")
    assert (code, "out.npy exists" in err) == (1, True)
    assert (here / "out.npy").read_text() == "mine"


def test_two_runs_for_one_output(denoise, array, here):
    (here / "also").symlink_to(".")
    with locked(here / "out.npy"):
        for out in ("out.npy", "also/out.npy"):
            code, _, err = denoise(array, "-o", out)
            assert (code, f"process {os.getpid()} on" in err) == (1, True)
        assert denoise(array, "-o", "other.npy")[0] == 0
    assert denoise(array, "-o", "out.npy")[0] == 0
    assert not list(here.glob(".*"))
    assert threading.active_count() < 20


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"[]", b'{"host": 1}'])
def test_the_lock_of_a_dead_process(denoise, array, here, content):
    path = lock_file(here / "out.npy")
    path.write_bytes(content)
    os.utime(path, (0, 0))
    assert denoise(array, "-o", "out.npy")[0] == 0
    assert not path.exists()


@pytest.mark.parametrize("name", ["out.npy", "out.npz", "out.ome.zarr"])
def test_damaged_outputs_are_not_skipped(denoise, array, here, name):
    form = {"out.npz": "npz", "out.ome.zarr": "ome-zarr"}.get(name, "npy")
    options = ("--format", form, "--skip-existing")
    assert denoise(array, "-o", name, *options)[0] == 0
    code, out, _ = denoise(array, "-o", name, *options)
    assert (code, "left as it is" in out) == (0, True)
    damaged = here / name
    if damaged.is_dir():
        shutil.rmtree(damaged / "0" / "c")
    else:
        damaged.write_bytes(damaged.read_bytes()[:200])
    for _ in range(2):
        code, _, err = denoise(array, "-o", name, *options)
        assert (code, "exists but cannot be read, so it is not skipped" in err) == (1, True)
        (here / f"{name}.autodip.json").unlink(missing_ok=True)


def leaves(content, path=()):
    inner = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in inner:
        if isinstance(value, dict | list) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)


def test_any_damage_to_a_sidecar_is_one_clear_line(denoise, cli, array, here):
    assert denoise(array, "-o", "out.npy", "--dtype", "float32")[0] == 0
    path = here / "out.npy.autodip.json"
    whole = json.loads(path.read_text())
    rng = np.random.default_rng(0)
    every = list(leaves(whole))
    texts = ["", "[", "[" * 100_000, "null", "1", "{}", '{"schema": 2}', path.read_text()[:500]]
    for place in [every[i] for i in rng.permutation(len(every))[:60]]:
        wrong = json.loads(json.dumps(whole))
        inner = wrong
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = [None, "x", -1, [], {}, 1e400][rng.integers(6)]
        texts.append(json.dumps(wrong))
    for text in texts:
        path.write_text(text)
        code, _, err = cli("denoise", array, "-o", "again.npy", "--params", path, "--dry-run")
        assert "unexpected" not in err, text[:300]
        assert (code, len(err.splitlines()) <= 2) in ((0, True), (1, True), (2, True))
        code, _, err = cli("denoise", array, "-o", "out.npy", "--skip-existing", *QUICK)
        assert "unexpected" not in err


def test_damaged_journals(cli, array, here):
    """Whatever a journal holds, the run is done, and what was done is not lost."""
    (here / "in").mkdir()
    for name in "abc":
        shutil.copy(array, here / "in" / f"{name}.npy")
    words = ("denoise", "in", "-o", "out", *QUICK)
    assert cli(*words)[0] == 0
    journal = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autodip.runs.journal.Journal.delete", lambda self: None)
        assert cli(*words, "--overwrite")[0] == 0
        (journal,) = (here / "out").glob(".autodip-run-*.jsonl")
    whole = journal.read_bytes()
    first, *rest = whole.split(b"\n")
    for content, done in [
        (b"\x00\xff" + first[9:] + b"\n" + b"\n".join(rest), 3),
        (first + b"\n[[[[\n" + b"\n".join(rest), 3),
        (first + b'\n{"begun": []}\n{"begun": "x"}\n{"done": 7}\n' + b"\n".join(rest), 3),
        (first + b"\n" + b"\n".join(rest[:2]) + b"\n" + rest[2][:9], 1),
        (b"\x00" * 100, 0),
        (b"", 0),
    ]:
        journal.write_bytes(content)
        code, out, err = cli(*words, "--overwrite")
        assert (code, err) == (0, ""), content[:50]
        assert out.count("done before the interruption") >= done
        assert not journal.exists()


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("summary.csv", b"", 0),
        ("summary.csv", b"\x00\xff\xfe", 1),
        ("summary.csv", b"a,b\n1,2\n", 1),
        ("run.json", b"", 1),
        ("run.json", b"[" * 100_000, 1),
        ("run.json", b'{"schema": 1', 1),
    ],
)
def test_damaged_summaries(cli, array, here, name, content, code):
    (here / "out").mkdir()
    (here / "out" / name).write_bytes(content)
    words = ("denoise", array, here / "none.npy", "-o", "out", *QUICK)
    found, _, err = cli(*words)
    assert found == 1
    refused = "was not written by this version" in err
    assert refused == bool(code)
    assert (here / "out" / "a.npy").exists() != refused
    assert not refused or (here / "out" / name).read_bytes() == content


def test_a_truncated_last_row_of_the_summary(cli, array, here):
    words = ("denoise", array, here / "none.npy", "-o", "out", *QUICK)
    assert cli(*words)[0] == 1
    table = here / "out" / "summary.csv"
    table.write_bytes(table.read_bytes()[:-20])
    code, _, err = cli(*words, "--overwrite")
    assert (code, "unexpected" in err) == (1, False)


def test_damaged_results_of_tiles_are_computed_again(denoise, cli, here, monkeypatch):
    np.save(here / "a.npy", np.random.default_rng(0).poisson(50, (160, 160)).astype("uint16"))
    words = ("a.npy", "-o", "out.npy", "--tile", "128")
    stop = pytest.MonkeyPatch()
    stop.setattr("autodip.pipeline.assemble.Assembly.result", lambda self: 1 / 0)
    assert denoise(*words)[0] == 1
    stop.undo()
    assert denoise("a.npy", "-o", "whole.npy", "--tile", "128")[0] == 0
    one, two, three, four = sorted(job.working_folder(here / "out.npy").glob("part-*.npz"))
    one.write_bytes(one.read_bytes()[:100])
    two.write_bytes(b"")
    content = bytearray(three.read_bytes())
    content[len(content) // 2] ^= 255
    three.write_bytes(content)
    four.unlink()
    four.mkdir()
    code, out, err = denoise(*words)
    assert (code, err) == (0, "")
    assert "4 stored results of an earlier run were damaged" in out
    assert np.array_equal(np.load("out.npy"), np.load("whole.npy"))
    assert not list(here.glob(".*"))


def test_png_beside_others(denoise, cells, tmp_path):
    """Hidden files of a run are gone after it, whether it failed or not."""
    (tmp_path / "bad.png").write_bytes(b"junk")
    (tmp_path / "constant.png").write_bytes(imagecodecs.png_encode(np.zeros((40, 40), "uint8")))
    out = tmp_path / "out"
    assert denoise(cells, tmp_path / "bad.png", tmp_path / "constant.png", "-o", out)[0] == 1
    assert not list(out.glob(".*"))
