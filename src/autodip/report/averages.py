"""Means of benchmark rows with their spread, and differences between methods, image by image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from autodip.benchmark import Row

Over = Literal["images", "groups"]


@dataclass(frozen=True)
class Column:
    """A column of the tables.

    Parameters
    ----------
    title : str
    form : str
        Number format; "short" for three significant digits.
    better : -1, 0 or 1
        1 if higher values are better, -1 if lower ones are, 0 if it is no score.
    """

    title: str
    form: str
    better: int = 0

    def text(self, value: float, *, signed: bool = False) -> str:
        """Format a value."""
        if self.form == "short":
            return _short(value)
        return format(value, f"{'+' if signed else ''}{self.form}")


COLUMNS: Mapping[str, Column] = {
    "psnr": Column("PSNR, dB", ".2f", 1),
    "affine_psnr": Column("PSNR after a linear fit, dB", ".2f", 1),
    "ssim": Column("SSIM", ".3f", 1),
    "ms_ssim": Column("MS-SSIM", ".3f", 1),
    "lpips": Column("LPIPS", ".3f", -1),
    "lpips_standard": Column("LPIPS, standard", ".3f", -1),
    "frc_pixels": Column("Resolution (FRC), pixels", ".2f", -1),
    "whiteness": Column("Residual correlation", ".3f"),
    "seconds": Column("Seconds", "short"),
    "cpu_seconds": Column("CPU seconds", "short"),
    "memory_mb": Column("Peak memory, MB", ".0f"),
    "gpu_memory_mb": Column("Peak accelerator memory, MB", ".0f"),
}
"""Columns by the name of the field of a row."""

SCORES = tuple(name for name, column in COLUMNS.items() if column.better)

MAIN_SCORES = tuple(name for name in SCORES if name != "lpips_standard")
"""Scores that have a table by group."""


def images_of(rows: Sequence[Row]) -> int:
    """Number of different images."""
    return len({row.image for row in rows})


def by_image(rows: Sequence[Row], name: str) -> dict[str, float]:
    """Mean of a field over the seeds of each image; images that lack it are left out."""
    values: dict[str, list[float]] = {}
    for row in rows:
        value: Any = getattr(row, name)
        if value is not None:
            values.setdefault(row.image, []).append(value)
    return {image: float(np.mean(of_image)) for image, of_image in values.items()}


def mean(rows: Sequence[Row], name: str, over: Over | None = None) -> str:
    """Mean of a field over the images, with the number of images if some lack it.

    Parameters
    ----------
    rows : sequence of Row
        Rows of one method.
    name : str
        Key of :data:`COLUMNS`.
    over : "images" or "groups", optional
        If given, the sample standard deviation of the images, or of the means of their groups,
        is added after ±, provided that there are two or more.
    """
    values = by_image(rows, name)
    if not values:
        return "–"
    column, lacking = COLUMNS[name], images_of(rows) - len(values)
    text = column.text(float(np.mean(list(values.values()))))
    text += _plus_minus(_spread_of(values, rows, over), column) if over else ""
    return text + (f" ({len(values)} of {images_of(rows)})" if lacking else "")


def differences(rows: Sequence[Row], others: Sequence[Row], name: str) -> list[float]:
    """Field of a method minus that of another, for each image that has both, and both finite."""
    mine, theirs = by_image(rows, name), by_image(others, name)
    found = [mine[image] - theirs[image] for image in mine if image in theirs]
    return [value for value in found if np.isfinite(value)]


def difference(rows: Sequence[Row], others: Sequence[Row], name: str) -> str:
    """Mean difference ± its sample standard deviation, and the number of images that are better."""
    values = differences(rows, others, name)
    if not values:
        return "–"
    column = COLUMNS[name]
    better = sum(column.better * value > 0 for value in values)
    text = column.text(float(np.mean(values)), signed=True)
    return f"{text}{_plus_minus(values, column)} ({better})"


def _spread_of(values: Mapping[str, float], rows: Sequence[Row], over: Over) -> list[float]:
    """Values whose standard deviation is wanted."""
    if over == "images":
        return list(values.values())
    groups: dict[str, list[float]] = {}
    group_of = {row.image: row.group for row in rows}
    for image, value in values.items():
        groups.setdefault(group_of[image], []).append(value)
    return [float(np.mean(members)) for members in groups.values()]


def _plus_minus(values: Sequence[float], column: Column) -> str:
    if len(values) < 2 or not np.isfinite(values).all():
        return ""
    return f" ± {column.text(float(np.std(values, ddof=1)))}"


def _short(value: float) -> str:
    """Three significant digits (more from 1000 on), without an exponent."""
    if value < 0.01:
        return "<0.01"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
