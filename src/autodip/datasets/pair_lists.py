"""Lists of a laboratory's own pairs: a manifest in JSON or CSV, or two folders matched by name.

Every entry names a noisy image with ``file`` and, unless it has none, its true image with
``truth``. All other keys are optional:

- ``set``: name of the data set, ``own`` by default;
- ``role``: ``calibration``, ``test`` or empty;
- ``microscope`` and ``specimen``: null or empty where they are not documented;
- ``noise_level``: any name, ``noisy`` by default;
- ``fov``: field of view, by default the true image, or the file itself;
- ``capture``: number of the capture of that field;
- ``channel``, ``data_range``, ``truth_affine`` (the noisy and the true image were scaled
  separately) and ``simulated`` (how the noisy image was simulated; JSON only).

Other keys are ignored. Paths are relative to the folder of the manifest.
"""

from __future__ import annotations

import csv
import io as text_io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Self

from autodip import io
from autodip.errors import FormatError
from autodip.util.closest import closest
from autodip.util.paths import check_source

FILE = "manifest.json"
"""Name of the manifest in a folder of pairs."""

SUFFIXES = (".json", ".csv")
"""Endings of manifests, in lower case."""

KEYS = (
    *("file", "truth", "set", "role", "microscope", "specimen", "noise_level", "fov", "capture"),
    *("channel", "data_range", "truth_affine", "simulated"),
)
"""Keys of an entry; ``file`` is required, and ``truth`` for a pair."""

_DEFAULTS: Mapping[str, Any] = {
    "set": "own",
    "role": "",
    "microscope": None,
    "specimen": None,
    "noise_level": "noisy",
    "capture": "",
}

_ALIKE = 0.8
"""Smallest similarity to a known column at which an unknown one counts as a misspelling."""


@dataclass(frozen=True)
class PairList:
    """Entries of a list of pairs.

    Parameters
    ----------
    root : Path
        Folder to which the files of the entries are relative.
    where : str
        File or folders that list them, for messages.
    entries : tuple of mapping
        Entries in which optional keys have their defaults; they have not been validated.
    unmatched : tuple of str
        Noisy files without a true image, of two folders.
    """

    root: Path
    where: str
    entries: tuple[Any, ...]
    unmatched: tuple[str, ...] = ()

    def absolute(self) -> Self:
        """Copy that is valid in another working folder."""
        return replace(self, root=self.root.absolute())

    def stating(self, microscope: str | None, specimen: str | None) -> Self:
        """Copy in which entries that state no microscope, or no specimen, have these."""
        names = {"microscope": microscope, "specimen": specimen}
        known = {key: name for key, name in names.items() if name is not None}
        return replace(self, entries=tuple(_stated(entry, known) for entry in self.entries))


def is_list(place: Path) -> bool:
    """Whether a path is a manifest, or a folder with a ``manifest.json``."""
    return place.suffix.lower() in SUFFIXES or (place / FILE).is_file()


def read(place: Path | PairList) -> PairList:
    """Read a manifest: a JSON or CSV file, or the ``manifest.json`` of a folder.

    Raises
    ------
    FormatError
        If it cannot be read, or is not a list.
    """
    if isinstance(place, PairList):
        return place
    path = place if place.suffix.lower() in SUFFIXES else place / FILE
    if path != place and not place.is_dir():
        what = "neither a folder nor a .json or .csv file" if place.exists() else "no such folder"
        raise FormatError(f"{place}: {what}; give a list of pairs, or a folder with a {FILE}")
    check_source(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = _of_csv(text) if path.suffix.lower() == ".csv" else json.loads(text)
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        form = "CSV" if path.suffix.lower() == ".csv" else "JSON"
        raise FormatError(f"{path}: not readable as {form} ({error})") from error
    if not isinstance(content, list):
        raise FormatError(f"{path}: it holds a {type(content).__name__}, not a list of pairs")
    return PairList(path.parent, str(path), tuple(map(_completed, content)))


def matched(noisy: Path, truth: Path) -> PairList:
    """List the images of two folders and their sub-folders that have the same name.

    The endings of the names may differ.

    Raises
    ------
    FormatError
        If one of them is not a folder, several true images have one name, or no name is in both.
    """
    ours, theirs = _images(noisy), _images(truth)
    for name, files in theirs.items():
        if len(files) > 1 and name in ours:
            raise FormatError(
                f"{files[0]} and {files[1]} are both the true image of {name}; keep one of them"
            )
    both = [name for name in ours if name in theirs]
    if not both:
        seen = ", ".join([*list(ours)[:2], *list(theirs)[:2]]) or "no image"
        raise FormatError(
            f"no image in {noisy} has the name of one in {truth}; the names, without their "
            f"endings, must be equal. Seen: {seen}"
        )
    root = Path(os.path.commonpath([noisy.absolute(), truth.absolute()]))
    entries = [
        _completed({"file": _below(file, root), "truth": _below(theirs[name][0], root)})
        for name in both
        for file in ours[name]
    ]
    alone = tuple(str(file) for name in ours if name not in theirs for file in ours[name])
    return PairList(root, f"{noisy} and {truth}", tuple(entries), alone)


def _images(folder: Path) -> dict[str, list[Path]]:
    """Image files of a folder and its sub-folders, by their path without the ending."""
    if not folder.is_dir():
        kind = "a file, not a folder" if folder.exists() else "there is no such folder"
        raise FormatError(f"{folder}: {kind}")
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in inside.parts)
        if path.suffix.lower() in io.SUFFIXES and not hidden and not path.is_dir():
            found.setdefault(_name(inside), []).append(path)
    return found


def _name(path: Path) -> str:
    name = path.with_suffix("")
    return str(name.with_suffix("") if name.suffix.lower() == ".ome" else name)


def _below(path: Path, root: Path) -> str:
    return str(PurePosixPath(path.absolute().relative_to(root)))


def _of_csv(text: str) -> list[dict[str, Any]]:
    """Rows of a table; empty cells are left out."""
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(text_io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: Sequence[str] = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = list(columns)
    if "file" not in columns:
        raise ValueError(f"it has no column 'file'; columns are {', '.join(columns) or 'none'}")
    for column in columns:
        close = None if column in KEYS else closest(column, KEYS, _ALIKE)
        if close:
            raise ValueError(f"column {column!r} is not known. Did you mean {close}?")
    return [
        {key: _cell(key, value) for key, value in row.items() if key and value and value.strip()}
        for row in reader
    ]


def _cell(key: str, text: str) -> Any:
    """Value of a cell: JSON where the key holds numbers, else its text."""
    return json.loads(text) if key in ("data_range", "truth_affine", "simulated") else text.strip()


def _completed(entry: Any) -> Any:
    """Entry with the defaults of the keys that it lacks."""
    if not isinstance(entry, dict):
        return entry
    field = entry.get("truth") or entry.get("file")
    return {**_DEFAULTS, "fov": field, **entry}


def _stated(entry: Any, known: Mapping[str, str]) -> Any:
    if not isinstance(entry, dict):
        return entry
    return {**entry, **{key: name for key, name in known.items() if not entry.get(key)}}
