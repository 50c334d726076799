"""Cost of a chosen fit and its refinement."""

from __future__ import annotations

from dataclasses import replace

from autodip.choose.choice import Choice
from autodip.fit.counting import Cost, estimate
from autodip.prior.setting import PriorParams

_LOCAL_SECONDS, _GROUPS_SECONDS = 1.5e-6, 9e-6
"""Seconds per pixel for the local filters, and for each pass over groups of similar patches."""

_REFINE_MEMORY, _REFINE_PIXEL = 150e6, 560
"""Bytes that the refinement needs, in total and per pixel; the fit has freed its memory by then."""


_PRIOR_SECONDS, _PRIOR_OTHER = 2.6e-7, 1.0e-6
"""Seconds per pixel for one pass of the learned prior over one orientation, and for all else."""

_PRIOR_MEMORY, _PRIOR_PIXEL, _PRIOR_FLOP = 250e6, 900, 90e3
"""Bytes that the learned prior needs, in total and per pixel, and operations per pixel."""


def of(choice: Choice, shape: tuple[int, int], device: str = "cpu") -> Cost:
    """Cost of the learned prior, or of the fit and refinement, for an image of shape (Y, X)."""
    return (
        _fitted(choice, shape, device)
        if choice.prior is None
        else _learned(choice.prior, shape, device)
    )


def _learned(prior: PriorParams, shape: tuple[int, int], device: str) -> Cost:
    pixels, runs = shape[0] * shape[1], 2 * (prior.passes - 1) + prior.orientations
    seconds = pixels * (_PRIOR_OTHER + runs * _PRIOR_SECONDS)
    return Cost(
        parameters=0,
        iterations=prior.passes,
        flop=runs * _PRIOR_FLOP * pixels,
        memory=int(_PRIOR_MEMORY + _PRIOR_PIXEL * pixels),
        seconds=seconds if device == "cpu" else None,
    )


def _fitted(choice: Choice, shape: tuple[int, int], device: str) -> Cost:
    fit = choice.fit
    price = estimate(
        choice.net, fit.iterations, shape, device, precision=fit.precision, seeds=fit.seeds
    )
    if choice.refine is None:
        return price
    pixels = shape[0] * shape[1]
    refining = pixels * (_LOCAL_SECONDS + len(choice.refine.strengths) * _GROUPS_SECONDS)
    seconds = None if price.seconds is None else price.seconds + refining
    memory = max(price.memory, int(_REFINE_MEMORY + _REFINE_PIXEL * pixels))
    return replace(price, seconds=seconds, memory=memory)


def following(choice: Choice, shape: tuple[int, int], device: str = "cpu") -> Cost:
    """Cost of a fit that continues from the one before it, including refinement."""
    if choice.prior is not None:
        return _learned(choice.prior.replace(passes=1), shape, device)
    from autodip.fit.series import warm  # noqa: PLC0415  (imports torch)

    return of(choice.replace(fit=warm(choice.fit)), shape, device)
