"""Files and folders: writing them completely or not at all, and housekeeping."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from autodip.errors import OutputError

Stamp = list[int] | None
"""Size in bytes and modification time in ns of a file; None if it is not accessible."""


_ADVICE = "choose another place with -o"


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
        raise OutputError(f"{path}: {what} ({error.strerror or error}){end}") from error


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
        handle, name = tempfile.mkstemp(f".{target.name}.part", ".", target.parent)
        os.close(handle)
        temporary.append(Path(name))
    yield temporary
    umask = os.umask(0)
    os.umask(umask)
    for part, target in zip(temporary, targets, strict=True):
        part.chmod((0o777 if part.is_dir() else 0o666) & ~umask)
        _move(part, target)


def _move(part: Path, target: Path) -> None:
    """Rename; if a folder is involved, an existing target is first moved out of the way."""
    if not target.exists() or not (part.is_dir() or target.is_dir()):
        part.replace(target)
        return
    aside = Path(tempfile.mkdtemp(f".{target.name}.old", ".", target.parent))
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
    own = re.compile(rf"\.[a-z0-9_]{{8}}\.{re.escape(target.name)}\.(part|old)")
    if not target.parent.is_dir():
        return []
    return [path for path in target.parent.iterdir() if own.fullmatch(path.name)]


def remove(path: Path) -> None:
    """Delete a file, or a folder with its content; do nothing if it does not exist."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def check_writable(folder: Path) -> None:
    """Create a folder if necessary; raise an OutputError if files cannot be created in it."""
    with writing(folder, _ADVICE, "cannot be written to"):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass


def stamp(path: Path) -> Stamp:
    """Size and modification time of a file; for a folder, the sum and the latest of its files."""
    try:
        inner = path.rglob("*") if path.is_dir() else ()
        each = [part.stat() for part in (path, *inner)]
    except OSError:
        return None
    return [sum(part.st_size for part in each), max(part.st_mtime_ns for part in each)]


def sha256(path: Path) -> str:
    """Hash of a file; for a folder (OME-Zarr), hash of the names and hashes of its files."""
    if path.is_dir():
        digest = hashlib.sha256()
        for part in sorted(p for p in path.rglob("*") if p.is_file()):
            digest.update(f"{part.relative_to(path).as_posix()} {sha256(part)}\n".encode())
        return digest.hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
