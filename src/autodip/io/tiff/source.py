"""Metadata of a TIFF file that are preserved when it is written back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autodip.io import ome
from autodip.io.tiff import imagej, pagetags
from autodip.io.tiff.tags import single_sample


@dataclass(frozen=True, kw_only=True)
class TiffSource:
    """Metadata of a TIFF file that are preserved when it is written back.

    Parameters
    ----------
    flavour : str
        "ome", "imagej", "shaped" (tifffile's own) or "plain".
    tags : mapping
        Arguments of ``tifffile.imwrite``: resolution, compression, byte order, ...
    metadata : mapping or str
        ImageJ's or tifffile's metadata, or the OME-XML; None for a plain TIFF.
    axes, shape : str, tuple of int
        Axes and shape of the pixels as the file states them.
    dtype : str
        Type of the pixels of the file; empty if there is none.
    planes : tuple of tuple of int
        Size (Y, X) of the full image and of each level of its pyramid.
    pages : tuple of mapping
        Tags of each page that are its own, in the order of the planes; empty if only the first
        page has such tags.
    """

    flavour: str
    tags: Mapping[str, Any]
    metadata: Any = field(default=None, repr=False)
    axes: str = ""
    shape: tuple[int, ...] = ()
    dtype: str = ""
    planes: tuple[tuple[int, int], ...] = ()
    pages: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)

    def cut(self, position: int, kept: range) -> TiffSource:
        """Metadata of the image restricted to ``kept`` along its axis at ``position``.

        The axis is given by its position because the user may name it by another letter.
        """
        axis, axes, tags, metadata = self.axes[position], self.axes, self.tags, self.metadata
        shape = (*self.shape[:position], len(kept), *self.shape[position + 1 :])
        if self.flavour == "ome":
            metadata = ome.cut(metadata, axis, kept)
        elif self.flavour == "imagej":
            metadata = imagej.cut(metadata, self.axes, self.shape, axis, kept)
        if axis == "S":
            tags = single_sample(tags)
            axes = axes.replace("S", "")
            shape = (*self.shape[:position], *self.shape[position + 1 :])
        return TiffSource(
            flavour=self.flavour,
            tags=tags,
            metadata=metadata,
            axes=axes,
            shape=shape,
            dtype=self.dtype,
            planes=self.planes,
            pages=pagetags.cut(self.pages, self.axes, self.shape, axis, kept),
        )
