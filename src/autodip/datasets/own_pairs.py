"""Pairs of a laboratory's own, from any list that :mod:`autodip.datasets.pair_lists` reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import tifffile

from autodip import io
from autodip.choose import vocabulary
from autodip.datasets.layout import Listing, group, planes
from autodip.datasets.pair import Pair
from autodip.datasets.pair_lists import FILE, PairList, is_list, read
from autodip.errors import FormatError

LAYOUT = f"{FILE} and the files it lists"
"""Expected content of the folder."""

ROLES = ("calibration", "test", "")


def scan(place: Path | PairList) -> Listing:
    """List the pairs whose files exist, and those whose files are missing.

    Raises
    ------
    FormatError
        If there is a list, but it cannot be read or has an invalid entry.
    """
    if isinstance(place, Path) and not is_list(place):
        return Listing([], [f"no {FILE}"])
    listed = read(place)
    entries = _valid(listed)
    pairs: list[Pair] = []
    missing = [f"{file} is left out, no true image has its name" for file in listed.unmatched]
    for entry, name in zip(entries, names_of(entries, listed.where), strict=True):
        root = listed.root
        absent = [entry[key] for key in ("file", "truth") if not _is_there(root / entry[key])]
        if absent:
            missing.append(f"{entry['set']}: {name} is left out, no {' and no '.join(absent)}")
        else:
            pairs.append(pair_of(root, entry, name))
    return Listing(pairs, missing)


def _is_there(path: Path) -> bool:
    return path.is_file() or io.is_image_folder(path)


def _valid(listed: PairList) -> list[dict[str, Any]]:
    """Entries of a list, after validation."""
    for number, entry in enumerate(listed.entries, 1):
        problem = problem_of(entry)
        if problem:
            raise FormatError(f"{listed.where}: entry {number} {problem}")
    return list(listed.entries)


def problem_of(entry: Any) -> str | None:  # noqa: PLR0911  (one line for each kind of problem)
    """Describe what is wrong with an entry; None if it is valid."""
    if not isinstance(entry, dict):
        return f"is a {type(entry).__name__}, not an object"
    lacking = [key for key in ("file", "truth") if key not in entry]
    if lacking:
        return f"lacks {', '.join(lacking)}; an entry needs file and truth"
    for key in ("set", "file", "truth", "noise_level"):
        if not isinstance(entry[key], str) or not entry[key]:
            return f"has {key} {entry[key]!r}; give a text"
    if not _plain(entry["set"]):
        return f"has set {entry['set']!r}; give a plain name, without slashes and colons"
    for key in ("microscope", "specimen"):
        if entry[key] is not None and not isinstance(entry[key], str):
            return f"has {key} {entry[key]!r}; give a text, or null where it is not documented"
    for key in ("file", "truth"):
        parts = PurePosixPath(entry[key])
        if parts.is_absolute() or ".." in parts.parts or "\\" in entry[key]:
            return f"has {key} {entry[key]!r}; give a path below the folder, with forward slashes"
    if entry["role"] not in ROLES:
        return f"has role {entry['role']!r}; allowed are {', '.join(map(repr, ROLES))}"
    return _wrong_option(entry)


def _wrong_option(entry: Mapping[str, Any]) -> str | None:
    """Describe what is wrong with an optional key; None if all are valid."""
    affine = entry.get("truth_affine")
    if affine is not None and not (isinstance(affine, list) and [*map(_number, affine)] == [1, 1]):
        return f"has truth_affine {affine!r}; give two numbers [a, b]"
    data_range = entry.get("data_range")
    if data_range is not None and not (_number(data_range) and data_range > 0):
        return f"has data_range {data_range!r}; give a number above 0"
    simulated = entry.get("simulated")
    if simulated is not None and not isinstance(simulated, dict):
        return f"has simulated {simulated!r}; give an object, or leave it out if it was captured"
    return None


def _plain(name: str) -> bool:
    """Whether a name is valid for a folder on any system: not just dots, no control characters."""
    return bool(name.strip(". ")) and name.isprintable() and set(name).isdisjoint("/\\:")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def names_of(entries: list[dict[str, Any]], path: Path | str) -> list[str]:
    """Unique names of the pairs: noisy files, without the set's folder and suffix if possible."""
    files = [(entry["set"], entry["file"]) for entry in entries]
    repeated = [file for (_, file), times in Counter(files).items() if times > 1]
    if repeated:
        raise FormatError(f"{path}: {repeated[0]} is listed more than once; keep one entry")
    short = [file.removeprefix(f"{name}/") for name, file in files]
    bare = [str(PurePosixPath(file).with_suffix("")) for file in short]
    for names in (bare, short):
        if len({(name, own) for (name, _), own in zip(files, names, strict=True)}) == len(files):
            return names
    return [file for _, file in files]


def pair_of(root: Path, entry: Mapping[str, Any], name: str) -> Pair:
    """Build the pair of a valid entry, whose files are in the folder ``root``."""
    microscope = vocabulary.documented("microscope", entry.get("microscope"))
    specimen = vocabulary.documented("specimen", entry.get("specimen"))
    channel = entry.get("channel")
    noisy, truth = root / entry["file"], root / entry["truth"]
    data_range = entry.get("data_range")
    return Pair(
        dataset=entry["set"],
        name=name,
        read=partial(planes, noisy, truth),
        microscope=microscope,
        specimen=specimen,
        noise_level=entry["noise_level"],
        fov=str(entry["fov"]),
        capture=str(entry["capture"]),
        group=group(microscope, specimen, "" if channel is None else f"ch{channel}"),
        role=entry["role"],
        data_range=_range(truth) if data_range is None else float(data_range),
        stretched=entry.get("truth_affine") is not None,
        simulated=entry.get("simulated"),
        file=noisy,
    )


def _range(path: Path) -> float | None:
    """255 for an 8-bit file, according to its header; None for others and unreadable files."""
    suffix = path.suffix.lower()
    try:
        if suffix == ".png":
            with path.open("rb") as file:
                eight = file.read(26)[24:25] == b"\x08"  # bit depth, in the first chunk
        elif suffix in (".tif", ".tiff"):
            with tifffile.TiffFile(path) as tif:
                eight = tif.series[0].dtype == np.uint8
        else:
            eight = np.load(path, mmap_mode="r", allow_pickle=False).dtype == np.uint8
    except (OSError, ValueError, LookupError, tifffile.TiffFileError):
        return None  # reading the pair will report what is wrong with the file
    return 255.0 if eight else None
