"""Figures of a result with matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autodip.pictures.contrast import limits
from autodip.util.optional import require

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIDE = 4.0
"""Width of each picture in inches."""

_SHARE = 5
"""Largest part of the width that a scale bar takes, as its inverse."""


def compare(
    noisy: np.ndarray, denoised: np.ndarray, *, pixel_size: float | None, title: str
) -> Figure:
    """Figure of a plane before and after, with a common contrast, and of what was removed.

    Parameters
    ----------
    noisy, denoised : ndarray, shape (Y, X)
        In the same units.
    pixel_size : float or None
        In µm; a scale bar is drawn if it is known.
    title : str
    """
    pyplot = require("matplotlib.pyplot", "plot")
    rows, columns = noisy.shape
    height = _SIDE * min(2.0, max(0.4, rows / columns)) + 0.9
    figure: Figure = pyplot.figure(figsize=(3 * _SIDE + 0.6, height), layout="constrained")
    if "inline" in pyplot.get_backend():
        pyplot.close(figure)  # a notebook would show it twice: on its own and as a value
    before, after, removed = figure.subplots(1, 3)
    low, high = limits(denoised)
    for axes, pixels, name in ((before, noisy, "before"), (after, denoised, "after")):
        drawn = axes.imshow(pixels, cmap="gray", vmin=low, vmax=high)
        axes.set_title(name)
    figure.colorbar(drawn, ax=[before, after], shrink=0.8, pad=0.01, label="grey values")
    difference = noisy.astype(np.float64) - denoised.astype(np.float64)
    finite = difference[np.isfinite(difference)]
    span = float(np.percentile(np.abs(finite), 99.5)) if finite.size else 1.0
    drawn = removed.imshow(difference, cmap="gray", vmin=-(span or 1.0), vmax=span or 1.0)
    removed.set_title("removed (before − after)")
    figure.colorbar(drawn, ax=removed, shrink=0.8, pad=0.02)
    for axes in (before, after, removed):
        axes.set_axis_off()
    if pixel_size:
        _scale_bar(before, columns, pixel_size)
    figure.suptitle(title, fontsize="medium")
    return figure


def _scale_bar(axes: Axes, columns: int, pixel_size: float) -> None:
    """White bar with its length, on a dark ground, at the bottom left."""
    length = round_length(columns * pixel_size / _SHARE)
    words = f"{length:g} µm" if length >= 1 else f"{1000 * length:g} nm"
    transform: Any = axes.transAxes
    width = length / pixel_size / columns
    axes.plot(
        [0.04, 0.04 + width], [0.05, 0.05], color="white", lw=4, transform=transform,
        solid_capstyle="butt",
    )  # fmt: skip
    axes.text(
        0.04 + width / 2, 0.07, words, color="white", ha="center", va="bottom", transform=transform,
        bbox={"facecolor": "black", "alpha": 0.5, "pad": 1.5, "edgecolor": "none"},
    )  # fmt: skip


def round_length(most: float) -> float:
    """Largest of 1, 2 and 5, times a power of ten, that does not exceed ``most``, above 0."""
    power = 10.0 ** np.floor(np.log10(most))
    return float(next(power * digit for digit in (5, 2, 1) if power * digit <= most))
