"""Intensities of a result: its light, its units, its slope against the truth."""

import json

import imagecodecs
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import autodip
from autodip.physics.estimate import estimate_noise
from autodip.pipeline.precision import is_coarse, rounding_note
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
    assert any("the result is float32" in note for note in result.notes) == coarse


@pytest.mark.parametrize(
    ("error", "dtype", "notes", "lost"),
    [
        (0.5, "uint8", (), "0.7 dB"),
        (0.5, "float32", (), None),
        (10.0, "uint16", (), None),
        (None, "uint8", (), None),
        (0.5, "uint8", ("uint8 has too few grey levels for it",), None),
    ],
)
def test_rounding_that_costs_much_is_noted(error, dtype, notes, lost):
    found = rounding_note([error, error, None], np.dtype(dtype), notes)
    assert (lost in found[0]) if lost else found == ()


def test_the_expected_error_decides_on_the_note():
    noisy = recorded(np.zeros((128, 128)) + 0.5, photons=100.0, gain=0.8, offset=20.0, read=3.0)
    result = autodip.denoise(noisy.astype(np.uint8), **FAST)
    assert result.image.dtype == np.uint8
    assert result.planes[0].squared_error < 1
    assert any("rounding to uint8 costs about" in note for note in result.notes)


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
