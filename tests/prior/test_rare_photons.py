"""Images with much less than one photon per pixel."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import autodip
from autodip.physics.estimate import estimate_noise
from autodip.prior.rare_photons import side_of_bins
from tests.helpers.blobs import blobs, error

FAST = {"preset": "fast", "device": "cpu"}


def counted(photons, side=256, seed=7):
    """Mean and drawn numbers of photons."""
    truth = blobs(side)
    mean = photons * truth / truth.mean()
    return mean, np.random.default_rng(seed).poisson(mean)


@pytest.mark.parametrize(
    ("photons", "side"), [(0.002, 8), (0.02, 4), (0.1, 2), (1.0, 1), (30.0, 1)]
)
@pytest.mark.parametrize("grey", [1, 40])
def test_the_rarer_photons_are_the_larger_are_the_bins(photons, side, grey):
    drawn = counted(photons)[1]
    noise = autodip.estimate_noise(drawn * grey)
    assert side_of_bins(drawn * grey, noise) == side
    assert noise.gain == pytest.approx(grey, rel=0.2)


def test_correlated_noise_and_read_out_noise_are_not_binned(rng):
    smooth = gaussian_filter(rng.poisson(0.1, (128, 128)).astype(float), 1)
    assert side_of_bins(smooth, estimate_noise(smooth)) == 1
    read = rng.normal(100, 5, (128, 128))
    assert side_of_bins(read, estimate_noise(read)) == 1


@pytest.mark.parametrize("photons", [0.02, 0.1, 0.5])
@pytest.mark.parametrize("camera", ["counts", "offset", "cut at 0"])
def test_light_is_kept_and_noise_removed(photons, camera, rng):
    """One photon may be many grey values, of which robust spreads would make an outlier."""
    mean, drawn = counted(photons)
    grey, offset = (1, 0) if camera == "counts" else (50, 0 if camera == "cut at 0" else 100)
    read = 0 if camera == "counts" else rng.normal(0, 3, mean.shape)
    image = np.clip(np.rint(drawn * grey + offset + read), 0, None).astype(np.uint16)
    result = autodip.denoise(image, **FAST).image
    dark = np.clip(read, 0, None).mean() if camera == "cut at 0" else offset
    assert result.mean() - dark == pytest.approx(image.mean() - dark, rel=0.05)
    truth = mean * grey + dark
    blurs = [gaussian_filter(image.astype(float), width) for width in (1, 2, 3, 4, 6)]
    assert error(result, truth) < 1.3 * min(error(blur, truth) for blur in blurs)
    assert error(result, truth) < 0.5 * error(image, truth)


def test_frames_in_bins_and_frames_in_pixels_may_follow_each_other():
    film = np.stack([counted(0.1, 128)[1], counted(3.0, 128)[1], counted(0.1, 128, seed=8)[1]])
    result = autodip.denoise(film, axes="TYX", **FAST)
    assert [plane.observed.bins for plane in result.planes] == [2, 1, 2]
    assert [plane.follows for plane in result.planes] == [False, False, True]
    np.testing.assert_allclose(result.image.mean(axis=(1, 2)), film.mean(axis=(1, 2)), rtol=0.02)
