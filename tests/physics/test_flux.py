"""A result holds as much light as the noisy image."""

import numpy as np
import pytest

from autodip.physics.flux import keep_flux
from tests.helpers.blobs import blobs, level, recorded


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
