"""``autodip denoise`` on images that are cut, mapped, stopped, and computed by workers."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import tifffile

from autodip import io
from autodip.io import large
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate
from autodip.pipeline.assess import Assessment
from autodip.runs.job import working_folder
from autodip.runs.notes import notes
from autodip.runs.plane_records import PlaneRecord
from tests.cli.conftest import sidecar

TILED = ("--tile", "128", "--no-refine", "--device", "cpu")


@pytest.fixture
def slide(tmp_path):
    """A compressed OME-TIFF of 300 x 280 pixels."""
    noisy, _ = simulate("actin", Optics(), size=300, seed=3)
    path = tmp_path / "slide.ome.tif"
    metadata = {"axes": "YX", "PhysicalSizeX": 0.2, "PhysicalSizeY": 0.2}
    tifffile.imwrite(path, noisy[:, :280], compression="zlib", tile=(64, 64), metadata=metadata)
    return path


def test_windows(denoise, cli, slide, tmp_path, monkeypatch):
    code, _, said = denoise(slide, "-o", tmp_path / "a", *TILED)
    assert code == 0, said
    target = tmp_path / "a" / slide.name
    result, content = io.read(target), sidecar(target)
    assert (result.data.shape, result.pixel_size["X"]) == ((300, 280), 0.2)
    assert content["tiling"] == {"side": 128, "overlap": 32}
    assert content["planes"][1]["window"] == {"rows": [0, 128], "columns": [76, 204]}
    assert len(content["planes"]) == content["channels"][0]["fits"] == 9
    assert content["peak_memory"] > 10**8
    assert names(target.parent) == [slide.name, target.name + ".autodip.json"]
    monkeypatch.setattr(large, "LARGE", 1000)
    assert denoise(slide, "-o", tmp_path / "mapped", *TILED)[0] == 0
    assert np.array_equal(io.read(tmp_path / "mapped" / slide.name).data, result.data)
    again = ("--params", target.with_name(target.name + ".autodip.json"))
    assert cli("denoise", slide, "-o", tmp_path / "again", *again)[0] == 0
    assert np.array_equal(io.read(tmp_path / "again" / slide.name).data, result.data)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_notes_of_many_windows_are_told_in_short():
    quality = Assessment(1.0, (0.0, 0.0), 0.0)
    planes = [
        PlaneRecord(index={}, assessment=quality.replace(notes=(f"note {n}",))) for n in range(9)
    ]
    told = notes([], [*planes, PlaneRecord(index={}, assessment=quality)])
    assert told == [*(f"note {n}" for n in range(5)), "4 more such notes are in the sidecar"]


def test_max_memory(denoise, cli, slide, tmp_path):
    code, _, said = denoise(slide, "-o", tmp_path / "a", "--max-memory", "10MB")
    assert code == 1
    assert "are free" in said
    assert not working_folder(tmp_path / "a" / slide.name).exists()
    code, _, said = denoise(slide, "-o", tmp_path / "a", "--max-memory", "much")
    assert (code, "4GB or 500MB" in said) == (2, True)
    code, _, said = denoise(slide, "-o", tmp_path / "a", "--tile", "5")
    assert (code, "128 pixels or more" in said) == (2, True)
    code, printed, _ = cli("params", slide, "--tile", "128")
    assert (code, "in 9 windows of 128 x 128 pixels" in printed) == (0, True)
    assert denoise(slide, "-o", tmp_path / "a", "--max-memory", "20 GiB", "--no-refine")[0] == 0
    assert sidecar(tmp_path / "a" / slide.name)["tiling"] is None


def test_captures_are_fitted_jointly(denoise, tmp_path):
    noisy, _ = simulate("mito", Optics(), size=64)
    film = np.stack([noisy, noisy + 3, noisy[:, ::-1]]).astype(np.uint16)
    tifffile.imwrite(tmp_path / "film.ome.tif", film, metadata={"axes": "TYX"})
    code, _, said = denoise(tmp_path / "film.ome.tif", "-o", tmp_path / "a", "--average")
    assert code == 0, said
    content = sidecar(tmp_path / "a" / "film.ome.tif")
    assert content["selection"]["average"] is True
    assert len(content["planes"]) == 1
    result = io.read(tmp_path / "a" / "film.ome.tif").data
    assert result.dtype == np.float32
    assert result.mean() == pytest.approx(film.mean(), rel=0.05)
    code, _, said = denoise(tmp_path / "film.ome.tif", "-o", tmp_path / "b", "--axes", "ZYX")
    assert code == 0
    command = ("-o", tmp_path / "c", "--axes", "ZYX", "--average")
    code, _, said = denoise(tmp_path / "film.ome.tif", *command)
    assert (code, "--average needs the axis T" in said) == (1, True)


DYING = """
import os, signal
from autodip.pipeline.checkpoint import Checkpoint
put, count = Checkpoint.put, [0]
def dying(self, done):
    put(self, done)
    count[0] += 1
    if count[0] == 2:
        os.kill(os.getpid(), signal.SIGKILL)
