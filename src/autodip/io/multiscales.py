"""The metadata of a multiscale image of OME-NGFF 0.1 to 0.6: axes, sizes of pixels, levels."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from autodip.errors import FormatError, ParameterError

NEWEST = "0.5"
"""Version in which new images are written."""

_VERSION = re.compile(r"(0\.[1-6])(?![0-9])")
_ORDER = "TCZYX"
_PREFIX = {
    "yotta": 1e24, "zetta": 1e21, "exa": 1e18, "peta": 1e15, "tera": 1e12, "giga": 1e9,
    "mega": 1e6, "kilo": 1e3, "hecto": 1e2, "": 1.0, "deci": 1e-1, "centi": 1e-2, "milli": 1e-3,
    "micro": 1e-6, "nano": 1e-9, "pico": 1e-12, "femto": 1e-15, "atto": 1e-18, "zepto": 1e-21,
    "yocto": 1e-24,
}  # fmt: skip
METRES = {
    **{prefix + "meter": factor for prefix, factor in _PREFIX.items()},
    **{prefix + "metre": factor for prefix, factor in _PREFIX.items()},
    "m": 1.0, "cm": 1e-2, "mm": 1e-3, "um": 1e-6, "µm": 1e-6, "μm": 1e-6, "nm": 1e-9, "pm": 1e-12,
    "micron": 1e-6, "angstrom": 1e-10, "ångström": 1e-10, "å": 1e-10, "inch": 0.0254,
    "foot": 0.3048, "yard": 0.9144, "mile": 1609.344, "parsec": 3.0856775814913673e16,
}  # fmt: skip
"""Metres in each unit of length."""
SECONDS = {
    **{prefix + "second": factor for prefix, factor in _PREFIX.items()},
    "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9, "sec": 1.0,
    "minute": 60.0, "min": 60.0, "hour": 3600.0, "h": 3600.0, "day": 86400.0,
}  # fmt: skip
"""Seconds in each unit of time."""


def version_of(stated: str, multiscale: Mapping[str, Any], zarr_format: int) -> str:
    """Version of the metadata, "0.1" to "0.6".

    The standard only recommends to state it; if it is absent, it follows from the metadata.

    Raises
    ------
    FormatError
        If it is another version.
    """
    stated = stated or str(multiscale.get("version") or "")
    match = _VERSION.match(stated)
    if match:
        return match[1]
    if stated:
        raise FormatError(
            f"OME-Zarr of version {stated!r}; 0.1 to 0.6 are supported: convert it with a current "
            "tool"
        )
    if "coordinateSystems" in multiscale:
        return "0.6"
    if zarr_format == 3:
        return "0.5"
    axes = multiscale.get("axes")
    if not isinstance(axes, list):
        return "0.1"
    return "0.3" if any(isinstance(axis, str) for axis in axes) else "0.4"


def upgraded(
    multiscale: Mapping[str, Any], version: str, axes: str | None, shape: tuple[int, ...]
) -> tuple[dict[str, Any], str, tuple[str, ...]]:
    """Metadata of version 0.1 to 0.3 as those of 0.4; those of newer versions are unchanged.

    Returns
    -------
    tuple
        The metadata, their version, and a note on the change.
    """
    if version > "0.3":
        return dict(multiscale), version, ()
    stated = multiscale.get("axes")
    if isinstance(stated, list):
        names = stated
    elif axes is None and len(shape) != len(_ORDER):
        raise ParameterError(
            f"OME-Zarr {version} states no axes, and the shape {shape} does not have all five; "
            "specify them, as in --axes ZYX"
        )
    else:
        names = list((axes or _ORDER).lower())
    kinds = {"t": "time", "c": "channel"}
    levels = [
        {"coordinateTransformations": [{"type": "scale", "scale": [1.0] * len(shape)}], **level}
        for level in multiscale.get("datasets") or []
    ]
    result = {
        **multiscale,
        "version": "0.4",
        "axes": [
            one if isinstance(one, Mapping) else {"name": one, "type": kinds.get(one, "space")}
            for one in names
        ],
        "datasets": levels,
    }
    return result, "0.4", (f"its OME-Zarr metadata of version {version} are used as those of 0.4",)


def axes_of(multiscale: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Axes of the full image: in version 0.6, of the coordinate system of its pixels' sizes."""
    axes = _chain(multiscale)[1]
    if not isinstance(axes, list) or not all(isinstance(axis, Mapping) for axis in axes):
        raise FormatError("its metadata do not state the axes of the image")
    return axes


def _chain(multiscale: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], Any]:
    """Transformations from the pixels of the full image to a coordinate system, and its axes.

    In version 0.6 this is the one to which the full image is transformed, or, if it has no
    units, one to which it is transformed in turn.
    """
    datasets = multiscale.get("datasets")
    first = datasets[0] if isinstance(datasets, list) and datasets else {}
    steps = _steps(first) if isinstance(first, Mapping) else []
    shared, systems = _steps(multiscale), _steps(multiscale, "coordinateSystems")
    if not systems:
        return [*steps, *shared], multiscale.get("axes")
    named = {str(system.get("name")): system.get("axes") for system in systems}
    place = next((_end(step, "output") for step in steps), "")
    axes = named.get(place, systems[0].get("axes"))
    for step in shared:
        end = _end(step, "output")
        if not _has_units(axes) and _end(step, "input") == place and end in named:
            steps, place, axes = [*steps, step], end, named[end]
    return steps, axes


