"""Every command and code block of the README runs."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
import yaml

from autodip.benchmark.registry import METHODS
from autodip.choose.presets import PRESETS
from autodip.cli import data_command
from autodip.cli.main import run
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate
from autodip.runs.manifest import KEYS
from autodip.runs.summary import FIELDS
from tests.conftest import REPOSITORY

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
CONSOLE = [
    line.removeprefix("$ ")
    for kind, block in BLOCKS
    if kind == "console"
    for line in block.splitlines()
]
BASE = [line for line in CONSOLE if "my-base" in line or "my-pairs" in line]
OWN = [line for line in CONSOLE if "my_image" in line and line not in BASE]
DATA = [line for line in CONSOLE if re.search(r" (two|film|slide)\.", line)]
BATCHES = [line for line in CONSOLE if "experiment/" in line]
FMD = [line for line in CONSOLE if "FMD/" in line]
WEIGHTS = ".venv/bin/autodip weights install"
INSTALL = ".venv/bin/pip install -e '.[benchmark]'"
COMPARED = [line for line in CONSOLE if " fmd " in line]
PROGRAM = ".venv/bin/autodip "
# What makes the README's commands quick enough for a test.
QUICK = ["--iterations", "2"]


def call(line):
    words = shlex.split(line.removeprefix(PROGRAM))
    quick = words[0] in ("denoise", "params") and "--params" not in words
    return run([*words, *(QUICK if quick else [])])


@pytest.fixture
def folder(tmp_path, monkeypatch, sample):
    """Working folder of a user with an image."""
    monkeypatch.chdir(tmp_path)
    tifffile.imwrite("my_image.tif", sample[0])
    return tmp_path


def test_all_commands_are_covered():
    assert {
        "make demo",
        "make test",
        WEIGHTS,
        INSTALL,
        *COMPARED,
        *OWN,
        *DATA,
        *BATCHES,
        *BASE,
        *FMD,
    } == set(CONSOLE)
    assert len(OWN) == 3
    assert all(line.startswith(PROGRAM) for line in (*OWN, *DATA, *BATCHES, *BASE, *FMD))


def test_commands_for_the_own_file(folder):
    for line in OWN:
        assert call(line) == 0, line
    first, again = (tifffile.imread(folder / d / "my_image.tif") for d in ("denoised", "again"))
    assert (first == again).all()


def test_commands_for_many_files(folder):
    (folder / "experiment" / "day1").mkdir(parents=True)
    shutil.copy("my_image.tif", "experiment/day1/a.tif")
    (folder / "experiment" / "files.csv").write_text("file,specimen\nday1/a.tif,mito\n")
    for line in BATCHES:
        assert call(line) == 0, line
    assert (folder / "clean" / "day1" / "a.tif").exists()
    assert "mito" in (folder / "by-list" / "summary.csv").read_text()


def test_commands_for_channels_films_and_large_images(folder, sample):
    two = np.stack([sample[0]] * 2)
    names = {"axes": "CYX", "Channel": {"Name": ["DAPI", "GFP"]}}
    tifffile.imwrite("two.ome.tif", two, photometric="minisblack", metadata=names)
    tifffile.imwrite("film.tif", two)
    tifffile.imwrite("slide.ome.tif", np.tile(sample[0], (2, 3)))
    for line in DATA:
        assert call(line) == 0, line
    assert tifffile.imread("films/film.tif").shape == (2, 64, 64)
    assert tifffile.imread("joint/film.tif").shape[-2:] == (64, 64)
    assert '"actin"' in (folder / "channels" / "two.ome.tif.autodip.json").read_text()
    assert tifffile.imread("slides/slide.ome.tif").shape == (128, 192)


def test_batches_are_described():
    """The page about many files names all columns of the table and all keys of a manifest."""
    page = (REPOSITORY / "docs" / "batches.md").read_text(encoding="utf-8")
    for name, meaning in FIELDS.items():
        assert f"| `{name}` | {meaning} |" in page
    for key in KEYS:
        assert f"`{key}`" in page


def test_commands_for_an_own_base(folder):
    """With the smallest grid, on pairs that are simulated as the README says."""
    (folder / "clean").mkdir()
    _, true = simulate("mito", Optics(microscope="confocal"), size=64)
    tifffile.imwrite("clean/true.tif", true)
    *commands, simulated = BASE
    assert call(simulated) == 0
    calibrate, *others = commands
    assert call(f"{calibrate} --grid tiny") == 0
    for line in others:
        assert call(line) == 0, line
    assert (folder / "surface.png").exists()
    assert "my-base" in (folder / "by-base" / "my_image.tif.autodip.json").read_text()


def test_python_block(folder):
    (block,) = (block for kind, block in BLOCKS if kind == "python")
    quick = block.replace("seed=0", "seed=0, iterations=2")
    assert quick != block
    exec(compile(quick, "README.md", "exec"), {})
    assert tifffile.imread("denoised.tif").shape == tifffile.imread("my_image.tif").shape


def test_commands_for_the_figures(folder, shared):
    (folder / "FMD").symlink_to(shared / "data" / "fmd_test")
    for line in FMD:
        assert call(line) == 0, line


@pytest.mark.usefixtures("same_process")
def test_commands_for_the_comparison(folder, shared, monkeypatch):
    """Fetching itself is tested with a server of its own; here the images are at hand."""
    fetch, benchmark = COMPARED
    fetched = []
    monkeypatch.setattr(
        data_command, "steps", lambda *given, **options: fetched.append(options) or []
    )
    assert run(shlex.split(fetch.removeprefix(PROGRAM))) == 0
    assert fetched == [{"only": ("test_mix*",), "extract": True}]
    (folder / "fmd").mkdir()
    (folder / "fmd" / "test_mix").symlink_to(shared / "data" / "fmd_test")
    quick = ["--methods", "noisy,blur", "--limit", "1", "--crop", "64"]
    assert run([*shlex.split(benchmark.removeprefix(PROGRAM)), *quick]) == 0
    assert "widefield mito" in (folder / "fmd-results" / "table.md").read_text()


def test_methods_are_described():
    for method in METHODS:
        assert f"`{method}`" in README


def test_weights_install(shared, monkeypatch, tmp_path):
    """From the file at hand; fetching it with pip is tested with the weights."""
    monkeypatch.setenv("AUTODIP_LPIPS_WEIGHTS", str(tmp_path / "weights.npz"))
    source = shared / "weights" / "lpips_alex_v0.1.npz"
    assert run([*shlex.split(WEIGHTS.removeprefix(PROGRAM)), "--from", str(source)]) == 0
    assert (tmp_path / "weights.npz").exists()


def test_make_demo(tmp_path):
    """With the environment that ``make`` has set up, in a copy of its files."""
    environment = Path(sys.prefix)
    if not (environment / ".installed").exists():
        pytest.skip(f"{environment} was not set up by make")
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy2(REPOSITORY / name, tmp_path)
        stamp = (environment / ".installed").stat().st_mtime
        os.utime(tmp_path / name, (stamp - 60, stamp - 60))
    done = subprocess.run(
        ["make", "demo", f"VENV={environment}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "denoised" in done.stdout
    assert (tmp_path / "autodip-demo" / "demo.png").exists()


def test_make_test_is_what_ci_runs():
    plan = subprocess.run(
        ["make", "--dry-run", "test"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    for tool in ("ruff check", "ruff format --check", "mypy", "lint-imports", "pytest"):
        assert tool in plan.stdout
    assert "make test" in (REPOSITORY / ".ci" / "run").read_text()


@pytest.mark.parametrize("name", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_linked_files_exist(name):
    assert (REPOSITORY / name).exists()


def test_presets_are_described():
    for preset in PRESETS:
        assert f"`{preset}`" in README


def test_citation_names_both_papers():
    content = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    dois = {reference["doi"] for reference in content["references"]}
    assert dois == {"10.48550/arXiv.2601.12055", "10.1109/CVPR.2018.00984"}
