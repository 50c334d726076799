"""What tifffile logs, which is where it reports damage and what it does not write."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from autodip.errors import FormatError

_MOST = 100
"""Number of lines after which reading is given up."""


class _Lines(logging.Handler):
    def __init__(self, level: int, lines: list[str]) -> None:
        super().__init__(level)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(record.getMessage())
        if len(self._lines) > _MOST:  # a damaged directory may have millions of entries
            raise FormatError(f"damaged TIFF ({self._lines[0]})")


@contextmanager
def captured(level: int = logging.ERROR) -> Iterator[list[str]]:
    """Collect the lines that tifffile logs at a level or above it; none of them is printed.

    Raises
    ------
    FormatError
        If there are more than 100.
    """
    lines: list[str] = []
    logger = logging.getLogger("tifffile")
    handlers, logger.handlers = logger.handlers, [_Lines(level, lines)]
    propagate, logger.propagate = logger.propagate, False
    try:
        yield lines
    finally:
        logger.handlers, logger.propagate = handlers, propagate
