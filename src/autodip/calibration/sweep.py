"""How a grid is run, and what became of each image × configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from autodip.bases.records import Config, Point, Run
from autodip.errors import ParameterError

Status = Literal["done", "kept", "elsewhere", "not run", "failed"]


@dataclass(frozen=True)
class Sweep:
    """How a grid is run.

    Parameters
    ----------
    device : str
        As :func:`autodip.compute.device.resolve` takes it.
    seed : int
        Of weights and input of every fit.
    crop : int
        Side of the centre that is cut out of every image, in pixels; 0 takes the whole.
    keep_images : bool
        Keep the pixels in the base, for measures of similarity that compare them.
    lpips : bool
        Measure LPIPS if its weights are installed.
    halving : bool
        Run all configurations to a quarter of their iterations first, and only the better half
        of them to the end.
    """

    device: str = "auto"
    seed: int = 0
    crop: int = 0
    keep_images: bool = False
    lpips: bool = True
    halving: bool = False

    def __post_init__(self) -> None:
        if self.crop < 0 or 0 < self.crop < 64:
            raise ParameterError(f"crop is {self.crop}; it must be 64 pixels or more")
        if not 0 <= self.seed < 2**32:
            raise ParameterError(f"seed is {self.seed}; it must be a whole number from 0 up")


@dataclass(frozen=True)
class Attempt:
    """What became of one image × configuration.

    Parameters
    ----------
    number, total : int
        Counted from 1, in the order in which they are told.
    name : str
        Of the image.
    config : Config or None
        None for an image that could not be read, whose configurations all fail.
    status : str
        ``done`` now, ``kept`` from before, being run ``elsewhere`` by another process,
        ``not run`` for an image too small, or ``failed``.
    run : Run or None
        Where it is done or kept.
    reason : str
        Why it was not run, or failed.
    """

    number: int
    total: int
    name: str
    config: Config | None
    status: Status
    run: Run | None = field(default=None, repr=False)
    reason: str = ""

    @property
    def best(self) -> Point | None:
        """Point of the highest PSNR."""
        points = self.run.points if self.run else ()
        return max(points, key=lambda point: point.psnr, default=None)
