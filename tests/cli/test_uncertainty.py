"""The standard errors of an output: their file, and that the two are written as one."""

import csv
import json
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal

import autodip
from autodip import io
from autodip.image.image import Image
from autodip.io import large
from autodip.runs import map_files
from tests.cli.conftest import sidecar
from tests.helpers import nd2_file

FAST = ("--preset", "fast", "--device", "cpu")
CAPTION = "Standard error of every pixel, in the units of the image"


@pytest.fixture
def cells(sample):
    """A noisy image with a pixel size."""
    return Image(sample[0], "YX", pixel_size={"X": 0.1, "Y": 0.1})


@pytest.fixture
def fast(cli, tmp_path, monkeypatch):
    """``autodip denoise`` with the learned prior, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: cli("denoise", *arguments, *FAST)


def write(path, image):
    path.parent.mkdir(exist_ok=True)
    io.write(path, image)
    return path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("name", "map_name"),
    [
        ("a.tif", "a.sd.tif"),
        ("a.b.TIFF", "a.b.sd.TIFF"),
        ("a.ome.tif", "a.sd.ome.tif"),
        ("a.png", "a.sd.tif"),
        ("a.npy", "a.sd.npy"),
        ("a.npz", "a.sd.npz"),
        ("a.mrc", "a.sd.mrc"),
        ("a.ome.zarr", "a.sd.ome.zarr"),
        ("a.zarr", "a.sd.zarr"),
    ],
)
def test_every_format(fast, cells, tmp_path, name, map_name):
    if name.endswith(("zarr", "mrc")):
        pytest.importorskip("zarr" if name.endswith("zarr") else "mrcfile")
    source = write(tmp_path / "in" / name, cells)
    code, _, said = fast(source, "-o", "out/", "--uncertainty")
    assert code == 0, said
    out = tmp_path / "out"
    assert names(out) == sorted([name, f"{name}.autodip.json", map_name])
    result, errors = io.read(out / name), io.read(out / map_name)
    assert errors.data.dtype == np.float32
    assert (errors.axes, errors.data.shape) == (result.axes, result.data.shape)
    assert errors.pixel_size == result.pixel_size
    expected = autodip.denoise(source, preset="fast", device="cpu", uncertainty=True)
    assert_array_equal(errors.data, expected.maps["sd"])
    assert_array_equal(result.data, expected.image)
    stated = sidecar(out / name)["output"]["maps"]["sd"]
    assert (stated["file"], stated["dtype"]) == (map_name, "float32")
    assert "90 % of the pixels" in stated["meaning"]


def test_the_flavour_and_what_is_known_are_those_of_the_output(fast, sample, tmp_path):
    planes = np.stack([sample[0], sample[0][::-1]])
    metadata = {
        **{"unit": "um", "Labels": ["DAPI", "GFP"], "Ranges": (0.0, 9.0, 0.0, 9.0)},
        **{"min": 0.0, "max": 9.0, "axes": "CYX", "Info": "objective 63x"},
    }
    source = tmp_path / "stack.tif"
    tifffile.imwrite(source, planes, imagej=True, resolution=(10, 10), metadata=metadata)
    assert fast(source, "-o", "out/", "--uncertainty")[0] == 0
    with tifffile.TiffFile(tmp_path / "out" / "stack.sd.tif") as file:
        assert file.is_imagej
        found = file.imagej_metadata
    assert found["Info"] == f"{CAPTION}\nobjective 63x"
    assert not {"Ranges", "min", "max"} & set(found)  # display ranges of the intensities
    errors = io.read(tmp_path / "out" / "stack.sd.tif")
    assert (errors.channel_names, errors.pixel_size) == (("DAPI", "GFP"), {"X": 0.1, "Y": 0.1})
    assert fast(source, "-o", "out/", "--uncertainty", "--format", "ome-tiff")[0] == 0
    with tifffile.TiffFile(tmp_path / "out" / "stack.sd.ome.tif") as file:
        assert f"<Description>{CAPTION}</Description>" in file.ome_metadata
        assert 'Name="GFP"' in file.ome_metadata
    assert fast(tmp_path / "out" / "stack.ome.tif", "-o", "again/", "--uncertainty")[0] == 0
    with tifffile.TiffFile(tmp_path / "again" / "stack.sd.ome.tif") as file:
        assert f"<Description>{CAPTION}</Description>" in file.ome_metadata


def test_films_tiles_parts_and_averages(fast, sample, tmp_path):
    film = np.stack([np.tile(sample[0], (2, 2)), np.tile(sample[0].T, (2, 2))])
    source = write(tmp_path / "film.ome.tif", Image(film, "TYX", time_step=2.0))
    assert fast(source, "-o", "out/", "--uncertainty", "--tile", "128")[0] == 0
    errors = io.read(tmp_path / "out" / "film.sd.ome.tif")
    assert (errors.data.shape, errors.time_step) == (film.shape, 2.0)
    expected = autodip.denoise(source, preset="fast", device="cpu", tile=128, uncertainty=True)
    assert_array_equal(errors.data, expected.maps["sd"])
    assert fast(source, "-o", "mean.ome.tif", "--uncertainty", "--average")[0] == 0
    assert fast(source, "-o", "one.ome.tif", "--uncertainty", "--frames", "1:2")[0] == 0
    for name in ("mean", "one"):
        errors = io.read(tmp_path / f"{name}.sd.ome.tif").data
        assert errors.shape == io.read(tmp_path / f"{name}.ome.tif").data.shape
        assert errors.shape[-2:] == film.shape[-2:]


def test_colours_with_transparency(fast, sample, tmp_path):
    colours = (sample[0] // 4).clip(0, 255).astype("uint8")
    pixels = np.stack([colours, colours[::-1], colours.T, np.full_like(colours, 255)], -1)
    source = write(tmp_path / "a.png", Image(pixels, "YXS", alpha=True))
    assert fast(source, "-o", "out/", "--uncertainty")[0] == 0
    with tifffile.TiffFile(tmp_path / "out" / "a.sd.tif") as file:
        found = file.asarray()
        assert CAPTION in file.pages[0].description
    assert (found.shape, found.dtype) == (pixels.shape, np.float32)
    assert (found[..., 3] == 255).all()  # transparency, as in the output
    assert (found[..., :3] > 0).all()


def test_vendors_files(fast, tmp_path):
    pytest.importorskip("nd2", reason="needs the extra nd2")
    rng = np.random.default_rng(0)
    pixels = (50 + 10 * rng.poisson(9, (2, 80, 70))).astype(np.uint16)
    source = tmp_path / "a.nd2"
    nd2_file.write(source, pixels, "CYX", ("DAPI", "GFP"), ("0000FF", "00FF00"))
    code, _, said = fast(source, "-o", "out/", "--uncertainty")
    assert code == 0, said
    assert names(tmp_path / "out") == ["a.ome.tif", "a.ome.tif.autodip.json", "a.sd.ome.tif"]
    errors, result = (io.read(tmp_path / "out" / f"a{end}.ome.tif") for end in (".sd", ""))
    assert errors.data.shape == result.data.shape
    assert (errors.channel_names, errors.pixel_size) == (result.channel_names, result.pixel_size)


def test_a_large_file_has_a_mapped_map(fast, cells, tmp_path, monkeypatch):
    source = write(tmp_path / "a.npy", cells.replace(data=np.tile(cells.data, (3, 2))))
    options = ("--uncertainty", "--tile", "128")
    assert fast(source, "-o", "out/", *options)[0] == 0
    monkeypatch.setattr(large, "LARGE", 1000)
    seen = []
    own = map_files.write
    monkeypatch.setattr(map_files, "write", lambda *a, **k: seen.append(type(a[3])) or own(*a, **k))
    assert fast(source, "-o", "mapped/", *options)[0] == 0
    assert seen == [np.memmap]
    for name in ("a.npy", "a.sd.npy"):
        assert (tmp_path / "mapped" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()
    assert names(tmp_path / "mapped") == ["a.npy", "a.npy.autodip.json", "a.sd.npy"]


def test_params_repeat_it_to_the_bit(cli, fast, cells, tmp_path):
    source = write(tmp_path / "a.tif", cells)
    assert fast(source, "-o", "out/", "--uncertainty")[0] == 0
    done = tmp_path / "out" / "a.tif"
    repeat = ("--params", f"{done}.autodip.json", "--device", "cpu")
    assert cli("denoise", source, "-o", "again/", *repeat)[0] == 0
    assert names(tmp_path / "again") == names(tmp_path / "out")
    for name in ("a.tif", "a.sd.tif"):
        assert (tmp_path / "again" / name).read_bytes() == (done.parent / name).read_bytes()
    assert cli("denoise", source, "-o", "without/", *repeat, "--no-uncertainty")[0] == 0
    assert names(tmp_path / "without") == ["a.tif", "a.tif.autodip.json"]
    more = ("--params", tmp_path / "without" / "a.tif.autodip.json", "--uncertainty")
    assert cli("denoise", source, "-o", "more/", *more, "--device", "cpu")[0] == 0
    assert (tmp_path / "more" / "a.sd.tif").read_bytes() == (done.parent / "a.sd.tif").read_bytes()


def test_a_manifest_and_a_config_file_may_ask_for_it(fast, cells, tmp_path):
    for name in ("a.tif", "b.tif"):
        write(tmp_path / name, cells)
    (tmp_path / "list.csv").write_text("file,uncertainty\na.tif,yes\nb.tif,\n")
    assert fast("list.csv", "-o", "out/")[0] == 0
    assert {"a.sd.tif"} == {name for name in names(tmp_path / "out") if ".sd." in name}
    (tmp_path / "list.json").write_text(json.dumps([{"file": "b.tif", "uncertainty": True}]))
    assert fast("list.json", "-o", "out2/")[0] == 0
    assert "b.sd.tif" in names(tmp_path / "out2")
    (tmp_path / "list.csv").write_text("file,uncertainty\na.tif,perhaps\n")
    code, _, said = fast("list.csv", "-o", "out3/")
    assert (code, "uncertainty is 'perhaps'" in said) == (2, True)
    (tmp_path / "config.toml").write_text("uncertainty = true\n")
    assert fast("a.tif", "-o", "out4/", "--config", "config.toml")[0] == 0
    assert "a.sd.tif" in names(tmp_path / "out4")
    off = ("--config", "config.toml", "--no-uncertainty")
    assert fast("a.tif", "-o", "out5/", *off)[0] == 0
    assert "a.sd.tif" not in names(tmp_path / "out5")
    (tmp_path / "config.toml").write_text('uncertainty = "yes"\n')
    code, _, said = fast("a.tif", "-o", "out6/", "--config", "config.toml")
    assert (code, "must be true or false" in said) == (2, True)


def test_the_path_is_in_the_replies_and_in_the_record_of_the_run(fast, cells, tmp_path):
    for name in ("a.tif", "b.ome.tif"):
        write(tmp_path / "in" / name, cells)
    code, printed, _ = fast("in", "-o", "out", "--uncertainty", "--json")
    assert code == 0
    found = [one["uncertainty"] for one in json.loads(printed)["results"]]
    assert found == ["out/a.sd.tif", "out/b.sd.ome.tif"]
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert [one["uncertainty"] for one in record["files"]] == ["a.sd.tif", "b.sd.ome.tif"]
    assert record["options"]["uncertainty"] is True
    with (tmp_path / "out" / "summary.csv").open() as file:
        assert [row["output"] for row in csv.DictReader(file)] == ["a.tif", "b.ome.tif"]


def test_a_folder_of_outputs_is_denoised_without_the_maps(fast, cells, tmp_path):
    for name in ("a.tif", "b.png", "c.ome.tif"):
        write(tmp_path / "in" / name, cells)
    assert fast("in", "-o", "out", "--uncertainty")[0] == 0
    shutil.copy(tmp_path / "out" / "a.sd.tif", tmp_path / "out" / "other.sd.tif")
    for inputs in ("out", "out/*"):
        _, printed, _ = fast(inputs, "-o", "second", "--dry-run", "--json")
        found = [one["input"] for one in json.loads(printed)["results"]]
        # The last one belongs to no output: it is a file like any other.
        assert found == ["out/a.tif", "out/b.png", "out/c.ome.tif", "out/other.sd.tif"]
    _, printed, _ = fast("out/a.sd.tif", "-o", "second", "--dry-run", "--json")
    assert len(json.loads(printed)["results"]) == 1  # it was named


def test_maps_are_not_written_over_other_files(fast, cells, tmp_path):
    write(tmp_path / "in" / "a.tif", cells)
    write(tmp_path / "in" / "a.png", cells)
    code, _, said = fast("in", "-o", "out", "--uncertainty")
    assert (code, "would both be written to out/a.sd.tif" in said) == (2, True)
    assert fast("in", "-o", "out")[0] == 0
    (tmp_path / "in" / "a.png").unlink()
    write(tmp_path / "in" / "a.sd.tif", cells)
    code, _, said = fast("in", "-o", "out2", "--uncertainty")
    assert (code, "the output out2/a.sd.tif would both" in said) == (2, True)
    mine = tmp_path / "out3" / "a.sd.tif"
    mine.parent.mkdir()
    mine.write_text("mine")
    code, _, said = fast("in/a.tif", "-o", "out3/", "--uncertainty")
    assert (code, "out3/a.sd.tif exists; use --overwrite" in said) == (1, True)
    assert mine.read_text() == "mine"
    assert fast("in/a.tif", "-o", "out3/")[0] == 0
    assert mine.read_text() == "mine"
    code, _, said = fast("in/a.sd.tif", "in/a.tif", "-o", "in/", "--uncertainty")
    assert (code, "input" in said) == (2, True)


def test_overwriting_replaces_both_and_leaves_no_map_of_another_result(fast, cells, tmp_path):
    write(tmp_path / "a.tif", cells)
    out = tmp_path / "out"
    assert fast("a.tif", "-o", "out/", "--uncertainty")[0] == 0
    first = (out / "a.sd.tif").read_bytes()
    again = ("a.tif", "-o", "out/", "--uncertainty")
    code, _, said = fast(*again)
    assert (code, "exists" in said) == (1, True)
    assert fast(*again, "--overwrite", "--seed", "1")[0] == 0
    assert (out / "a.sd.tif").read_bytes() == first  # the learned prior has no seed
    assert fast("a.tif", "-o", "out/", "--overwrite")[0] == 0
    assert names(out) == ["a.tif", "a.tif.autodip.json"]
    assert "maps" not in sidecar(out / "a.tif")["output"]


def test_what_exists_without_its_map_is_not_done(fast, cells, tmp_path):
    write(tmp_path / "a.tif", cells)
    out = tmp_path / "out"
    again = ("a.tif", "-o", "out/", "--skip-existing", "--uncertainty")
    assert fast("a.tif", "-o", "out/")[0] == 0
    pixels = (out / "a.tif").read_bytes()
    assert fast(*again)[0] == 0
    assert names(out) == ["a.sd.tif", "a.tif", "a.tif.autodip.json"]
    assert (out / "a.tif").read_bytes() == pixels
    code, printed, _ = fast(*again, "--json")
    assert json.loads(printed)["results"][0]["skipped"]
    for damage in (lambda path: path.unlink(), lambda path: path.write_bytes(b"half")):
        whole = (out / "a.sd.tif").read_bytes()
        damage(out / "a.sd.tif")
        code, printed, _ = fast(*again, "--json")
        assert not json.loads(printed)["results"][0]["skipped"]
        assert (out / "a.sd.tif").read_bytes() == whole
    (out / "a.tif.autodip.json").unlink()
    (out / "a.sd.tif").unlink()
    code, _, said = fast(*again)
    assert (code, "without a sidecar; use --overwrite" in said) == (1, True)
    assert (out / "a.tif").read_bytes() == pixels


def test_a_killed_run_resumes_with_both(fast, cells, tmp_path, monkeypatch):
    """Killed at the moment when the first map is there and its output is not."""
    for name in ("a.tif", "b.tif", "c.tif"):
        write(tmp_path / "in" / name, cells)
    code = """
