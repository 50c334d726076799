"""The figure of an output: before, after and what was removed, with an enlarged detail."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw

from autodip.pictures.contrast import grey
from autodip.pictures.lettering import font, lettered, write
from autodip.pictures.sizes import ScaleBar, reduced, scale_bar
from autodip.report.page.details import Detail, details
from autodip.report.page.material import Material
from autodip.report.page.shown import MOST, Shown, selection_note, shown_planes
from autodip.report.page.svg import number
from autodip.report.page.templating import visible
from autodip.report.page.views import difference

_SIDE, _LEAST_SIDE, _GAP, _HEAD, _NAME, _LINE = 480, 260, 10, 58, 26, 24
_BACK, _INK, _SOFT = 255, 20, 95
_TITLES = ("before", "after", "removed")


def figure(material: Material) -> Picture.Image:
    """Draw the figure, 8-bit grey: one row of pictures and one of details for each shown plane.

    The contrast of before and after is the same: linear from the 0.1th to the 99.9th percentile
    of the result. What was removed is drawn symmetrically around 0, which is mid-grey. Without
    the input only the result is drawn, and the title states why.
    """
    planes = shown_planes(material.denoised)
    side = _SIDE if len(planes) == 1 else max(_LEAST_SIDE, _SIDE - 60 * len(planes))
    blocks = []
    for index in planes:
        blocks.append(_block(material, Shown.of(material, index), side))
    width = max(block.width for block in blocks)
    sheet = Picture.new("L", (width, _HEAD + sum(block.height for block in blocks)), _BACK)
    _heading(sheet, material, planes)
    top = _HEAD
    for block in blocks:
        sheet.paste(block, (0, top))
        top += block.height
    return sheet


def _heading(sheet: Picture.Image, material: Material, planes: Sequence[object]) -> None:
    draw = ImageDraw.Draw(sheet)
    subtitle = []
    note = selection_note(material.denoised, shown_planes(material.denoised))
    if note:
        subtitle.append(f"{note} (at most {MOST}), counted from 0")
    if material.missing:
        subtitle.append(f"the input is not shown: {visible(material.missing)}")
    preset = material.content.channels[0].choice.evidence.preset
    subtitle.append(f"autodip, preset {preset}")
    write(draw, (_GAP, 8), visible(material.name), size=18, width=sheet.width - 2 * _GAP, ink=_INK)
    write(draw, (_GAP, 33), "; ".join(subtitle), size=13, width=sheet.width - 2 * _GAP, ink=_SOFT)


def _block(material: Material, shown: Shown, side: int) -> Picture.Image:
    """Pictures of one plane above their details, under a line with its name."""
    name, shape = shown.name, shown.shape
    low, high = shown.contrast
    chosen = details(shown.result, shown.known)[0]
    pictures = [(shown.after, shown.result, low, high)]
    if shown.noisy is not None and shown.before is not None:
        removed, limit = difference(shown.noisy, shown.result)
        reduced_removed, _ = difference(shown.before, shown.after)
        pictures.insert(0, (shown.before, shown.noisy, low, high))
        pictures.append((reduced_removed, removed, -limit, limit))
    titles = _TITLES if len(pictures) > 1 else _TITLES[1:2]
    height = round(side * min(1.0, shape[0] / shape[1]))
    head = (_NAME if name else 0) + _LINE
    size = (len(pictures) * (side + _GAP) + _GAP, head + height + side + 2 * _GAP + _LINE)
    sheet = Picture.new("L", size, _BACK)
    draw = ImageDraw.Draw(sheet)
    if name:
        write(draw, (_GAP, 2), visible(name), size=15, width=size[0] - 2 * _GAP, ink=_INK)
    pixel = material.content.input.get("pixel_size_um", {}).get("X")
    for column, (plane, part, least, most) in enumerate(pictures):
        left = _GAP + column * (side + _GAP)
        ends = f": black {number(least)}, white {number(most)}"
        write(draw, (left, head - _LINE + 3), titles[column] + ends, size=14, width=side, ink=_INK)
        whole = _whole(plane, least, most, side)
        _frame(whole, chosen, shown)
        sheet.paste(whole, (left, head))
        enlarged = _enlarged(grey(chosen.of(part), least, most), side)
        below = head + height + _GAP
        sheet.paste(enlarged, (left, below))
        if column == 0:
            _bar(sheet, scale_bar(pixel, shape[1]), whole, (left, head), shape[1])
            bar = scale_bar(pixel, chosen.side)
            _bar(sheet, bar, enlarged, (left, below), chosen.side)
    text = f"below: enlarged detail of {chosen.side} × {chosen.side} pixels, framed above"
    write(draw, (_GAP, size[1] - _LINE), text, size=12, width=size[0] - 2 * _GAP, ink=_SOFT)
    return sheet


def _whole(plane: np.ndarray, low: float, high: float, side: int) -> Picture.Image:
    """A plane fitted into a square of this side."""
    drawn = Picture.fromarray(grey(reduced(plane, side), low, high))
    scale = side / max(plane.shape)
    size = (max(1, round(plane.shape[1] * scale)), max(1, round(plane.shape[0] * scale)))
    return drawn.resize(size, Picture.Resampling.NEAREST)


def _frame(picture: Picture.Image, detail: Detail, shown: Shown) -> None:
    """Draw the frame of a detail into the picture of the whole plane."""
    scale = picture.width / shown.shape[1]
    top, left = (detail.top + shown.corner[0]) * scale, (detail.left + shown.corner[1]) * scale
    length = detail.side * scale
    draw = ImageDraw.Draw(picture)
    draw.rectangle((left, top, left + length, top + length), outline=255, width=2)


def _enlarged(pixels: np.ndarray, side: int) -> Picture.Image:
    return Picture.fromarray(pixels).resize((side, side), Picture.Resampling.NEAREST)


def _bar(
    sheet: Picture.Image,
    bar: ScaleBar | None,
    picture: Picture.Image,
    corner: tuple[int, int],
    pixels: int,
) -> None:
    """Draw a scale bar in the lower right corner of a picture that shows so many pixels."""
    if bar is None:
        return
    draw = ImageDraw.Draw(sheet)
    length = bar.pixels * picture.width / pixels
    right, bottom = corner[0] + picture.width - 12, corner[1] + picture.height - 12
    draw.rectangle((right - length - 1, bottom - 6, right + 1, bottom + 1), fill=0)
    draw.rectangle((right - length, bottom - 5, right, bottom), fill=255)
    draw.text(
        (right - length / 2, bottom - 10),
        lettered(bar.text),
        fill=255,
        font=font(15),
        anchor="md",
        stroke_width=2,
        stroke_fill=0,
    )
