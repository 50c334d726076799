"""Distances between the images of one or two bases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from autodip.bases.records import Entry
from autodip.bases.store import Base
from autodip.choose.from_base import samples
from autodip.choose.measures import MEASURES
from autodip.choose.samples import Sample


class Distances:
    """Distances between images, each of which is computed only once.

    Parameters
    ----------
    places : mapping of str to Base
        Base that holds an image, by the identifier of the image.
    """

    def __init__(self, places: Mapping[str, Base]) -> None:
        self._places = places
        self._samples: dict[tuple[str, bool], Sample] = {}
        self._found: dict[tuple[str, ...], float] = {}

    def __call__(self, query: Entry, measure: str, pool: Sequence[Entry]) -> np.ndarray:
        """Distances, shape (len(pool),), from an image to others by a measure."""
        keys = [_pair(measure, query, entry) for entry in pool]
        new = [n for n, key in enumerate(keys) if key not in self._found]
        if new:
            others = [self._sample(measure, pool[n]) for n in new]
            values = MEASURES[measure].distance(self._sample(measure, query), others)
            self._found |= {keys[n]: float(v) for n, v in zip(new, values, strict=True)}
        return np.array([self._found[key] for key in keys])

    def _sample(self, measure: str, entry: Entry) -> Sample:
        key = (entry.id, MEASURES[measure].needs_pixels)
        if key not in self._samples:
            (self._samples[key],) = samples(self._places[entry.id], measure, [entry])
        return self._samples[key]


def _pair(measure: str, query: Entry, entry: Entry) -> tuple[str, ...]:
    """Key of a distance; the same for both directions if the measure is symmetric."""
    ids = (query.id, entry.id)
    return (measure, *(sorted(ids) if MEASURES[measure].pairwise else ids))
