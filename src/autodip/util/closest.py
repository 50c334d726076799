"""The known name that a misspelt one is closest to; upper and lower case make no difference."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

ALIKE = 0.6
"""Similarity, from 0 to 1, from which a name is suggested."""


def closest(name: str, known: Iterable[str], alike: float = ALIKE) -> str | None:
    """Known name that is most similar to ``name``; None if none is similar enough."""
    by_key = {word.casefold(): word for word in known}
    found = difflib.get_close_matches(name.casefold(), by_key, 1, alike)
    return by_key[found[0]] if found else None


def meant(name: str, known: Iterable[str]) -> str:
    """Sentence with the closest known name, after a blank; empty if none is similar."""
    found = closest(name, known)
    return "" if found is None else f" Did you mean {found}?"


def not_known(kind: str, name: str, known: Iterable[str]) -> str:
    """Message for a name that is not known, with the closest and all known ones."""
    known = tuple(known)
    close = meant(name, known)
    known_are = f".{close} Known are" if close else "; known are"
    return f"{kind} {name!r} is not known{known_are} {', '.join(known)}"
