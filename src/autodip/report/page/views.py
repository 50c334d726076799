"""Pictures of a page: the pair under the slider, what was removed, and details."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autodip.pictures.colours import colour_bar, coloured
from autodip.pictures.contrast import grey
from autodip.pictures.encode import data_url
from autodip.pictures.sizes import ScaleBar, reduced, scale_bar
from autodip.report.page.facts import Facts
from autodip.report.page.large_planes import LARGEST_PICTURE
from autodip.runs.unsupported_structure import located

_REMOVED = 512
_LUT = 64
_BAR_WIDTH = 256
_WIDE = 99.5
"""Percentile of the absolute difference that is drawn black or white."""

_ENLARGED = 512
"""Width up to which pixels are shown as squares."""


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """Two contrasts of a plane; pictures are stored with the root of their brightness.

    The root leaves enough of the 256 grey levels to the background that it can be stretched.

    Parameters
    ----------
    low, high : float
        Grey values that are drawn black and white.
    dark, light : float
        The same for the stretched background.
    bottom, top : float
        Ends of the range that is stored.
    """

    low: float
    high: float
    dark: float
    light: float
    bottom: float
    top: float

    @classmethod
    def of(cls, facts: Facts) -> Contrast:
        """Contrasts of a plane, from its result and its noise."""
        low, high = facts.shown.contrast
        level, noise = facts.background
        dark, light = level - 3 * noise, level + 6 * noise
        if not noise or light >= high:
            dark, light = low, low + 0.25 * (high - low)
        light = max(light, dark + 1e-3 * (high - low))
        top = max(high, light)
        return cls(low=low, high=high, dark=dark, light=light, bottom=min(low, dark), top=top)

    def stored(self, plane: np.ndarray) -> np.ndarray:
        """Pixels as 8 bits, by the root of their brightness."""
        share = (plane - self.bottom) / (self.top - self.bottom)
        return np.asarray((255 * np.sqrt(np.clip(share, 0, 1))).round(), np.uint8)

    def table(self, low: float, high: float) -> str:
        """Brightness shown for stored values from 0 to 1, for a filter of SVG."""
        root = np.linspace(0, 1, _LUT)
        value = self.bottom + root**2 * (self.top - self.bottom)
        return " ".join(f"{share:.4f}" for share in np.clip((value - low) / (high - low), 0, 1))

    @property
    def linear(self) -> str:
        """Table of the usual contrast."""
        return self.table(self.low, self.high)

    @property
    def stretched(self) -> str:
        """Table of the contrast that shows the background."""
        return self.table(self.dark, self.light)


def views(facts: Facts, number: int, largest: int) -> dict[str, Any]:
    """Pictures of a plane, for the template of the page."""
    contrast = Contrast.of(facts)
    shown = facts.shown
    rows, columns = shown.shape
    found: dict[str, Any] = {
        "number": number,
        "rows": rows,
        "columns": columns,
        "contrast": contrast,
        "after": data_url(contrast.stored(reduced(shown.after, largest))),
        "before": None,
        "shrunk": round(max(rows, columns) / largest, 1) if max(rows, columns) > largest else 0,
        "form": "narrow" if rows > 1.5 * columns else "square" if rows > 0.7 * columns else "wide",
        "pixelated": columns <= _ENLARGED,
        "bar": _bar(scale_bar(facts.pixel_size, columns), rows, columns),
        "marks": _marks(facts),
        "places": _places(facts),
        "lettering": max(rows, columns) / 32,
    }
    found["errors"] = _errors(facts, min(largest, _REMOVED))
    if shown.before is not None:
        found["before"] = data_url(contrast.stored(reduced(shown.before, largest)))
        found |= _removed(facts, min(largest, _REMOVED))
    found["details"] = [_detail(facts, contrast, number) for number in range(len(facts.details))]
    return found


def _bar(bar: ScaleBar | None, rows: int, columns: int) -> dict[str, Any] | None:
    if bar is None:
        return None
    thick = max(columns, rows) / 110
    return {
        "text": bar.text,
        "x": columns - bar.pixels - 3 * thick,
        "y": rows - 4 * thick,
        "width": bar.pixels,
        "height": thick,
        "middle": columns - bar.pixels / 2 - 3 * thick,
        "base": rows - 5.2 * thick,
        "size": 3.6 * thick,
        "halo": 0.7 * thick,
    }


def _places(facts: Facts) -> list[dict[str, Any]]:
    """Places whose structure only the result or only the noisy image has, as rectangles."""
    places = [one.place for one in located(facts.records)]
    return [
        {**place.to_dict(), "top": place.y - place.height // 2, "left": place.x - place.width // 2}
        for place in places
    ]


def _marks(facts: Facts) -> list[tuple[int, int]]:
    """Rows and columns of replaced pixels."""
    places = facts.shown.repair.places if facts.shown.repair is not None else ()
    return [(int(place[0]), int(place[1])) for place in places]


def difference(noisy: np.ndarray, result: np.ndarray) -> tuple[np.ndarray, float]:
    """What was removed, and the value that is drawn white; minus it is drawn black."""
    removed = noisy.astype(np.float64) - result
    return removed, max(float(np.percentile(np.abs(removed), _WIDE)), 1e-12)


def _removed(facts: Facts, largest: int) -> dict[str, Any]:
    """What was removed from the whole plane."""
    assert facts.shown.before is not None  # asked by the caller
    removed, limit = difference(facts.shown.before, facts.shown.after)
    small = reduced(removed, largest)
    shrunk = max(facts.shown.shape) / max(small.shape)
    if shrunk > 1:
        limit = max(float(np.percentile(np.abs(small), _WIDE)), 1e-12)
    return {
        "removed": data_url(grey(small, -limit, limit)),
        "removed_limit": limit,
        "removed_shrunk": round(shrunk, 1) if shrunk > 1 else 0,
    }


def _errors(facts: Facts, largest: int) -> dict[str, Any] | None:
    """Picture of the standard errors with its colour bar; None if there are none."""
    errors = facts.shown.errors
    if errors is None or not np.isfinite(errors).any():
        return None
    high = max(float(np.nanpercentile(errors, _WIDE)), 1e-12)
    small = reduced(errors, largest)
    parts = [one.errors for one in facts.records if one.errors is not None]
    ratios = [one.to_noise for one in parts if one.to_noise is not None]
    return {
        "picture": data_url(coloured(small, 0, high)),
        "bar": data_url(colour_bar(_BAR_WIDTH, 1)),
        "high": high,
        "shrunk": round(max(facts.shown.shape) / max(small.shape), 1),
        "median": float(np.nanmedian(errors)),
        "to_noise": float(np.median(ratios)) if ratios else None,
        "unknown": float(np.isnan(errors).mean()),
    }


def _detail(facts: Facts, contrast: Contrast, number: int) -> dict[str, Any]:
    """A detail at full resolution; that of the background in its own contrast."""
    one = facts.details[number]
    background = one.name == "darkest background"
    ends = (contrast.dark, contrast.light) if background else (contrast.low, contrast.high)
    pictures = [("after", data_url(grey(one.of(facts.shown.result), *ends)))]
    if facts.shown.noisy is not None:
        removed, limit = difference(one.of(facts.shown.noisy), one.of(facts.shown.result))
        pictures.insert(0, ("before", data_url(grey(one.of(facts.shown.noisy), *ends))))
        pictures.append(("removed", data_url(grey(removed, -limit, limit))))
    return {
        "name": one.name,
        "top": facts.shown.corner[0] + one.top,
        "left": facts.shown.corner[1] + one.left,
        "side": one.side,
        "ends": ends,
        "pictures": pictures,
    }


def largest_of(planes: int) -> int:
    """Largest side of the pictures, such that those of all planes together stay small."""
    share = 1.2 / np.sqrt(planes) if planes > 1 else 1.0
    return int(LARGEST_PICTURE * min(1.0, share))


def thumbnail(plane: np.ndarray, ends: tuple[float, float], side: int = 112) -> str:
    """Small picture of a plane, for an index."""
    return data_url(grey(reduced(plane, side), *ends))
