"""Places at which a result and the noisy image disagree by more than the noise explains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autodip.util.values import Value

Direction = Literal["added", "lost"]

KINDS = ("spot", "filament", "blob", "ring", "periodic pattern")
"""Kinds of structure: a blob is larger than a spot, such as a nucleus; a halo is a ring."""


@dataclass(frozen=True, kw_only=True)
class UnsupportedPlace(Value):
    """A place at which result and noisy image disagree by more than the noise explains.

    Parameters
    ----------
    direction : "added" or "lost"
        "added" if the result holds structure that the noisy image does not support, "lost" if it
        lacks structure that the noisy image supports.
    kind : str
        One of :data:`KINDS`.
    y, x : int
        Centre, in pixels from the corner of the plane or window.
    height, width : int
        Size of the rectangle around the structure, in pixels.
    brightness : float
        Mean of result - noisy over the structure, in units of the image; for a periodic pattern
        the amplitude of the difference.
    deviation : float
        The same in standard errors, with the correlation of the noise.
    share : float
        Share of the local contrast of the structure that both images have: about 0 if only one of
        them has the structure, and close to 1 if they differ little. Negative if the structure is
        bright in one and dark in the other.
    """

    direction: Direction
    kind: str
    y: int
    x: int
    height: int
    width: int
    brightness: float
    deviation: float
    share: float


@dataclass(frozen=True, kw_only=True)
class SupportTest(Value):
    """Outcome of the test whether a noisy image supports the structure of a result.

    Parameters
    ----------
    limit : float
        Largest number of standard errors that a mean of the residual may reach before its place is
        listed; it depends a little on the size of the structure.
    count : int
        Number of places that were found.
    places : tuple of UnsupportedPlace
        The clearest of them, up to 50.
    """

    limit: float
    count: int = 0
    places: tuple[UnsupportedPlace, ...] = ()
