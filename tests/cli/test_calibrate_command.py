"""``autodip calibrate`` and ``autodip base`` on a folder of small images."""

import dataclasses
import json
import os
import random
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image as Picture

from autodip.bases import store
from autodip.calibration import preset_settings
from autodip.choose import presets
from autodip.cli.main import run
from autodip.errors import ParameterError
from autodip.fit.params import NetParams
from autodip.metrics import weights
from tests.helpers.bases import GRID, content
from tests.helpers.pairs import entries_of, save, write


@pytest.fixture
def root(tmp_path):
    """Three calibration images of two specimens, and a test image."""
    folder = write(tmp_path / "data", ["mito", "mito", "actin", "actin"])
    entries = entries_of(folder)
    entries[3]["role"] = "test"
    save(folder, entries)
    return folder


@pytest.fixture
def grid(tmp_path):
    path = tmp_path / "grid.yaml"
    path.write_text(GRID)
    return path


@pytest.fixture
def base(tmp_path):
    return tmp_path / "base"


@pytest.fixture
def calibrate(cli, root, base, grid):
    fixed = ("--base", base, "--grid", grid, "--device", "cpu")
    return lambda *more: cli("calibrate", root, *fixed, *more)


def test_it_fills_a_base_and_goes_on(calibrate, base):
    code, printed, said = calibrate("--limit", "1")
    assert code == 0
    assert "2 images, 4 runs (4 done)" in printed
    assert "   1/4  cells/noisy0  2/2-4/4 lean 6  " in said
    assert said.count(" dB") == 4
    code, printed, said = calibrate("--resume", "--keep-images")
    assert "3 images, 6 runs (4 kept, 2 done)" in printed
    assert "recorded before" in said
    loaded = store.load(base)
    assert {entry.source["role"] for entry in loaded.entries.values()} == {"calibration"}
    assert all(loaded.pixels(image) is not None for image in loaded.entries)
    code, _, said = calibrate("--quiet")
    assert (code, said) == (0, "")


def test_images_can_be_chosen(calibrate, base, root):
    code, printed, _ = calibrate("--role", "test", "--crop", "64")
    assert (code, "1 images, 2 runs" in printed) == (0, True)
    code, printed, _ = calibrate("--where", "specimen=actin", "--halving")
    assert (code, "2 images, 5 runs (3 done)" in printed) == (0, True)
    code, _, said = calibrate("--where", "specimen=nucleus")
    assert (code, "specimen: actin, mito" in said) == (2, True)


def test_a_preset_chooses_the_setting_for_each_image_and_the_study_has_it(
    cli, calibrate, root, base, monkeypatch, tmp_path
):
    def tiny(row):
        net = NetParams(2, 4 if row.kind.specimen == "mito" else 8, 4)
        return dataclasses.replace(row, net=net, fit=row.fit.replace(iterations=3))

    published, load = presets.load("published"), presets.load
    table = dataclasses.replace(published, rows=tuple(tiny(row) for row in published.rows))
    monkeypatch.setattr(presets, "load", lambda name: table if name == "published" else load(name))
    calibrate()
    code, printed, _ = cli("calibrate", root, "--base", base, "--grid", "published")
    assert (code, "3 images, 9 runs (3 done)" in printed) == (0, True)
    assert "(3 kept)" in cli("calibrate", root, "--base", base, "--grid", "published")[1]
    loaded = store.load(base)
    fitted = [run for run in loaded.runs if run.config.fit.iterations == 3]
    widths = {loaded.entries[run.image].specimen: run.config.net.width for run in fitted}
    assert widths == {"mito": 4, "actin": 8}
    code, printed, _ = cli("study", base, "--out", tmp_path / "study", "--measures", "none")
    assert (code, "| published table | 3 | " in printed) == (0, True)
    assert "| original DIP | not in the grid |" in printed
    assert "not run on all calibration images, and not to be chosen" in printed


def test_a_preset_without_a_fit_has_no_setting():
    with pytest.raises(ParameterError, match="fits no network"):
        preset_settings.settings([], "balanced")


