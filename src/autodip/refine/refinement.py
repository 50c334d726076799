"""Parameters of the refinement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from autodip.errors import ParameterError
from autodip.util.values import Value, check_float, check_int


@dataclass(frozen=True, kw_only=True)
class RefineParams(Value):
    """Parameters of the refinement of a fit (see :mod:`autodip.refine`).

    Parameters
    ----------
    excess : float
        Local power of the residual, in units of the noise power, above which structure is
        added back; 1 or more.
    strengths : tuple of float
        Factors on the noise variance, one for each pass over the groups of similar patches.
        Values above 1 smooth more, values below 1 preserve more.
    mean_share : float
        Weight of the noisy patches in the mean of a group if the noise is white; 0 to 1.
    correlated_strengths : tuple of float
        The same factors if the noise is correlated and the image is refined at half resolution.
    keep : float
        Share of what was removed that is added back to the result; 0 to 1. A little grain
        resembles the truth more than none (LPIPS), and costs little PSNR.
    patch, step : int
        Side length of the square patches and spacing of the reference patches, in pixels.
    window : int
        Largest distance of similar patches along each axis, in pixels.
    similar : int
        Number of patches in a group.

    Examples
    --------
    >>> import autodip
    >>> autodip.RefineParams(keep=0.0).strengths
    (1.2, 0.8)
    """

    excess: float = 1.1
    strengths: tuple[float, ...] = (1.2, 0.8)
    mean_share: float = 0.2
    correlated_strengths: tuple[float, ...] = (0.5,)
    keep: float = 0.06
    patch: int = 6
    step: int = 3
    window: int = 10
    similar: int = 48

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Create from a dictionary; ``trust``, a parameter of earlier versions, is ignored."""
        return super().from_dict({k: v for k, v in values.items() if k != "trust"})

    def __post_init__(self) -> None:
        check_float("excess", self.excess, 1, 100)
        check_float("mean_share", self.mean_share, 0, 1)
        check_float("keep", self.keep, 0, 1)
        for name in ("strengths", "correlated_strengths"):
            values = getattr(self, name)
            if not isinstance(values, tuple):
                raise ParameterError(f"{name} is {values!r}; it must be a list of numbers")
            for value in values:
                check_float(name, value, 0, 100, open_low=True)
        check_int("patch", self.patch, 2, 16)
        check_int("step", self.step, 1, self.patch)
        check_int("window", self.window, 1, 50)
        check_int("similar", self.similar, 2, (2 * self.window + 1) ** 2)
