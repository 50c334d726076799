"""The refinement adds no structure of its own: flat fields, dark surroundings, halos."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from autodip.physics.estimate import estimate_noise
from autodip.refine.combine import refine
from autodip.refine.refinement import RefineParams
from tests.helpers.flatness import KINDS, SIZE, captured, disc, narrow_peak


def pilot_of(truth, noise):
    """A fit that was stopped early: smooth, with the little noise that such fits have learnt."""
    learnt = gaussian_filter(noise, 3)
    return truth + 0.08 * noise.std() * learnt / learnt.std()


@pytest.mark.parametrize("level", [5, 30, 150])
@pytest.mark.parametrize("kind", KINDS)
def test_a_flat_field_stays_flat(kind, level):
    truth = np.full((SIZE, SIZE), float(level))
    noisy, noise = captured(truth, kind)
    result = refine(noisy, pilot_of(truth, noise), estimate_noise(noisy), RefineParams())
    assert result.std() < 0.15 * noise.std()
    assert narrow_peak(result, noise) < 5


@pytest.mark.parametrize("kind", KINDS)
def test_no_dark_halo_beside_a_bright_object(kind):
    truth, radius = disc()
    noisy, _ = captured(truth, kind)
    result = refine(noisy, gaussian_filter(truth, 1.5), estimate_noise(noisy), RefineParams())
    for inner in range(36, 70, 2):
        ring = (radius >= inner) & (radius < inner + 2)
        assert (result - truth)[ring].mean() > -0.01 * 150


@pytest.mark.parametrize("kind", KINDS)
def test_dark_surroundings_hold_no_more_than_a_blur(kind):
    truth, radius = disc()
    noisy, noise = captured(truth, kind)
    result = refine(noisy, pilot_of(truth, noise), estimate_noise(noisy), RefineParams())
    dark = radius > 50
    blur = gaussian_filter(noise, 3)[dark].std()
    assert (gaussian_filter(result - truth, 1))[dark].std() < blur
