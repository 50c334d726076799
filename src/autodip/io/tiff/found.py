"""An image found in a TIFF file: its pages, and what the file's own metadata state about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Found:
    """Pages of an image, with the metadata of its flavour.

    Parameters
    ----------
    series : TiffPageSeries
    flavour : str
        As in :class:`autodip.io.tiff.source.TiffSource`.
    metadata : mapping, str or None
        As in :class:`autodip.io.tiff.source.TiffSource`.
    notes : tuple of str
        Notes for the user.
    """

    series: Any
    flavour: str
    metadata: Any = field(default=None, repr=False)
    notes: tuple[str, ...] = ()
