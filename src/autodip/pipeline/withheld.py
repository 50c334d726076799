"""Standard errors of pixels that were not measured or not denoised: there are none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autodip.image.scan import Survey, bands
from autodip.pipeline.repair import RepairedImage
from autodip.pipeline.result import PlaneResult

_BAND = 2**21
"""Number of pixels of a large plane that are examined at a time."""


def withhold(
    errors: np.ndarray,
    image: RepairedImage,
    scan: Survey,
    records: Sequence[PlaneResult],
    *,
    outliers: bool,
) -> None:
    """Put NaN into the standard errors of pixels that were not measured, in place.

    These are empty areas and saturated pixels, and outliers that were put back. An outlier that
    was replaced keeps the standard error of what stands in its place.

    Parameters
    ----------
    errors : ndarray, float
        Standard errors with the shape and axes of the image.
    image : RepairedImage
    scan : Survey
    records : sequence of PlaneResult
        Records of all planes, or of their windows.
    outliers : bool
        Whether hot and dead pixels were put back.
    """
    target = image.yx_last(errors)
    for record in {record.index: record for record in records}.values():
        place: tuple[Any, ...] = (*(position for _, position in record.index), ...)
        withhold_plane(target[place], image, scan, record, outliers=outliers)


def withhold_plane(
    errors: np.ndarray, image: RepairedImage, scan: Survey, record: PlaneResult, *, outliers: bool
) -> None:
    """Like :func:`withhold`, for one plane (Y, X) with this record, or this record of a window."""
    noise, repair = record.description.noise, image.repairs.get(record.index)
    clipped = noise is not None and noise.saturated > 0
    top = scan.extremes[record.index][1] if clipped else np.inf
    for rows in bands(image.plane_shape, _BAND) if clipped or repair is not None else ():
        unknown = image.block(record.index, rows) >= top
        if repair is not None:
            unknown |= (repair.defects.mask if outliers else repair.defects.empty)[rows]
        errors[rows][unknown] = np.nan
