"""Commands on the workers of a cluster give the same results as without one."""

import csv
import threading
import time

import psutil
import pytest

from autodip.bases import store
from autodip.cli.main import run
from tests.helpers.bases import GRID, content
from tests.helpers.pairs import write

pytest.importorskip("distributed", reason="needs the extra cluster")


@pytest.fixture
def root(tmp_path):
    return write(tmp_path / "data", ["mito", "mito", "actin"])


@pytest.fixture
def grid(tmp_path):
    path = tmp_path / "grid.yaml"
    path.write_text(GRID)
    return path


def kill_a_worker_when(condition):
    """Kill a process of the cluster that this process starts, as soon as ``condition`` holds."""

    def watch():
        while not condition():
            time.sleep(0.02)
        for child in psutil.Process().children(recursive=True):
            if "spawn_main" in " ".join(child.cmdline()) and child.num_threads() > 3:
                child.kill()
                killed.append(child.pid)
                return

    killed = []
    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return killed


def test_calibrate(cli, root, grid, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    fixed = ("calibrate", root, "--grid", grid, "--device", "cpu", "--base")
    code, printed, said = cli(*fixed, tmp_path / "base", "--workers", "2")
    assert code == 0, said
    assert "3 images, 6 runs (6 done)" in printed
    assert said.count(" dB") == 6
    assert "6/6" in said
    code, printed, _ = cli(*fixed, tmp_path / "base", "--workers", "2")
    assert (code, "(6 kept)" in printed) == (0, True)
    assert cli(*fixed, tmp_path / "alone")[0] == 0
    alone, shared = content(tmp_path / "alone"), content(tmp_path / "base")
    assert alone[0] == shared[0]


def test_calibrate_with_a_worker_killed(root, grid, tmp_path):
    base = tmp_path / "base"
    killed = kill_a_worker_when(lambda: any((base / "runs").glob("*")))
    command = ["calibrate", root, "--grid", grid, "--base", base, "--workers", "2"]
    assert run([str(word) for word in command]) == 0
    assert killed
    assert len(store.load(base).runs) == 6


def test_calibrate_names_an_image_that_cannot_be_read(cli, root, grid, tmp_path):
    (root / "noisy1.png").write_bytes(b"no image")
    command = ("calibrate", root, "--grid", grid, "--base", tmp_path / "base", "--workers", "1")
    code, printed, said = cli(*command)
    assert code == 1
    assert said.count("failed") == 1
    assert "2 images, 4 runs (" in printed
    assert "4 done" in printed
    assert "6/6" in said


def test_benchmark(cli, root, tmp_path):
    fixed = ("benchmark", "shared", "--root", root, "--methods", "blur", "--where")
    fixed = (*fixed, "role=calibration", "--out")
    code, _, said = cli(*fixed, tmp_path / "there", "--workers", "2")
    assert code == 0, said
    assert cli(*fixed, tmp_path / "here")[0] == 0

    def figures(folder):
        with (tmp_path / folder / "results.csv").open(newline="") as file:
            return sorted((r["image"], r["method"], r["psnr"]) for r in csv.DictReader(file))

    assert figures("there") == figures("here")
    assert len(figures("here")) == 3
    code, _, said = cli(*fixed, tmp_path / "there", "--workers", "2")
    assert (code, said.count(" dB")) == (0, 0)


def test_wrong_workers(cli, root, grid, tmp_path):
    fixed = ("calibrate", root, "--grid", grid, "--base", tmp_path / "base")
    assert cli(*fixed, "--workers", "0")[0] == 2
    code, _, said = cli(*fixed, "--workers", "2", "--scheduler", "tcp://127.0.0.1:1")
    assert (code, "exclude each other" in said) == (2, True)
