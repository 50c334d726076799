"""Cost of a chosen fit and its refinement."""

from __future__ import annotations

from dataclasses import replace

from autodip.choose.choice import Choice
from autodip.fit.counting import Cost, estimate

_LOCAL_SECONDS, _GROUPS_SECONDS = 1.5e-6, 9e-6
"""Seconds per pixel for the local filters, and for each pass over groups of similar patches."""

_REFINE_MEMORY, _REFINE_PIXEL = 150e6, 560
"""Bytes that the refinement needs, in total and per pixel; the fit has freed its memory by then."""


def of(choice: Choice, shape: tuple[int, int], device: str = "cpu") -> Cost:
    """Cost of the chosen fit and refinement for an image of ``shape`` (Y, X)."""
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
    from autodip.fit.series import warm  # noqa: PLC0415  (imports torch)

    return of(choice.replace(fit=warm(choice.fit)), shape, device)
