"""How far an image is from those that the learned prior of the package was trained on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

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
        """Whether the image is unlike all examples, so that the prior is not applied."""
        return self.distance > self.limit

    @property
    def note(self) -> str:
        """Note for the user; empty if the image is as near as most examples are."""
        if self.distance <= self.usual:
            return ""
        share, bound = (_LIMIT, self.limit) if self.outside else (_USUAL, self.usual)
        advice = (
            "the learned prior is not applied, the image is fitted as by --preset untrained"
            if self.outside
            else "compare with --preset untrained"
        )
        return (
            f"this image is unlike most images that the learned prior was trained on (its "
            f"descriptors are {self.distance:.1f} standard deviations from the nearest of "
            f"{self.examples} examples; {share} % of these have one within {bound:.1f}); {advice}"
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
    names, values, sources = _seen()
    shared = [number for number, name in enumerate(names) if name in descriptors]
    if not shared:
        return None
    scale = np.maximum(values[:, shared].std(axis=0), 1e-9)
    own = values[:, shared] / scale
    image = np.array([descriptors[names[number]] for number in shared]) / scale
    apart = np.linalg.norm(own[:, None] - own[None], axis=2)
    apart[sources[:, None] == sources] = np.inf
    usual, limit = np.percentile(apart.min(axis=1), (_USUAL, _LIMIT))
    return Familiarity(
        distance=float(np.linalg.norm(own - image, axis=1).min()),
        usual=float(usual),
        limit=float(limit),
        examples=len(own),
    )


@cache
def _seen() -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Names of the descriptors, their values (examples, names), and the clean image of each."""
    file = resources.files("autodip") / "data" / "prior_seen.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    values = np.array(content["descriptors"], np.float64)
    return tuple(content["names"]), values, np.array(content["sources"])
