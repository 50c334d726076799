"""The built-in prior adds no structure of its own: flat fields, dark surroundings, halos."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import autodip
from autodip.physics.detection import Detector, expose
from autodip.prior.setting import BUILTIN, path_of
from tests.helpers.flatness import KINDS, SIZE, captured, disc, narrow_peak

pytestmark = pytest.mark.skipif(
    not path_of(BUILTIN).exists(), reason="the weights of the built-in prior are not installed"
)

DETECTORS = {
    "white": Detector(read=2.0, offset=30.0),
    "multiplied": Detector(excess=1.6, read=2.0, offset=30.0),
    "one colour": Detector(mosaic="green", read=2.0, offset=30.0),
    "smoothed": Detector(smooth=(0.6, 0.9), read=2.0, offset=30.0),
    "colour, resized": Detector(mosaic="green", scale=0.7, read=2.0, offset=30.0),
}


def denoised(noisy):
    (plane,) = (result := autodip.denoise(noisy, device="cpu")).planes
    assert plane.observed is not None  # the prior was applied
    return result.image


def exposed(light, detector):
    """Noisy image with 3 grey values per photon, and its noise."""
    seen = expose(light, detector, SIZE, np.random.default_rng(8))
    image, mean = seen.image.astype(float), seen.mean.astype(float)
    return 3 * image, 3 * (image - mean)


@pytest.mark.parametrize("level", [4, 40, 400])
@pytest.mark.parametrize("name", DETECTORS)
def test_a_flat_field_stays_flat(name, level):
    detector = DETECTORS[name]
    light = np.full((detector.needed(SIZE),) * 2, float(level))
    noisy, noise = exposed(light, detector)
    result = denoised(noisy)
    assert result.std() < 0.15 * noise.std()
    assert narrow_peak(result, noise) < 5
    # Neighbouring pixels share their noise, so that the mean has a larger error.
    assert result.mean() == pytest.approx(noisy.mean(), abs=0.03 * noise.std())


@pytest.mark.parametrize("kind", KINDS)
def test_no_dark_halo_beside_a_bright_object(kind):
    truth, radius = disc()
    result = denoised(captured(truth, kind)[0])
    for inner in range(36, 70, 2):
        ring = (radius >= inner) & (radius < inner + 2)
        assert (result - truth)[ring].mean() > -0.01 * 150


@pytest.mark.parametrize("kind", KINDS)
def test_dark_surroundings_hold_no_more_than_a_blur(kind):
    truth, radius = disc()
    noisy, noise = captured(truth, kind)
    dark = radius > 50
    blur = gaussian_filter(noise, 3)[dark].std()
    result = denoised(noisy)
    assert gaussian_filter(result - truth, 1)[dark].std() < blur
