"""Parameters measured on other images, adapted to the image at hand."""

from __future__ import annotations

import dataclasses
from dataclasses import KW_ONLY, dataclass

from autodip.choose.choice import Choice, Evidence, Explicit
from autodip.errors import ImageError, ParameterError
from autodip.fit.params import FitParams, NetParams, deepest
from autodip.prior.setting import PriorParams
from autodip.refine.refinement import RefineParams


_NOT_LEARNED = "the learned prior is not used, because parameters of a fit were set explicitly"


@dataclass(frozen=True)
class Proposal:
    """Parameters measured on other images, with the evidence.

    Parameters
    ----------
    net : NetParams
    fit : FitParams
    refine : RefineParams or None
    evidence : Evidence
    pixels : int or None
        Number of pixels of the images on which the iterations were measured; None if the
        iterations hold for images of any size.
    smaller_stops_earlier : bool
        Scale iterations down for images with fewer pixels than these. False where the count was
        limited by run time rather than by overfitting. For images with more pixels, iterations
        are always scaled up.
    prior : PriorParams or None
        Learned prior that is applied instead of the fit.
    remarks : tuple of str
        Notes appended to the notes about the adaptation to an image.
    """

    net: NetParams
    fit: FitParams
    refine: RefineParams | None
    evidence: Evidence
    _: KW_ONLY
    pixels: int | None = None
    smaller_stops_earlier: bool = True
    prior: PriorParams | None = None
    remarks: tuple[str, ...] = ()

    def remarked(self, *remarks: str) -> Proposal:
        """Return a copy with more remarks."""
        return dataclasses.replace(self, remarks=(*self.remarks, *remarks))

    def fitted_to(self, shape: tuple[int, int], explicit: Explicit | None = None) -> Choice:
        """Adapt the parameters to an image of ``shape`` (Y, X); explicit values take precedence.

        Raises
        ------
        ParameterError
            If an explicit value is not allowed, or an explicit depth is too large for the image.
        ImageError
            If the image is too small for any network.
        """
        explicit = explicit or Explicit()
        notes = [f"{name} {value} was set explicitly" for name, value in explicit.items()]
        net, fit = _with_explicit(self.net, self.fit, explicit)
        if self.pixels is not None and explicit.iterations is None:
            own = shape[0] * shape[1]
            pixels = self.pixels if self.smaller_stops_earlier else min(self.pixels, own)
            fit, later = scaled(fit, pixels, shape)
            notes += later
        fixed_depth = explicit.depth is not None or isinstance(explicit.width, tuple)
        net, reduced = fitting(net, shape, fixed_depth)
        wanted = self.refine is not None if explicit.refine is None else explicit.refine
        refine = (self.refine or RefineParams()) if wanted else None
        if self.prior is not None:
            notes = [*notes, _NOT_LEARNED] if explicit.items() else []
        prior = None if explicit.items() else self.prior
        choice = Choice(net, fit, self.evidence, refine, prior)
        return choice.noted(*notes, *(reduced if prior is None else ()), *self.remarks)


def scaled(fit: FitParams, pixels: int, shape: tuple[int, int]) -> tuple[FitParams, list[str]]:
    """Scale the number of iterations with the cube root of the number of pixels.

    A larger image takes longer to fit: the best stopping points of 512 x 512 images lie about 1.6
    times later than the best stopping points of their 256 x 256 centres.

    Parameters
    ----------
    fit : FitParams
    pixels : int
        Number of pixels of the images on which the iterations were measured.
    shape : tuple of int
        (Y, X) of the image at hand.

    Returns
    -------
    FitParams, list of str
        Scaled parameters, and a note for the user; no note if the number did not change.
    """
    iterations = max(1, round(fit.iterations * (shape[0] * shape[1] / pixels) ** (1 / 3)))
    if iterations == fit.iterations:
        return fit, []
    side = round(pixels**0.5)
    note = (
        f"{iterations} iterations for {shape[0]} x {shape[1]} pixels, scaled by the cube root of "
        f"the number of pixels from {fit.iterations} at {side} x {side}"
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
    """Cut a list of widths to a depth, or extend it by doubling, up to 512 or its last width."""
    while len(widths) < depth:
        widths = (*widths, min(2 * widths[-1], max(512, widths[-1])))
    return widths[:depth]


def fitting(
    net: NetParams, shape: tuple[int, int], fixed: bool
) -> tuple[NetParams, tuple[str, ...]]:
    """Adapt a network to the size of an image, unless its depth is ``fixed``.

    The depth is reduced to what the image allows, and an image too small for half resolution is
    computed at full resolution.

    Returns
    -------
    NetParams, tuple of str
        Adapted network, and notes for the user about what was changed.

    Raises
    ------
    ParameterError
        If a fixed depth is too large for the image.
    ImageError
        If the image is too small for any network.
    """
    limit = deepest(shape, net.reduction)
    if limit == 0 and not fixed and deepest(shape) > 0:
        note = f"full resolution: {shape[0]} x {shape[1]} pixels are too few for half resolution"
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
            f"depth {net.depth} is too large for {shape[0]} x {shape[1]} pixels, which allow "
            f"{limit} at most; use --depth {limit}, or omit it"
        )
    note = (
        f"depth {limit} instead of {net.depth}: {shape[0]} x {shape[1]} pixels allow no deeper "
        "network"
    )
    return net.with_depth(limit), (note,)
