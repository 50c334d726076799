"""LPIPS between many images: the network sees each of them once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from autodip.choose.samples import Sample, Size, shared_size

if TYPE_CHECKING:
    from autodip.metrics.lpips import Features, Lpips

KEPT = 200
"""Sets of features that are kept, of 2.6 MB each at most."""


class Perceptual:
    """Learned perceptual distances that keep the features of images.

    They are kept as long as their :class:`Sample` is. The first :data:`KEPT` stay, others are
    computed anew: where more images are asked in turn, dropping the oldest would keep none.
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
