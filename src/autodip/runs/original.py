"""The input of a run: the hash of what was read, and whether the file has changed since."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autodip.errors import FormatError
from autodip.image.image import Image
from autodip.io.large import is_mapped
from autodip.util.files import inside, sha256
from autodip.util.paths import check_source

Fingerprint = tuple[tuple[int, ...], ...] | None
"""Inode, size and times of a file and of everything inside a folder; None if it is missing."""


@dataclass(frozen=True)
class Original:
    """An input file, or a folder (OME-Zarr), as it was before it was read.

    Parameters
    ----------
    path : Path
    sha256 : str
        Hash, as of :func:`autodip.util.files.sha256`.
    fingerprint : tuple or None
        Its equality shows without reading the file that it has not changed.
    """

    path: Path
    sha256: str
    fingerprint: Fingerprint

    @classmethod
    def of(cls, path: Path) -> Original:
        """Hash an input.

        Raises
        ------
        FormatError
            If it is missing, cannot be opened, or is not a file or folder.
        """
        check_source(path)
        before = _fingerprint(path)
        try:
            return cls(path, sha256(path), before)
        except OSError as error:
            where = f" ({error.filename})" if error.filename not in (None, str(path)) else ""
            raise FormatError(f"{path}: cannot be opened ({error.strerror}){where}") from error

    @property
    def changed(self) -> bool:
        """Whether the content differs from that of which :attr:`sha256` is the hash."""
        if self.fingerprint is not None and _fingerprint(self.path) == self.fingerprint:
            return False
        try:
            return sha256(self.path) != self.sha256
        except OSError:
            return True

    def check_read(self) -> None:
        """Raise a FormatError if the file has changed before all of it was read."""
        if self.changed:
            raise FormatError(
                f"{self.path}: the file changed while it was read; denoise it again when nothing "
                "writes to it any more"
            )

    def noted(self, image: Image) -> Image:
        """Image with a note if the file has changed during the fit.

        Raises
        ------
        FormatError
            If the file has changed, and its pixels were read from it during the fit.
        """
        if not self.changed:
            return image
        if not isinstance(image.data, np.ndarray) or is_mapped(image.data, self.path):
            self.check_read()
        return image.noted(
            "the input was changed or removed during the run; the result and the hash are those "
            "of the file as it was before"
        )


def _fingerprint(path: Path) -> Fingerprint:
    try:
        return tuple(_facts(part.stat()) for part in (path, *sorted(inside(path))))
    except OSError:
        return None


def _facts(found: os.stat_result) -> tuple[int, ...]:
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
