"""Errors of the packages that decode files, as errors of autodip, and limits of memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import psutil

from autodip.errors import AutodipError, FormatError, OutOfMemoryError

_LONGEST = 300
"""Characters of the reason of another package that are given in a message."""


@contextmanager
def clear(what: str) -> Iterator[None]:
    """Turn any exception of the block into an error of autodip.

    The packages that decode files raise exceptions of every kind on damaged content.

    Parameters
    ----------
    what : str
        Start of the message: what is not readable.

    Raises
    ------
    FormatError
        If the block raises an exception that is not an error of autodip.
    OutOfMemoryError
        If the block runs out of memory.
    """
    try:
        yield
    except AutodipError:
        raise
    except MemoryError as error:
        raise OutOfMemoryError(
            f"its pixels do not fit into memory ({reason(error)}); free memory, or use a part of "
            "the image"
        ) from error
    except Exception as error:
        raise FormatError(f"{what} ({reason(error)})") from error


def reason(error: BaseException) -> str:
    """Message of an exception in one printable line of limited length."""
    words = " ".join(str(error).split()) or type(error).__name__
    line = "".join(letter if letter.isprintable() else "?" for letter in words)
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def check_memory(shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Check that pixels fit into the free memory, before they are allocated.

    Raises
    ------
    OutOfMemoryError
        If they do not.
    """
    needed, free = math.prod(map(int, shape)) * dtype.itemsize, psutil.virtual_memory().available
    if needed > free:
        raise OutOfMemoryError(
            f"its pixels, {' x '.join(map(str, shape))} of type {dtype.name}, need "
            f"{needed / 1e9:.3g} GB of memory, of which {free / 1e9:.3g} GB are free; save the "
            "part you want as an image of its own"
        )


def check_content(needed: int, available: int, ratio: int = 1) -> None:
    """Check that a file can hold the pixels that its header states.

    Parameters
    ----------
    needed : int
        Bytes that the header states.
    available : int
        Bytes that the file holds.
    ratio : int
        Highest ratio by which they may be compressed.

    Raises
    ------
    FormatError
        If the file is too small.
    """
    if needed < 0 or needed > available * ratio:
        raise FormatError(
            f"truncated or damaged: its header states {needed} bytes of pixels and metadata, but "
            f"there are {available}"
        )
