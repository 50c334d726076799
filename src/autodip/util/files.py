"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autodip.errors import OutputError

Stamp = list[int] | None
"""Size and time of a file; None where there is none."""


_ADVICE = "choose another place with -o"


@contextmanager
def replacing(*targets: Path, advice: str = _ADVICE) -> Iterator[list[Path]]:
    """Write files under temporary names beside their targets, then rename them all.

    The last target is renamed last: where it is seen, the others are complete as well. When
    the block is left by an exception, also KeyboardInterrupt, nothing remains. ``advice`` ends
    the message of an error. A part may be made a folder in place of the empty file that it is.

    Yields
    ------
    list of Path
        One temporary path for each target.

    Raises
    ------
    OutputError
        If a folder is not writable, or the disk is full.
    """
    temporary: list[Path] = []
    try:
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
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"{targets[-1]}: cannot be written ({error.strerror or error}); {advice}"
        ) from error
    finally:
        for part in temporary:
            remove(part)


def _move(part: Path, target: Path) -> None:
    """Rename; where a folder is replaced or takes a file's place, the old one steps aside."""
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
    """Temporary files and folders that a killed process left beside a target of its own."""
    own = re.compile(rf"\.[a-z0-9_]{{8}}\.{re.escape(target.name)}\.(part|old)")
    if not target.parent.is_dir():
        return []
    return [path for path in target.parent.iterdir() if own.fullmatch(path.name)]


def remove(path: Path) -> None:
    """Delete a file, or a folder with all that it holds; nothing where nothing is."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def check_writable(folder: Path) -> None:
    """Create a folder and raise an OutputError unless files can be made in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be written to ({error.strerror or error}); {_ADVICE}"
        ) from error


def stamp(path: Path) -> Stamp:
    """Size and time of a file, or of a folder with the files in it."""
    try:
        inner = path.rglob("*") if path.is_dir() else ()
        each = [part.stat() for part in (path, *inner)]
    except OSError:
        return None
    return [sum(part.st_size for part in each), max(part.st_mtime_ns for part in each)]
