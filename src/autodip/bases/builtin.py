"""The calibration base that comes with the package."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib import resources
from pathlib import Path

from autodip.bases import files, store
from autodip.bases.files import IMAGES
from autodip.bases.records import Entry
from autodip.bases.store import Base

NAME = "builtin"
"""What a user says in the place of a folder."""

_ENDINGS = (".json", ".jsonl", ".jsonl.gz")
"""Of the files of a base; others in its folder come and go while it is being filled."""


def folder() -> Path:
    """Where it lies."""
    return Path(str(resources.files("autodip") / "data" / "base"))


def load(path: Path | str) -> Base:
    """Read the base of a folder as it is now, or the built-in one, named :data:`NAME`.

    The built-in base is read once in the life of the process, a folder again whenever one of its
    files has been added, deleted or rewritten.

    Raises
    ------
    FormatError
        If the folder is no base, or damaged.
    """
    place = folder() if str(path) == NAME else Path(path).absolute()
    return _read(place, None if str(path) == NAME else _state(place))


@lru_cache(maxsize=4)
def _read(place: Path, state: object) -> Base:
    return store.load(place)


def _state(place: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, size and time of every file of a base; empty where there is none."""
    files = (path for ending in _ENDINGS for path in place.rglob(f"*{ending}"))
    facts = [(str(path), path.stat()) for path in sorted(files)]
    return tuple((name, fact.st_size, fact.st_mtime_ns) for name, fact in facts)


@cache
def entries() -> tuple[Entry, ...]:
    """Calibration images of the built-in base, without their curves."""
    return tuple(
        files.parse(where, text, IMAGES, Entry.from_dict)
        for where, text in files.lines(folder(), IMAGES)
    )
