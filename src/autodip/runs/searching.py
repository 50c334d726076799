"""Search for images in folders and by patterns; what cannot be searched is reported."""

from __future__ import annotations

import fnmatch
import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

from autodip import io
from autodip.errors import FormatError
from autodip.io.zarr_store import is_store
from autodip.runs import map_files
from autodip.runs.companions import FIGURE_SUFFIX
from autodip.util.paths import check_source, is_folder, is_there

Failed = dict[Path, str]
"""Error messages by the path of the input."""

_ENDINGS = ", ".join(io.SUFFIXES)


def in_folder(
    folder: Path, *, recursive: bool, out: Path | None, failed: Failed
) -> list[tuple[Path, PurePath]]:
    """Images in a folder, each with its path relative to the folder.

    Hidden files and folders are left out, and so are links to folders, which may form a loop.

    Parameters
    ----------
    folder : Path
    recursive : bool
        Whether the sub-folders are searched as well, except ``out``.
    out : Path or None
        Output folder.
    failed : dict
        Receives the messages about folders and files that cannot be read.
    """
    pattern = ("**", "*") if recursive else ("*",)
    found = _Search(out if recursive else None, failed).images(folder, pattern)
    if not found and is_store(folder):
        failed[folder] = (
            f"{folder}: a part of a Zarr store, or one whose name does not end in .zarr; give the "
            "whole store by a name with this ending, and choose one of its images with --scene"
        )
    elif not found and folder not in failed:
        advice = "" if recursive else "; --recursive searches its sub-folders"
        failed[folder] = f"{folder}: the folder holds no image file ({_ENDINGS}){advice}"
    return [(image, image.relative_to(folder)) for image in found]


def matching(pattern: Path, *, out: Path | None, failed: Failed) -> list[tuple[Path, PurePath]]:
    """Images that match a pattern, each with its path below the fixed part of the pattern.

    Parameters
    ----------
    pattern : Path
        ``*``, ``?`` and ``[...]`` within names, and ``**`` for folders at any depth, without links
        to folders. A part of the pattern that exists as it is stands for itself.
    out, failed
        As for :func:`in_folder`.
    """
    parts = pattern.parts
    fixed = 0
    while fixed < len(parts) and _is_fixed(Path(*parts[:fixed]), parts[fixed]):
        fixed += 1
    base, rest = Path(*parts[:fixed]), parts[fixed:]
    rest = (*rest, "*") if rest[-1:] == ("**",) else rest
    known = len(failed)
    found = _Search(out, failed).images(base, rest)
    if not found and len(failed) == known:
        failed[pattern] = f"{pattern}: no image file ({_ENDINGS}) matches this pattern"
    return [(image, image.relative_to(base)) for image in found]


def _is_fixed(base: Path, part: str) -> bool:
    return not glob.has_magic(part) or is_there(base / part)


class _Search:
    """One search; it does not enter image folders, nor the output folder.

    Parameters
    ----------
    out : Path or None
    failed : dict
    """

    def __init__(self, out: Path | None, failed: Failed) -> None:
        self._out = None if out is None else os.path.realpath(out)
        self._failed = failed

    def images(self, base: Path, parts: Sequence[str]) -> list[Path]:
        """Images below a folder that match the parts of a pattern, sorted."""
        found = dict.fromkeys(self._below(base, tuple(parts)))
        return sorted(filter(self._is_image, found))

    def _below(self, base: Path, parts: tuple[str, ...]) -> Iterator[Path]:
        if not parts:
            yield base
            return
        first, *others = parts
        rest = tuple(others)
        if first == "**":
            for folder in self._tree(base):
                yield from self._below(folder, rest)
        elif is_there(base / first):
            yield from self._entered(base / first, rest)
        elif glob.has_magic(first):
            for name in fnmatch.filter(self._names(base), first):
                if name[0] != "." or first[0] == ".":
                    yield from self._entered(base / name, rest)

    def _entered(self, path: Path, rest: tuple[str, ...]) -> Iterator[Path]:
        """The path itself at the end of a pattern; else what matches the rest below it."""
        if not rest:
            yield path
        elif self._is_searched(path):
            yield from self._below(path, rest)

    def _tree(self, folder: Path) -> Iterator[Path]:
        """A folder and all folders below it, without hidden ones and links."""
        yield folder
        for name in self._names(folder):
            path = folder / name
            if name[0] != "." and not path.is_symlink() and self._is_searched(path):
                yield from self._tree(path)

    def _is_searched(self, path: Path) -> bool:
        if not is_folder(path) or io.is_image_folder(path):
            return False
        return os.path.realpath(path) != self._out

    def _names(self, folder: Path) -> list[str]:
        try:
            return sorted(path.name for path in folder.iterdir())
        except OSError as error:
            self._failed[folder] = f"{folder}: cannot be read ({error.strerror})"
            return []

    def _is_image(self, path: Path) -> bool:
        """Whether a path is an image; one that is named like an image and is none is reported."""
        if path.suffix.lower() not in io.SUFFIXES or path.name[0] == ".":
            return False
        if path.name.endswith(FIGURE_SUFFIX) or map_files.is_of_an_output(path):
            return False
        if is_folder(path):
            return io.is_image_folder(path)
        try:
            check_source(path)
        except FormatError as error:
            self._failed[path] = str(error)
            return False
        return True
