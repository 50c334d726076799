"""What is done to the pixels of an image before anything is estimated or fitted.

Empty areas and outliers are replaced, and noise common to a row or column is subtracted. Empty
areas come back unchanged in the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field, fields
from typing import Any

import numpy as np

from autodip.errors import ImageError
from autodip.image.image import Image, PlaneIndex
from autodip.image.scaling import to_dtype
from autodip.image.scan import bands
from autodip.physics.banding import band_offsets
from autodip.physics.defects import Defects
from autodip.util.cancelling import check

_BAND = 2**21
"""Number of pixels of a large plane that are examined at a time."""


@dataclass(frozen=True, eq=False)
class Repair:
    """What was done to a region of rows of a plane.

    Parameters
    ----------
    defects : Defects
    row_offsets, column_offsets : ndarray or None, shape (Y,) or (X,)
        Noise common to the pixels of a row or column, in units of the image.
    """

    defects: Defects
    row_offsets: np.ndarray | None = field(default=None, repr=False)
    column_offsets: np.ndarray | None = field(default=None, repr=False)

    @classmethod
    def of(cls, pixels: np.ndarray) -> Repair:
        """Find what is to be repaired in pixels (Y, X)."""
        defects = Defects.of(pixels)
        if defects.any:
            pixels = defects.repaired(pixels)
        return cls(defects, *band_offsets(pixels))

    @property
    def any(self) -> bool:
        """Whether anything is to be repaired."""
        return self.defects.any or not (self.row_offsets is None and self.column_offsets is None)

    def applied(self, pixels: np.ndarray, rows: slice, columns: slice) -> np.ndarray:
        """Repaired copy of a region (Y, X) of the pixels; floats if offsets were subtracted."""
        pixels = self.defects.repaired(pixels, rows, columns)
        if self.row_offsets is not None:
            pixels = pixels - self.row_offsets[rows, None]
        if self.column_offsets is not None:
            pixels = pixels - self.column_offsets[columns]
        return pixels


@dataclass(frozen=True, repr=False)
class RepairedImage(Image):
    """An image whose blocks are repaired when they are read.

    Parameters
    ----------
    repairs : mapping of PlaneIndex to Repair
        Planes that are missing here need no repair.
    """

    _: KW_ONLY
    repairs: Mapping[PlaneIndex, Repair] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, image: Image) -> RepairedImage:
        """Examine all planes of an image.

        Raises
        ------
        ImageError
            If no pixel of the image is a finite number.
        """
        repairs = {}
        known = False
        for index in image.indices():
            check()
            repair = _examined(image, index)
            known = known or not repair.defects.empty.all()
            if repair.any:
                repairs[index] = repair
        if not known:
            raise ImageError("all pixels are NaN, infinite or above 1e100: nothing to denoise")
        own = {one.name: getattr(image, one.name) for one in fields(Image)}
        return cls(**own, repairs=repairs)

    def block(
        self, index: PlaneIndex, rows: slice = slice(None), columns: slice = slice(None)
    ) -> np.ndarray:
        """Repaired pixels (Y, X) of a region of a plane; see :meth:`Image.block`."""
        pixels = super().block(index, rows, columns)
        repair = self.repairs.get(index)
        return pixels if repair is None else repair.applied(pixels, rows, columns)

    def remarks(self, outliers: bool) -> Iterator[str]:
        """What the user should know about the repairs; ``outliers`` are put back if True."""
        found = list(self.repairs.values())
        pixels = len(list(self.indices())) * self.plane_shape[0] * self.plane_shape[1]
        empty = sum(int(one.defects.empty.sum()) for one in found) / pixels
        single = sum(len(one.defects.outliers) for one in found)
        if empty:
            yield (
                f"{100 * empty:.2g} % of the pixels hold no measurement (constant areas, NaN or "
                "infinite values); they are left out, and returned unchanged"
            )
        if single:
            what = "left out, and returned unchanged" if outliers else "replaced"
            yield (
                f"{single} hot or dead pixel{'s'[: single > 1]} {what}"
                + ("" if outliers else "; --keep-outliers returns them unchanged")
            )
        for name, offsets in (
            ("row", [one.row_offsets for one in found if one.row_offsets is not None]),
            ("column", [one.column_offsets for one in found if one.column_offsets is not None]),
        ):
            if offsets:
                spread = np.mean([one.std() for one in offsets])
                yield (
                    f"noise common to a {name} was estimated (standard deviation {spread:.2g} grey "
                    "values) and subtracted"
                )

    def restore(self, output: np.ndarray, *, outliers: bool) -> None:
        """Put the pixels of empty areas back into a result, in place.

        Parameters
        ----------
        output : ndarray
            Result with the shape and axes of the image.
        outliers : bool
            Whether hot and dead pixels are put back as well.
        """
        target = self.yx_last(output)
        for index in self.repairs:
            place: tuple[Any, ...] = (*(position for _, position in index), ...)
            self.restore_plane(index, target[place], outliers=outliers)

    def restore_plane(self, index: PlaneIndex, plane: np.ndarray, *, outliers: bool) -> None:
        """Like :meth:`restore`, for the result (Y, X) of one plane."""
        if index not in self.repairs:
            return
        defects = self.repairs[index].defects
        kept = defects.mask if outliers else defects.empty
        for rows in bands(self.plane_shape, _BAND):
            own = super().block(index, rows)[kept[rows]]
            if plane.dtype.kind in "iu":
                own = np.nan_to_num(own)
            plane[rows][kept[rows]] = to_dtype(own, plane.dtype)


def _examined(image: Image, index: PlaneIndex) -> Repair:
    """What is to be repaired in a plane; a large one is examined in bands of rows."""
    found, constant = [], []
    for rows in bands(image.plane_shape, _BAND):
        check()
        pixels = image.block(index, rows)
        found.append(Repair.of(pixels))
        constant.append(bool(pixels.min() == pixels.max()))
    if len(found) == 1:
        return found[0]
    found = _with_empty_bands(found, constant)
    starts = [rows.start for rows in bands(image.plane_shape, _BAND)]
    bits = np.concatenate([one.defects.bits for one in found])
    outliers = [
        one.defects.outliers + np.array([start, 0])
        for one, start in zip(found, starts, strict=True)
    ]
    defects = Defects(image.plane_shape, bits, np.concatenate(outliers))
    return Repair(defects, _joined(found), _averaged(found))


def _with_empty_bands(found: list[Repair], constant: list[bool]) -> list[Repair]:
    """Repairs of bands, of which constant ones are empty if another one has empty areas."""
    if all(constant) or not any(one.defects.bits.any() for one in found):
        return found
    return [
        Repair(Defects.everywhere(one.defects.shape)) if flat else one
        for one, flat in zip(found, constant, strict=True)
    ]


def _joined(found: list[Repair]) -> np.ndarray | None:
    """Row offsets of consecutive bands."""
    if all(one.row_offsets is None for one in found):
        return None
    return np.concatenate(
        [
            np.zeros(one.defects.shape[0]) if one.row_offsets is None else one.row_offsets
            for one in found
        ]
    )


def _averaged(found: list[Repair]) -> np.ndarray | None:
    """Column offsets that most of the bands have."""
    offsets = [one.column_offsets for one in found if one.column_offsets is not None]
    return np.mean(offsets, axis=0) if 2 * len(offsets) > len(found) else None
