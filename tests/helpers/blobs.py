"""An image of blurred spots, as a camera records it."""

import numpy as np


def blobs(side=128, seed=3):
    """Smooth spots of several sizes, from 0 to 1."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    image = np.zeros((side, side))
    for _ in range(50 * side**2 // 128**2):
        centre, width, height = rng.uniform(0, side, 2), rng.uniform(1.5, 6), rng.uniform(0.2, 1)
        away = (y - centre[0]) ** 2 + (x - centre[1]) ** 2
        image += height * np.exp(-away / (2 * width**2))
    return image / image.max()


def recorded(truth, seed=1, photons=60.0, gain=2.0, offset=100.0, read=3.0):
    """What a camera records of a truth from 0 to 1, uint16; the mean is that of :func:`level`."""
    rng = np.random.default_rng(seed)
    grey = gain * rng.poisson(photons * truth) + offset + rng.normal(0, read, truth.shape)
    return np.clip(np.rint(grey), 0, 65535).astype(np.uint16)


def level(truth):
    """Grey values of a truth, as :func:`recorded` has them without noise."""
    return 120.0 * truth + 100.0


def error(image, truth, where=...):
    """Root mean square error in units of the image."""
    return float(np.sqrt(np.mean((np.asarray(image, float) - truth)[where] ** 2)))
