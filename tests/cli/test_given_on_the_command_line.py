"""Endings of outputs, pairs, bases, threads and new names, as they are given to the commands."""

import json
import os

import numpy as np
import pytest
import tifffile
import torch

from autodip import io
from autodip.bases import builtin
from autodip.compute import threads
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate
from tests.cli.conftest import sidecar


@pytest.mark.parametrize(
    ("name", "is_ome"),
    [
        *(("out.tif", False), ("out.tiff", False), ("out.ome.tif", True), ("OUT.OME.TIFF", True)),
        *(("out.png", None), ("out.npy", None), ("out.npz", None)),
        *(("out.zarr", None), ("out.ome.zarr", None)),
    ],
)
def test_the_ending_of_the_output_decides_the_format(denoise, cells, tmp_path, name, is_ome):
    target = tmp_path / name
    code, _, err = denoise(cells, "-o", target)
    assert code == 0, err
    assert io.read(target).data.shape[-2:] == (64, 64)
    if is_ome is not None:
        with tifffile.TiffFile(target) as file:
            assert bool(file.is_ome) == is_ome


def test_the_flavour_of_the_input_is_kept_under_its_own_ending(denoise, tmp_path, sample):
    source = tmp_path / "in.ome.tif"
    tifffile.imwrite(source, sample[0], ome=True, metadata={"axes": "YX"})
    for name in ("out.ome.tif", "out.tif", "out.TIFF"):
        assert denoise(source, "-o", tmp_path / name)[0] == 0
        with tifffile.TiffFile(tmp_path / name) as file:
            assert file.is_ome, name


@pytest.mark.parametrize(
    ("name", "format", "advice"),
    [
        ("out.png", "tiff", "end it in .tif, or give a folder"),
        ("out.tif", "png", "end it in .png, or give a folder"),
        ("out.zarr", "npy", "end it in .npy, or give a folder"),
        ("out.jpg", "ome-tiff", "end it in .tif, or give a folder"),
    ],
)
def test_an_ending_that_contradicts_the_format(denoise, cells, tmp_path, name, format, advice):
    code, _, err = denoise(cells, "-o", tmp_path / name, "--format", format)
    assert (code, advice in err) == (2, True), err
    assert not (tmp_path / name).exists()


