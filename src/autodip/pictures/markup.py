"""HTML of small pictures with lines of text, which a notebook shows in place of a ``repr``."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping

import numpy as np
from PIL import Image as Picture

from autodip.pictures.encode import data_url

_SIDE = 240
"""Side in pixels of the square that a picture is shrunk to fit."""


def figures(images: Mapping[str, np.ndarray], lines: Iterable[str]) -> str:
    """HTML of images side by side, each with its title, over lines of text.

    Parameters
    ----------
    images : mapping of str to ndarray, uint8, shape (Y, X)
        Titles and grey values, as from :func:`autodip.pictures.contrast.grey`.
    lines : iterable of str
        Text, which is escaped.
    """
    shown = "".join(_figure(title, image) for title, image in images.items())
    row = f'<div style="display:flex;flex-wrap:wrap;gap:8px">{shown}</div>' if shown else ""
    text = "<br>".join(map(html.escape, lines))
    return f'<div>{row}<div style="margin-top:4px">{text}</div></div>'


def _figure(title: str, image: np.ndarray) -> str:
    picture = thumbnail(image)
    name = html.escape(title)
    caption = f'<figcaption style="text-align:center">{name}</figcaption>' if title else ""
    return (
        f'<figure style="margin:0"><img src="{data_url(picture)}" alt="{name or "image"}" '
        f'width="{picture.width}" height="{picture.height}">{caption}</figure>'
    )


def thumbnail(pixels: np.ndarray) -> Picture.Image:
    """Picture of grey values (Y, X), uint8: a large one is shrunk, a small one enlarged."""
    picture = Picture.fromarray(pixels)
    scale = _SIDE / max(picture.size)
    if scale < 1:
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        return picture.resize(size, Picture.Resampling.BOX)
    factor = int(scale)
    size = (picture.width * factor, picture.height * factor)
    return picture.resize(size, Picture.Resampling.NEAREST)
