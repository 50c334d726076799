"""Text in pictures: a font of the system, or the one of Pillow, which has few characters."""

from __future__ import annotations

from functools import cache

from PIL import ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_FONTS = ("DejaVuSans.ttf", "LiberationSans-Regular.ttf", "Arial.ttf", "Helvetica.ttc")
_ASCII = str.maketrans({"µ": "u", "−": "-", "×": "x", "…": "...", "–": "-"})


@cache
def font(size: int) -> Font:
    """A font of this size in pixels: the first of a few that the system has, or Pillow's."""
    for name in _FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


@cache
def _is_full() -> bool:
    """Whether the font is one of the system."""
    own = font(12)
    return isinstance(own, ImageFont.FreeTypeFont) and not hasattr(own.path, "read")


def lettered(text: str) -> str:
    """Text with what the font cannot show written in ASCII."""
    if _is_full():
        return text
    return ascii(text.translate(_ASCII))[1:-1].replace("\\'", "'")


def write(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    *,
    size: int,
    width: float,
    ink: int,
) -> None:
    """Write one line, cut to a width in pixels."""
    own, line = font(size), lettered(text)
    if draw.textlength(line, font=own) > width:
        end = lettered("…")
        while line and draw.textlength(line + end, font=own) > width:
            line = line[:-1]
        line += end
    draw.text(at, line, fill=ink, font=own)