import os, signal, sys
from autodip.util import files
own = files._move
def move(part, target):
    if target.name == "b.tif":
        os.kill(os.getpid(), signal.SIGKILL)
    own(part, target)
files._move = move
from autodip.cli.main import run
run(sys.argv[1:])
"""
    command = ["denoise", "in", "-o", "out", "--uncertainty", *FAST]
    ended = subprocess.run([sys.executable, "-c", code, *command], check=False)
    assert ended.returncode == -signal.SIGKILL
    out = tmp_path / "out"
    assert "b.sd.tif" in names(out)
    assert "b.tif" not in names(out)
    assert any(name.endswith(".part") for name in names(out))
    before = (out / "a.sd.tif").stat().st_mtime_ns
    code, printed, said = fast("in", "-o", "out", "--uncertainty")
    assert code == 0, said
    assert "a.tif: done before the interruption" in printed
    assert (out / "a.sd.tif").stat().st_mtime_ns == before
    whole = [f"{one}.{end}" for one in "abc" for end in ("sd.tif", "tif", "tif.autodip.json")]
    assert names(out) == sorted([*whole, "run.json", "summary.csv"])


def test_a_folder_without_one_of_its_maps_is_completed(fast, cells, tmp_path):
    for name in ("a.tif", "b.tif"):
        write(tmp_path / "in" / name, cells)
    command = ("in", "-o", "out", "--uncertainty")
    assert fast(*command)[0] == 0
    (tmp_path / "out" / "b.sd.tif").unlink()
    _, printed, _ = fast(*command, "--skip-existing", "--json")
    found = {one["output"]: one["skipped"] for one in json.loads(printed)["results"]}
    assert found == {"out/a.tif": True, "out/b.tif": False}
    assert "b.sd.tif" in names(tmp_path / "out")


def test_on_workers(fast, cells, tmp_path, monkeypatch):
    pytest.importorskip("distributed", reason="needs the extra cluster")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    large = cells.replace(data=np.tile(cells.data, (3, 2)))
    source = write(tmp_path / "a.tif", large)
    options = ("--uncertainty", "--tile", "128", "--threads", "1")
    assert fast(source, "-o", "alone/", *options)[0] == 0
    assert fast(source, "-o", "shared/", *options, "--workers", "2")[0] == 0
    alone, shared = (tmp_path / place / "a.sd.tif" for place in ("alone", "shared"))
    assert alone.read_bytes() == shared.read_bytes()
