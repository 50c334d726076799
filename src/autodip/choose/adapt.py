"""The choice: from what is known of an image to the parameters of its fit."""

from __future__ import annotations

from typing import NamedTuple

from autodip.choose.choice import Explicit
from autodip.choose.describe import Description
from autodip.errors import ImageError, ParameterError
from autodip.fit.params import FitParams, NetParams, deepest
from autodip.refine.refinement import RefineParams


class Setting(NamedTuple):
    """Parameters as they were measured.

    Parameters
    ----------
    net : NetParams
    fit : FitParams
    refine : RefineParams or None
    pixels : int or None
        Number of them in the images at which the iterations were measured; None where they hold
        for all sizes.
    """

    net: NetParams
    fit: FitParams
    refine: RefineParams | None
    pixels: int | None


def settle(
    description: Description, setting: Setting, explicit: Explicit
) -> tuple[NetParams, FitParams, RefineParams | None, tuple[str, ...]]:
    """Make a setting fit an image, and let explicit values win.

    Returns
    -------
    NetParams, FitParams, RefineParams or None, tuple of str
        The last is what the user should know.

    Raises
    ------
    ParameterError
        If an explicit value is not allowed, or its depth is too large for the image.
    ImageError
        If the image is too small for any network.
    """
    notes = [f"{name} {value} was set explicitly" for name, value in explicit.items()]
    net, fit = _with_explicit(setting.net, setting.fit, explicit)
    if setting.pixels is not None and explicit.iterations is None:
        fit, later = scaled(fit, setting.pixels, description.shape)
        notes += later
    fixed_depth = explicit.depth is not None or isinstance(explicit.width, tuple)
    net, reduced = fitting(net, description.shape, fixed_depth)
    asked = setting.refine is not None if explicit.refine is None else explicit.refine
    refine = (setting.refine or RefineParams()) if asked else None
    return net, fit, refine, (*notes, *reduced)


def scaled(fit: FitParams, pixels: int, shape: tuple[int, int]) -> tuple[FitParams, list[str]]:
    """Scale the iterations with the cube root of the number of pixels.

    A larger image takes longer to be learnt: the best stops of 512 x 512 images lie about 1.6
    times later than those of their 256 x 256 centres.

    Parameters
    ----------
    fit : FitParams
    pixels : int
        Number of them in the images at which the iterations were measured.
    shape : tuple of int
        (Y, X) of the image at hand.

    Returns
    -------
    FitParams, list of str
        Scaled, and what the user should know, if it changed.
    """
    iterations = max(1, round(fit.iterations * (shape[0] * shape[1] / pixels) ** (1 / 3)))
    if iterations == fit.iterations:
        return fit, []
    side = round(pixels**0.5)
    note = (
        f"{iterations} iterations for {shape[0]} x {shape[1]} pixels, scaled by the cube root of "
        f"their number from {fit.iterations} at {side} x {side}"
    )
    return fit.replace(iterations=iterations), [note]


def _with_explicit(
    net: NetParams, fit: FitParams, explicit: Explicit
) -> tuple[NetParams, FitParams]:
    if explicit.iterations is not None:
        fit = fit.replace(iterations=explicit.iterations)
    width = net.width if explicit.width is None else explicit.width
    depth = net.depth if explicit.depth is None else explicit.depth
    if isinstance(explicit.width, tuple) and explicit.depth is None:
        depth = len(explicit.width)
    if isinstance(net.width, tuple) and explicit.width is None and explicit.depth is not None:
        width = _widths(net.width, depth)
    skip = net.skip if explicit.skip is None else explicit.skip
    return net.replace(depth=depth, width=width, skip=skip), fit


def _widths(widths: tuple[int, ...], depth: int) -> tuple[int, ...]:
    """Cut a list of widths to a depth, or go on doubling it up to 512."""
    while len(widths) < depth:
        widths = (*widths, min(2 * widths[-1], max(512, widths[-1])))
    return widths[:depth]


def fitting(
    net: NetParams, shape: tuple[int, int], fixed: bool
) -> tuple[NetParams, tuple[str, ...]]:
    """Make the network fit the image, with notes: less depth, unless it is ``fixed``.

    Raises
    ------
    ParameterError
        If a fixed depth is too large for the image.
    ImageError
        If the image is too small for any network.
    """
    limit = deepest(shape, net.reduction)
    if limit == 0 and not fixed and deepest(shape) > 0:
        note = f"full resolution: {shape[0]} x {shape[1]} pixels are too few for half of it"
        net, notes = fitting(net.replace(reduction=1), shape, fixed)
        return net, (note, *notes)
    if limit == 0:
        least = 2 * net.reduction + 1 if deepest(shape) else 3
        raise ImageError(
            f"an image of {shape[0]} x {shape[1]} pixels is too small; "
            f"{least} x {least} is the least"
        )
    if net.depth <= limit:
        return net, ()
    if fixed:
        raise ParameterError(
            f"depth {net.depth} is too deep for {shape[0]} x {shape[1]} pixels, which allow "
            f"{limit} at most; use --depth {limit}, or leave it out"
        )
    note = (
        f"depth {limit} instead of {net.depth}: {shape[0]} x {shape[1]} pixels allow no deeper net"
    )
    return net.with_depth(limit), (note,)
