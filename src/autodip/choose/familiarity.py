"""How far an image is from those that the learned prior of the package was trained on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from autodip.choose.standardised import nearest_within, spread
from autodip.util.values import Value

_USUAL, _LIMIT = 90, 99
"""Percentiles of the distances between training examples beyond which an image is called unusual,
and unlike all of them."""


@dataclass(frozen=True, kw_only=True)
class Familiarity(Value):
    """Distance of an image from a sample of the training examples, by descriptors.

    Distances are in standard deviations of the descriptors of the examples.

    Parameters
    ----------
    distance : float
        Distance to the nearest training example.
    usual, limit : float
        90th and 99th percentile of the distances between an example and the nearest one of
        another clean image.
    examples : int
        Number of examples compared.
    """

    distance: float
    usual: float
    limit: float
    examples: int

    @property
    def outside(self) -> bool:
        """Whether the image is unlike all examples."""
        return self.distance > self.limit

    @property
    def note(self) -> str:
        """Note for the user; empty if the image is as near as most examples are."""
        if self.distance <= self.usual:
            return ""
        word, share, bound = "most", _USUAL, self.usual
        if self.outside:
            word, share, bound = "all", _LIMIT, self.limit
        return (
            f"this image is unlike {word} images that the learned prior was trained on (its "
            f"descriptors are {self.distance:.1f} standard deviations from the nearest of "
            f"{self.examples} examples; {share} % of these have one within {bound:.1f}); "
            "compare with --preset untrained"
        )


def familiarity(descriptors: Mapping[str, float]) -> Familiarity | None:
    """Compare an image with the training examples.

    Parameters
    ----------
    descriptors : mapping of str to float
        As from :func:`autodip.choose.descriptors.descriptors`.

    Returns
    -------
    Familiarity or None
        None if the image shares no descriptor with the examples.
    """
    names, _, _ = _seen()
    shared = tuple(number for number, name in enumerate(names) if name in descriptors)
    if not shared:
        return None
    own, scale, usual, limit = _standardised(shared)
    image = np.array([descriptors[names[number]] for number in shared]) / scale
    return Familiarity(
        distance=float(np.linalg.norm(own - image, axis=1).min()),
        usual=usual,
        limit=limit,
        examples=len(own),
    )


@cache
def _standardised(shared: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Examples by some descriptors in units of their spread, this spread, and both limits."""
    _, values, sources = _seen()
    scale = spread(values[:, shared])
    own = values[:, shared] / scale
    usual, limit = np.percentile(nearest_within(own, sources), (_USUAL, _LIMIT))
    return own, scale, float(usual), float(limit)


@cache
def _seen() -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Names of the descriptors, their values (examples, names), and the clean image of each."""
    file = resources.files("autodip") / "data" / "prior_seen.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    values = np.array(content["descriptors"], np.float64)
    return tuple(content["names"]), values, np.array(content["sources"])
