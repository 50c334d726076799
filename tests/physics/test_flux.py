"""A result holds as much light as the noisy image, and its coarse contrast."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from autodip.physics.flux import keep_flux
from tests.helpers.blobs import blobs, level, recorded


def slope(image, truth, smooth=8):
    """Slope of an image over the truth, both smoothed."""
    image, truth = (gaussian_filter(one.astype(float), smooth) for one in (image, truth))
    return np.polyfit(truth.ravel(), image.ravel(), 1)[0]


def pale(truth, share=0.95):
    """What a denoiser makes of an image whose detail it draws to the surroundings."""
    around = gaussian_filter(truth, 32)
    return around + share * (truth - around)


def test_the_mean_is_that_of_the_noisy_image():
    noisy = recorded(blobs())
    wrong = 100 + 1.1 * (level(blobs()) - 100) + 2
    result = keep_flux(noisy, wrong, 100.0)
    assert result.mean() == pytest.approx(noisy.mean(), rel=1e-12)


def test_light_added_in_one_place_is_taken_back_there():
    truth = np.full((128, 128), 40.0)
    wrong = truth.copy()
    wrong[:, :64] *= 1.2
    result = keep_flux(truth, wrong, 0.0)
    assert np.abs(result[:, :20] - 40).max() < 1
    assert np.abs(result[:, -20:] - 40).max() < 1


def test_a_faithful_result_is_unchanged():
    truth = level(blobs())
    np.testing.assert_allclose(keep_flux(truth, truth, 100.0), truth)


def test_no_light_is_no_error():
    dark = np.full((64, 64), 100.0)
    np.testing.assert_allclose(keep_flux(dark, dark, 100.0), 100)


def test_lost_contrast_is_returned():
    truth = level(blobs(256))
    noisy, result = recorded(blobs(256)), pale(truth)
    before = keep_flux(noisy, result, 100.0)
    after = keep_flux(noisy, result, 100.0, allowed=10.0)
    assert slope(before, truth) < 0.97
    assert 1 - slope(after, truth) < (1 - slope(before, truth)) / 3
    assert after.mean() == pytest.approx(noisy.mean(), rel=1e-12)


@pytest.mark.parametrize("allowed", [0.001, 0.01, 0.1])
def test_noise_without_structure_is_returned_as_far_as_is_allowed(rng, allowed):
    noisy = 100 + rng.normal(0, 3, (128, 128))
    result = 100 + 0.1 * gaussian_filter(noisy - 100, 2)  # holds little of the noise, enlarged
    plain = keep_flux(noisy, result, 0.0)
    found = keep_flux(noisy, result, 0.0, allowed=allowed)
    added = np.mean((found - plain) ** 2)
    assert 0 < added <= allowed


@given(
    scale=st.floats(1e-12, 1e9),
    shift=st.floats(-1e3, 1e4),
    allowed=st.sampled_from([0.0, 0.5]),
)
def test_units_make_no_difference(scale, shift, allowed):
    noisy, result = recorded(blobs(64)).astype(float), pale(level(blobs(64)))
    plain = keep_flux(noisy, result, 100.0, allowed=allowed)
    other = keep_flux(
        noisy * scale + shift * scale,
        result * scale + shift * scale,
        (100.0 + shift) * scale,
        allowed=allowed * scale**2,
    )
    np.testing.assert_allclose(other / scale - shift, plain, rtol=0, atol=1e-6)
