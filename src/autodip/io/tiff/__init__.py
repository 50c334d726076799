"""TIFF in three flavours: OME, ImageJ and plain; each is written as it was read."""

from autodip.io.tiff.omesearch import members
from autodip.io.tiff.reading import read
from autodip.io.tiff.writing import write

__all__ = ["members", "read", "write"]
