"""One row for each image and strategy, and what is compared."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autodip.bases.records import Config, Entry, Output, Point
from autodip.choose import presets
from autodip.choose.from_base import STRATEGIES, Strategy
from autodip.errors import ParameterError

SCHEMA = 2
"""Version of the columns of :class:`Judged`."""

OPTIMUM, FIXED = "optimum", "fixed"
REFERENCES: Mapping[str, str] = {
    "original DIP": "original",
    "published table": "published",
    **{f"preset {name}": name for name in reversed(presets.BY_QUALITY)},
}
"""What is read beside the strategies where its curve was recorded: title and preset."""

OUTPUTS: Mapping[str, tuple[Output, ...]] = {
    "any": ("last", "average", "refined"),
    "average": ("average",),
    "refined": ("refined",),
}
"""Outputs that a strategy may pick, by the name of the option."""

NOT_IN_GRID = "not in the grid"
"""Reason of a reference that was not recorded."""


@dataclass(frozen=True)
class Design:
    """What is compared, and how.

    Parameters
    ----------
    criterion : str
        By which the best setting is told; see :mod:`autodip.bases.criteria`.
    output : "any", "average" or "refined"
        Outputs that may be picked; references keep their own.
    neighbours : int
        Over so many of the nearest calibration images the curves are averaged.
    strategies : tuple of str
        Out of :data:`autodip.choose.from_base.STRATEGIES`.

    Raises
    ------
    ParameterError
        If a value is not allowed.
    """

    criterion: str = "combined"
    output: str = "any"
    neighbours: int = 1
    strategies: tuple[str, ...] = STRATEGIES

    def __post_init__(self) -> None:
        if self.output not in OUTPUTS:
            raise ParameterError(
                f"output {self.output!r} is not known; known are {', '.join(OUTPUTS)}"
            )
        if self.neighbours < 1:
            raise ParameterError(f"neighbours is {self.neighbours}; it must be 1 or more")
        for name in self.strategies:
            Strategy.parse(name)


@dataclass(frozen=True)
class Judged:
    """One image judged by one strategy.

    Parameters
    ----------
    image, name, fov, microscope, specimen, noise_level : str or None
        The image; see :class:`autodip.bases.records.Entry`.
    strategy : str
    reason : str
        Why there are no figures; else empty.
    outside : bool or None
        Whether the image is unlike all that may choose for it, so that ``autodip denoise``
        would say so; None where that cannot be told. See :func:`autodip.choose.measures.nearness`.
    group : str
        Microscope and specimen that were asked, "any" for each that was not.
    neighbours, distance : str, float or None
        Names of the nearest calibration images, and the distance of the first.
    net, config, output, iteration : str, str, str, int or None
        What was picked: the network, the key of its configuration, the output and the stop.
    stop : int or None
        The recorded stop nearest to it, where the figures were read.
    psnr, ssim, lpips, seconds : float or None
        Of the image's own curve there.
    """

    image: str
    name: str
    fov: str
    microscope: str | None
    specimen: str | None
    noise_level: str
    strategy: str
    reason: str = ""
    outside: bool | None = None
    group: str = ""
    neighbours: str = ""
    distance: float | None = None
    net: str = ""
    config: str = ""
    output: str = ""
    iteration: int | None = None
    stop: int | None = None
    psnr: float | None = None
    ssim: float | None = None
    lpips: float | None = None
    seconds: float | None = None


FIELDS = ("schema", *(f.name for f in dataclasses.fields(Judged)))


def to_csv(rows: Sequence[Judged]) -> str:
    """Text of a CSV file with a header; empty where a value is None."""
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({"schema": SCHEMA, **vars(row)} for row in rows)
    return text.getvalue()


def row_of(entry: Entry, strategy: str, **columns: Any) -> Judged:
    """Row of an image, with the columns that are known."""
    about = ("name", "fov", "microscope", "specimen", "noise_level")
    known = {name: getattr(entry, name) for name in about}
    return Judged(image=entry.id, strategy=strategy, **known, **columns)


def columns_of(config: Config, iteration: int, point: Point) -> dict[str, Any]:
    """Columns of what was picked and of the figures read."""
    return {
        "net": str(config.net),
        "config": config.key,
        "output": point.output,
        "iteration": iteration,
        "stop": point.iteration,
        "psnr": point.psnr,
        "ssim": point.ssim,
        "lpips": point.lpips,
        "seconds": point.seconds,
    }
