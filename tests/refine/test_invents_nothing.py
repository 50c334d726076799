"""The refinement adds no structure of its own: flat fields, dark surroundings, halos."""

import numpy as np
import pytest
from scipy.ndimage import convolve, gaussian_filter, median_filter, zoom

from autodip.physics.estimate import estimate_noise
from autodip.refine.combine import refine
from autodip.refine.refinement import RefineParams

SIZE = 192


def white(rng):
    return rng.standard_normal((SIZE, SIZE))


def blurred(rng, lag):
    """Noise blurred by a Gaussian, so that adjacent pixels have this correlation."""
    return gaussian_filter(white(rng), np.sqrt(-1 / (4 * np.log(lag))))


def demosaiced(rng, resized=1.0):
    """Noise known on every second pixel of a colour camera, interpolated, and resized."""
    big = int(np.ceil(SIZE / resized))
    sites = np.zeros((big, big))
    sites[::2, ::2] = rng.standard_normal(sites[::2, ::2].shape)
    full = convolve(sites, np.outer([1, 2, 1], [1, 2, 1]) / 4)
    return zoom(full, resized, order=1)[:SIZE, :SIZE]


KINDS = {
    "white": white,
    "lag 0.45": lambda rng: blurred(rng, 0.45),
    "lag 0.6": lambda rng: blurred(rng, 0.6),
    "demosaiced, resized": lambda rng: demosaiced(rng, 0.7),
}


def captured(truth, kind):
    """Noisy image with photon and read-out noise, and the noise in it."""
    field = KINDS[kind](np.random.default_rng(3))
    noise = np.sqrt(2 * truth + 9) * field / field.std()
    return truth + noise, noise


def pilot_of(truth, noise):
    """A fit that was stopped early: smooth, with the little noise that such fits have learnt."""
    learnt = gaussian_filter(noise, 3)
    return truth + 0.08 * noise.std() * learnt / learnt.std()


def narrow_peak(image, noise):
    """Largest bin of an averaged periodogram, in units of the median of the bins around it.

    Bins with less than a thousandth of the mean power of the noise count as empty.
    """
    side = 32
    window = np.outer(np.hanning(side), np.hanning(side))
    starts = range(0, SIZE - side + 1, side // 2)
    parts = [image[y : y + side, x : x + side] for y in starts for x in starts]
    power = np.mean([abs(np.fft.fft2((p - p.mean()) * window)) ** 2 for p in parts], axis=0)
    power /= noise.var() * (window**2).sum()
    around = np.ones((7, 7), bool)
    around[2:5, 2:5] = False
    ratio = power / (median_filter(power, footprint=around, mode="wrap") + 1e-3)
    frequency = np.fft.fftfreq(side)
    return ratio[np.hypot(frequency[:, None], frequency) > 0.15].max()


@pytest.mark.parametrize("level", [5, 30, 150])
@pytest.mark.parametrize("kind", KINDS)
def test_a_flat_field_stays_flat(kind, level):
    truth = np.full((SIZE, SIZE), float(level))
    noisy, noise = captured(truth, kind)
    result = refine(noisy, pilot_of(truth, noise), estimate_noise(noisy), RefineParams())
    assert result.std() < 0.15 * noise.std()
    assert narrow_peak(result, noise) < 5


def disc():
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    radius = np.hypot(y, x)
    return 10 + 150 / (1 + np.exp(radius - 30)), radius


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
