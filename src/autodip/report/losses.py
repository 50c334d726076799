"""The figure of a study: the loss of each strategy against the optimum, image by image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from autodip.pictures.panel import BACK
from autodip.study import OPTIMUM, REFERENCES, Judged

_NAMES, _PANEL, _MEANS, _GAP, _LINE, _HEAD, _FOOT = 190, 400, 56, 30, 22, 34, 52
_INK, _DOT, _GRID, _MEAN = 20, 120, 215, 0
_TICKS = 6
"""Maximum number of ticks of an axis."""

_SHOWN = 98
"""Percentile of the strategies' losses that an axis includes; references may lie beyond it."""

_LEGEND = "dots: images; bars and numbers: their mean; triangles: beyond the axis"


def losses(rows: Sequence[Judged]) -> Picture.Image | None:
    """Draw the losses in PSNR (dB) and LPIPS of every image, one line for each strategy.

    Dots are images; the bar and the number next to it are their mean. The axis covers the losses
    of the strategies; values beyond it, which references may have, are triangles at its end. None
    if there is nothing to draw.
    """
    panels = {
        "loss of PSNR against the optimum, dB": _losses(rows, "psnr", -1),
        "loss of LPIPS against the optimum": _losses(rows, "lpips", 1),
    }
    panels = {title: lost for title, lost in panels.items() if lost}
    names = [name for name in _strategies(rows) if any(name in lost for lost in panels.values())]
    if not names:
        return None
    width = _NAMES + len(panels) * (_PANEL + _MEANS + _GAP)
    sheet = Picture.new("L", (width, _HEAD + len(names) * _LINE + _FOOT), BACK)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(13)
    for line, name in enumerate(names):
        draw.text((8, _HEAD + line * _LINE + 3), name, fill=_INK, font=font)
    for number, (title, lost) in enumerate(panels.items()):
        left = _NAMES + number * (_PANEL + _MEANS + _GAP)
        draw.text((left, 8), title, fill=_INK, font=font)
        _panel(draw, left, names, lost, font)
    draw.text((_NAMES, sheet.height - 22), _LEGEND, fill=_INK, font=font)
    return sheet


def _strategies(rows: Sequence[Judged]) -> list[str]:
    return [name for name in dict.fromkeys(row.strategy for row in rows) if name != OPTIMUM]


def _losses(rows: Sequence[Judged], figure: str, sign: int) -> dict[str, list[float]]:
    """Losses of a metric against the optimum, by strategy; positive where worse."""
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
    own = [value for name in lost if name not in REFERENCES for value in lost[name]]
    low, ticks = _axis(own or [value for values in lost.values() for value in values])
    high = ticks[-1]

    def place(value: float) -> float:
        return left + _PANEL * (min(max(value, low), high) - low) / (high - low)

    bottom = _HEAD + len(names) * _LINE
    for tick in ticks:
        x = place(tick)
        draw.line((x, _HEAD, x, bottom), fill=_GRID)
        draw.text((x, bottom + 6), f"{tick:z.4g}", fill=_INK, font=font, anchor="ma")
    for line, name in enumerate(names):
        y = _HEAD + line * _LINE + _LINE // 2
        values = lost.get(name, ())
        for value in values:
            _mark(draw, place(value), y, (value > high) - (value < low))
        if values:
            mean = float(np.mean(values))
            if low <= mean <= high:
                draw.rectangle((place(mean) - 1, y - 8, place(mean) + 1, y + 8), fill=_MEAN)
            digits = max(2, 1 - int(np.floor(np.log10(ticks[1] - ticks[0]))))
            right = (left + _PANEL + _MEANS, y)
            draw.text(right, f"{mean:z.{digits}f}", fill=_INK, font=font, anchor="rm")


def _mark(draw: ImageDraw.ImageDraw, x: float, y: int, side: int) -> None:
    """Draw one image: a dot, or a triangle that points beyond the axis."""
    if side:
        draw.polygon([(x, y - 4), (x, y + 4), (x + 6 * side, y)], fill=_DOT)
    else:
        draw.ellipse((x - 2.5, y - 2.5, x + 2.5, y + 2.5), outline=_DOT)


def _axis(values: Sequence[float]) -> tuple[float, list[float]]:
    """Left end of an axis for losses, and its ticks, the last of which is its right end."""
    low = min(0.0, *values)
    high = max(float(np.percentile([*values, 0.0], _SHOWN)), low + 1e-3)
    least = (high - low) / (_TICKS - 1)
    power = 10.0 ** np.floor(np.log10(least))
    step = next(power * unit for unit in (1, 2, 5, 10) if power * unit >= least)
    first, last = int(np.ceil(low / step)), int(np.ceil(high / step))
    return low, [float(step * number) for number in range(first, last + 1)]
