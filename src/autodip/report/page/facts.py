"""Everything that is known of one shown plane: its record, its pixels and its measurements."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from autodip.image.image import PlaneIndex
from autodip.physics.noise import Noise
from autodip.report.page.details import Detail, details
from autodip.report.page.examined import Examined, examine
from autodip.report.page.material import Material
from autodip.report.page.predicted import Predicted
from autodip.report.page.shown import Shown, same_plane, shown_planes
from autodip.runs.plane_records import ChannelRecord, PlaneRecord


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
    details : tuple of Detail
    """

    shown: Shown
    pixel_size: float | None
    channel: ChannelRecord
    records: tuple[PlaneRecord, ...]
    noise: Noise | None
    examined: Examined | None
    details: tuple[Detail, ...]

    @property
    def name(self) -> str:
        """Title of the plane; empty if it is the only one."""
        return self.shown.name

    @property
    def fitted(self) -> bool:
        """Whether the plane was fitted, and not computed by the learned prior."""
        return bool(self.records) and self.records[0].observed is None

    @cached_property
    def predicted(self) -> Predicted | None:
        """Predicted peak signal-to-noise ratio; None if nothing predicts it."""
        return Predicted.of(self.shown, self.noise, fitted=self.fitted)

    @property
    def psnr(self) -> float | None:
        """Predicted peak signal-to-noise ratio, in dB; None if nothing predicts it."""
        return None if self.predicted is None else self.predicted.psnr

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
        details=tuple(details(shown.result, shown.known)),
    )
