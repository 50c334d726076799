"""Images side by side, with a common contrast and an enlarged detail."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from autodip.pictures.contrast import grey, limits

_SIDE, _SMALL, _GAP, _TEXT = 360, 150, 8, 26
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


def strip(name: str, images: Mapping[str, np.ndarray | None], *, titles: bool) -> Picture.Image:
    """Draw one enlarged detail from each image in a row.

    Parameters
    ----------
    name : str
        Label at the start of the row.
    images : mapping of str to ndarray, shape (Y, X), or None
        Titles and images as for :func:`panel`; the place of a None is left empty.
    titles : bool
        Whether the titles are written above the images.
    """
    last = [image for image in images.values() if image is not None][-1].astype(float)
    low, high = limits(last)
    top, left = _detail(last)
    side = min(last.shape) // 4
    head = _TEXT if titles else 0
    sheet = Picture.new("L", ((len(images) + 1) * (_SMALL + _GAP), head + _SMALL + _GAP), BACK)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(13)
    draw.text((_GAP, head + 4), name.replace(" ", "\n"), fill=_INK, font=font)
    for column, (title, image) in enumerate(images.items(), 1):
        x = column * (_SMALL + _GAP)
        if titles:
            draw.text((x, 6), title, fill=_INK, font=font)
        if image is not None:
            detail = image[top : top + side, left : left + side]
            sheet.paste(_square(grey(detail, low, high), _SMALL), (x, head))
    return sheet


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
