"""How alike two images are: distances between one image and many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.ndimage import sobel

from autodip.errors import ParameterError
from autodip.metrics import weights
from autodip.optional import require

if TYPE_CHECKING:
    from autodip.metrics.lpips import Lpips

SIDE = 256
"""Largest side of what is compared, in pixels: the centre of larger images."""

LEAST_SIDE = 64
"""Where two images share fewer pixels a side than this, both are resampled to it."""

_PERCENTILES = (0.1, 99.9)
_SEED = 0
_UMAP_NEIGHBOURS, _UMAP_LEAST = 15, 4
_LEAST_MSE = 1e-12
_LEAST_FIELDS, _TYPICAL = 5, 99


@dataclass(frozen=True, eq=False)
class Sample:
    """What is compared of an image.

    Parameters
    ----------
    pixels : ndarray, shape (Y, X), or None
        In any units, [0, 1] by convention; None where they were not kept.
    descriptors : mapping of str to float
        See :mod:`autodip.features`.
    """

    pixels: np.ndarray | None
    descriptors: Mapping[str, float]

    @cached_property
    def scaled(self) -> np.ndarray:
        """Pixels (Y, X) in [0, 1]: the 0.1 percentile at 0, the 99.9 at 1, others clipped.

        Raises
        ------
        ParameterError
            If there are no pixels.
        """
        if self.pixels is None:
            raise ParameterError(
                "this measure compares pixels, and an image has none; calibrate with "
                "--keep-images, or use the measure descriptor"
            )
        data = self.pixels.astype(np.float64)
        low, high = np.percentile(data, _PERCENTILES)
        if high <= low:
            low, high = data.min(), max(data.max(), data.min() + 1e-12)
        return np.asarray(np.clip((data - low) / (high - low), 0, 1))

    @cached_property
    def gradient(self) -> float:
        """Mean Sobel magnitude of the scaled pixels, per pixel."""
        image = self.scaled
        return float(np.hypot(sobel(image, 0) / 8, sobel(image, 1) / 8).mean())


Distance = Callable[[Sample, Sequence[Sample]], np.ndarray]
"""Distances (len(pool),) of a query to each sample of a pool; smaller is more alike."""


class Measure(NamedTuple):
    """A measure and what it needs.

    Parameters
    ----------
    distance : Distance
    needs_pixels : bool
        Whether descriptors are not enough.
    pairwise : bool
        Whether the distance of two images is symmetric and does not depend on the others.
    """

    distance: Distance
    needs_pixels: bool
    pairwise: bool


def l1(query: Sample, pool: Sequence[Sample]) -> np.ndarray:
    """Mean absolute difference of the pixels."""
    return _each(query, pool, lambda a, b: float(np.abs(a - b).mean()))


def mse(query: Sample, pool: Sequence[Sample]) -> np.ndarray:
    """Mean squared difference of the pixels."""
    return _each(query, pool, lambda a, b: float(np.square(a - b).mean()))


def psnr(query: Sample, pool: Sequence[Sample]) -> np.ndarray:
    """Negative peak signal-to-noise ratio, dB; -120 for images that are equal.

    It ranks images as :func:`mse` does, and is here because AUTO-DIP compares both.
    """
    return np.asarray(10 * np.log10(np.maximum(mse(query, pool), _LEAST_MSE)))


def ssim(query: Sample, pool: Sequence[Sample]) -> np.ndarray:
    """One less the structural similarity (Wang et al. 2004)."""
    from autodip.metrics.fidelity import ssim as similarity  # noqa: PLC0415  (imports skimage)

    return _each(query, pool, lambda a, b: 1 - similarity(a, b, data_range=1.0))


def lpips(query: Sample, pool: Sequence[Sample]) -> np.ndarray:
    """Learned perceptual distance, AlexNet v0.1 (Zhang et al. 2018), on [0, 1] not rescaled.

    Raises
    ------
    ParameterError
        If its weights are not installed.
    """
    return _each(query, pool, _lpips(str(weights.location())))


def mean_gradient(query: Sample, pool: Sequence[Sample]) -> np.ndarray:
    """Difference of the mean Sobel magnitudes of the whole images."""
    return np.array([abs(query.gradient - sample.gradient) for sample in pool])


def umap(query: Sample, pool: Sequence[Sample]) -> np.ndarray:
    """Distance in a two-dimensional UMAP (McInnes et al. 2018) of the pixels of all images.

    The embedding is made of the query and the whole pool, from a fixed seed.

    Raises
    ------
    MissingPackageError
        If umap-learn is not installed.
    ParameterError
        If there are fewer than four images.
    """
    number = len(pool) + 1
    if number < _UMAP_LEAST:
        raise ParameterError(
            f"umap embeds {_UMAP_LEAST} images or more, and here are {number}; use lpips or "
            "descriptor"
        )
    package = require("umap", "umap")
    images = _alike([sample.scaled for sample in (query, *pool)])
    model = package.UMAP(
        n_components=2,
        n_neighbors=min(_UMAP_NEIGHBOURS, number - 1),
        init="random",
        random_state=_SEED,
        n_jobs=1,
    )
    places = model.fit_transform(np.stack([image.ravel() for image in images]))
    return np.asarray(np.linalg.norm(places[1:] - places[0], axis=1), np.float64)


def descriptor(query: Sample, pool: Sequence[Sample]) -> np.ndarray:
    """Euclidean distance of the descriptors, each in units of its spread over all images.

    Raises
    ------
    ParameterError
        If the images have no descriptor in common.
    """
    everything = [query.descriptors, *(sample.descriptors for sample in pool)]
    values = matrix(everything)
    unit = (values - values.mean(axis=0)) / spread(values)
    return np.asarray(np.linalg.norm(unit[1:] - unit[0], axis=1))


MEASURES: Mapping[str, Measure] = {
    "l1": Measure(l1, True, True),
    "mse": Measure(mse, True, True),
    "psnr": Measure(psnr, True, True),
    "ssim": Measure(ssim, True, True),
    "lpips": Measure(lpips, True, True),
    "mean_gradient": Measure(mean_gradient, True, True),
    "umap": Measure(umap, True, False),
    "descriptor": Measure(descriptor, False, False),
}
"""The measures by name."""


def matrix(described: Sequence[Mapping[str, float]]) -> np.ndarray:
    """Descriptors (image, name) that all images have, the names sorted.

    Raises
    ------
    ParameterError
        If there is none.
    """
    names = sorted(set.intersection(*(set(one) for one in described)))
    if not names:
        raise ParameterError(
            "the images have no descriptor in common; calibrate the base anew with this version"
        )
    return np.array([[one[name] for name in names] for one in described], np.float64)


def spread(values: np.ndarray) -> np.ndarray:
    """Standard deviation of each column of (image, name); 1 where all images are alike."""
    deviation = values.std(axis=0)
    return np.asarray(np.where(deviation > 1e-9, deviation, 1.0))


def beyond(
    query: Mapping[str, float], pool: Sequence[Mapping[str, float]], fields: Sequence[str]
) -> tuple[float, float] | None:
    """Tell whether an image lies outside of what a pool covers, by their descriptors.

    It does if it is farther from the nearest image than 99 % of the pool's images are from
    their nearest one in another field of view, in units of the pool's own spread.

    Parameters
    ----------
    query : mapping of str to float
        Descriptors of the image.
    pool : sequence of mapping
        Those of the others.
    fields : sequence of str
        The field of view of each.

    Returns
    -------
    tuple of float or None
        Its distance to the nearest, and what it passes; None where it lies inside, or where
        that cannot be told: below five fields of view, or without descriptors in common.
    """
    if len(set(fields)) < _LEAST_FIELDS or not set(query).intersection(*pool):
        return None
    values = matrix([query, *pool])
    values = values / spread(values[1:])
    own, place = values[1:], np.array(fields)
    apart = np.linalg.norm(own[:, None] - own[None], axis=2)
    apart[place[:, None] == place] = np.inf
    limit = float(np.percentile(apart.min(axis=1), _TYPICAL))
    nearest = float(np.linalg.norm(own - values[0], axis=1).min())
    return (nearest, limit) if nearest > limit else None


def _each(
    query: Sample, pool: Sequence[Sample], distance: Callable[[np.ndarray, np.ndarray], float]
) -> np.ndarray:
    """Distance of each pair of pixels of one size."""
    pairs = (_alike([query.scaled, sample.scaled]) for sample in pool)
    return np.array([distance(*pair) for pair in pairs])


def _alike(images: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Give images one size: the centre that all have; resampled where that is too small."""
    shape = [min(SIDE, *(image.shape[axis] for image in images)) for axis in (0, 1)]
    if min(shape) < LEAST_SIDE:
        from skimage.transform import resize  # noqa: PLC0415  (slow to import, rarely needed)

        size = (LEAST_SIDE, LEAST_SIDE)
        return [np.asarray(resize(one, size, order=1, anti_aliasing=True)) for one in images]
    return [_centre(image, *shape) for image in images]


def _centre(image: np.ndarray, rows: int, columns: int) -> np.ndarray:
    top, left = (image.shape[0] - rows) // 2, (image.shape[1] - columns) // 2
    return image[top : top + rows, left : left + columns]


@cache
def _lpips(path: str) -> Lpips:
    from autodip.metrics import lpips as metric  # noqa: PLC0415  (imports torch)

    model = metric.load()
    if model is None:
        raise ParameterError(
            f"the measure lpips needs its weights, which are not at {path}; get them by "
            "'autodip weights install', or use the measure descriptor"
        )
    return model
