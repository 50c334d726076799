"""LPIPS between many images, with a cache so that the network processes each image once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from autodip.choose.samples import Sample, Size, shared_size

if TYPE_CHECKING:
    from autodip.metrics.alexnet import Features, Lpips

KEPT = 200
"""Maximum number of cached sets of features, of up to 2.6 MB each."""


class Perceptual:
    """Learned perceptual distances, with a cache of the features of images.

    Features are cached as long as their :class:`Sample` exists. The first :data:`KEPT` sets stay
    cached, and others are recomputed: if more images than that are compared in turn, evicting the
    oldest set would leave nothing to reuse.
    """

    def __init__(self, model: Lpips) -> None:
        self._model = model
        self._kept: WeakKeyDictionary[Sample, dict[Size, Features]] = WeakKeyDictionary()

    def distances(self, query: Sample, pool: Sequence[Sample]) -> np.ndarray:
        """Distances (len(pool),), each at the size that the two images share."""
        sizes = [shared_size([query, sample]) for sample in pool]
        found = np.empty(len(pool))
        for size in dict.fromkeys(sizes):
            mine = self._features(query, size)
            for number, sample in enumerate(pool):
                if sizes[number] == size:
                    found[number] = self._model.compare(mine, self._features(sample, size))
        return found

    def _features(self, sample: Sample, size: Size) -> Features:
        kept = self._kept.get(sample, {})
        if size in kept:
            return kept[size]
        made = self._model.features(sample.view(size))
        if sum(map(len, self._kept.values())) < KEPT:
            self._kept.setdefault(sample, {})[size] = made
        return made