Checkpoint.put = dying
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_run_goes_on_where_it_was(cli, slide, tmp_path):
    quick = ("--iterations", "20", "--depth", "2", "--width", "4", *TILED)
    assert cli("denoise", slide, "-o", tmp_path / "whole", *quick)[0] == 0
    target = tmp_path / "out" / slide.name
    words = [str(word) for word in ("denoise", slide, "-o", tmp_path / "out", *quick)]
    code = f"from autodip.cli.main import run; import sys; sys.exit(run({words!r}))"
    killed = subprocess.run([sys.executable, "-c", DYING + code], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list(working_folder(target).glob("part-*.npz"))) == 2
    assert not target.exists()
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    whole = tmp_path / "whole" / slide.name
    assert np.array_equal(io.read(target).data, io.read(whole).data)
    assert names(target.parent) == names(whole.parent)
    one, other = (without_time(sidecar(path)) for path in (target, whole))
    assert one == other


def without_time(content):
    """Content of a sidecar without the values that differ between any two runs."""
    text = json.loads(json.dumps(content))
    for name in ("seconds", "finished", "peak_memory"):
        text.pop(name)
    for plane in text["planes"]:
        plane.pop("seconds")
    return text


def test_workers_compute_windows_and_files(cli, slide, tmp_path, monkeypatch):
    pytest.importorskip("distributed", reason="needs the extra cluster")
    import torch  # noqa: PLC0415  (after autodip)

    quick = ("--iterations", "3", "--depth", "2", "--width", "4", *TILED)
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))  # as in the workers
    assert cli("denoise", slide, "-o", tmp_path / "here", *quick)[0] == 0
    code, _, said = cli("denoise", slide, "-o", tmp_path / "there", *quick, "--workers", "2")
    assert code == 0, said
    here = io.read(tmp_path / "here" / slide.name).data
    assert np.array_equal(io.read(tmp_path / "there" / slide.name).data, here)
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(3):
        tifffile.imwrite(folder / f"{number}.tif", here[number * 50 : number * 50 + 64, :64])
    (folder / "3.tif").write_bytes(b"no image")
    monkeypatch.chdir(tmp_path)  # relative paths are those of this process
    code, _, said = cli("denoise", "many", "-o", "out", *quick, "--workers", "2")
    assert (code, "3.tif" in said) == (1, True)
    assert cli("denoise", "many", "-o", "alone", *quick)[0] == 1
    assert names(tmp_path / "out") == names(tmp_path / "alone")
    for number in range(3):
        one, other = (io.read(tmp_path / at / f"{number}.tif").data for at in ("out", "alone"))
        assert np.array_equal(one, other)
    runs = [json.loads((tmp_path / at / "run.json").read_text()) for at in ("out", "alone")]
    files = [[(entry["input"], entry["status"]) for entry in run["files"]] for run in runs]
    assert files[0] == files[1]
