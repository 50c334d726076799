"""Everything that is known of one shown plane: its record, its pixels and its measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autodip.image.image import PlaneIndex
from autodip.physics.noise import Noise
from autodip.report.page.details import Detail, details
from autodip.report.page.examined import Examined, examine
from autodip.report.page.expected import Expected, expected
from autodip.report.page.material import Material
from autodip.report.page.shown import Shown, same_plane, shown_planes
from autodip.runs.plane_records import ChannelRecord, PlaneRecord
from autodip.trust.error_map import expected_psnr


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Facts about one shown plane.

    Parameters
    ----------
    shown : Shown
        Its pixels.
    pixel_size : float or None
        Pixel size along X in µm.
    channel : ChannelRecord
    records : tuple of PlaneRecord
        Record of the plane, or of each of its windows.
    noise : Noise or None
    examined : Examined or None
        None if the input is missing.
    expected : Expected or None
    by_errors : float or None
        Peak signal-to-noise ratio that follows from the standard errors, in dB; None without them.
    details : tuple of Detail
    """

    shown: Shown
    pixel_size: float | None
    channel: ChannelRecord
    records: tuple[PlaneRecord, ...]
    noise: Noise | None
    examined: Examined | None
    expected: Expected | None
    by_errors: float | None
    details: tuple[Detail, ...]

    @property
    def name(self) -> str:
        """Title of the plane; empty if it is the only one."""
        return self.shown.name

    @property
    def psnr(self) -> float | None:
        """Predicted peak signal-to-noise ratio, in dB; None if nothing predicts it."""
        return self.by_errors if self.expected is None else self.expected.psnr

    @property
    def background(self) -> tuple[float, float]:
        """Brightness of the darkest fifth of the result, and the noise there."""
        result, good = self.shown.result, self.shown.good
        level = float(np.percentile(result[good].astype(np.float64), 10))
        if self.noise is not None and not self.noise.absent:
            return level, float(self.noise.std(np.array(level)))
        if self.shown.noisy is not None:
            return level, float((self.shown.noisy[good].astype(np.float64) - result[good]).std())
        return level, 0.0


def facts_of(material: Material) -> list[Facts]:
    """Facts about the planes that are shown."""
    return [_of_plane(material, index) for index in shown_planes(material.denoised)]


def _of_plane(material: Material, index: PlaneIndex) -> Facts:
    content = material.content
    shown = Shown.of(material, index)
    records = tuple(one for one in content.planes if same_plane(one.index, index))
    number = min(material.denoised.channel_of(index), len(content.channels) - 1)
    noise = records[0].noise if records else None
    examined = None
    if shown.noisy is not None:
        examined = examine(shown.noisy, shown.result, noise, kept=shown.good)
    return Facts(
        shown=shown,
        pixel_size=content.input.get("pixel_size_um", {}).get("X"),
        channel=content.channels[number],
        records=records,
        noise=noise,
        examined=examined,
        expected=_expected(records, shown.result[shown.known]),
        by_errors=_by_errors(shown),
        details=tuple(details(shown.result, shown.known)),
    )


def _expected(records: Sequence[PlaneRecord], result: np.ndarray) -> Expected | None:
    """Expected error of a whole plane; None for one in windows, or without pixels."""
    if len(records) != 1 or not result.size:
        return None
    return expected(records[0], result)


def _by_errors(shown: Shown) -> float | None:
    """PSNR by the standard errors of a plane; None without them, or if it is not finite."""
    errors = None if shown.errors is None else shown.errors[np.isfinite(shown.errors)]
    if errors is None or not errors.size:
        return None
    low, high = np.percentile(shown.result[shown.known], (0.1, 99.9))
    found = expected_psnr(shown.result, errors, data_range=float(high - low))
    return found if np.isfinite(found) else None
