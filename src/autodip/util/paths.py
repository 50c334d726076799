"""Questions about paths that nobody has checked yet; those about a closed folder do not fail."""

from __future__ import annotations

import os
import re
import shutil
import stat
from contextlib import suppress
from pathlib import Path

from autodip.errors import FormatError, OutputError

_SPECIAL = {
    stat.S_ISFIFO: "a pipe",
    stat.S_ISSOCK: "a socket",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
}

_IMAGE_FOLDER = ".zarr"
"""Ending of folders that are images."""

_URL = re.compile("[A-Za-z][A-Za-z0-9+.-]+:/")


def exists(path: Path) -> bool:
    """Whether a file or folder exists; False if that cannot be determined."""
    with suppress(OSError, ValueError):
        return path.exists()
    return False


def is_file(path: Path) -> bool:
    """Whether a path is a file; False if that cannot be determined."""
    with suppress(OSError, ValueError):
        return path.is_file()
    return False


def is_folder(path: Path) -> bool:
    """Whether a path is a folder; False if that cannot be determined."""
    with suppress(OSError, ValueError):
        return path.is_dir()
    return False


def is_there(path: Path) -> bool:
    """Whether there is anything of this name, even a link to a missing file."""
    with suppress(OSError, ValueError):
        path.lstat()
        return True
    return False


def same(one: Path, other: Path) -> bool:
    """Whether two paths lead to the same existing file or folder."""
    with suppress(OSError, ValueError):
        return one.samefile(other)
    return False


def is_url(path: Path) -> bool:
    """Whether a path is a URL; a path has lost one of the two slashes."""
    return _URL.match(str(path)) is not None


def relative(path: Path, folder: Path) -> Path:
    """A path relative to a folder, also through links; absolute if on another drive."""
    try:
        place = Path(os.path.realpath(path.parent)) / path.name
        return Path(os.path.relpath(place, os.path.realpath(folder)))
    except ValueError:
        return path.absolute()


def check_name(path: Path) -> None:
    """Raise an OutputError if the name of a file is longer than its file system allows."""
    try:
        most = os.pathconf(nearest(path.parent), "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):  # Windows, or a file system without a limit
        most = 255
    length = len(os.fsencode(path.name))
    if length > most:
        raise OutputError(
            f"{path}: the name has {length} bytes, of which {most} are allowed; choose a shorter "
            "one with -o"
        )


def check_space(folder: Path, needed: int) -> None:
    """Raise an OutputError if fewer than ``needed`` bytes are free where a folder is or will be."""
    free = free_space(folder)
    if free is not None and free < needed:
        raise OutputError(
            f"{folder}: about {needed / 1e6:.4g} MB are needed and {free / 1e6:.4g} MB are free; "
            f"free some space, or choose another place with -o"
        )


def free_space(path: Path) -> int | None:
    """Free bytes where a file is or will be; None if the system does not report it."""
    try:
        return shutil.disk_usage(nearest(path)).free
    except OSError:
        return None


def nearest(path: Path) -> Path:
    """The path itself, or the nearest folder above it that exists."""
    return next((place for place in (path, *path.absolute().parents) if is_there(place)), path)


def check_source(path: Path) -> None:
    """Raise a FormatError if an input does not exist, is a folder, or would block its reader.

    A folder whose name ends in ``.zarr`` is an image.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if is_url(path):
            what = "a URL, and only files are read; download it first, or give the path alone"
        else:
            what = "a link to a missing file" if path.is_symlink() else "there is no such file"
        raise FormatError(f"{path}: {what}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FormatError(f"{path}: cannot be opened ({reason})") from error
    if stat.S_ISDIR(mode) and path.suffix.lower() != _IMAGE_FOLDER:
        raise FormatError(f"{path}: this is a folder, and a file is needed here; name the file")
    special = next((name for is_kind, name in _SPECIAL.items() if is_kind(mode)), None)
    if special:
        raise FormatError(f"{path}: {special}, and only files are read; save the image to a file")
