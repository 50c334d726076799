"""How far an image is from those that the learned prior of the package was trained on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from autodip.choose.measures import nearness
from autodip.util.values import Value


@dataclass(frozen=True, kw_only=True)
class Familiarity(Value):
    """Distance of an image from a sample of the training examples, by descriptors.

    Parameters
    ----------
    distance : float
        Distance to the nearest training example, in standard deviations of the examples.
    limit : float
        99th percentile of the distances between an example and the nearest one of another clean
        image.
    examples : int
        Number of examples compared.
    """

    distance: float
    limit: float
    examples: int

    @property
    def outside(self) -> bool:
        """Whether the image is unlike all examples."""
        return self.distance > self.limit

    @property
    def warning(self) -> str:
        """Note for the user if the image is unlike all examples."""
        return (
            f"this image is unlike the images that the learned prior was trained on (its "
            f"descriptors are {self.distance:.1f} standard deviations from the nearest of "
            f"{self.examples} examples; 99 % of these have a neighbour within {self.limit:.1f}); "
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
    seen = _seen()
    pool = [dict(zip(seen["names"], row, strict=True)) for row in seen["descriptors"]]
    found = nearness(descriptors, pool, [str(source) for source in seen["sources"]])
    if found is None:
        return None
    return Familiarity(distance=found[0], limit=found[1], examples=len(pool))


@cache
def _seen() -> dict[str, Any]:
    file = resources.files("autodip") / "data" / "prior_seen.json"
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content
