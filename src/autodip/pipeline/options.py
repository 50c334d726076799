"""What goes into a run, and what comes out of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from autodip.bases.builtin import NAME as BUILTIN
from autodip.bases.criteria import CRITERIA
from autodip.choose.choice import Choice, Explicit
from autodip.choose.from_base import STRATEGIES
from autodip.errors import ParameterError
from autodip.fit.params import Width, parse_width
from autodip.image.channels import PerChannel

if TYPE_CHECKING:
    pass


LEAST_TILE = 128
"""Smallest side of a window, in pixels."""

DTYPES = ("uint8", "uint16", "float32", "float64")
"""Types that a result can be asked for in."""


@dataclass(frozen=True)
class Options:
    """What a user can say; every value has a default.

    Parameters
    ----------
    microscope, specimen : str, mapping of str to str, or PerChannel, optional
        Any synonym of the vocabulary; None takes what the metadata says, "other" ignores it. For
        channels of their own a mapping from their names or numbers, or ``DAPI=nucleus,GFP=actin``.
    preset : str
        ``original``, ``published``, ``fast``, ``balanced`` or ``best``.
    seed : int
        Decides the random weights and input.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
    iterations, depth, width, skip : optional
        Win over the choice.
    refine : bool, optional
        Whether the result of the fit is refined; None leaves it to the preset.
    budget : float, optional
        Seconds for the whole image on the CPU: takes the best of our presets that is predicted to
        need less, instead of ``preset``.
    base : Path or str, optional
        Calibration base that decides on images of the kinds that it covers, in the place of the
        preset; ``builtin`` names the one that comes with the package.
    strategy : str, optional
        How the base is asked, out of :data:`autodip.choose.from_base.STRATEGIES`; ``group`` by
        default.
    criterion : str, optional
        By which its best setting is told, out of :data:`autodip.bases.criteria.CRITERIA`;
        ``combined`` by default, ``psnr`` where LPIPS was not measured.
    dtype : str, optional
        Type of the result, as ``float32``; that of the image by default. Integers are rounded
        and clipped.
    independent : bool
        Fit every plane of a film or stack on its own. Otherwise our own presets fit the first
        plane of a channel from scratch, and each that follows from the weights of the one before
        it, with a tenth of the iterations, or more where it differs more; all on one intensity
        scale.
    tile : int, optional
        Side in pixels of the overlapping windows in which planes are computed and blended; 0
        computes whole planes. By default only planes of more than two million pixels, and those
        that do not fit into memory, are cut, into windows of 512 pixels where these fit.
    max_memory : int, optional
        Bytes that the whole process may use; what is free by default.
    choices : sequence of Choice, optional
        One for all channels or one for each; taken as they are, as when a run is repeated.
    """

    microscope: str | Mapping[str, str] | PerChannel | None = None
    specimen: str | Mapping[str, str] | PerChannel | None = None
    preset: str = "balanced"
    seed: int = 0
    device: str = "auto"
    iterations: int | None = None
    depth: int | None = None
    width: Width | str | None = None
    skip: int | None = None
    refine: bool | None = None
    budget: float | None = None
    base: Path | str | None = None
    strategy: str | None = None
    criterion: str | None = None
    dtype: str | None = None
    independent: bool = False
    tile: int | None = None
    max_memory: int | None = None
    choices: Sequence[Choice] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ("seed", "iterations", "depth", "width", "skip"):
            value = getattr(self, name)
            if isinstance(value, np.integer):
                object.__setattr__(self, name, int(value))
        if (
            isinstance(self.seed, bool)
            or not isinstance(self.seed, int)
            or not 0 <= self.seed < 2**32
        ):
            raise ParameterError(
                f"seed is {self.seed!r}; it must be a whole number from 0 to 2**32 - 1"
            )
        if self.budget is not None and not 0 < self.budget < math.inf:
            raise ParameterError(f"budget is {self.budget!r}; it must be seconds, above 0")
        if self.dtype is not None and self.dtype not in DTYPES:
            raise ParameterError(
                f"dtype {self.dtype!r} is not known; known are {', '.join(DTYPES)}"
            )
        if self.tile is not None and self.tile != 0 and self.tile < LEAST_TILE:
            raise ParameterError(
                f"tile is {self.tile}; it must be {LEAST_TILE} pixels or more, or 0 for whole "
                "planes"
            )
        if self.max_memory is not None and self.max_memory <= 0:
            raise ParameterError(f"max_memory is {self.max_memory}; it must be bytes, above 0")
        for name in ("microscope", "specimen"):
            PerChannel.of(getattr(self, name), name)  # raises where it cannot be read
        self._check_base()

    def _check_base(self) -> None:
        if self.base is not None and self.budget is not None:
            raise ParameterError(
                "a budget picks among the presets, and a base decides without them; leave one out"
            )
        for name, known in (("strategy", STRATEGIES), ("criterion", CRITERIA)):
            value = getattr(self, name)
            if value is None:
                continue
            if self.base is None:
                raise ParameterError(f"{name} {value!r} needs a base; name one, or {BUILTIN!r}")
            if value not in known:
                raise ParameterError(f"{name} {value!r} is not known; known are {', '.join(known)}")

    def follows(self, choice: Choice) -> bool:
        """Whether planes that follow one another go on from each other's weights.

        Not where the last output is the result, as in the published fits: after so few
        iterations it is none.
        """
        return not self.independent and choice.fit.average > 0

    @property
    def explicit(self) -> Explicit:
        """The values that win over the choice."""
        width = parse_width(self.width) if isinstance(self.width, str) else self.width
        return Explicit(self.iterations, self.depth, width, self.skip, self.refine)
