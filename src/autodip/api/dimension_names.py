"""Names of dimensions, and the axes that they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autodip.errors import ParameterError

_NAMES = {
    "T": ("t", "time", "frame", "frames"),
    "C": ("c", "ch", "channel", "channels"),
    "Z": ("z", "depth", "plane", "planes", "slice", "slices"),
    "Y": ("y", "row", "rows"),
    "X": ("x", "col", "cols", "column", "columns"),
    "S": ("s", "rgb", "rgba", "sample", "samples"),
}
_LETTERS = {name: letter for letter, names in _NAMES.items() for name in names}


def axes_of(names: Sequence[Any]) -> str:
    """Axes of dimensions with these names, one letter for each.

    Raises
    ------
    ParameterError
        If one of them is not known.
    """
    wrong = [str(name) for name in names if str(name).lower() not in _LETTERS]
    if wrong:
        raise ParameterError(
            f"the dimension {wrong[0]!r} of {tuple(map(str, names))} is not known; specify axes, "
            'for example axes="TYX", or rename it to t, c, z, y, x or s (RGB)'
        )
    return "".join(_LETTERS[str(name).lower()] for name in names)
