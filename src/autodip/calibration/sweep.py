"""Options for running a grid, and the outcome of each image × configuration."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import Literal

from autodip.bases.records import Config, Point, Run
from autodip.errors import ParameterError

Status = Literal["done", "kept", "elsewhere", "not run", "failed"]


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Options for running a grid.

    Parameters
    ----------
    device : str
        Name of the device, as accepted by :func:`autodip.compute.device.resolve`.
    seed : int
        Random seed for the weights and the input of every fit, in [0, 2**32).
    crop : int
        Side of the central square that is cut out of every image, in pixels (64 or more); 0 takes
        the whole image.
    keep_images : bool
        Store the pixels in the base, for measures of similarity that compare pixels.
    lpips : bool
        Measure LPIPS if its weights are installed.
    halving : bool
        Run all configurations for a quarter of their iterations first, and only the better half
        of them to the end.

    Raises
    ------
    ParameterError
        If the crop or the seed is not allowed.
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
    """Outcome of one image × configuration.

    Parameters
    ----------
    number, total : int
        Number of runs reported so far, including this one, and their total.
    name : str
        Name of the image.
    config : Config or None
        None for an image that could not be read, for which all configurations fail.
    status : str
        ``done`` in this calibration, ``kept`` from an earlier one, being run ``elsewhere`` by
        another process, ``not run`` as the image is too small, or ``failed``.
    run : Run or None
        The run if its status is ``done`` or ``kept``, else None.
    reason : str
        Why there is no run; empty if there is one.
    """

    number: int
    total: int
    name: str
    config: Config | None
    status: Status
    _: KW_ONLY
    run: Run | None = field(default=None, repr=False)
    reason: str = ""

    @property
    def best(self) -> Point | None:
        """Point with the highest PSNR; None if there is no run."""
        points = self.run.points if self.run else ()
        return max(points, key=lambda point: point.psnr, default=None)