def _has_units(axes: Any) -> bool:
    return isinstance(axes, list) and any(isinstance(a, Mapping) and "unit" in a for a in axes)


def _end(step: Mapping[str, Any], key: str) -> str:
    """Name of the coordinate system at an end of a transformation."""
    named = step.get(key)
    return str(named.get("name") if isinstance(named, Mapping) else named)


def letters(axes: Sequence[Mapping[str, Any]], shape: tuple[int, ...], override: str | None) -> str:
    """Axes as letters, by their names or else by their types.

    Raises
    ------
    FormatError
        If an axis is not one of t, c, z, y and x, and ``override`` does not name it either.
    """
    if len(axes) != len(shape):
        raise FormatError(
            f"its metadata state {len(axes)} axes, but the shape of its pixels is {shape}"
        )
    found = [_letter(axis) for axis in axes]
    if override is not None and len(override) == len(found):
        taken = set(found)
        found = [
            letter or (other if other not in taken else "")
            for letter, other in zip(found, override, strict=True)
        ]
    if "" in found or len(set(found)) < len(found):
        names = ", ".join(str(axis.get("name")) for axis in axes)
        raise FormatError(
            f"its axes are called {names}; only t, c, z, y and x are supported, once each: "
            "give --axes with one letter for each of them, or save the part you want as an image "
            "with these axes"
        )
    return "".join(found)


def _letter(axis: Mapping[str, Any]) -> str:
    name = str(axis.get("name", "")).upper()
    if len(name) == 1 and name in _ORDER:
        return name
    return {"time": "T", "channel": "C"}.get(str(axis.get("type")), "")


def sizes_of(
    multiscale: Mapping[str, Any], axes: Sequence[Mapping[str, Any]], names: str
) -> tuple[dict[str, float], float | None, tuple[str, ...]]:
    """Sizes of the pixels in µm and seconds between frames, as far as the metadata state them.

    An axis without a unit, or without a scale, has no size.

    Returns
    -------
    tuple
        Size along X, Y and Z; seconds or None; a note on what is stated but cannot be used.
    """
    scale = _scale(multiscale, len(axes))
    sizes, notes, seconds = {}, [], None
    for letter, axis, factor in zip(names, axes, scale, strict=True):
        unit = axis.get("unit")
        if letter == "C" or not unit or factor is None:
            continue
        known = factor_of(str(unit), SECONDS if letter == "T" else METRES)
        if known is None or not 0 < factor < math.inf:
            notes.append(f"{factor:g} {unit} along {letter}")
        elif letter == "T":
            seconds = float(f"{factor * known:.12g}")
        else:
            sizes[letter] = float(f"{factor * known * 1e6:.12g}")
    if _chain(multiscale)[0] and None in scale:
        notes.append("a transformation that is not a scale for each axis")
    note = f"not used as a size of the pixels: {', '.join(notes)}"
    return sizes, seconds, (note,) if notes else ()


def factor_of(text: str, units: Mapping[str, float]) -> float | None:
    """Value of a unit in metres or seconds; None if it is not known."""
    text = text.strip()
    lower = text.casefold() if len(text) > 2 else text
    return units.get(lower, units.get(lower.removesuffix("s"), units.get(text)))


def _scale(multiscale: Mapping[str, Any], count: int) -> list[float | None]:
    """Size of a pixel along each axis in the unit of the axis; None where it is not stated."""
    factors = [_factors(step, count) for step in _chain(multiscale)[0]]
    known = [one for one in factors if one]
    if not known or None in factors:
        return [None] * count
    return [math.prod(each) for each in zip(*known, strict=True)]


def _steps(holder: Mapping[str, Any], key: str = "coordinateTransformations") -> list[Any]:
    """Transformations in a list of the metadata; those of another form are left out."""
    found = holder.get(key)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _factors(step: Mapping[str, Any], count: int) -> list[float] | None:
    """Factors by which a transformation scales each axis; None if it does not only scale."""
    found: list[float] | None = None
    match step.get("type"):
        case "identity" | "translation":
            found = []
        case "scale":
            found = _numbers(step.get("scale"), count)
        case "sequence":
            inner = [_factors(one, count) for one in _steps(step, "transformations")]
            known = [one for one in inner if one]
            product = [math.prod(each) for each in zip(*known, strict=True)]
            found = None if None in inner else product
        case "bijection":
            forward = step.get("forward")
            found = _factors(forward, count) if isinstance(forward, Mapping) else None
        case "affine":
            found = _diagonal(step.get("affine"), count)
    return found


def _numbers(values: Any, count: int) -> list[float] | None:
    if not isinstance(values, list) or len(values) != count:
        return None
    if not all(isinstance(value, int | float) for value in values):
        return None
    return [float(value) for value in values]


def _diagonal(rows: Any, count: int) -> list[float] | None:
    """Diagonal of an affine matrix, whose last column is the translation; None if it mixes axes."""
    if not isinstance(rows, list) or len(rows) < count:
        return None
    matrix = [_numbers(row, count + 1) for row in rows[:count]]
    if any(
        row is None or any(row[m] for m in range(count) if m != n) for n, row in enumerate(matrix)
    ):
        return None
    return [row[n] for n, row in enumerate(matrix) if row]
