"""What tells a file from one of the same name that was written later."""

from __future__ import annotations

from pathlib import Path

Stamp = list[int] | None
"""Size and time of a file; None where there is none."""


def stamp(path: Path) -> Stamp:
    """Size and time of a file, or of a folder with the files in it."""
    try:
        inner = path.rglob("*") if path.is_dir() else ()
        each = [part.stat() for part in (path, *inner)]
    except OSError:
        return None
    return [sum(part.st_size for part in each), max(part.st_mtime_ns for part in each)]
