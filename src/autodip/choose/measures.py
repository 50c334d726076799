"""Similarity of images: distances between one image and many."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from autodip.choose.perceptual import Perceptual
from autodip.choose.samples import Sample, shared_size
from autodip.choose.standardised import nearest_within, spread
from autodip.errors import ParameterError
from autodip.metrics import weights
from autodip.util.optional import require

__all__ = ["MEASURES", "Distance", "Measure", "Sample", "beyond", "matrix", "nearness"]

_SEED = 0
_UMAP_NEIGHBOURS, _UMAP_LEAST = 15, 4
_LEAST_MSE = 1e-12
_LEAST_FIELDS, _TYPICAL = 5, 99


Distance = Callable[[Sample, Sequence[Sample]], np.ndarray]
"""Distances (len(pool),) of a query from each sample of a pool; smaller means more similar."""


class Measure(NamedTuple):
    """A distance measure and its requirements.

    Parameters
    ----------
    distance : Distance
    needs_pixels : bool
        Whether it compares pixels; False if the descriptors are sufficient.
    pairwise : bool
        Whether the distance of two images is symmetric and independent of other images.
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
    """Negative peak signal-to-noise ratio in dB; -120 for equal images.

    It ranks images as :func:`mse` does, and is provided because AUTO-DIP compares both.
    """
    return np.asarray(10 * np.log10(np.maximum(mse(query, pool), _LEAST_MSE)))


def ssim(query: Sample, pool: Sequence[Sample]) -> np.ndarray:
    """One minus the structural similarity (Wang et al. 2004)."""
    from autodip.metrics.fidelity import ssim as similarity  # noqa: PLC0415  (imports skimage)

    return _each(query, pool, lambda a, b: 1 - similarity(a, b, data_range=1.0))


def lpips(query: Sample, pool: Sequence[Sample]) -> np.ndarray:
    """Learned perceptual distance, AlexNet v0.1 (Zhang et al. 2018), on [0, 1] without rescaling.

    Raises
    ------
    ParameterError
        If its weights are not installed.
    """
    return _perceptual(str(weights.location())).distances(query, pool)


def mean_gradient(query: Sample, pool: Sequence[Sample]) -> np.ndarray:
    """Absolute difference of the mean Sobel magnitudes of the whole images."""
    return np.array([abs(query.gradient - sample.gradient) for sample in pool])


def umap(query: Sample, pool: Sequence[Sample]) -> np.ndarray:
    """Distance in a two-dimensional UMAP (McInnes et al. 2018) of the pixels of all images.

    The embedding is computed from the query and the whole pool, with a fixed seed.

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
            f"umap needs at least {_UMAP_LEAST} images, and there are {number}; use lpips or "
            "descriptor"
        )
    with warnings.catch_warnings():  # from a component of umap-learn that is not used here
        warnings.filterwarnings("ignore", "Tensorflow not installed", ImportWarning)
        package = require("umap", "umap")
    images = [query, *pool]
    size = shared_size(images)
    model = package.UMAP(
        n_components=2,
        n_neighbors=min(_UMAP_NEIGHBOURS, number - 1),
        init="random",
        random_state=_SEED,
        n_jobs=1,
    )
    places = model.fit_transform(np.stack([image.view(size).ravel() for image in images]))
    return np.asarray(np.linalg.norm(places[1:] - places[0], axis=1), np.float64)


def descriptor(query: Sample, pool: Sequence[Sample]) -> np.ndarray:
    """Euclidean distance of the descriptors, each in units of its standard deviation.

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
"""Measures by name."""


def matrix(described: Sequence[Mapping[str, float]]) -> np.ndarray:
    """Descriptors that all images have in common, shape (images, names), names sorted.

    Raises
    ------
    ParameterError
        If the images have no descriptor in common.
    """
    names = sorted(set.intersection(*(set(one) for one in described)))
    if not names:
        raise ParameterError(
            "the images have no descriptor in common; calibrate the base again with this version"
        )
    return np.array([[one[name] for name in names] for one in described], np.float64)


def nearness(
    query: Mapping[str, float], pool: Sequence[Mapping[str, float]], fields: Sequence[str]
) -> tuple[float, float] | None:
    """Distance of an image from a pool, and typical distance within the pool, by descriptors.

    Parameters
    ----------
    query : mapping of str to float
        Descriptors of the image.
    pool : sequence of mapping
        Descriptors of the images of the pool.
    fields : sequence of str
        Field of view of each image of the pool.

    Returns
    -------
    tuple of float or None
        Distance to the nearest pool image, and the 99th percentile of the pool's own
        nearest-neighbour distances between different fields of view, both in pool standard
        deviations. None if undetermined (fewer than five fields of view, or no shared
        descriptors).
    """
    if len(set(fields)) < _LEAST_FIELDS or not set(query).intersection(*pool):
        return None
    values = matrix([query, *pool])
    values = values / spread(values[1:])
    own = values[1:]
    limit = float(np.percentile(nearest_within(own, fields), _TYPICAL))
    return float(np.linalg.norm(own - values[0], axis=1).min()), limit


def beyond(
    query: Mapping[str, float], pool: Sequence[Mapping[str, float]], fields: Sequence[str]
) -> tuple[float, float] | None:
    """Test whether an image lies outside the range that a pool covers.

    Parameters as for :func:`nearness`.

    Returns
    -------
    tuple of float or None
        Result of :func:`nearness` if the first value exceeds the second; None if the image lies
        inside the range, or if this is undetermined.
    """
    found = nearness(query, pool, fields)
    return found if found is not None and found[0] > found[1] else None


def _each(
    query: Sample, pool: Sequence[Sample], distance: Callable[[np.ndarray, np.ndarray], float]
) -> np.ndarray:
    """Distance of the query from each sample, both at the size that they share."""
    sizes = (shared_size([query, sample]) for sample in pool)
    views = ((query.view(size), one.view(size)) for one, size in zip(pool, sizes, strict=True))
    return np.array([distance(*pair) for pair in views])


@cache
def _perceptual(path: str) -> Perceptual:
    from autodip.metrics import alexnet  # noqa: PLC0415  (imports torch)

    model = alexnet.load()
    if model is None:
        raise ParameterError(
            f"the measure lpips needs its weights, which are not at {path}; install "
            "them with 'autodip weights install', or use the measure descriptor"
        )
    return Perceptual(model)