def test_captures_are_averaged_where_there_is_no_truth(cli, calibrate, root, base):
    entries = entries_of(root)
    for number, entry in enumerate(entries):
        entry |= {"specimen": "mito", "fov": 1, "capture": number, "role": ""}
        del entry["truth"]
    save(root, entries)
    assert calibrate()[0] == 1
    code, printed, _ = calibrate("--average", "--where", "capture=0")
    assert (code, "1 images, 2 runs" in printed) == (0, True)
    assert len({entry.fov for entry in store.load(base).entries.values()}) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (("--grid", "huge"), 2, "known are paper, small, tiny"),
        (("--crop", "5"), 2, "64 pixels or more"),
        (("--device", "tpu"), 2, "allowed are auto"),
        (("--seed", "-1"), 2, "from 0 up"),
        (("--average",), 1, "have no truth"),
    ],
)
def test_wrong_usage_is_said_before_anything_is_written(calibrate, base, arguments, code, named):
    found, _, said = calibrate(*arguments)
    assert (found, named in said) == (code, True), said
    assert not base.exists()


def test_folders_that_are_something_else(cli, calibrate, root, base, grid, tmp_path):
    code, _, said = cli("calibrate", root, "--base", root, "--grid", grid)
    assert (code, "is no calibration base and not empty" in said) == (1, True)
    save(root, [])
    code, _, said = calibrate()
    assert (code, "no pair of the data set shared" in said) == (1, True)
    code, _, said = cli("calibrate", tmp_path / "nowhere", "--base", base)
    assert (code, "no such folder" in said) == (1, True)
    for command in ("show", "validate"):
        code, _, said = cli("base", command, root)
        assert (code, "no calibration base" in said) == (1, True)
    save(root, [{**one, "role": "test"} for one in entries_of(write(tmp_path / "d", ["mito"]))])
    code, _, said = calibrate()
    assert (code, "the 1 there have test" in said) == (2, True)


def test_an_image_that_cannot_be_read_fails(calibrate, root):
    (root / "noisy0.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    code, printed, said = calibrate("--quiet")
    assert (code, "(1 failed, 4 done)" in printed) == (1, True)
    assert "noisy0" in said


def test_a_base_is_shown(cli, calibrate, base, tmp_path, monkeypatch):
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path / "none"))
    monkeypatch.delenv(weights.VARIABLE)
    monkeypatch.setattr(weights, "location", lambda: tmp_path / "none")
    calibrate()
    figure = tmp_path / "figure.png"
    code, printed, _ = cli("base", "show", base, "--figure", figure)
    assert code == 0
    assert "3 images, 2 settings, 6 runs" in printed
    assert "best by psnr" in printed
    lines = [line.split() for line in printed.splitlines()]
    assert ["confocal", "mito", "2", "2"] in [line[:4] for line in lines]
    assert ["any", "any", "3", "3"] in [line[:4] for line in lines]
    with Picture.open(figure) as sheet:
        assert sheet.width > 800
    code, _, said = cli("base", "show", base, "--criterion", "combined")
    assert (code, "autodip weights install" in said) == (2, True)
    code, _, said = cli("base", "show", base, "--figure", tmp_path / "figure.jpg")
    assert (code, "is a PNG" in said) == (2, True)


def test_lpips_is_measured_where_its_weights_are(cli, calibrate, base, shared, monkeypatch):
    monkeypatch.setenv(weights.VARIABLE, str(shared / "weights" / "lpips_alex_v0.1.npz"))
    calibrate("--limit", "1", "--where", "specimen=mito")
    assert all(p.lpips is not None for run in store.load(base).runs for p in run.points)
    assert "best by combined" in cli("base", "show", base)[1]


