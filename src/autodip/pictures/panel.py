"""Images side by side, with a common contrast and an enlarged detail."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from autodip.pictures.contrast import grey, limits

_SIDE, _GAP, _TEXT = 360, 8, 26
_SMALL, _NAME, _TITLE = 200, 110, 24
"""Side of a tile and width of the names of rows, in pixels, and letters in a line of a title."""

BACK, _INK = 250, 20


def panel(images: Mapping[str, np.ndarray]) -> Picture.Image:
    """Draw images in a row under their titles, and below each an enlarged detail.

    Parameters
    ----------
    images : mapping of str to ndarray, shape (Y, X)
        Titles and images, with the same shape and units. The last image sets the contrast of
        all, linear from its 0.1th to its 99.9th percentile.
    """
    last = list(images.values())[-1].astype(float)
    low, high = limits(last)
    width = len(images) * (_SIDE + _GAP) + _GAP
    sheet = Picture.new("L", (width, _TEXT + 2 * (_SIDE + _GAP)), BACK)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(16)
    top, left = _detail(last)
    side = min(last.shape) // 4
    for column, (title, image) in enumerate(images.items()):
        x = _GAP + column * (_SIDE + _GAP)
        pixels = grey(image, low, high)
        whole = _square(pixels, _SIDE)
        scale = _SIDE / max(pixels.shape)
        frame = [left * scale, top * scale, (left + side) * scale, (top + side) * scale]
        ImageDraw.Draw(whole).rectangle(frame, outline=255)
        sheet.paste(whole, (x, _TEXT))
        detail = _square(pixels[top : top + side, left : left + side], _SIDE)
        sheet.paste(detail, (x, _TEXT + _SIDE + _GAP))
        draw.text((x, 4), title, fill=_INK, font=font)
    return sheet


@dataclass(frozen=True)
class Tile:
    """An image of a strip.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
    note : str
        Short text that is written into the tile; empty for none.
    """

    image: np.ndarray
    note: str = ""


def strip(
    name: str, tiles: Mapping[str, Tile | None], *, titles: bool, pixel: float | None = None
) -> Picture.Image:
    """Draw one enlarged detail from each image in a row, the first of them with a scale bar.

    Parameters
    ----------
    name : str
        Label at the start of the row.
    tiles : mapping of str to Tile or None
        Titles and images as for :func:`panel`; the place of a None is left empty.
    titles : bool
        Whether the titles are written above the images.
    pixel : float, optional
        Size of a pixel in µm; by default the scale bar is labelled in pixels.
    """
    shown = [tile.image for tile in tiles.values() if tile is not None]
    last = shown[-1].astype(float)
    low, high = limits(last)
    top, left = _detail(last)
    side = min(last.shape) // 4
    head = 2 * _TEXT if titles else 0
    width = _NAME + len(tiles) * (_SMALL + _GAP)
    sheet = Picture.new("L", (width, head + _SMALL + _GAP), BACK)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(15)
    draw.text((_GAP, head + 4), name.replace(" ", "\n"), fill=_INK, font=font)
    unscaled = True
    for column, (title, tile) in enumerate(tiles.items()):
        x = _NAME + column * (_SMALL + _GAP)
        if titles:
            words = "\n".join(textwrap.wrap(title, _TITLE))
            draw.text((x, head - 6), words, fill=_INK, font=font, anchor="ld")
        if tile is not None:
            detail = tile.image[top : top + side, left : left + side]
            sheet.paste(_square(grey(detail, low, high), _SMALL), (x, head))
            _note(draw, (x, head), tile.note)
            if unscaled:
                _scale_bar(draw, (x, head), side, pixel)
                unscaled = False
    return sheet


def _note(draw: ImageDraw.ImageDraw, corner: tuple[int, int], text: str) -> None:
    """Write a text into the upper left corner of a tile, on a dark ground."""
    if not text:
        return
    font = ImageFont.load_default(15)
    at = (corner[0] + 5, corner[1] + 4)
    box = draw.textbbox(at, text, font=font)
    draw.rectangle((corner[0], corner[1], box[2] + 5, box[3] + 4), fill=0)
    draw.text(at, text, fill=255, font=font)


def _scale_bar(
    draw: ImageDraw.ImageDraw, corner: tuple[int, int], side: int, pixel: float | None
) -> None:
    """Draw a bar of a round length, at most 40 % of a tile, into its lower right corner."""
    unit, size = (" um", pixel) if pixel else (" px", 1.0)
    most = 0.4 * side * size
    power = 10.0 ** np.floor(np.log10(most))
    length = float(next(power * round_ for round_ in (5, 2, 1) if power * round_ <= most))
    width = round(_SMALL * length / (side * size))
    right, bottom = corner[0] + _SMALL - 10, corner[1] + _SMALL - 10
    font = ImageFont.load_default(15)
    label = f"{length:g}{unit}"
    line = bottom - 9
    box = draw.textbbox((right - width / 2, line), label, font=font, anchor="ms")
    ends = corner[0] + _SMALL - 1, corner[1] + _SMALL - 1
    draw.rectangle((min(box[0], right - width) - 6, box[1] - 4, *ends), fill=0)
    draw.text((box[0], line), label, fill=255, font=font, anchor="ls")
    if pixel:  # the font has no µ, which is a u with a longer stem
        stem = round(box[0] + draw.textlength(label.removesuffix("um"), font=font)) + 1
        draw.rectangle((stem, line - 2, stem + 1, line + 4), fill=255)
    draw.rectangle((right - width, bottom - 3, right, bottom), fill=255)


def _square(pixels: np.ndarray, side: int) -> Picture.Image:
    """Enlarge or shrink an image to fit a square, keeping its proportions."""
    scale = side / max(pixels.shape)
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    whole = Picture.new("L", (side, side), BACK)
    whole.paste(Picture.fromarray(pixels).resize(size, Picture.Resampling.BICUBIC))
    return whole


def _detail(image: np.ndarray) -> tuple[int, int]:
    """Top left corner (Y, X) of the window with the largest standard deviation."""
    side = min(image.shape) // 4
    starts = [
        (y, x)
        for y in range(0, image.shape[0] - side + 1, max(1, side // 2))
        for x in range(0, image.shape[1] - side + 1, max(1, side // 2))
    ]
    return max(starts, key=lambda at: image[at[0] : at[0] + side, at[1] : at[1] + side].std())
