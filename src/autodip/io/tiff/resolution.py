"""Pixel size from the resolution tags of a TIFF file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_INCH = 25400.0
_UNITS_UM = {2: _INCH, 3: 10000.0, 4: 1000.0, 5: 1.0}
"""Length in µm of the values of the tag ResolutionUnit; 4 and 5 are extensions."""

_DEFAULTS = (
    *(72, 75, 90, 96, 100, 120, 144, 150, 180, 192, 200, 220, 240, 266, 300, 350, 360),
    *(400, 450, 600, 720, 750, 800, 1000, 1200, 1440, 1800, 2400, 3600, 4800),
)
"""Pixels per inch of screens and printers."""

_LARGEST = 1000.0
"""Pixel size in µm above which a resolution does not describe a microscope image."""


def is_printing(ratio: tuple[int, int], unit: float) -> bool:
    """Whether a resolution is that of a screen or printer, not that of a microscope.

    Parameters
    ----------
    ratio : tuple of int
        Pixels per unit, as numerator and denominator.
    unit : float
        Length of the unit in µm. Only inches and centimetres describe printed pages.
    """
    if unit not in (_UNITS_UM[2], _UNITS_UM[3]):
        return False
    dots = ratio[0] / ratio[1] / unit * _INCH
    return any(abs(dots - default) < 0.005 * default for default in _DEFAULTS)


def pixel_size(tags: Mapping[str, Any]) -> dict[str, float]:
    """Pixel size in µm along X and Y; empty if the tags state none.

    Parameters
    ----------
    tags : mapping
        ``resolution`` as pixels per unit along X and Y, and ``resolutionunit``.
    """
    unit = _UNITS_UM.get(tags.get("resolutionunit", 1))
    ratios = tags.get("resolution", ())
    if unit is None or any(ratio[0] <= 0 or ratio[1] <= 0 for ratio in ratios):
        return {}
    sizes = {a: ratio[1] / ratio[0] * unit for a, ratio in zip("XY", ratios, strict=False)}
    if any(is_printing(ratio, unit) for ratio in ratios) or any(
        not 0 < size < _LARGEST for size in sizes.values()
    ):
        return {}
    return sizes
