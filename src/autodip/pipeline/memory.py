"""How much is computed at once: whole planes or windows, and how many follow one another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from autodip.compute import device as devices
from autodip.errors import OutOfMemoryError
from autodip.fit import counting
from autodip.image.image import Image
from autodip.image.windows import Tiling
from autodip.pipeline.options import LEAST_TILE, Options
from autodip.pipeline.plan import ChannelPlan

WHOLE = 2**21
"""Pixels of the largest plane that is computed whole unless something else is asked for."""

_SIDES = (512, 256, LEAST_TILE)
_OVERLAP, _LEAST_OVERLAP = 8, 32
"""Part of the side by which windows overlap, and the pixels that it is at least."""

_RUN, _RUN_PIXELS = 100, 2**26
"""Planes that follow one another at most before one is fitted from scratch, and their pixels."""

_AT_ONCE = 16
"""Fits that share an accelerator at most."""

_BANDS = 4
"""Copies of a row of windows that blending holds, in float64."""


@dataclass(frozen=True)
class Extent:
    """What a channel is made of.

    Parameters
    ----------
    shape : tuple of int
        (Y, X) of what is fitted at once: a plane, or a window of it.
    planes, windows : int
        Planes of the channel, and windows of each.
    tiling : Tiling or None
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
        """Planes that follow one another at most."""
        return min(_RUN, max(1, _RUN_PIXELS // (self.shape[0] * self.shape[1])))

    @property
    def runs(self) -> int:
        """Runs of planes that follow one another."""
        return -(-self.planes // self.run)

    @property
    def note(self) -> str:
        """How the planes are cut, in words."""
        assert self.tiling is not None  # there is nothing to say of whole planes
        rows, columns = self.shape
        return (
            f"computed in {self.windows} windows of {rows} x {columns} pixels for each plane, "
            f"which overlap by {self.tiling.overlap} or more"
        )


def tiling_of(side: int) -> Tiling:
    """Windows of this side with the overlap that belongs to it."""
    return Tiling(side, max(_LEAST_OVERLAP, side // _OVERLAP))


def fitting(
    image: Image,
    options: Options,
    free: int,
    choose: Callable[[Tiling | None], tuple[ChannelPlan, ...]],
) -> tuple[Tiling | None, tuple[ChannelPlan, ...]]:
    """Cut of an image whose fits find room in memory, with the plans of its channels.

    Parameters
    ----------
    image : Image
    options : Options
    free : int
        Bytes that a fit may take.
    choose : callable
        Plans of the channels for a cut.

    Raises
    ------
    OutOfMemoryError
        If none does.
    """
    for tiling in _candidates(image, options):
        plans = choose(tiling)
        need = max(plan.cost.memory for plan in plans) + _overhead(image, tiling)
        if need <= free:
            return tiling, plans
    rows, columns = plans[0].description.shape
    for plan in plans:
        counting.check_memory(plan.choice.net, (rows, columns), free, plan.choice.fit.seeds)
    way = "allow more with --max-memory" if options.max_memory else "use a machine with more memory"
    raise OutOfMemoryError(
        f"computing {rows} x {columns} pixels at once needs about {need / 1e9:.2g} GB, but "
        f"{free / 1e9:.2g} GB are free; {way}, or take a smaller --tile"
    )


def at_once(plans: Sequence[ChannelPlan], device: str, free: int) -> int:
    """Windows or planes that are fitted at once: several keep an accelerator busy.

    Parameters
    ----------
    plans : sequence of ChannelPlan
    device : str
        Of the fits, resolved.
    free : int
        Bytes that they may take there.
    """
    if device == "cpu":
        return 1
    need = max(plan.cost.memory for plan in plans)
    return max(1, min(_AT_ONCE, free // max(1, need)))


def free_memory(options: Options) -> int:
    """Bytes that a fit may take on the device of this machine."""
    free = devices.free_memory(options.device)
    if options.max_memory is None or options.device.startswith("cuda"):
        return free
    return max(0, min(free, options.max_memory - devices.held_memory()))


def _candidates(image: Image, options: Options) -> Iterator[Tiling | None]:
    """Cuts that may be taken, the best first."""
    rows, columns = image.plane_shape
    if options.tile is not None:
        cut = 0 < options.tile < max(rows, columns)
        yield tiling_of(options.tile) if cut else None
        return
    if rows * columns <= WHOLE:
        yield None
    for side in _SIDES:
        if side < max(rows, columns):
            yield tiling_of(side)


def _overhead(image: Image, tiling: Tiling | None) -> int:
    """Bytes beside the fit: rows of windows that are blended, or planes as floats."""
    rows, columns = image.plane_shape
    return 8 * _BANDS * columns * (rows if tiling is None else min(rows, tiling.side))
