"""A calibration base on disk: records are written atomically and checked when they are read.

A base is a folder with ``base.json``, one file for each image in ``images/`` and one for each run
in ``runs/``, so that an interruption loses nothing that is finished, and several processes can
fill the base. A packed base has one file for all images and one for all runs, with one record per
line. A base can be both: packed, with later records in files of their own. A record is JSON with a
version and the SHA-256 of its content.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from autodip.bases import own_prior
from autodip.bases.jsonl import (
    ADVICE,
    IMAGES,
    RUNS,
    SCHEMA,
    Record,
    entry_line,
    lines,
    parse,
    read_json,
    read_text,
    run_line,
)
from autodip.bases.own_prior import OwnPrior
from autodip.bases.records import Config, Entry, Run
from autodip.errors import FormatError, OutputError
from autodip.util.files import replacing, writing

HEAD = "base.json"
PIXELS = "pixels"


@dataclass(frozen=True, kw_only=True)
class Base:
    """A calibration base in memory.

    Parameters
    ----------
    path : Path
        Folder of the base.
    name, description, created : str
        Information for human readers; ``created`` is a date and time (UTC).
    entries : mapping of str to Entry
        Calibration images by identifier, sorted by name.
    runs : tuple of Run
        Sorted by image and configuration.
    prior : OwnPrior or None
        On what the prior of the base was tuned; None if it has no prior of its own.

    Examples
    --------
    >>> from autodip.bases import builtin
    >>> base = builtin.load("builtin")
    >>> len(base.entries), len(base.runs)
    (23, 115)
    """

    path: Path
    name: str
    description: str
    created: str
    entries: Mapping[str, Entry]
    runs: tuple[Run, ...] = field(repr=False)
    prior: OwnPrior | None = None

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Base:
        """Read a base from its folder, packed or not.

        Raises
        ------
        FormatError
            If the folder is not a base, or one of its files is damaged, edited or from another
            version.
        """
        return load(Path(path))

    @classmethod
    def create(cls, path: str | os.PathLike[str], name: str = "", description: str = "") -> Base:
        """Create a base in a new or empty folder; load it if the folder already is a base.

        Raises
        ------
        OutputError
            If the folder contains something else, or cannot be written.
        FormatError
            If the folder already is a base that cannot be read.
        """
        return create(Path(path), name, description)

    def pixels(self, image: str) -> tuple[np.ndarray, np.ndarray] | None:
        """Noisy and true pixels, float32 (Y, X) in the units of the file; None if not stored.

        Raises
        ------
        FormatError
            If the file is damaged.
        """
        path = pixels_path(self.path, image)
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as file:
                return file["noisy"], file["truth"]
        except (OSError, EOFError, ValueError, KeyError, BadZipFile, zlib.error) as error:
            raise FormatError(f"{path}: cannot be read ({error}); {ADVICE}") from error


def pixels_hash(*images: np.ndarray) -> str:
    """First 16 hexadecimal digits of the SHA-256 of images, with their shapes and types.

    The hash of the noisy and the true image of a pair is the identifier of the pair.
    """
    digest = hashlib.sha256()
    for image in images:
        digest.update(f"{image.shape} {image.dtype.str}".encode())
        digest.update(np.ascontiguousarray(image).tobytes())
    return digest.hexdigest()[:16]


def run_path(base: Path, image: str, config: Config) -> Path:
    """File with the run of a configuration on the image with this identifier."""
    return base / RUNS / f"{image}-{config.key}.json"


def pixels_path(base: Path, image: str) -> Path:
    """File with the pixels of the image with this identifier."""
    return base / PIXELS / f"{image}.npz"


def create(path: Path, name: str = "", description: str = "") -> Base:
    """Create a base in a new or empty folder; load it if the folder already is a base.

    Raises
    ------
    OutputError
        If the folder contains something else, or cannot be written.
    FormatError
        If the folder already is a base that cannot be read.
    """
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)
        others = [p.name for p in path.iterdir() if p.name[0] != "."]
        if (path / HEAD).exists():  # perhaps by another process, just now
            return load(path)
        if others:
            raise OutputError(
                f"{path}: the folder is no calibration base and not empty (it holds "
                f"{', '.join(sorted(others)[:3])}); choose a new folder"
            )
        with replacing(path / HEAD, advice="choose another folder") as (part,):
            part.write_text(head_text(path, name, description), encoding="utf-8")
    return load(path)


def head_text(path: Path, name: str = "", description: str = "") -> str:
    """Content of ``base.json`` of a new base; the default name is that of the folder."""
    created = datetime.now(UTC).isoformat(timespec="seconds")
    head = {"schema": SCHEMA, "name": name or path.resolve().name, "description": description}
    return json.dumps({**head, "created": created}, indent=2, ensure_ascii=False) + "\n"


def load(path: Path) -> Base:
    """Read a base, packed or not.

    Raises
    ------
    FormatError
        If the folder is not a base, or one of its files is damaged, edited or from another
        version.
    """
    head = read_head(path)
    # Runs are read first: a process that fills the base writes an image before its runs.
    runs = _unique(path, RUNS, Run.from_dict, lambda run: (run.image, run.config))
    entries = _unique(path, IMAGES, Entry.from_dict, lambda entry: entry.id)
    for run in runs.values():
        if run.image not in entries:
            raise FormatError(
                f"{path}: a run is recorded for the image {run.image}, which is missing; "
                "restore its file from the source of the base"
            )
    return Base(
        path=path,
        name=str(head["name"]),
        description=str(head.get("description", "")),
        created=str(head.get("created", "")),
        entries={e.id: e for e in sorted(entries.values(), key=lambda e: (e.name, e.id))},
        runs=tuple(sorted(runs.values(), key=lambda run: (run.image, run.config.key))),
        prior=own_prior.read(path),
    )


def read_head(path: Path) -> Mapping[str, Any]:
    """Content of ``base.json``.

    Raises
    ------
    FormatError
        If it is missing, not readable, or from another version.
    """
    file = path / HEAD
    if not file.is_file():
        raise FormatError(
            f"{path}: no calibration base, as it has no {HEAD}; 'autodip calibrate' creates one"
        )
    head = read_json(file, read_text(file))
    if "name" not in head:
        raise FormatError(f"{file}: it has no name; {ADVICE}")
    return head


def add_entry(
    path: Path, entry: Entry, pixels: tuple[np.ndarray, np.ndarray] | None = None
) -> None:
    """Write the record of an image, and its noisy and true pixels (Y, X) if given.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    if pixels is not None:
        target = _made(pixels_path(path, entry.id))
        noisy, truth = (image.astype(np.float32) for image in pixels)
        with replacing(target, advice="free some space") as (part,), part.open("wb") as file:
            np.savez_compressed(file, noisy=noisy, truth=truth)
    _write(path / IMAGES / f"{entry.id}.json", entry_line(entry))


def add_run(path: Path, run: Run) -> None:
    """Write the record of a run.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    _write(run_path(path, run.image, run.config), run_line(run))


def load_run(path: Path, image: str, config: Config) -> Run | None:
    """Read the run of a configuration from its own file; return None if there is no such file.

    Raises
    ------
    FormatError
        If the file is damaged, edited or from another version.
    """
    file = run_path(path, image, config)
    return parse(str(file), read_text(file), RUNS, Run.from_dict) if file.exists() else None


def _made(path: Path) -> Path:
    """Create the folder of a path, and return the path."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _write(path: Path, text: str) -> None:
    with replacing(_made(path), advice="free some space, or choose another --base") as (part,):
        part.write_text(text, encoding="utf-8")


def _unique(
    path: Path,
    kind: str,
    make: Callable[[Mapping[str, Any]], Record],
    key: Callable[[Record], Any],
) -> dict[Any, Record]:
    """Records of a kind by key; a record may occur in several files if it is the same in all."""
    found: dict[Any, Record] = {}
    for where, text in lines(path, kind):
        record = parse(where, text, kind, make)
        if found.setdefault(key(record), record) != record:
            raise FormatError(
                f"{where}: already recorded in {path}, with other values; keep one of the two"
            )
    return found
