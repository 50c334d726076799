"""Text form of the records of a base: one line of JSON each, with a version and a SHA-256."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from autodip.bases.records import Entry, Point, Run
from autodip.errors import AutodipError, FormatError

SCHEMA = 1
"""Version of the file format of a base."""

IMAGES, RUNS = "images", "runs"
"""The two kinds of records."""

ADVICE = "it is damaged; restore it, or delete it and run autodip calibrate again"
"""Ending of messages about a damaged file."""

_WORD = {IMAGES: "entry", RUNS: "run"}
_DECIBEL_PLACES, _DIGITS = 4, 5

Record = TypeVar("Record", Entry, Run)


def entry_line(entry: Entry) -> str:
    """Record of an image as one line of text; descriptors have 5 significant digits."""
    described = {name: significant(value) for name, value in entry.descriptors.items()}
    return _line("entry", dataclasses.replace(entry, descriptors=described).to_dict())


def run_line(run: Run) -> str:
    """Record of a run as one line; PSNR has 4 decimals, other numbers 5 significant digits."""
    points = tuple(map(_rounded, run.points))
    cost = {name: significant(value) for name, value in run.cost.items()}
    return _line("run", dataclasses.replace(run, points=points, cost=cost).to_dict())


def significant(value: float) -> float:
    """Round to 5 significant digits; integers are returned unchanged."""
    return value if isinstance(value, int) else float(f"{value:.{_DIGITS}g}")


def _rounded(point: Point) -> Point:
    others = ("ssim", "lpips", "l1", "mse", "seconds")
    figures = {name: getattr(point, name) for name in others}
    rounded: dict[str, Any] = {
        name: None if value is None else significant(value) for name, value in figures.items()
    }
    return dataclasses.replace(point, psnr=round(point.psnr, _DECIBEL_PLACES), **rounded)


def _line(word: str, content: Mapping[str, Any]) -> str:
    """Record as one line of text, with the SHA-256 of its content."""
    record = {"schema": SCHEMA, "sha256": _sha256(content), word: content}
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False, allow_nan=False) + "\n"


def _sha256(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def lines(path: Path, kind: str) -> Iterator[tuple[str, str]]:
    """Location and text of each record of a kind (:data:`IMAGES` or :data:`RUNS`).

    Raises
    ------
    FormatError
        If a file cannot be read.
    """
    for name in (f"{kind}.jsonl", f"{kind}.jsonl.gz"):
        if (path / name).exists():
            # Not splitlines, which also splits at characters that a name may contain.
            for number, text in enumerate(read_text(path / name).split("\n"), 1):
                if text:
                    yield f"{path / name}, line {number}", text
    for file in sorted((path / kind).glob("*.json")):
        yield str(file), read_text(file)


def parse(where: str, text: str, kind: str, make: Callable[[Mapping[str, Any]], Record]) -> Record:
    """Read one record and check it.

    Raises
    ------
    FormatError
        If it is damaged, edited or of a newer version.
    """
    record = read_json(where, text)
    content = record.get(_WORD[kind])
    if content is None or record.get("sha256") != _sha256(content):
        raise FormatError(f"{where}: its content does not match its SHA-256; {ADVICE}")
    try:
        return make(content)
    except (AutodipError, TypeError, KeyError, ValueError) as error:
        raise FormatError(f"{where}: {error}; another version of autodip wrote it") from error


def read_json(where: Path | str, text: str) -> Mapping[str, Any]:
    """Parse a JSON object; raise a FormatError if this version of autodip cannot read it."""
    try:
        record = json.loads(text)
    except ValueError as error:
        raise FormatError(f"{where}: not readable as JSON ({error}); {ADVICE}") from error
    schema = record.get("schema") if isinstance(record, dict) else None
    if not isinstance(schema, int):
        raise FormatError(f"{where}: it has no schema, so it is not a base file; {ADVICE}")
    if schema != SCHEMA:
        raise FormatError(
            f"{where}: written in schema {schema}, but this version reads {SCHEMA}; update autodip"
        )
    return dict(record)


def read_text(path: Path) -> str:
    """Read the text of a file, decompressed; raise a FormatError if it cannot be read."""
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8") as file:
                return file.read()
        return path.read_text(encoding="utf-8")
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise FormatError(f"{path}: cannot be read ({error}); {ADVICE}") from error
