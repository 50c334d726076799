"""Files and folders: writing them completely or not at all, and housekeeping."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from autodip.errors import OutputError
from autodip.util.paths import free_space, is_folder, nearest

Stamp = list[int] | None
"""Size in bytes and modification time in ns of a file; None if it is not accessible."""


_ADVICE = "choose another place with -o"

_LONG = 180
"""Bytes of a file name above which temporary files next to it are named by its hash."""


@contextmanager
def writing(path: Path, advice: str = "", what: str = "cannot be written") -> Iterator[None]:
    """Turn an OSError of the block into an OutputError that names a path, once.

    Parameters
    ----------
    path : Path
        What the block writes.
    advice : str
        End of the message: what to do.
    what : str
        What failed.

    Raises
    ------
    OutputError
        If the block raises an OSError; an OutputError, which is one, is passed on as it is.
    """
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        end = f"; {advice}" if advice else ""
        raise OutputError(f"{path}: {what} ({_reason(error, path)}){end}") from error


def _reason(error: OSError, path: Path) -> str:
    """Reason of an OSError; libraries report a full disk as fewer bytes written than wanted."""
    if error.errno is None and free_space(path) == 0:
        return os.strerror(errno.ENOSPC)
    return error.strerror or str(error)


@contextmanager
def replacing(*targets: Path, advice: str = _ADVICE) -> Iterator[list[Path]]:
    """Write files under temporary names next to their targets, then rename them all.

    The targets are replaced in the given order: once the last one is in place, the others are
    complete as well. If the block raises an exception, including KeyboardInterrupt, the
    temporary files are deleted and the targets remain unchanged.

    Parameters
    ----------
    *targets : Path
        Final paths, in existing folders.
    advice : str
        End of the message of an OutputError.

    Yields
    ------
    list of Path
        One temporary path for each target: an empty file, which the block may replace by a
        folder.

    Raises
    ------
    OutputError
        If a folder is not writable, or the disk is full.
    """
    temporary: list[Path] = []
    try:
        with writing(targets[-1], advice):
            yield from _replaced(targets, temporary)
    finally:
        for part in temporary:
            remove(part)


def _replaced(targets: Sequence[Path], temporary: list[Path]) -> Iterator[list[Path]]:
    """Make temporary files, hand them to the caller, and rename them; ``temporary`` lists them."""
    for target in targets:
        name = f".{secrets.token_hex(4)}.{stem(target)}.part"
        part = target.parent.absolute() / name
        temporary.append(part)  # first, since a signal may end the process at any moment
        part.touch(0o600, exist_ok=False)
    yield temporary
    umask = os.umask(0)
    os.umask(umask)
    for part, target in zip(temporary, targets, strict=True):
        _flush(part)
        part.chmod((0o777 if part.is_dir() else 0o666) & ~umask)
        _move(part, target)


def _flush(part: Path) -> None:
    """Make sure that a file is on the disk before its name is, in case the power fails."""
    if part.is_file():
        with part.open("rb+") as file:
            os.fsync(file.fileno())


def stem(target: Path) -> str:
    """Name of a file within the names of its temporary files, which must not become too long."""
    name = os.fsencode(target.name)
    if len(name) <= _LONG:
        return target.name
    return hashlib.sha256(name).hexdigest()[:16] + "".join(target.suffixes[-2:])[-_LONG // 4 :]


def _move(part: Path, target: Path) -> None:
    """Rename; if a folder is involved, an existing target is first moved out of the way."""
    if not target.exists() or not (part.is_dir() or target.is_dir()):
        part.replace(target)
        return
    aside = Path(tempfile.mkdtemp(f".{stem(target)}.old", ".", target.parent))
    target.replace(aside / target.name)
    try:
        part.replace(target)
    except OSError:
        (aside / target.name).replace(target)
        aside.rmdir()
        raise
    remove(aside)


def leftovers(target: Path) -> list[Path]:
    """List temporary files and folders that a killed process left next to its target."""
    own = re.compile(rf"\.[a-z0-9_]{{8}}\.{re.escape(stem(target))}\.(part|old)")
    if not target.parent.is_dir():
        return []
    return [path for path in target.parent.iterdir() if own.fullmatch(path.name)]


def remove(path: Path) -> None:
    """Delete a file, or a folder with its content; do nothing if it does not exist."""
    if is_folder(path) and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def check_writable(folder: Path, *, dry: bool = False) -> None:
    """Create a folder if necessary; raise an OutputError if files cannot be created in it.

    Parameters
    ----------
    folder : Path
    dry : bool
        Whether nothing is created, and only the permissions are checked.
    """
    with writing(folder, _ADVICE, "cannot be written to"):
        place = nearest(folder)
        if not is_folder(place):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not dry:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return
        if not os.access(place, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def reserve(file: BinaryIO, size: int) -> None:
    """Allocate the space of a file that will be mapped.

    On a full disk the process would otherwise be killed when it writes to the mapped pages.
    """
    if hasattr(os, "posix_fallocate") and size:
        os.posix_fallocate(file.fileno(), 0, size)


def stamp(path: Path) -> Stamp:
    """Size and modification time of a file; for a folder, the sum and the latest of its files."""
    try:
        each = [part.stat() for part in (path, *inside(path))]
    except OSError:
        return None
    return [sum(part.st_size for part in each), max(part.st_mtime_ns for part in each)]


def size(path: Path) -> int | None:
    """Bytes of a file, or of all files in a folder; None if it is not accessible."""
    try:
        return sum(part.stat().st_size for part in (path, *inside(path)) if part.is_file())
    except OSError:
        return None


def sha256(path: Path) -> str:
    """Hash of a file; for a folder (OME-Zarr), hash of the names and hashes of its files.

    Raises
    ------
    OSError
        If a file cannot be read, or a folder not be listed.
    """
    if path.is_dir():
        digest = hashlib.sha256()
        for part in sorted(p for p in inside(path) if p.is_file()):
            digest.update(f"{part.relative_to(path).as_posix()} {sha256(part)}\n".encode())
        return digest.hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def inside(path: Path) -> Iterator[Path]:
    """Everything in a folder and its sub-folders; nothing for a file.

    Raises
    ------
    OSError
        If a folder cannot be listed.
    """

    def fail(error: OSError) -> None:
        raise error

    for root, folders, names in os.walk(path, onerror=fail) if path.is_dir() else ():
        yield from (Path(root) / name for name in (*folders, *names))
