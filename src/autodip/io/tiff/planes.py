"""Which page of a file shows which plane of an image: absent planes, and pages not described."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tifffile

from autodip.errors import FormatError, ParameterError

Place = tuple[int, ...]
"""Position of a plane along the axes of a stack, slowest axis first."""


@dataclass(frozen=True)
class Stack:
    """Planes of an image and the pages that show them.

    Parameters
    ----------
    axes : str
        Axes of the stack, slowest first, out of T, C and Z.
    sizes : tuple of int
    pages : sequence
        Page of each plane, the position along the last axis changing fastest.
    notes : tuple of str
        Notes for the user on what was left out.
    """

    axes: str
    sizes: tuple[int, ...]
    pages: Sequence[Any]
    notes: tuple[str, ...] = ()


def place_of(number: int, sizes: Sequence[int]) -> Place:
    """Position of plane ``number`` in a stack."""
    place: list[int] = []
    for size in reversed(sizes):
        number, position = divmod(number, size)
        place.append(position)
    return tuple(reversed(place))


def number_of(place: Place, sizes: Sequence[int]) -> int:
    """Number of the plane at a position; the inverse of :func:`place_of`."""
    number = 0
    for position, size in zip(place, sizes, strict=True):
        number = number * size + position
    return number


def complete(axes: str, sizes: tuple[int, ...], shown: Mapping[Place, Any], why: str = "") -> Stack:
    """Stack of the planes that exist: all of them, or the frames before the first gap.

    An acquisition that was stopped has fewer frames than planned; those that exist are certain.

    Parameters
    ----------
    axes, sizes : str, tuple of int
        As the metadata state them; the sizes may be wrong by any factor.
    shown : mapping
        Page of each plane that exists.
    why : str
        Reason why planes are absent, for the message.

    Raises
    ------
    FormatError
        If other planes than those of the last frames are missing.
    """
    total, notes = math.prod(sizes), list[str]()
    kept = sizes
    if len(shown) < total:
        frames = _frames(axes, sizes, shown)
        if not frames:
            raise FormatError(_gap(axes, sizes, shown, why))
        n = axes.index("T")
        kept = (*sizes[:n], frames, *sizes[n + 1 :])
        extra = len(shown) - math.prod(kept)
        note = f"the metadata state {sizes[n]} frames, but there are only {frames}{why}"
        left = f"; {counted(extra, 'plane')} of incomplete frames left out" if extra else ""
        notes.append(note + left)
    pages = [shown[place_of(number, kept)] for number in range(math.prod(kept))]
    return Stack(axes, kept, pages, tuple(notes))


def _frames(axes: str, sizes: tuple[int, ...], shown: Mapping[Place, Any]) -> int:
    """Number of complete frames before the first gap."""
    n = axes.find("T")
    counts = Counter(place[n] for place in shown)
    return next((at for at in range(sizes[n]) if counts[at] * sizes[n] < math.prod(sizes)), 0)


def _gap(axes: str, sizes: tuple[int, ...], shown: Mapping[Place, Any], why: str) -> str:
    places = (place_of(number, sizes) for number in range(len(shown) + 1))
    first = next(place for place in places if place not in shown)
    where = ", ".join(
        f"{axis}={at}" for axis, at, size in zip(axes, first, sizes, strict=True) if size > 1
    )
    return (
        f"{math.prod(sizes) - len(shown)} of the {math.prod(sizes)} planes that the metadata state "
        f"({stated(axes, sizes)}) are missing, the first at {where}{why}; get the complete file or "
        "set of files, or read the pages of this file alone in their order, as in --axes TYX "
        "(YX if there is one)"
    )


def stated(axes: str, sizes: Sequence[int]) -> str:
    """Sizes of a stack in words."""
    long = (f"{axis} {size}" for axis, size in zip(axes, sizes, strict=True) if size > 1)
    return ", ".join(long) or "1 plane"


def counted(number: int, noun: str) -> str:
    """Number of things in words."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def grown(axes: str, sizes: tuple[int, ...], pages: int) -> tuple[int, ...] | None:
    """Sizes of a stack that has more pages than stated; None if it is uncertain what they show.

    It is certain if the slowest axis is T or Z: more frames or slices were recorded than stated.
    """
    long = [n for n, size in enumerate(sizes) if size > 1]
    if not long or axes[long[0]] not in "TZ":
        return None
    rest = math.prod(sizes) // sizes[long[0]]
    if pages % rest:
        return None
    return tuple(pages // rest if n == long[0] else size for n, size in enumerate(sizes))


def specified(axes: str, sizes: Mapping[str, int], pages: int) -> tuple[int, ...]:
    """Sizes along the axes that the user specified for all pages of a file.

    Parameters
    ----------
    axes : str
        Axes other than those of a page.
    sizes : mapping
        Sizes that the metadata state. Unless they fit, one axis takes what is left.
    pages : int

    Raises
    ------
    ParameterError
        If the axes do not determine the sizes.
    """
    known = [sizes.get(axis, 1) for axis in axes]
    free = [n for n, size in enumerate(known) if size == 1]
    free = list(range(len(axes))) if len(axes) == 1 else free
    rest = math.prod(size for n, size in enumerate(known) if n not in free)
    if len(free) == 1 and pages % rest == 0:
        return tuple(pages // rest if n in free else size for n, size in enumerate(known))
    if math.prod(known) == pages:
        return tuple(known)
    raise ParameterError(
        f"the file holds {pages} pages, which do not fit the axes {axes} of sizes "
        f"{stated(axes, known)}; use one axis for all of them, as in --axes TYX"
    )


def alike(pages: Iterable[Any], first: Any) -> list[Any]:
    """Pages with the shape and data type of another."""
    return [page for page in pages if (page.shape, page.dtype) == (first.shape, first.dtype)]


def are_for_all(axes: str, stack: Stack | None, own: str, more: bool) -> bool:
    """Whether the axes that the user specified are those of all pages of a file.

    They are if they cannot be those of the planes that are described, or name other axes
    although the file has ``more`` pages.
    """
    if stack is None:
        return True
    described = "".join(a for a, n in zip(stack.axes, stack.sizes, strict=True) if n > 1) + own
    return axes != described and (more or len(axes) != len(described))


def of_all(axes: str, sizes: Mapping[str, int], pages: Sequence[Any]) -> Stack:
    """Stack of all pages like the first one, with the axes that the user specified.

    Raises
    ------
    ParameterError
        If the axes do not determine the sizes.
    """
    every = alike(pages, pages[0])
    letters = axes[: -len(every[0].shape)]
    return Stack(letters, specified(letters, sizes, len(every)), every)


def too_many(axes: str, sizes: Sequence[int], pages: int, rest: int, own: str) -> FormatError:
    """Error for ``rest`` of the pages, which the metadata do not describe."""
    described = "".join(a for a, size in zip(axes, sizes, strict=True) if size > 1) + own
    every = f"T{own}" if described != f"T{own}" else f"Z{own}"
    return FormatError(
        f"the metadata describe {pages - rest} of the {pages} pages in this file "
        f"({stated(axes, sizes)}); specify the axes of all pages, as in --axes {every}, "
        f"or --axes {described} to read only those that are described"
    )


def left_out(count: int, reason: str) -> str:
    """Note on pages that were not read."""
    return f"{counted(count, 'page')} of the file left out: {reason}"


def series_of(
    stack: Stack, own: str, *, kind: str, name: str = "", parent: tifffile.TiffFile
) -> Any:
    """Series of pages (``tifffile.TiffPageSeries``) for a stack, without axes of length 1.

    Parameters
    ----------
    stack : Stack
    own : str
        Axes of a page.
    kind, name, parent
        As in ``tifffile.TiffPageSeries``.

    Raises
    ------
    FormatError
        If the pages differ in shape or data type.
    """
    first = stack.pages[0]
    for number, page in enumerate(stack.pages):
        if (page.shape, page.dtype) != (first.shape, first.dtype):
            raise FormatError(
                f"page {number} has the shape {page.shape} and type {page.dtype}, but the first "
                f"page of the same image {first.shape} and {first.dtype}; save it again as a TIFF "
                "of equal pages"
            )
    long = [n for n, size in enumerate(stack.sizes) if size > 1]
    return tifffile.TiffPageSeries(
        stack.pages,
        (*(stack.sizes[n] for n in long), *first.shape),
        first.dtype,
        "".join(stack.axes[n] for n in long) + own,
        parent=parent,
        name=name,
        kind=kind,
        multifile=any(page.parent is not first.parent for page in stack.pages),
    )
