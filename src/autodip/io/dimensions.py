"""Dimensions of microscope files as the axes of an image: scans without Y, wavelengths."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autodip.errors import FormatError
from autodip.image.axes import AXES
from autodip.image.image import Image

_ROWS = "ZT"
"""Axes that serve as rows if there is no Y, in order of preference."""

_WHAT = {"Z": "depth", "T": "time"}


def image_of(
    data: Any,
    names: Sequence[str],
    *,
    channels: Mapping[str, str] | None = None,
    meanings: str = "",
    pixel_size: Mapping[str, float] | None = None,
    time_step: float | None = None,
) -> Image:
    """Image of an array whose dimensions are named by a microscope's software.

    A scan without Y (or with a single row) has Z, or else T, as rows. Dimensions of length 1
    without a meaning for an image are dropped, and kinds of channels are joined.

    Parameters
    ----------
    data : array
        Pixels.
    names : sequence of str
        Name of each dimension: a letter of ``TCZYXS`` where it is one of these axes.
    channels : mapping of str to str, optional
        Names of dimensions that are read as channels, each with what it is.
    meanings : str
        What further names mean and what to do with them, for the error message.
    pixel_size, time_step
        As in :class:`Image`, by the names in the file.

    Raises
    ------
    FormatError
        If a dimension has no place in an image, or there are no rows or columns.
    """
    kept = [n for n, name in enumerate(names) if data.shape[n] > 1 or name in AXES]
    data = data.reshape([data.shape[n] for n in kept])
    known, notes = [names[n] for n in kept], []
    joined = [name for name in known if name in (channels or {})]
    if joined:
        data, known = _joined(data, known, joined)
        what = " and ".join((channels or {})[name] for name in joined)
        notes.append(f"its {what} are read as channels (C), {data.shape[known.index('C')]} in all")
    if set(known) - set(AXES):
        raise FormatError(
            f"its dimensions are {', '.join(known)} (shape {data.shape}), but only "
            f"{', '.join(AXES)} are supported; {meanings}"
        )
    new = renamed("".join(known), data.shape)
    gone = [n for n, name in enumerate(known) if name in new.values() and name not in new]
    data = data.squeeze(tuple(gone))
    known = [name for n, name in enumerate(known) if n not in gone]
    return Image(
        data,
        "".join(new.get(name, name) for name in known),
        pixel_size=sizes(known, new, pixel_size or {}),
        time_step=None if "T" in new else time_step,
        notes=(*notes, *note(new, time_step)),
    )


def renamed(axes: str, shape: Sequence[int]) -> dict[str, str]:
    """New names of the axes that serve as rows and columns of a scan without Y; empty for others.

    Raises
    ------
    FormatError
        If there are no rows or columns.
    """
    size = dict(zip(axes, shape, strict=True))
    new = {"Y": "X"} if size.get("X", 1) == 1 < size.get("Y", 1) else {}
    rows = next((axis for axis in _ROWS if size.get(axis, 1) > 1), None)
    if (new or size.get("Y", 1) == 1) and rows:
        new[rows] = "Y"
    else:
        new = {}
    if not {"X", "Y"} <= {*axes, *new.values()}:
        raise FormatError(
            f"its dimensions are {', '.join(axes)} (shape {tuple(shape)}), which are no rows and "
            "columns; a line or a point cannot be denoised"
        )
    return new


def sizes(
    axes: Iterable[str], new: Mapping[str, str], pixel_size: Mapping[str, float]
) -> dict[str, float]:
    """Pixel sizes by the new names of the axes."""
    return {new.get(a, a): pixel_size[a] for a in axes if a in pixel_size and a in "XYZ"}


def plausible(image: Image) -> Image:
    """Image without the sizes and the time step that are not positive numbers, with a note."""
    stated = {**image.pixel_size, **({} if image.time_step is None else {"T": image.time_step})}
    wrong = [axis for axis, size in stated.items() if not 0 < size < math.inf]
    if not wrong:
        return image
    listed = ", ".join(
        f"time step {stated[a]:g}" if a == "T" else f"size {stated[a]:g} along {a}" for a in wrong
    )
    return image.replace(
        pixel_size={a: size for a, size in image.pixel_size.items() if a not in wrong},
        time_step=None if "T" in wrong else image.time_step,
    ).noted(f"not used, because it is not a positive finite number: {listed}")


def note(new: Mapping[str, str], time_step: float | None) -> tuple[str, ...]:
    """Note on the axes that were renamed."""
    if not new:
        return ()
    rows = next(old for old, name in new.items() if name == "Y")
    step = f", {time_step:g} s apart" if rows == "T" and time_step else ""
    columns = ", its columns Y" if "Y" in new else ""
    return (
        f"a scan without {'X' if columns else 'Y'}: its rows are {rows} ({_WHAT[rows]}{step})"
        f"{columns}",
    )


def _joined(data: Any, names: list[str], joined: list[str]) -> tuple[Any, list[str]]:
    """Array with some dimensions, and C if there is one, joined to C."""
    parts = [n for n, name in enumerate(names) if name == "C"]
    parts += [n for n, name in enumerate(names) if name in joined]
    rest = [n for n in range(len(names)) if n not in parts]
    first = sum(n < min(parts) for n in rest)
    shape = [data.shape[n] for n in rest]
    order = [*rest[:first], *parts, *rest[first:]]
    data = np.transpose(data, order).reshape([*shape[:first], -1, *shape[first:]])
    known = [names[n] for n in rest]
    return data, [*known[:first], "C", *known[first:]]
