"""The figure of a study: what each strategy loses against the optimum, image by image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from autodip.report.panel import BACK
from autodip.study import OPTIMUM, Row

_NAMES, _PANEL, _GAP, _LINE, _HEAD, _FOOT = 210, 420, 30, 22, 34, 30
_INK, _DOT, _GRID, _MEAN = 20, 120, 215, 0
_TICKS = 5
_SHOWN = 98
"""Percentile of the losses at the right end of the axis; larger ones are drawn at the end."""


def losses(rows: Sequence[Row]) -> Picture.Image | None:
    """Draw the losses of PSNR (dB) and LPIPS of every image, a line for each strategy.

    Dots are images, the bar is their mean; losses beyond the axis lie at its end. None where
    there is nothing to draw.
    """
    panels = {
        "loss of PSNR against the optimum, dB": _losses(rows, "psnr", -1),
        "loss of LPIPS against the optimum": _losses(rows, "lpips", 1),
    }
    panels = {title: lost for title, lost in panels.items() if lost}
    names = [name for name in _strategies(rows) if any(name in lost for lost in panels.values())]
    if not names:
        return None
    width = _NAMES + len(panels) * (_PANEL + _GAP)
    sheet = Picture.new("L", (width, _HEAD + len(names) * _LINE + _FOOT), BACK)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(13)
    for line, name in enumerate(names):
        draw.text((8, _HEAD + line * _LINE + 3), name, fill=_INK, font=font)
    for number, (title, lost) in enumerate(panels.items()):
        left = _NAMES + number * (_PANEL + _GAP)
        draw.text((left, 8), title, fill=_INK, font=font)
        _panel(draw, left, names, lost, font)
    return sheet


def _strategies(rows: Sequence[Row]) -> list[str]:
    return [name for name in dict.fromkeys(row.strategy for row in rows) if name != OPTIMUM]


def _losses(rows: Sequence[Row], figure: str, sign: int) -> dict[str, list[float]]:
    """Losses by strategy."""
    best = {row.image: getattr(row, figure) for row in rows if row.strategy == OPTIMUM}
    lost: dict[str, list[float]] = {}
    for row in rows:
        value, bound = getattr(row, figure), best.get(row.image)
        if row.strategy != OPTIMUM and value is not None and bound is not None:
            lost.setdefault(row.strategy, []).append(sign * (value - bound))
    return lost


def _panel(
    draw: ImageDraw.ImageDraw,
    left: int,
    names: Sequence[str],
    lost: Mapping[str, Sequence[float]],
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
) -> None:
    everything = np.concatenate([np.asarray(values) for values in lost.values()])
    low = min(0.0, float(np.percentile(everything, 100 - _SHOWN)))
    high = max(float(np.percentile(everything, _SHOWN)), low + 1e-3)

    def place(value: float) -> float:
        return left + _PANEL * (min(max(value, low), high) - low) / (high - low)

    bottom = _HEAD + len(names) * _LINE
    for tick in np.linspace(low, high, _TICKS):
        draw.line((place(tick), _HEAD, place(tick), bottom), fill=_GRID)
        draw.text((place(tick) - 12, bottom + 6), f"{tick:.3g}", fill=_INK, font=font)
    for line, name in enumerate(names):
        middle = _HEAD + line * _LINE + _LINE // 2
        values = lost.get(name, ())
        for value in values:
            x = place(value)
            draw.ellipse((x - 2, middle - 2, x + 2, middle + 2), outline=_DOT)
        if values:
            x = place(float(np.mean(values)))
            draw.rectangle((x - 1, middle - 8, x + 1, middle + 8), fill=_MEAN)
