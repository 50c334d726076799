"""Zarr stores as folders: metadata files, and which files may be read."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from autodip.errors import FormatError
from autodip.io.faults import reason
from autodip.util.paths import is_file

MARKS = ("zarr.json", ".zgroup", ".zattrs", ".zarray")
"""Names of the metadata files of Zarr 3 and 2."""

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


def is_store(path: Path) -> bool:
    """Whether a folder is a Zarr store."""
    return any(is_file(path / mark) for mark in MARKS)


def node(folder: Path) -> Literal["array", "group", ""]:
    """What a folder of a store is; "" if it is neither a group nor an array."""
    if (folder / "zarr.json").is_file():
        return "array" if _content(folder / "zarr.json").get("node_type") == "array" else "group"
    if (folder / ".zarray").is_file():
        return "array"
    return "group" if is_store(folder) else ""


def zarr_format(folder: Path) -> int:
    """Version of Zarr, 2 or 3, of a group or an array."""
    return 3 if (folder / "zarr.json").is_file() else 2


def attributes(folder: Path) -> dict[str, Any]:
    """Attributes of a group or an array; empty if it has none.

    Raises
    ------
    FormatError
        If the metadata file is damaged.
    """
    if (folder / "zarr.json").is_file():
        found = _content(folder / "zarr.json").get("attributes")
        return dict(found) if isinstance(found, Mapping) else {}
    return _content(folder / ".zattrs") if (folder / ".zattrs").is_file() else {}


def is_pickled(folder: Path) -> bool:
    """Whether an array is stored by a codec that runs code of its chunks when they are read."""

    def names(content: Any) -> Iterator[str]:
        if isinstance(content, list):
            for one in content:
                yield from names(one)
        elif isinstance(content, Mapping):
            yield from (str(content[key]) for key in ("id", "name") if key in content)
            yield from names(list(content.values()))

    file = folder / ("zarr.json" if zarr_format(folder) == 3 else ".zarray")
    stated = {key: part for key, part in _content(file).items() if key != "attributes"}
    return any(name.rpartition(".")[2] == "pickle" for name in names(stated))


def _content(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{file}: damaged metadata ({reason(error)})") from error
    if not isinstance(content, dict):
        raise FormatError(f"{file}: damaged metadata (not an object of JSON)")
    return content


@dataclass(frozen=True)
class Bounds:
    """Where the files of a store may lie.

    Parameters
    ----------
    root : Path
        Folder of the store.
    follow : bool
        Whether links and paths may lead out of it.
    """

    root: Path
    follow: bool = False

    def below(self, folder: Path, path: Any) -> Path:
        """Folder to which the metadata of a group refer by its path.

        Raises
        ------
        FormatError
            If the path is not text, is a URL, or leads out of the store.
        """
        text = str(path)
        if not isinstance(path, str | int) or "\0" in text or _URL.match(text):
            raise FormatError(
                f"its metadata refer to {path!r}, which is not a path within the store; only "
                "files of the store are read"
            )
        place = folder / text
        self._check(place, f"its metadata refer to {text!r}")
        return place

    def check(self, folder: Path) -> None:
        """Check the links in a folder, in the folders in it, and in those to which they lead.

        Raises
        ------
        FormatError
            If one leads out of the store.
        """
        if self.follow:
            return
        self._check(folder, f"{folder.name!r} is a link")
        left, seen = [folder], set()
        while left:
            for place, folders, files in os.walk(left.pop()):
                for path in (Path(place) / name for name in (*folders, *files)):
                    if not path.is_symlink():
                        continue
                    self._check(path, f"{path.name!r} in {place} is a link")
                    real = os.path.realpath(path)
                    if os.path.isdir(real) and real not in seen:  # noqa: PTH112
                        seen.add(real)
                        left.append(Path(real))

    def _check(self, path: Path, what: str) -> None:
        real = Path(os.path.realpath(path))
        if not self.follow and not real.is_relative_to(os.path.realpath(self.root)):
            raise FormatError(
                f"{what}, which leads out of the store, to {real}; with --follow "
                "(or follow=True) it is read"
            )
