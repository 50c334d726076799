"""Scores on real images; skipped if these are not available."""

import json

import imagecodecs
import numpy as np
import pytest

import autodip
from autodip.metrics import alexnet
from autodip.metrics.fidelity import psnr
from autodip.physics.estimate import estimate_noise


@pytest.fixture
def fmd_test(shared):
    """Noisy and true images of capture 1 of the twelve groups of FMD's mixed test set."""
    manifest = json.loads((shared / "data" / "manifest.json").read_text())
    rows = [r for r in manifest if r["set"] == "fmd_test" and r["capture"] == 1]
    return [
        (r, *(imagecodecs.imread(str(shared / "data" / r[key])) for key in ("file", "truth")))
        for r in rows
    ]


def test_psnr_of_the_noisy_images(fmd_test):
    values = [psnr(noisy, truth, data_range=255) for _, noisy, truth in fmd_test]
    assert len(values) == 12
    assert np.mean(values) == pytest.approx(27.108, abs=0.001)


def test_lpips_of_the_noisy_images(fmd_test, shared):
    distance = alexnet.load(shared / "weights" / "lpips_alex_v0.1.npz")
    values = [distance(noisy / 255, truth / 255) for _, noisy, truth in fmd_test]
    assert np.mean(values) == pytest.approx(0.3654, abs=0.0002)
    assert distance(fmd_test[0][2] / 255, fmd_test[0][2] / 255) == 0
    other = distance(fmd_test[0][1] / 255, fmd_test[0][2] / 255, rescale=True)
    assert other != pytest.approx(values[0], rel=0.01)


def test_noise_of_each_group_is_about_right(fmd_test):
    for row, noisy, truth in fmd_test:
        estimate = estimate_noise(noisy)
        z = (noisy - truth.astype(float)) / estimate.std(truth.astype(float))
        assert 0.85 < z.std() < 1.6, row["file"]
        correlated = min(estimate.correlation) > 0.3
        assert correlated == (row["microscope"] == "widefield"), row["file"]


def test_published_parameters_on_widefield_nuclei(fmd_test):
    """A third of the published iterations already exceeds 30 dB; the noisy image has 25.6 dB."""
    row, noisy, truth = next(
        r for r in fmd_test if (r[0]["microscope"], r[0]["specimen"]) == ("widefield", "nucleus")
    )
    result = autodip.denoise(
        noisy,
        microscope=row["microscope"],
        specimen=row["specimen"],
        preset="published",
        iterations=120,
        device="cpu",
    )
    assert psnr(noisy, truth, data_range=255) == pytest.approx(25.62, abs=0.01)
    assert psnr(result.image, truth, data_range=255) > 30
