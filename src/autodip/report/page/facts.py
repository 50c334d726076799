"""Everything that is known of one shown plane: its record, its pixels and its measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from autodip.image.image import PlaneIndex
from autodip.physics.defects import Defects
from autodip.physics.noise import Noise
from autodip.report.page.details import Detail, details
from autodip.report.page.examined import Examined, examine
from autodip.report.page.expected import Expected, expected
from autodip.report.page.material import Material
from autodip.report.page.shown import pair_of, shown_planes, title
from autodip.runs.plane_records import ChannelRecord, PlaneRecord, RepairRecord


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Facts about one shown plane.

    Parameters
    ----------
    name : str
        Title of the plane; empty if it is the only one.
    noisy : ndarray or None, shape (Y, X)
        None if the input is missing.
    result : ndarray, shape (Y, X)
    pixel_size : float or None
        Pixel size along X in µm.
    channel : ChannelRecord
    records : tuple of PlaneRecord
        Record of the plane, or of each of its windows.
    repair : RepairRecord or None
    noise : Noise or None
    examined : Examined or None
        None if the input is missing.
    expected : Expected or None
    details : tuple of Detail
    """

    name: str
    noisy: np.ndarray | None = field(repr=False)
    result: np.ndarray = field(repr=False)
    pixel_size: float | None
    channel: ChannelRecord
    records: tuple[PlaneRecord, ...]
    repair: RepairRecord | None
    noise: Noise | None
    examined: Examined | None
    expected: Expected | None
    details: tuple[Detail, ...]

    @property
    def background(self) -> tuple[float, float]:
        """Brightness of the darkest fifth of the result, and the noise there."""
        level = float(np.nanpercentile(self.result.astype(np.float64), 10))
        if self.noise is not None and not self.noise.absent:
            return level, float(self.noise.std(np.array(level)))
        if self.noisy is not None:
            return level, float(np.nanstd(self.noisy.astype(np.float64) - self.result))
        return level, 0.0


def facts_of(material: Material) -> list[Facts]:
    """Facts about the planes that are shown."""
    return [_of_plane(material, index) for index in shown_planes(material.denoised)]


def _of_plane(material: Material, index: PlaneIndex) -> Facts:
    content, image = material.content, material.denoised
    noisy, result = pair_of(material, index)
    records = tuple(one for one in content.planes if _same(one.index, index))
    repair = next((one for one in content.repairs if _same(one.index, index)), None)
    number = min(image.channel_of(index), len(content.channels) - 1)
    noise = records[0].noise if records else None
    empty = None
    if repair is not None and noisy is not None and (repair.empty or repair.outliers):
        empty = Defects.of(noisy).empty
    known = np.isfinite(result) if empty is None else np.isfinite(result) & ~empty
    examined = None
    if noisy is not None and np.isfinite(noisy).any():
        examined = examine(noisy, result, noise, defects=empty is not None)
    return Facts(
        name=title(image, index),
        noisy=noisy,
        result=result,
        pixel_size=content.input.get("pixel_size_um", {}).get("X"),
        channel=content.channels[number],
        records=records,
        repair=repair,
        noise=noise,
        examined=examined,
        expected=_expected(records, result[known]),
        details=tuple(details(result, empty)),
    )


def _same(recorded: dict[str, int] | object, index: PlaneIndex) -> bool:
    """Whether a record is that of a plane; axes of length 1 may be missing in either."""
    own = dict(recorded)  # type: ignore[call-overload]
    found = dict(index)
    return all(own.get(axis, 0) == found.get(axis, 0) for axis in {*own, *found})


def _expected(records: Sequence[PlaneRecord], result: np.ndarray) -> Expected | None:
    """Expected error of a whole plane; None for one in windows, or without pixels."""
    if len(records) != 1 or not result.size:
        return None
    return expected(records[0], result)
