"""Axes of an image: the letters of its dimensions."""

from __future__ import annotations

from autodip.errors import ParameterError

AXES = "TCZYXS"
"""Supported axes: time, channel, depth, rows, columns, samples of a colour pixel (RGB)."""


def check_axes(axes: str, shape: tuple[int, ...]) -> None:
    """Raise a ParameterError unless ``axes`` names every dimension of ``shape`` once."""
    wrong = [a for a in axes if a not in AXES]
    if wrong or len(set(axes)) != len(axes) or len(axes) != len(shape) or not {"Y", "X"} <= {*axes}:
        raise ParameterError(
            f"axes {axes!r} do not describe an image of shape {shape}; give one letter for each "
            f"of its {len(shape)} dimensions, Y and X among them, out of {', '.join(AXES)} "
            "(T time, C channel, Z depth, S colour samples), as in --axes TYX"
        )