def test_threads(denoise, cells, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    before = torch.get_num_threads()
    for number in (1, 2):
        target = tmp_path / f"{number}.png"
        assert denoise(cells, "-o", target, "--threads", number)[0] == 0
        assert sidecar(target)["threads"] == number
    assert (torch.get_num_threads(), os.environ["OMP_NUM_THREADS"]) == (before, "7")
    assert threads.limit() is None


def test_threads_of_a_repeated_run(denoise, cli, cells, tmp_path):
    first, again, other = (tmp_path / name for name in ("a.png", "b.png", "c.png"))
    assert denoise(cells, "-o", first, "--threads", "2")[0] == 0
    repeat = ("--params", f"{first}.autodip.json")
    assert cli("denoise", cells, "-o", again, *repeat)[0] == 0
    assert cli("denoise", cells, "-o", other, *repeat, "--threads", "1")[0] == 0
    assert [sidecar(path)["threads"] for path in (again, other)] == [2, 1]
    assert threads.limit() is None
    code, _, err = cli("denoise", cells, "-o", first, "--threads", "0")
    assert (code, "invalid value for '--threads'" in err) == (2, True)


@pytest.fixture
def folders(tmp_path):
    """Folders with noisy and true images of the same names."""
    for name in ("noisy", "truth"):
        (tmp_path / name).mkdir()
    for number in range(2):
        noisy, truth = simulate("mito", Optics(microscope="confocal"), size=64, seed=number)
        tifffile.imwrite(tmp_path / "noisy" / f"{number}.tif", noisy)
        np.save(tmp_path / "truth" / f"{number}.npy", truth)
    return "--noisy", tmp_path / "noisy", "--truth", tmp_path / "truth"


def test_a_base_from_two_folders_with_new_names(cli, folders, tmp_path):
    base, image = tmp_path / "base", tmp_path / "noisy" / "0.tif"
    names = ("--microscope", "STED", "--specimen", "Microtubules")
    code, out, err = cli("calibrate", *folders, "-o", base, "--grid", "tiny", *names, "--json")
    assert code == 0, err
    assert json.loads(out)["this_call"] == {"done": 4}
    (group, *_) = json.loads(cli("base", "show", base, "--json")[1])["groups"]
    assert (group["microscope"], group["specimen"]) == ("sted", "tubulin")
    _, out, _ = cli("params", image, "--base", base, "--specimen", "tubulin")
    assert "row         any microscope / tubulin of base" in out
    _, out, _ = cli("params", image, "--base", base, "--specimen", "mouse_brain")
    assert "mouse_brain  (given as 'mouse_brain', a new name)" in out
    assert "the base base has no image of mouse_brain: the preset decides" in out


@pytest.mark.usefixtures("same_process")
def test_a_benchmark_of_two_folders(cli, folders, tmp_path):
    out = tmp_path / "out"
    call = ("benchmark", "shared", *folders, "-o", out, "--methods", "noisy,blur", "--json")
    code, printed, err = cli(*call)
    rows = json.loads(printed)["rows"]
    assert (code, len(rows), {row["status"] for row in rows}) == (0, 4, {"done"}), err
    assert "--noisy" in (out / "table.md").read_text()
    code, _, err = cli("benchmark", "fmd", *folders, "-o", out)
    assert (code, "are the data set 'shared'" in err) == (2, True)


@pytest.mark.parametrize(
    ("preset", "sentences"),
    [
        ("balanced", ("microscope and specimen change nothing for the preset balanced",)),
        ("untrained", ("depends on size of the image and correlation of the noise", "change noth")),
        ("published", ("the choice depends on microscope and specimen",)),
        ("original", ("the same parameters for every image", "change nothing for the preset")),
    ],
)
def test_params_in_plain_words(cli, cells, preset, sentences):
    _, out, _ = cli("params", cells, "--preset", preset)
    for sentence in sentences:
        assert sentence in out
    (channel,) = json.loads(cli("params", cells, "--preset", preset, "--json")[1])["results"][0][
        "channels"
    ]
    assert all(sentence in out for sentence in channel["depends_on"])


@pytest.mark.parametrize("strategy", ["group", "descriptor", "group+descriptor"])
def test_params_of_a_base_in_plain_words(cli, cells, strategy):
    call = ("--base", "builtin", "--microscope", "confocal", "--strategy", strategy)
    _, out, _ = cli("params", cells, *call)
    assert ("the choice depends on microscope and specimen" in out) == ("group" in strategy)
    assert ("on the pixels" in out) == ("descriptor" in strategy)
    assert ("change nothing for this strategy" in out) == (strategy == "descriptor")


def test_what_takes_the_place_of_a_new_name(cli, cells):
    call = ("params", cells, "--preset", "published", "--microscope", "confocal", "--specimen")
    _, out, _ = cli(*call, "ER")
    assert "no row for confocal and er: the row for confocal is used instead" in out


def test_builtin_is_a_base_everywhere(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli("base", "validate", "builtin")[0] == 0
    content = json.loads(cli("base", "show", "builtin", "--json")[1])
    assert content["images"] == len(builtin.entries())
    assert cli("base", "merge", "builtin", "-o", "mine", "--no-images")[0] == 0
    assert cli("study", "builtin", "-o", "study", "--measures", "none", "-q")[0] == 0
    call = ("study", "mine", "--validation", "builtin", "-o", "other", "--measures", "none", "-q")
    assert cli(*call)[0] == 0
    (tmp_path / "config.toml").write_text('base = "builtin"\n')
    assert cli("config", "validate", "config.toml")[0] == 0
    code, _, err = cli("base", "show", "./builtin")
    assert (code, "no calibration base" in err) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("calibrate", "pairs", "--base", "builtin"),
        ("calibrate", "pairs", "-o", "builtin"),
        ("base", "add", "builtin", "a.tif", "b.tif"),
        ("base", "merge", "builtin", "-o", "builtin"),
        ("prior", "tune", "pairs", "-o", "builtin"),
    ],
)
def test_the_built_in_base_is_not_changed(cli, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    code, _, err = cli(*arguments)
    assert (code, "autodip base merge builtin -o my-base" in err) == (2, True), err


def test_a_new_specimen_has_no_row(cli, cells):
    _, out, _ = cli("params", cells, "--preset", "published", "--specimen", "mouse_brain")
    assert "microscope unknown, no row for mouse_brain: the row for all images is used" in out
    assert "AUTO-DIP uses" in out
