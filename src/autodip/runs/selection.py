"""The part of a file that is denoised."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autodip import io
from autodip.errors import ParameterError
from autodip.image.image import Image


def parse_frames(text: str | None) -> slice | None:
    """Read a range of frames ``A:B`` as in Python, or one frame ``N``.

    Raises
    ------
    ParameterError
    """
    if text is None:
        return None
    match = re.fullmatch(r"(-?\d+)|(-?\d+)?:(-?\d+)?", text)
    if not match:
        raise ParameterError(
            f"--frames {text!r}; give A:B (from frame A up to but not including B) or N"
        )
    one, first, last = (None if number is None else int(number) for number in match.groups())
    return slice(first, last) if one is None else slice(one, one + 1 or None)


def open_image(path: Path, given: Mapping[str, Any], scratch: Path | None = None) -> Image:
    """Read a file and take the part that was asked for.

    With a folder ``scratch`` large pixels are not loaded; see :func:`autodip.io.read`.
    """
    image = io.read(path, given["axes"], given["scene"], scratch=scratch)
    image = image.select(parse_frames(given["frames"]), given["channel"])
    return image.averaged() if given["average"] else image
