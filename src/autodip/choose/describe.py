"""What is known of an image: its size, its noise, its microscope and specimen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autodip.choose import vocabulary
from autodip.image.image import Hint
from autodip.physics import noise
from autodip.physics.noise import Noise

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Description:
    """What the choice of parameters is made from.

    Parameters
    ----------
    shape : tuple of int
        (Y, X) in pixels.
    microscope, specimen : str or None
        Their names in the vocabulary; None where unknown.
    origin : mapping
        For each of the two: "given as ...", the metadata field it was read from, or "unknown".
    noise : Noise or None
        Estimated from the image; None for an image too small to tell.
    """

    shape: tuple[int, int]
    microscope: str | None
    specimen: str | None
    origin: Mapping[str, str]
    noise: Noise | None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-ready dictionary."""
        return {
            "shape": list(self.shape),
            "microscope": self.microscope,
            "specimen": self.specimen,
            "origin": dict(self.origin),
            "noise": self.noise.to_dict() if self.noise else None,
        }


def describe(
    image: np.ndarray,
    *,
    microscope: str | None = None,
    specimen: str | None = None,
    hints: Sequence[Hint] = (),
) -> Description:
    """Describe one plane of an image.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
        In its own units.
    microscope, specimen : str, optional
        What the user says, any synonym; it wins over the metadata. "other" says that none of
        the known names fits, so that the metadata is not asked either.
    hints : sequence of Hint
        Metadata fields, the most trustworthy first.

    Raises
    ------
    ParameterError
        If a given name is not known.
    """
    microscope, from_microscope = _learn(
        "microscope", microscope, hints, vocabulary.microscope, vocabulary.find_microscope
    )
    specimen, from_specimen = _learn(
        "specimen", specimen, hints, vocabulary.specimen, vocabulary.find_specimen
    )
    rows, columns = image.shape
    return Description(
        shape=(rows, columns),
        microscope=microscope,
        specimen=specimen,
        origin={"microscope": from_microscope, "specimen": from_specimen},
        noise=noise.estimate(image),
    )


def _learn(
    kind: str, given: str | None, hints: Sequence[Hint], resolve: Any, find: Any
) -> tuple[str | None, str]:
    """Name and where it was learnt."""
    if given is not None:
        return resolve(given), f"given as {given!r}"
    for hint in hints:
        name = find(hint.text) if hint.kind == kind else None
        if name is not None:
            return name, f"{hint.field} {hint.text!r}"
    return None, UNKNOWN
