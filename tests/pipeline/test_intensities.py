"""Intensities of a result: its light, its units, its slope against the truth."""

import json

import imagecodecs
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import autodip
from autodip.physics.estimate import estimate_noise
from autodip.pipeline.precision import is_coarse
from tests.helpers.blobs import blobs, level, recorded

OFFSET = 100.0
FAST = {"preset": "fast", "device": "cpu"}
FITTED = {"preset": "untrained", "iterations": 3, "device": "cpu"}


def light(image):
    return float(np.mean(image, dtype=np.float64)) - OFFSET


@pytest.mark.parametrize("options", [FAST, FITTED], ids=["learned", "fitted"])
@pytest.mark.parametrize(("scale", "shift"), [(1e-12, 0), (1e9, 0), (1, -500), (1, 3000)])
def test_light_is_kept_in_all_units(options, scale, shift):
    noisy = recorded(blobs(96)).astype(float) * scale + shift * scale
    result = autodip.denoise(noisy, **options).image / scale - shift
    assert light(result) == pytest.approx(light(noisy / scale - shift), rel=1e-3)


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1e9])
def test_the_result_does_not_depend_on_the_units(scale):
    noisy = recorded(blobs(96)).astype(np.float32)
    plain = autodip.denoise(noisy, **FAST).image.astype(float)
    other = autodip.denoise(noisy * np.float32(scale), **FAST).image / np.float64(scale)
    assert np.abs(other - plain).max() < 0.1 * np.std(noisy - level(blobs(96)))


def test_values_below_the_offset_are_kept():
    noisy = recorded(blobs(96)).astype(float) - OFFSET
    dark = gaussian_filter(level(blobs(96)) - OFFSET, 4) < 2
    result = autodip.denoise(noisy, **FAST).image
    assert (noisy < 0).any()
    assert result[dark].mean() == pytest.approx(noisy[dark].mean(), abs=0.3)


@pytest.mark.parametrize("options", [FAST, FITTED], ids=["learned", "fitted"])
def test_a_film_that_bleaches_fades_as_it_was_recorded(options):
    photons = 60 * 0.8 ** np.arange(4)
    film = np.stack([recorded(blobs(96), n, photons=p) for n, p in enumerate(photons)])
    result = autodip.denoise(film.astype(np.float32), axes="TYX", **options).image
    for noisy, denoised in zip(film, result, strict=True):
        assert light(denoised) == pytest.approx(light(noisy), rel=1e-3)


@pytest.mark.parametrize(("read", "coarse"), [(1.0, True), (2.0, True), (4.0, False)])
def test_noise_below_a_few_grey_values_is_not_rounded(read, coarse):
    noisy = recorded(blobs(), photons=200.0, gain=0.5, offset=20.0, read=read)
    assert is_coarse(noisy, estimate_noise(noisy)) == coarse
    result = autodip.denoise(noisy.astype(np.uint8), **FAST)
    assert result.image.dtype == (np.float32 if coarse else np.uint8)
    assert any("float32" in note for note in result.notes) == coarse


@pytest.fixture
def nuclei(shared):
    """Noisy and true nuclei of a field by which settings are chosen."""
    rows = json.loads((shared / "data" / "manifest.json").read_text())
    row = next(r for r in rows if r["set"] == "fmd_confocal_nucleus")
    return [imagecodecs.imread(str(shared / "data" / row[key])) for key in ("file", "truth")]


def test_slope_and_light_of_real_nuclei(nuclei):
    noisy, truth = nuclei
    result = autodip.denoise(noisy, **FAST, dtype="float32").image
    images = [gaussian_filter(one.astype(float), 4) for one in (truth, noisy, result)]
    slopes = [np.polyfit(images[0].ravel(), one.ravel(), 1)[0] for one in images[1:]]
    assert slopes[1] / slopes[0] == pytest.approx(1, abs=0.004)
    assert result.mean(dtype=float) == pytest.approx(noisy.mean(), rel=1e-6)
