"""Line charts with axes, for figures that are made without a plotting library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

Colour = tuple[int, int, int]
Point = tuple[float, float]

PALETTE: tuple[Colour, ...] = (
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (230, 159, 0),
    (86, 180, 233),
)
"""Colours of Okabe and Ito, which readers with any colour vision can tell apart."""

GREY: Colour = (170, 170, 170)
INK: Colour = (30, 30, 30)
PAPER: Colour = (255, 255, 255)
_GRID: Colour = (228, 228, 228)

SCALE = 2
"""Charts are drawn this many times larger and then reduced, which smooths their lines."""

_LEFT, _BOTTOM, _TOP, _RIGHT = 66, 44, 30, 14
"""Margins of the plot in its panel, in pixels."""


@dataclass(frozen=True)
class Line:
    """A curve.

    Parameters
    ----------
    points : sequence of (float, float)
        In units of the axes, from left to right.
    colour : tuple of int
    width : float
        In pixels.
    """

    points: Sequence[Point]
    colour: Colour
    width: float = 2


@dataclass(frozen=True)
class Mark:
    """A point that is marked by a circle and a dashed line down to its axis, with a text."""

    point: Point
    colour: Colour
    text: str


@dataclass(frozen=True, kw_only=True)
class Axes:
    """Titles and ranges of a chart.

    Parameters
    ----------
    title, across, up : str
        Text above the chart, and names of the two axes with their units.
    x, y : tuple of float
        Ranges; curves are cut off beyond them.
    """

    title: str
    across: str
    up: str
    x: Point
    y: Point


def font(size: float) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    """Font of a size in pixels of the finished figure."""
    return ImageFont.load_default(size * SCALE)


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from ``low`` to ``high``, at most about ``most`` of them."""
    least = max(high - low, 1e-12) / most
    power = 10.0 ** np.floor(np.log10(least))
    step = next(power * unit for unit in (1, 2, 5, 10) if power * unit >= least * (1 - 1e-9))
    first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
    return [float(step * number) for number in range(first, last + 1)]


def chart(
    size: tuple[int, int], axes: Axes, lines: Sequence[Line], marks: Sequence[Mark]
) -> Picture.Image:
    """Draw curves with axes, grid and marks; the picture is :data:`SCALE` times ``size``."""
    width, height = (side * SCALE for side in size)
    sheet = Picture.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    left, top = _LEFT * SCALE, _TOP * SCALE
    inner = (width - left - _RIGHT * SCALE, height - top - _BOTTOM * SCALE)
    plot = _plot(inner, axes, lines, marks)
    sheet.paste(plot, (left, top))
    draw.rectangle((left, top, left + inner[0], top + inner[1]), outline=INK, width=SCALE)
    draw.text((left, top - 6 * SCALE), axes.title, fill=INK, font=font(15), anchor="ls")
    small, below = font(13), top + inner[1]
    for tick in ticks(*axes.x):
        x = left + _place(tick, axes.x, inner[0])
        draw.text((x, below + 6 * SCALE), f"{tick:g}", fill=INK, font=small, anchor="ma")
    for tick in ticks(*axes.y, most=5):
        y = below - _place(tick, axes.y, inner[1])
        draw.text((left - 6 * SCALE, y), f"{tick:.4g}", fill=INK, font=small, anchor="rm")
    middle = left + inner[0] / 2
    draw.text((middle, height - 3 * SCALE), axes.across, fill=INK, font=small, anchor="ms")
    _upright(sheet, axes.up, (SCALE, top, inner[1]))
    return sheet


def reduced(sheet: Picture.Image) -> Picture.Image:
    """Finished figure: the drawing in its final size, with smooth lines."""
    size = (sheet.width // SCALE, sheet.height // SCALE)
    return sheet.resize(size, Picture.Resampling.LANCZOS)


def _plot(
    size: tuple[int, int], axes: Axes, lines: Sequence[Line], marks: Sequence[Mark]
) -> Picture.Image:
    """Inner part of a chart, at whose borders everything is cut off."""
    plot = Picture.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(plot)

    def place(point: Point) -> Point:
        return _place(point[0], axes.x, size[0]), size[1] - _place(point[1], axes.y, size[1])

    for tick in ticks(*axes.x):
        x = _place(tick, axes.x, size[0])
        draw.line((x, 0, x, size[1]), fill=_GRID, width=SCALE)
    for tick in ticks(*axes.y, most=5):
        y = size[1] - _place(tick, axes.y, size[1])
        draw.line((0, y, size[0], y), fill=_GRID, width=SCALE)
    for line in lines:
        points = [place(point) for point in line.points]
        draw.line(points, fill=line.colour, width=round(line.width * SCALE), joint="curve")
    for mark in marks:
        _mark(draw, place(mark.point), mark, size)
    return plot


def _mark(draw: ImageDraw.ImageDraw, at: Point, mark: Mark, size: tuple[int, int]) -> None:
    x, y = at
    dash = 5 * SCALE
    for start in np.arange(y, size[1], 2 * dash):
        draw.line((x, start, x, min(start + dash, size[1])), fill=INK, width=SCALE)
    radius = 6 * SCALE
    box = (x - radius, y - radius, x + radius, y + radius)
    draw.ellipse(box, fill=mark.colour, outline=INK, width=2 * SCALE)
    right = x < size[0] / 2
    beside = x + (10 * SCALE if right else -10 * SCALE)
    corner = "lb" if right else "rb"
    low = y > size[1] * 0.6  # the text is kept away from the curves around the mark
    height = 26 * SCALE if low else size[1] - 8 * SCALE
    words = font(14)
    box_of_text = draw.textbbox((beside, height), mark.text, font=words, anchor=corner)
    pad = 3 * SCALE
    draw.rectangle(
        (box_of_text[0] - pad, box_of_text[1] - pad, box_of_text[2] + pad, box_of_text[3] + pad),
        fill=PAPER,
    )
    draw.text((beside, height), mark.text, fill=INK, font=words, anchor=corner)


def _place(value: float, limits: Point, length: int) -> float:
    low, high = limits
    return length * (value - low) / (high - low)


def _upright(sheet: Picture.Image, text: str, place: tuple[int, int, int]) -> None:
    """Write the name of the vertical axis from below, centred on it."""
    left, top, length = place
    words = font(13)
    box = ImageDraw.Draw(sheet).textbbox((0, 0), text, font=words, anchor="lt")
    label = Picture.new("RGB", (int(box[2]) + 2, int(box[3]) + 4 * SCALE), PAPER)
    ImageDraw.Draw(label).text((0, 0), text, fill=INK, font=words, anchor="lt")
    turned = label.rotate(90, expand=True)
    sheet.paste(turned, (left, top + (length - turned.height) // 2))
