"""Description of an image: its size, noise, microscope and specimen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autodip.choose import vocabulary
from autodip.image.image import Hint
from autodip.image.kind import Kind
from autodip.physics.estimate import estimate_noise
from autodip.physics.noise import Noise
from autodip.util.values import Value

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Description(Value):
    """Properties of an image on which the choice of its parameters is based.

    Parameters
    ----------
    shape : tuple of int
        (Y, X) in pixels.
    microscope, specimen : str or None
        Standard names from the vocabulary; None if unknown.
    origin : mapping
        Source of each of the two: "given as ...", the metadata field, or "unknown".
    noise : Noise or None
        Noise estimated from the image; None if it could not be estimated.
    """

    shape: tuple[int, int]
    microscope: str | None
    specimen: str | None
    origin: Mapping[str, str]
    noise: Noise | None

    @property
    def kind(self) -> Kind:
        """Microscope and specimen."""
        return Kind(self.microscope, self.specimen)


def describe(
    image: np.ndarray,
    *,
    microscope: str | None = None,
    specimen: str | None = None,
    hints: Sequence[Hint] = (),
    repaired: bool = False,
) -> Description:
    """Describe one plane of an image.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
        Pixels in any units, which are also the units of the estimated noise.
    microscope, specimen : str, optional
        Name given by the user, or any synonym of it; it takes precedence over the metadata.
        "other" means that none of the known names applies; the metadata is then not used either.
    hints : sequence of Hint
        Metadata fields, the most reliable first.
    repaired : bool
        Whether the defects of the image have been repaired.

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
        noise=estimate_noise(image, repaired=repaired),
    )


def _learn(
    kind: str, given: str | None, hints: Sequence[Hint], resolve: Any, find: Any
) -> tuple[str | None, str]:
    """Standard name, or None if unknown, and its source."""
    if given is not None:
        note = vocabulary.note_on(kind, given)
        return resolve(given), f"given as {given!r}" + (f", {note}" if note else "")
    for hint in hints:
        name = find(hint.text) if hint.kind == kind else None
        if name is not None:
            return name, f"{hint.field} {hint.text!r}"
    return None, UNKNOWN
