"""Data sets of noisy and true images, in the folder layouts that their authors publish."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from types import ModuleType

from autodip.datasets import biosr, fmd, hagen, own_pairs, shah, w2s
from autodip.datasets.layout import Listing, folders
from autodip.datasets.pair import Pair
from autodip.errors import AutodipError, FormatError, ParameterError

MODULES: Mapping[str, ModuleType] = {
    "fmd": fmd,
    "hagen": hagen,
    "biosr": biosr,
    "w2s": w2s,
    "shah": shah,
    "shared": own_pairs,
}
"""Known data sets; ``shared`` is any folder with a ``manifest.json``."""

NAMES = tuple(MODULES)
"""Names of the known data sets."""


def pairs(name: str, root: Path) -> list[Pair]:
    """List all pairs of noisy and true images of a data set; no pixels are read.

    Parameters
    ----------
    name : str
        One of :data:`NAMES`.
    root : Path
        Folder with the data set or a part of it.

    Raises
    ------
    ParameterError
        If the data set is not known.
    FormatError
        If the folder cannot be listed, or contains no pair or an invalid manifest.
    """
    return _listing(name, root).pairs


def missing(name: str, root: Path) -> list[str]:
    """Describe what a folder lacks of a data set, a sentence per gap; raises like :func:`pairs`."""
    return _listing(name, root).missing


def _listing(name: str, root: Path) -> Listing:
    if name not in MODULES:
        close = difflib.get_close_matches(name.lower(), NAMES, n=1)
        meant = f" Did you mean {close[0]}?" if close else ""
        raise ParameterError(f"data set {name!r} is not known.{meant} Known: {', '.join(NAMES)}")
    module = MODULES[name]
    try:
        if not root.is_dir():
            fetch = (
                "" if name == "shared" else f"; 'autodip data fetch {name} --out {root}' gets it"
            )
            raise FormatError(f"{root}: there is no such folder{fetch}")
        listing: Listing = module.scan(root)
    except OSError as error:
        raise FormatError(f"{root}: cannot be listed ({error})") from error
    if not listing.pairs:
        seen = "; ".join(listing.missing[:3])
        raise FormatError(
            f"{root}: no pair of the data set {name}. Looked for {module.LAYOUT}."
            + (f" Seen: {seen}." if seen else "")
            + _suggestion(module, root)
        )
    return listing


def _suggestion(module: ModuleType, root: Path) -> str:
    """Sentence that names a nearby folder with pairs; empty if there is none."""
    for folder in islice(_near(root.resolve()), 200):
        try:
            found = module.scan(folder).pairs
        except (AutodipError, OSError):
            continue
        if found:
            return f" {folder} looks right."
    return ""


def _near(root: Path) -> Iterator[Path]:
    """Subfolders of a folder, their subfolders, and the two folders above it."""
    inside = _readable(root)
    yield from inside
    for folder in inside:
        yield from _readable(folder)
    yield from islice(root.parents, 2)


def _readable(folder: Path) -> list[Path]:
    """Subfolders of a folder; an empty list if it cannot be read."""
    try:
        return folders(folder)
    except OSError:
        return []


__all__ = ["NAMES", "Pair", "missing", "pairs"]
