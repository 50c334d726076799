"""Every example in the help of a command runs."""

import json
import shlex
import shutil

import numpy as np
import pytest
import tifffile

from autodip import datasets
from autodip.cli import data_command
from autodip.cli.main import run
from autodip.datasets import own_pairs
from autodip.metrics import weights
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate
from tests.cli.test_prior_command import RECIPE
from tests.helpers import commands

EXAMPLES = [(name, example) for name, one in commands.every().items() for example in one.examples]

# What makes the examples quick enough for a test; a later value of an option replaces the first.
QUICK = {
    ("demo",): ["--size", "64", "--preset", "fast"],
    ("denoise",): ["--device", "cpu"],
    ("calibrate",): ["--grid", "tiny", "--crop", "64", "--limit", "1"],
    ("base", "add"): ["--grid", "tiny"],
    ("benchmark",): ["--methods", "noisy,blur", "--limit", "1"],
    ("prior", "tune"): ["--steps", "1"],
    ("prior", "study"): ["--steps", "1"],
    ("prior", "train"): ["--workers", "0", "--device", "cpu"],
    ("study",): ["--measures", "none"],
}


def test_every_command_has_two_or_three_examples():
    assert {1, 2, 3} >= {len(one.examples) for one in commands.every().values()}
    assert [name for name, one in commands.every().items() if len(one.examples) < 2] == [
        ("completion", "show")
    ]
    for name, example in EXAMPLES:
        assert shlex.split(example)[: len(name) + 1] == ["autodip", *name]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with all files and folders that the examples name."""
    home = tmp_path_factory.mktemp("examples")
    for name in ("noisy", "truth", "experiment", "clean", "clean-images/clean", "noisy-images"):
        (home / name).mkdir(parents=True)
    entries = []
    for number, kind in enumerate(("mito", "mito", "actin", "actin")):
        noisy, truth = simulate(kind, Optics(microscope="confocal"), size=128, seed=number)
        for folder, image in (("noisy", noisy), ("truth", truth)):
            tifffile.imwrite(home / folder / f"{number}.tif", image)
        entries.append({"file": f"noisy/{number}.tif", "truth": f"truth/{number}.tif"})
    for name in "abc":
        tifffile.imwrite(home / "noisy-images" / f"{name}.tif", noisy + ord(name))
    noisy, truth = noisy[:64, :64], truth[:64, :64]
    tifffile.imwrite(home / "cells.tif", noisy)
    tifffile.imwrite(home / "noisy.tif", noisy)
    tifffile.imwrite(home / "denoised.tif", truth + 1)
    tifffile.imwrite(home / "truth.tif", truth)
    tifffile.imwrite(home / "film.tif", np.stack([noisy, noisy]))
    shutil.copy(home / "noisy.tif", home / "experiment" / "a.tif")
    shutil.copy(home / "truth.tif", home / "clean" / "a.tif")
    _, clean = simulate("mito", size=128)
    tifffile.imwrite(home / "clean-images" / "clean" / "0.tif", clean)
    listed = [{"file": "0.tif", "role": "training"}]
    (home / "clean-images" / "clean" / "manifest.json").write_text(json.dumps(listed))
    (home / "recipe.yaml").write_text(RECIPE)
    (home / "detector.yaml").write_text("photons: 50\n")
    for name in ("my-pairs", "fmd"):
        (home / name).mkdir()
        for folder in ("noisy", "truth"):
            shutil.copytree(home / folder, home / name / folder)
        raw = [{**entry, "noise_level": "raw"} for entry in entries]
        (home / name / "manifest.json").write_text(json.dumps(raw))
    rows = [",".join(entry.values()) for entry in entries]
    (home / "pairs.csv").write_text("\n".join(["file,truth", *rows]) + "\n")
    for name, pairs, limit in (("my-base", "pairs.csv", "2"), ("yours", "my-pairs", "1")):
        call = ["calibrate", home / pairs, "-o", home / name, "--grid", "tiny", "--quiet"]
        assert run([*map(str, call), "--limit", limit, "--crop", "64"]) == 0
    assert run(["denoise", str(home / "cells.tif"), "-o", str(home / "denoised")]) == 0
    (home / "lab.toml").write_text('preset = "fast"\n')
    return home


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    """Working folder with a copy of the files, in which nothing is fetched or trained for long."""
    place = tmp_path / "work"
    shutil.copytree(made, place)
    monkeypatch.chdir(place)
    for name, value in (("HOME", "home"), ("XDG_CONFIG_HOME", "home/.config")):
        monkeypatch.setenv(name, str(place / value))
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "home" / ".cache"))
    monkeypatch.setenv("SHELL", "/bin/bash")
    monkeypatch.setenv("AUTODIP_CONFIG", str(place / "lab.toml"))
    monkeypatch.delenv(weights.VARIABLE, raising=False)
    monkeypatch.setitem(datasets.MODULES, "fmd", own_pairs)
    monkeypatch.setattr(data_command, "steps", lambda *given, **options: [])
    monkeypatch.setattr(weights, "install", lambda source: place / "weights.npz")
    return place


@pytest.mark.usefixtures("same_process")
@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[e for _, e in EXAMPLES])
def test_example(folder, name, example, capsys):
    words = shlex.split(example)[1:]
    if name == ("denoise",):
        shutil.rmtree(folder / "denoised")
    if name == ("config", "init"):
        (folder / "lab.toml").unlink()
    assert run([*words, *QUICK.get(name, [])]) == 0, capsys.readouterr().err
    if "--json" in words:
        json.loads(capsys.readouterr().out)
