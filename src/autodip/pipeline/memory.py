"""Division of an image by memory: whole planes or windows, and runs of consecutive planes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autodip.errors import OutOfMemoryError
from autodip.fit import counting
from autodip.image.image import Image
from autodip.image.windows import Tiling
from autodip.pipeline.machine import Machine
from autodip.pipeline.option_checks import LEAST_TILE
from autodip.pipeline.plan import ChannelPlan

WHOLE = 2**21
"""Number of pixels of the largest plane that is computed whole by default."""

_SIDES = (512, 256, LEAST_TILE)
_OVERLAP, _LEAST_OVERLAP = 8, 32
"""Ratio of the side of a window to the overlap, and the minimum overlap in pixels."""

_RUN, _RUN_PIXELS = 100, 2**26
"""Limits of a run of planes, of which only the first is fitted from scratch: planes, pixels."""

_AT_ONCE = 16
"""Maximum number of fits that share an accelerator."""

_BANDS = 4
"""Number of copies of a row of windows that blending holds in memory, in float64."""


@dataclass(frozen=True)
class Extent:
    """Numbers of planes and windows in each channel of an image, and the size of a fit.

    Parameters
    ----------
    shape : tuple of int
        (Y, X) of one fit: a plane, or a window of it.
    planes, windows : int
        Number of planes of the channel, and of windows of each plane.
    tiling : Tiling or None
        How planes are cut into windows; None for whole planes.
    """

    shape: tuple[int, int]
    planes: int
    windows: int
    tiling: Tiling | None

    @classmethod
    def of(cls, image: Image, tiling: Tiling | None) -> Extent:
        """Extent of each channel of an image."""
        planes = [image.channel_of(index) for index in image.indices()].count(0)
        if tiling is None:
            return cls(image.plane_shape, planes, 1, None)
        windows = len(tiling.windows(image.plane_shape))
        return cls(tiling.shape(image.plane_shape), planes, windows, tiling)

    @property
    def run(self) -> int:
        """Maximum number of planes that follow one another."""
        return min(_RUN, max(1, _RUN_PIXELS // (self.shape[0] * self.shape[1])))

    @property
    def runs(self) -> int:
        """Number of runs of planes that follow one another."""
        return -(-self.planes // self.run)

    @property
    def note(self) -> str:
        """Note for the user on how the planes are cut."""
        assert self.tiling is not None  # whole planes need no note
        rows, columns = self.shape
        return (
            f"each plane is computed in {self.windows} windows of {rows} x {columns} pixels, which "
            f"overlap by {self.tiling.overlap} or more"
        )


def tiling_of(side: int) -> Tiling:
    """Windows of this side, with the overlap derived from it."""
    return Tiling(side, max(_LEAST_OVERLAP, side // _OVERLAP))


def cuts(shape: tuple[int, int], tile: int | None) -> Iterator[Tiling | None]:
    """Possible divisions of planes of a shape (Y, X), the best first; None for whole planes.

    Parameters
    ----------
    shape : tuple of int
    tile : int or None
        Specified side of the windows, in pixels; 0 for whole planes. None if not specified.
    """
    rows, columns = shape
    if tile is not None:
        yield tiling_of(tile) if 0 < tile < max(rows, columns) else None
        return
    if rows * columns <= WHOLE:
        yield None
    for side in _SIDES:
        if side < max(rows, columns):
            yield tiling_of(side)


def needed(image: Image, plans: Sequence[ChannelPlan], tiling: Tiling | None) -> int:
    """Number of bytes that an image needs: the largest fit, plus the rows held for blending."""
    rows, columns = image.plane_shape
    held = rows if tiling is None else min(rows, tiling.side)
    return max(plan.cost.memory for plan in plans) + 8 * _BANDS * columns * held


def too_much(
    plans: Sequence[ChannelPlan], shape: tuple[int, int], need: int, free: int, limited: bool
) -> OutOfMemoryError:
    """Error that states how much memory is needed, and suggests what to change.

    Parameters
    ----------
    plans : sequence of ChannelPlan
        Plans for the smallest allowed windows.
    shape : tuple of int
        (Y, X) of these windows.
    need, free : int
        Bytes needed and available.
    limited : bool
        Whether the user limited the memory.

    Raises
    ------
    OutOfMemoryError
        If a fit alone needs too much; the message suggests a smaller network that fits.
    """
    for plan in plans:
        if plan.choice.prior is None:
            counting.check_memory(plan.choice.net, shape, free, plan.choice.fit.seeds)
    way = "allow more with --max-memory" if limited else "use a machine with more memory"
    return OutOfMemoryError(
        f"computing {shape[0]} x {shape[1]} pixels at once needs about {need / 1e9:.2g} GB, but "
        f"{free / 1e9:.2g} GB are free; {way}, or use a smaller --tile"
    )


def at_once(plans: Sequence[ChannelPlan], machine: Machine) -> int:
    """Number of windows or planes fitted simultaneously: several keep an accelerator busy."""
    if machine.device == "cpu":
        return 1
    need = max(plan.cost.memory for plan in plans)
    return max(1, min(_AT_ONCE, machine.free // max(1, need)))
