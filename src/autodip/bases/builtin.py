"""The calibration base that comes with the package."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path

from autodip.bases import files, store
from autodip.bases.files import IMAGES
from autodip.bases.records import Entry
from autodip.bases.store import Base

NAME = "builtin"
"""What a user says in the place of a folder."""


def folder() -> Path:
    """Where it lies."""
    return Path(str(resources.files("autodip") / "data" / "base"))


@cache
def load(path: Path) -> Base:
    """Base of a folder, or the built-in one by the path :data:`NAME`; read once.

    Raises
    ------
    FormatError
        If the folder is no base, or damaged.
    """
    return store.load(folder() if str(path) == NAME else path)


@cache
def entries() -> tuple[Entry, ...]:
    """Calibration images of the built-in base, without their curves."""
    return tuple(
        files.parse(where, text, IMAGES, Entry.from_dict)
        for where, text in files.lines(folder(), IMAGES)
    )
