"""Whether a folder may be replaced by a Zarr store."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

from autodip.errors import FormatError
from autodip.io.zarr_store import MARKS
from autodip.util.paths import is_file, is_folder

BESIDE = ("labels", "tables")
"""Folders next to the pixels that are copied with the image."""

_METADATA = (*MARKS, ".zmetadata")
_OF_SYSTEMS = (".DS_Store", "Thumbs.db", "desktop.ini")
"""Files that systems create in any folder."""

_CHUNK = re.compile(r"c?(\d+(\.\d+)*)?|c(\.\d+)+")


def check_replaceable(path: Path, source: Path | None = None) -> None:
    """Raise a FormatError if a folder holds anything that is not part of one OME-Zarr image.

    Parameters
    ----------
    path : Path
        Folder that would be replaced, if it is one.
    source : Path, optional
        Store that replaces it, whose labels and tables are copied.

    Raises
    ------
    FormatError
        If the folder holds something else, or cannot be listed.
    """
    if not is_folder(path):
        return
    try:
        other = next(_foreign(path, source), None)
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror}); not replaced") from error
    if other is not None:
        raise FormatError(
            f"{path} is a folder with content other than an OME-Zarr image ({other}); it is not "
            "replaced: move it away, or choose another place"
        )


def _foreign(path: Path, source: Path | None) -> Iterator[PurePath]:
    """Files in a folder that are not part of an OME-Zarr image."""
    datasets = [PurePath(place).parts for place in _datasets(path)]
    for root, _, names in os.walk(path, onerror=_fail):
        for name in names:
            inside = PurePath((Path(root) / name).relative_to(path))
            if name in _OF_SYSTEMS:
                continue
            if inside.parts[0] in BESIDE:
                known = source is not None and is_file(source / inside)
            elif name in _METADATA:
                group = inside.parts[:-1]
                known = any(dataset[: len(group)] == group for dataset in datasets)
            else:
                known = any(_is_chunk(inside.parts, dataset) for dataset in datasets)
            if not known:
                yield inside


def _fail(error: OSError) -> None:
    raise error


def _is_chunk(parts: tuple[str, ...], dataset: tuple[str, ...]) -> bool:
    inside = parts[len(dataset) :]
    return parts[: len(dataset)] == dataset and all(map(_CHUNK.fullmatch, inside))


def _datasets(path: Path) -> list[str]:
    """Paths of the pyramid levels of the image, or of the array; empty if there is neither."""
    if _json(path / "zarr.json").get("node_type") == "array" or is_file(path / ".zarray"):
        return [""]
    for mark in ("zarr.json", ".zattrs"):
        content = _json(path / mark)
        attributes = content.get("attributes", {}) if mark == "zarr.json" else content
        try:
            images = attributes.get("ome", attributes)["multiscales"]
            return [str(one["path"]) for image in images for one in image["datasets"]]
        except (AttributeError, LookupError, TypeError):
            continue
    return []


def _json(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