def test_bases_are_merged_and_checked(cli, calibrate, base, tmp_path):
    calibrate()
    code, printed, _ = cli("base", "merge", base, base, "-o", tmp_path / "both", "--gzip")
    assert (code, "3 images, 6 runs; 9 duplicates dropped" in printed) == (0, True)
    assert content(tmp_path / "both") == content(base)
    code, printed, _ = cli("base", "validate", tmp_path / "both")
    assert (code, "valid, 3 images, 6 runs" in printed) == (0, True)
    other = tmp_path / "other"
    cli("base", "merge", base, "-o", other)
    (base / "runs").rename(tmp_path / "gone")
    (base / "runs").mkdir()
    calibrate("--limit", "1", "--where", "specimen=mito", "--quiet")
    for file in (base / "runs").glob("*.json"):
        loaded = json.loads(file.read_text())["run"]
        changed = store.Run.from_dict({**loaded, "points": {
            name: [v + 1 if name == "psnr" else v for v in column]
            for name, column in loaded["points"].items()
        }})  # fmt: skip
        store.add_run(base, changed)
    code, printed, said = cli("base", "merge", other, base, "-o", tmp_path / "three")
    assert (code, "kept the first, 2 differ" in printed) == (0, True)
    assert said.count("differs, the first was kept") == 2
    file = next((base / "images").glob("*.json"))
    file.write_text(file.read_text().replace("confocal", "widefield"))
    code, _, said = cli("base", "validate", base)
    assert (code, str(file) in said) == (1, True)
    assert cli("base", "show", base)[0] == 1


def test_a_pair_of_ones_own_is_added_in_one_command(cli, calibrate, root, base, grid):
    calibrate("--limit", "1")
    pair = (root / "noisy3.png", root / "truth3.png")
    own = ("--microscope", "laser scanning confocal", "--specimen", "phalloidin")
    code, printed, said = cli("base", "add", base, *pair, *own)
    assert (code, "3 images, 6 runs (2 done)" in printed) == (0, True)
    assert "own/noisy3" in said
    (entry,) = (e for e in store.load(base).entries.values() if e.source["set"] == "own")
    assert (entry.microscope, entry.specimen) == ("confocal", "actin")
    new = base.with_name("new")
    code, printed, _ = cli("base", "add", new, *pair, "--grid", grid, "--data-range", "200", "-q")
    assert (code, "1 images, 2 runs" in printed) == (0, True)
    code, _, said = cli("base", "add", new, *pair, "--data-range", "0")
    assert (code, "above 0" in said) == (2, True)
    code, _, said = cli("base", "add", new, pair[0], root / "none.png")
    assert (code, "none.png" in said) == (1, True)


KILLER = """
import os, signal, sys, time
import numpy, torch
import autodip.calibration.work, autodip.cli.calibrate_command, autodip.fit.loop, skimage.metrics
from autodip.cli.main import run
killed = 0
for delay in map(float, sys.argv[1].split(",")):
    child = os.fork()
    if not child:
        os._exit(run(sys.argv[2:]))
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    killed += os.waitpid(child, 0)[1] == signal.SIGKILL
print(killed)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_kills_at_random_moments_lose_nothing(root, base, grid, tmp_path):
    """Ten processes are killed; the final base equals one from an undisturbed run."""
    grid.write_text(GRID.replace("iterations: 6", "iterations: 12"))
    fixed = ["calibrate", str(root), "--grid", str(grid), "--device", "cpu", "--quiet"]
    fixed += ["--keep-images", "--base"]
    moments = random.Random(0)
    delays = ",".join(f"{moments.uniform(0.02, 0.3):.3f}" for _ in range(10))
    killing = [sys.executable, "-c", KILLER, delays, *fixed, str(base)]
    done = subprocess.run(killing, capture_output=True, text=True, check=True)
    killed = int(done.stdout.splitlines()[-1])
    assert killed >= 5, (killed, done)
    assert run([*fixed, str(base)]) == 0
    assert run([*fixed, str(tmp_path / "undisturbed")]) == 0
    assert content(base) == content(tmp_path / "undisturbed")
    assert len(store.load(base).runs) == 6
    assert list(base.rglob("*.claim")) == []
    for image in store.load(base).entries:
        pixels = (store.load(folder).pixels(image) for folder in (base, tmp_path / "undisturbed"))
        assert all(np.array_equal(*pair) for pair in zip(*pixels, strict=True))


def test_two_processes_share_the_work(root, base, grid):
    words = ["calibrate", str(root), "--grid", str(grid), "--device", "cpu", "--base", str(base)]
    call = [sys.executable, "-c", "from autodip.cli.main import main; main()", *words]
    both = [
        subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert run([*words, "--quiet"]) == 0
    assert sum(err.count(" s\n") for _, err in said) == len(store.load(base).runs) == 6
