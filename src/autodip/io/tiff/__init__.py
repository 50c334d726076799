"""TIFF in three flavours: OME, ImageJ and plain; each is written as it was read."""

from autodip.io.tiff.omesearch import members
from autodip.io.tiff.reading import read
from autodip.io.tiff.writing import is_compressed, write

__all__ = ["is_compressed", "members", "read", "write"]
