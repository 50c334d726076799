"""``autodip prior train`` on a small folder of images."""

import json

import numpy as np
import pytest
import tifffile

from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate
from autodip.prior import logbook

RECIPE = """
widths: [4, 8]
sources:
  - {folder: clean, key: file, role: training}
scenes: 2
scene_size: 64
patch: 32
batch: 2
steps: 4
"""


@pytest.fixture
def data(tmp_path):
    """Clean images, of which the first is for training and the second for validation; a pair."""
    folder = tmp_path / "data"
    for name in ("clean", "validation"):
        (folder / name).mkdir(parents=True)
    listed = []
    for number, role in enumerate(("training", "validation")):
        truth = simulate("mito", Optics(microscope="confocal"), size=128, seed=number)[1]
        tifffile.imwrite(folder / "clean" / f"{number}.tif", truth)
        listed.append({"file": f"{number}.tif", "role": role})
    (folder / "clean" / "manifest.json").write_text(json.dumps(listed))
    noisy, truth = simulate("actin", size=64)
    tifffile.imwrite(folder / "validation" / "noisy.tif", noisy)
    tifffile.imwrite(folder / "validation" / "truth.tif", truth)
    pair = [{"file": "noisy.tif", "truth": "truth.tif"}]
    (folder / "validation" / "manifest.json").write_text(json.dumps(pair))
    return folder


@pytest.fixture
def train(cli, data, tmp_path, monkeypatch):
    monkeypatch.setenv("AUTODIP_LPIPS_WEIGHTS", "")
    monkeypatch.delenv("AUTODIP_LPIPS_WEIGHTS")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # without weights of LPIPS
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE)
    return lambda *more: cli(
        *("prior", "train", recipe, "--data", data, "--out", tmp_path / "out"),
        *("--workers", "0", "--device", "cpu", *more),
    )


def test_train_validate_and_continue(train, tmp_path):
    code, said, err = train("--validate-every", "2")
    assert (code, said) == (0, f"{tmp_path / 'out' / 'weights-4.safetensors'}\n")
    assert "3 clean images and scenes, cpu, from the start" in err
    assert "step 2: psnr_pairs" in err
    assert "psnr_white" in err
    assert "psnr_correlated" in err
    table = (tmp_path / "out" / "training.csv").read_text()
    rows = [dict(zip(logbook.FIELDS, r.split(","), strict=True)) for r in table.splitlines()[1:]]
    assert [row["step"] for row in rows] == ["2", "4"]
    assert all(np.isfinite(float(row["psnr_correlated"])) for row in rows)
    code, again, err = train()
    assert (code, again) == (0, said)
    assert "continued after step 4" in err
    assert (tmp_path / "out" / "training.csv").read_text() == table


def test_leftovers_of_a_kill_are_removed(train, tmp_path):
    stray = tmp_path / "out" / ".abcd1234.state.safetensors.part"
    stray.parent.mkdir()
    stray.write_bytes(b"half")
    code, _, err = train("--quiet")
    assert (code, err) == (0, "")
    assert not stray.exists()


def test_another_recipe_is_refused(train, tmp_path):
    train("-q")
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace("steps: 4", "steps: 5"))
    code, _, err = train()
    assert code == 2
    assert "was saved with another recipe: steps 4, now 5" in err


def test_missing_data(train, data):
    (data / "validation" / "manifest.json").unlink()
    code, _, err = train("--validate-every", "2")
    assert code == 1
    assert "validation/manifest.json is missing" in err
    (data / "clean" / "0.tif").unlink()
    code, _, err = train()
    assert code == 1
    assert "0.tif" in err
    assert train("--device", "tpu")[0] == 2
