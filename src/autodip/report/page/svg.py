"""Small plots as SVG: two axes with units, lines, points and marks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from markupsafe import Markup

_WIDTH, _HEIGHT = 420, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 14, 12, 46
_TICKS = 5
_ROW = 17

Points = Sequence[tuple[float, float]]


@dataclass
class Axis:
    """One axis of a plot.

    Parameters
    ----------
    title : str
        What it shows, with the unit.
    logarithmic : bool
    low, high : float or None
        Ends; None for those of the data.
    """

    title: str
    logarithmic: bool = False
    low: float | None = None
    high: float | None = None

    def fitted(self, values: Sequence[float]) -> Scaled:
        """Axis that covers finite values, which are above 0 if it is logarithmic."""
        known = [value for value in values if math.isfinite(value)]
        known = [value for value in known if value > 0 or not self.logarithmic] or [0.1, 1.0]
        low = min(known) if self.low is None else self.low
        high = max(known) if self.high is None else self.high
        if high <= low:
            low, high = (low / 2, low * 2) if self.logarithmic else (low - 0.5, low + 0.5)
        return Scaled(self, low, high)


@dataclass(frozen=True)
class Scaled:
    """An axis with both ends."""

    axis: Axis
    low: float
    high: float

    def share(self, value: float) -> float:
        """Position of a value, 0 at the low end and 1 at the high end, limited to a bit more."""
        low, high = self.low, self.high
        if self.axis.logarithmic:
            low, high, value = math.log(low), math.log(high), math.log(max(value, 1e-300))
        return min(max((value - low) / (high - low), -0.02), 1.02)

    def ticks(self) -> list[float]:
        """About five round values."""
        if self.axis.logarithmic and self.high / self.low > 20:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            step = max(1, (last - first) // _TICKS + 1)
            return [10.0**power for power in range(first, last + 1, step)]
        least = (self.high - self.low) / _TICKS
        power = 10.0 ** math.floor(math.log10(least))
        step_size = next(power * unit for unit in (1, 2, 5, 10) if power * unit >= least * 0.999)
        start = math.ceil(self.low / step_size - 1e-9)
        count = math.floor(self.high / step_size + 1e-9) - start
        return [(start + number) * step_size for number in range(count + 1)]


def number(value: float) -> str:
    """A number of a few digits, with thousands as k and millions as M."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    for unit, size, least in (("M", 1e6, 1e6), ("k", 1e3, 1e4)):
        if abs(value) >= least:
            return f"{value / size:.3g}{unit}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


