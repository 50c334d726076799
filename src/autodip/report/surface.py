"""The figure of a calibration base: PSNR and LPIPS by architecture and stopping iteration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from autodip.bases.criteria import Pick, means
from autodip.bases.records import Config, Output
from autodip.bases.store import Base
from autodip.pictures.panel import BACK

_NAMES, _PANEL, _GAP, _LINE, _HEAD, _FOOT = 260, 420, 40, 22, 40, 34
_INK, _DARK, _LIGHT = 20, 40, 235
_SHOWN = 20
"""Percentile of the scores that is drawn darkest; anything worse is equally dark."""


def surface(base: Base) -> Picture.Image:
    """Draw the mean PSNR (dB) and LPIPS over the images, one line for each configuration.

    The stopping iteration increases to the right, brighter is better, and a frame marks the best
    stop of each line. The averaged output is drawn if it was recorded, or else the last output,
    or else the refined one.

    Raises
    ------
    ParameterError
        If no configuration was run on all images.
    """
    lines: dict[Config, dict[str, list[Pick]]] = {}
    for one in means(base.runs):
        lines.setdefault(one.config, {}).setdefault(one.output, []).append(one)
    curves = {config: _shown(outputs) for config, outputs in lines.items()}
    sheet = Picture.new(
        "L", (_NAMES + 2 * (_PANEL + _GAP), _HEAD + len(curves) * _LINE + _FOOT), BACK
    )
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(13)
    for number, (config, curve) in enumerate(curves.items()):
        name = f"{config.net}" + (" (last)" if curve[0].output == "last" else "")
        draw.text((8, _HEAD + number * _LINE + 3), name, fill=_INK, font=font)
    for column, (figure, sign) in enumerate((("psnr", 1), ("lpips", -1))):
        left = _NAMES + column * (_PANEL + _GAP)
        _panel(draw, left, figure, sign=sign, curves=list(curves.values()), font=font)
    return sheet


def _shown(outputs: Mapping[str, Sequence[Pick]]) -> list[Pick]:
    order: tuple[Output, ...] = ("average", "last", "refined")
    name = next(name for name in order if name in outputs)
    return sorted(outputs[name], key=lambda one: one.iteration)


def _panel(
    draw: ImageDraw.ImageDraw,
    left: int,
    figure: str,
    *,
    sign: int,
    curves: Sequence[Sequence[Pick]],
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
) -> None:
    """Draw one metric of all configurations, with its range above them."""
    rows = [[one.scores[figure] for one in curve] for curve in curves]
    known = [sign * value for row in rows for value in row if value is not None]
    title = {"psnr": "PSNR, dB", "lpips": "LPIPS"}[figure]
    if not known:
        draw.text((left, 8), f"{title}: not measured", fill=_INK, font=font)
        return
    low, high = float(np.percentile(known, _SHOWN)), max(known)
    draw.text(
        (left, 8), f"{title}: {sign * low:.4g} (dark) to {sign * high:.4g}", fill=_INK, font=font
    )
    longest = max(curve[-1].iteration for curve in curves)
    for number, (curve, values) in enumerate(zip(curves, rows, strict=True)):
        top = _HEAD + number * _LINE
        best = max(range(len(values)), key=lambda k: _worth(values[k], sign))
        before = 0.0
        for k, (one, value) in enumerate(zip(curve, values, strict=True)):
            end = _PANEL * one.iteration / longest
            if value is not None:
                share = min(max((sign * value - low) / max(high - low, 1e-9), 0), 1)
                box = (left + before, top + 1, left + end, top + _LINE - 2)
                draw.rectangle(box, fill=round(_DARK + share * (_LIGHT - _DARK)))
                if k == best:
                    draw.rectangle(box, outline=0, width=2)
            before = end
    bottom = _HEAD + len(curves) * _LINE + 6
    draw.text((left, bottom), "0", fill=_INK, font=font)
    draw.text((left + _PANEL - 100, bottom), f"{longest} iterations", fill=_INK, font=font)


def _worth(value: float | None, sign: int) -> float:
    return -float("inf") if value is None else sign * value
