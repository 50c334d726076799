"""The calibration base that comes with the package."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib import resources
from pathlib import Path

from autodip.bases import jsonl, store
from autodip.bases.jsonl import IMAGES
from autodip.bases.records import Entry
from autodip.bases.store import Base

NAME = "builtin"
"""Name that stands for the built-in base where a folder is expected."""

_ENDINGS = (".json", ".jsonl", ".jsonl.gz", ".safetensors")
"""Endings of the files of a base; other files in its folder are temporary."""


def folder() -> Path:
    """Folder of the built-in base."""
    return Path(str(resources.files("autodip") / "data" / "base"))


def load(path: Path | str) -> Base:
    """Load the base in a folder, or the built-in base if given :data:`NAME`.

    The string ``builtin`` refers to the base of the package, whereas ``Path("builtin")`` and
    ``./builtin`` refer to a folder. The built-in base is read once per process; a folder is read
    again whenever one of its files has been added, deleted or rewritten.

    Raises
    ------
    FormatError
        If the folder is not a base, or the base is damaged.
    """
    if path == NAME:
        return _read(folder(), None)
    place = Path(path).absolute()
    return _read(place, _state(place))


@lru_cache(maxsize=4)
def _read(place: Path, state: object) -> Base:
    return store.load(place)


def _state(place: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, size and modification time of every file of a base; empty if there are no files."""
    files = (path for ending in _ENDINGS for path in place.rglob(f"*{ending}"))
    facts = [(str(path), path.stat()) for path in sorted(files)]
    return tuple((name, fact.st_size, fact.st_mtime_ns) for name, fact in facts)


@cache
def entries() -> tuple[Entry, ...]:
    """Entries of the calibration images of the built-in base, without their curves."""
    return tuple(
        jsonl.parse(where, text, IMAGES, Entry.from_dict)
        for where, text in jsonl.lines(folder(), IMAGES)
    )
