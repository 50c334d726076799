"""Data sets of noisy and true images, in the folder layouts that their authors publish."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from types import ModuleType

from autodip.datasets import biosr, fmd, hagen, own_pairs, shah, w2s
from autodip.datasets.layout import Listing, folders
from autodip.datasets.pair import Pair
from autodip.datasets.pair_lists import PairList, is_list
from autodip.errors import AutodipError, FormatError, ParameterError
from autodip.util.closest import not_known

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


def pairs(name: str, root: Path | PairList) -> list[Pair]:
    """List all pairs of noisy and true images of a data set; no pixels are read.

    Parameters
    ----------
    name : str
        One of :data:`NAMES`.
    root : Path or PairList
        Folder with the data set or a part of it. For ``shared`` it may also be a manifest, in
        JSON or CSV, or a list that has been read.

    Raises
    ------
    ParameterError
        If the data set is not known.
    FormatError
        If the folder cannot be listed, or contains no pair or an invalid manifest.
    """
    return _listing(name, root).pairs


def missing(name: str, root: Path | PairList) -> list[str]:
    """Describe what a folder lacks of a data set, a sentence per gap; raises like :func:`pairs`."""
    return _listing(name, root).missing


def _listing(name: str, root: Path | PairList) -> Listing:
    if name not in MODULES:
        raise ParameterError(not_known("data set", name, NAMES))
    module = MODULES[name]
    if isinstance(root, PairList) and module is not own_pairs:
        raise ParameterError(f"two folders of pairs are the data set 'shared', not {name!r}")
    try:
        if isinstance(root, Path) and not root.is_dir() and not _is_manifest(module, root):
            fetch = (
                "" if name == "shared" else f"; 'autodip data fetch {name} --out {root}' gets it"
            )
            raise FormatError(f"{root}: there is no such folder{fetch}")
        listing: Listing = module.scan(root)
    except OSError as error:
        raise FormatError(f"{root}: cannot be listed ({error})") from error
    if not listing.pairs:
        seen = "; ".join(listing.missing[:3])
        where = root.where if isinstance(root, PairList) else root
        raise FormatError(
            f"{where}: no pair of the data set {name}. Looked for {module.LAYOUT}."
            + (f" Seen: {seen}." if seen else "")
            + _suggestion(module, root)
        )
    return listing


def _is_manifest(module: ModuleType, root: Path) -> bool:
    return module is own_pairs and root.is_file() and is_list(root)


def _suggestion(module: ModuleType, root: Path | PairList) -> str:
    """Sentence that names a nearby folder with pairs; empty if there is none."""
    if isinstance(root, PairList) or not root.is_dir():
        return ""
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