@dataclass
class Plot:
    """A plot to which series are added; ``svg`` draws it.

    Colours come from the style sheet of the page, by the classes ``s1``, ``s2`` and ``s3``.

    Parameters
    ----------
    x, y : Axis
    label : str
        Alternative text: what the plot shows, for those who do not see it.
    """

    x: Axis
    y: Axis
    label: str
    _series: list[tuple[str, str, str, Points]] = field(default_factory=list)
    _marks: list[tuple[float, str]] = field(default_factory=list)

    def line(self, points: Points, name: str, colour: str = "s1", *, dashed: bool = False) -> Plot:
        """Add a line through points, with its name in the legend."""
        self._series.append(("dashed" if dashed else "line", colour, name, points))
        return self

    def points(self, points: Points, name: str, colour: str = "s1") -> Plot:
        """Add points, with their name in the legend."""
        self._series.append(("dots", colour, name, points))
        return self

    def mark(self, x: float, name: str) -> Plot:
        """Add a vertical line with a name."""
        self._marks.append((x, name))
        return self

    def svg(self) -> Markup:
        """Draw the plot."""
        xs = [float(x) for *_, points in self._series for x, _ in points]
        ys = [float(y) for *_, points in self._series for _, y in points]
        x, y = self.x.fitted([*xs, *(at for at, _ in self._marks)]), self.y.fitted(ys)
        legend = _ROW * sum(1 for *_, name, _ in self._series if name)
        head = _TOP + legend
        height = _HEIGHT + legend
        right, floor = _WIDTH - _RIGHT, height - _BOTTOM

        def at(px: float, py: float) -> tuple[float, float]:
            return (
                _LEFT + x.share(px) * (right - _LEFT),
                floor - y.share(py) * (floor - head),
            )

        parts = [*self._frame(x, y, head, floor)]
        parts += [_mark(at(place, y.low)[0], head, floor, name) for place, name in self._marks]
        row = 0
        for kind, colour, name, points in self._series:
            known = [at(px, py) for px, py in points if _known(px, py, x, y)]
            parts.append(_drawn(kind, colour, known))
            if name:
                parts.append(_key(kind, colour, name, _TOP + _ROW * row))
                row += 1
        template = '<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
        return Markup(template).format(_WIDTH, height, self.label, Markup("").join(parts))

    def _frame(self, x: Scaled, y: Scaled, head: float, floor: float) -> list[Markup]:
        right = _WIDTH - _RIGHT
        parts = []
        for tick in x.ticks():
            at = _LEFT + x.share(tick) * (right - _LEFT)
            parts.append(_grid(at, head, at, floor))
            parts.append(_text(at, floor + 16, number(tick), "middle"))
        for tick in y.ticks():
            at = floor - y.share(tick) * (floor - head)
            parts.append(_grid(_LEFT, at, right, at))
            parts.append(_text(_LEFT - 6, at + 4, number(tick), "end"))
        parts.append(_text((_LEFT + right) / 2, floor + 37, self.x.title, "middle"))
        turned = Markup('<text class="t" text-anchor="middle" transform="{}">{}</text>')
        place = f"translate(14 {(head + floor) / 2:.1f}) rotate(-90)"
        parts.append(turned.format(place, self.y.title))
        return parts


def _known(px: float, py: float, x: Scaled, y: Scaled) -> bool:
    finite = math.isfinite(px) and math.isfinite(py)
    positive = (px > 0 or not x.axis.logarithmic) and (py > 0 or not y.axis.logarithmic)
    return finite and positive


def _drawn(kind: str, colour: str, points: Points) -> Markup:
    if kind == "dots":
        dot = Markup('<circle class="d {}" cx="{}" cy="{}" r="3"/>')
        return Markup("").join(dot.format(colour, f"{x:.1f}", f"{y:.1f}") for x, y in points)
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return Markup('<polyline class="{} {}" points="{}"/>').format(kind, colour, path)


def _key(kind: str, colour: str, name: str, top: float) -> Markup:
    sample = [(_LEFT + 10.0, top + 6.0)]
    if kind != "dots":
        sample = [(_LEFT, top + 6.0), (_LEFT + 20.0, top + 6.0)]
    return _drawn(kind, colour, sample) + _text(_LEFT + 27, top + 10, name, "start")


def _mark(x: float, head: float, floor: float, name: str) -> Markup:
    side, gap = ("end", -5) if x > _WIDTH / 2 else ("start", 5)
    line = Markup('<line class="mark" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>')
    return line.format(f"{x:.1f}", head, floor) + _text(x + gap, head + 13, name, side)


def _grid(x1: float, y1: float, x2: float, y2: float) -> Markup:
    places = (f"{value:.1f}" for value in (x1, y1, x2, y2))
    return Markup('<line class="grid" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(*places)


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    template = Markup('<text class="t" x="{}" y="{}" text-anchor="{}">{}</text>')
    return template.format(f"{x:.1f}", f"{y:.1f}", anchor, text)


def columns(edges: np.ndarray, counts: np.ndarray) -> list[tuple[float, float]]:
    """Outline of a histogram, as points of a line."""
    return [
        point
        for number, count in enumerate(counts)
        for point in (
            (float(edges[number]), float(count)),
            (float(edges[number + 1]), float(count)),
        )
    ]
