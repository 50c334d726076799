"""Rows of a study, one for each image and strategy, and the options of a study."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autodip.bases.records import Config, Entry, Output, Point
from autodip.choose.from_base import STRATEGIES, Strategy
from autodip.errors import ParameterError
from autodip.util.closest import not_known

SCHEMA = 2
"""Version of the columns of :class:`Judged`."""

OPTIMUM, FIXED = "optimum", "fixed"
REFERENCES: Mapping[str, str] = {
    "original DIP": "original",
    "published table": "published",
    "preset untrained": "untrained",
}
"""References shown in addition to the strategies if their curves were recorded, as title: preset.

The curves are those of the preset's own network, fit and output; ``autodip calibrate --grid`` with
the name of the preset records them.
"""

OUTPUTS: Mapping[str, tuple[Output, ...]] = {
    "any": ("last", "average", "refined"),
    "average": ("average",),
    "refined": ("refined",),
}
"""Outputs that a strategy may pick, by the value of the option."""

NOT_IN_GRID = "not in the grid"
"""Reason given for a reference whose curve was not recorded."""


@dataclass(frozen=True)
class Design:
    """Options of a study: what is compared, and how.

    Parameters
    ----------
    criterion : str
        Criterion for the best setting; see :mod:`autodip.bases.criteria`.
    output : "any", "average" or "refined"
        Outputs that may be picked; references use their own output.
    neighbours : int
        Number of nearest calibration images over which the curves are averaged, 1 or more.
    strategies : tuple of str
        Names from :data:`autodip.choose.from_base.STRATEGIES`.

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
            raise ParameterError(not_known("output", self.output, OUTPUTS))
        if self.neighbours < 1:
            raise ParameterError(f"neighbours is {self.neighbours}; it must be 1 or more")
        for name in self.strategies:
            Strategy.parse(name)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One image with the setting picked by one strategy, and its scores.

    Parameters
    ----------
    image, name, fov, microscope, specimen, noise_level : str or None
        Identifier and description of the image; see :class:`autodip.bases.records.Entry`.
    strategy : str
        Name of the strategy, the bound, or the reference.
    reason : str
        Why there are no scores; empty if there are.
    outside : bool or None
        Whether the image is unlike all images that its setting may be chosen from, about which
        ``autodip denoise`` would warn. None if this could not be determined. See
        :func:`autodip.choose.measures.nearness`.
    group : str
        Microscope and specimen of the group of images that the setting was chosen from, with
        "any" for one that was not restricted. Empty if the setting was not chosen from a group.
    neighbours, distance : str, float or None
        Names of the nearest calibration images, and the distance to the first of them. Empty and
        None if no measure of similarity was used.
    net, config, output, iteration : str, str, str, int or None
        Setting that was picked: the network, the key of the configuration, the output, and the
        iteration at which to stop.
    stop : int or None
        Recorded stop nearest to this iteration, from which the scores are taken.
    psnr, ssim, lpips, seconds : float or None
        Scores of the image's own curve at that stop (PSNR in dB), and its run time in seconds.
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
    """Text of a CSV file with a header; values that are None are left empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({"schema": SCHEMA, **vars(row)} for row in rows)
    return text.getvalue()


def row_of(entry: Entry, strategy: str, **columns: Any) -> Judged:
    """Row of an image and a strategy, with further columns by name."""
    about = ("name", "fov", "microscope", "specimen", "noise_level")
    known = {name: getattr(entry, name) for name in about}
    return Judged(image=entry.id, strategy=strategy, **known, **columns)


def columns_of(config: Config, iteration: int, point: Point) -> dict[str, Any]:
    """Columns for the setting that was picked and for its scores."""
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
