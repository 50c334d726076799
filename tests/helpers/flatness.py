"""Noise of flat fields, and measures of the structure that a method invents from it."""

import numpy as np
from scipy.ndimage import convolve, gaussian_filter, median_filter, zoom

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


def narrow_peak(image, noise):
    """Largest bin of an averaged periodogram, in units of the median of the bins around it.

    Bins with less than a thousandth of the mean power of the noise count as empty.
    """
    side = 32
    window = np.outer(np.hanning(side), np.hanning(side))
    rows, columns = image.shape
    starts = [
        (y, x)
        for y in range(0, rows - side + 1, side // 2)
        for x in range(0, columns - side + 1, side // 2)
    ]
    parts = [image[y : y + side, x : x + side] for y, x in starts]
    power = np.mean([abs(np.fft.fft2((p - p.mean()) * window)) ** 2 for p in parts], axis=0)
    power /= noise.var() * (window**2).sum()
    around = np.ones((7, 7), bool)
    around[2:5, 2:5] = False
    ratio = power / (median_filter(power, footprint=around, mode="wrap") + 1e-3)
    frequency = np.fft.fftfreq(side)
    return ratio[np.hypot(frequency[:, None], frequency) > 0.15].max()


def disc():
    """Bright disc in dark surroundings, and the distance from its centre."""
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    radius = np.hypot(y, x)
    return 10 + 150 / (1 + np.exp(radius - 30)), radius
