"""Choice of one image from a file that holds several (scenes, series, positions)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from autodip.errors import FormatError, ParameterError

_LISTED = 12
_SIZE = re.compile(r" \(\d+( x \d+)*\)$")


def choose(names: Sequence[str], scene: str | int | None) -> int:
    """Index of the chosen image among the images of a file.

    Parameters
    ----------
    names : sequence of str
        Name of each image of the file; "" for an image without a name.
    scene : str or int, optional
        Name of an image, or its number from 0; not required for a file with one image. If a
        name is itself a number, it takes precedence unless ``scene`` is an int. The size that
        some formats add to a name, and the folders before it, may be left out.

    Raises
    ------
    FormatError
        If there is no image, or there are several and none was chosen.
    ParameterError
        If no image has that name or number, or several have that name.
    """
    if not names:
        raise FormatError("the file holds no image")
    if scene is None:
        if len(names) == 1:
            return 0
        raise FormatError(
            f"the file holds {len(names)} images: {_listed(names)}; "
            "choose one by name or number, as in --scene 0 or read(path, scene=0)"
        )
    plain = [_SIZE.sub("", name) for name in names]
    matches = _first((names, plain), scene)
    if not matches and str(scene).isdecimal() and int(scene) < len(names):
        return int(scene)
    if not matches:
        last = [name.rpartition("/")[2] for name in plain]
        matches = _first((last,), scene)
    if len(matches) == 1:
        return matches[0]
    several = len(matches) > 1
    raise ParameterError(
        f"{'several images are called' if several else 'there is no image'} {scene!r}; "
        f"the file holds {_listed(names)}: give a number"
        + ("" if several else " or one of these names")
    )


def _first(forms: Iterable[Sequence[str]], scene: str | int) -> list[int]:
    """Numbers of the images with a name, in the first form of their names in which there is one."""
    for names in forms:
        matches = [number for number, name in enumerate(names) if name and name == scene]
        if matches:
            return matches
    return []


def _listed(names: Sequence[str]) -> str:
    """Numbers and names of the images, at most the first 12."""
    words = [f"{n} {name!r}" if name else str(n) for n, name in enumerate(names[:_LISTED])]
    left = len(names) - len(words)
    return ", ".join(words) + (f" and {left} more" if left else "")
