"""Manifests: tables (CSV) and lists (JSON) of files to denoise, with options for each file.

A CSV file has a header with the column ``file`` and any of the other :data:`KEYS`; its cells are
separated by commas, semicolons or tabs. A JSON file contains a list of objects with the same keys.
Other keys are allowed there, so that the ``manifest.json`` of a data set of pairs can be used. Its
entries are recognised by their key ``truth``: their ``channel`` is ignored, because it numbers the
channels of the data set and not those of the file, and a specimen that the vocabulary refuses
counts as ``other``.

Paths are relative to the folder of the manifest. Empty cells and null are ignored.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from autodip.choose import vocabulary
from autodip.choose.presets import PRESETS
from autodip.errors import FormatError, ParameterError
from autodip.pipeline.options import SPECS
from autodip.runs import selection
from autodip.util.closest import closest, not_known
from autodip.util.paths import check_source

SUFFIXES = (".csv", ".json")
"""File name endings of manifests, in lower case."""

OPTIONS = tuple(name for name, spec in {**SPECS, **selection.SPECS}.items() if spec.in_manifest)
"""Keys that override the option of the same name."""

KEYS = ("file", "output", *OPTIONS)
"""All known keys."""

_SHOWN = 10
_ALIKE = 0.75
"""Smallest similarity to a known key at which an unknown one counts as a misspelling."""


@dataclass(frozen=True)
class Listed:
    """A file that a manifest lists.

    Parameters
    ----------
    path : Path
    where : str
        Manifest and line or entry, for messages.
    output : str or None
        Path of the output relative to the output folder; None if it is not specified.
    said : tuple of (str, str)
        Names and values of the options for this file, out of :data:`OPTIONS`.
    """

    path: Path
    where: str
    output: str | None = None
    said: tuple[tuple[str, str], ...] = ()


def read(path: Path) -> list[Listed]:
    """Read the files that a manifest lists.

    Raises
    ------
    ParameterError
        If the manifest cannot be read, lists no file or has invalid rows; see :func:`refuse`.
    """
    try:
        check_source(path)
        text = path.read_text(encoding="utf-8-sig")
        rows = list(_of_json(text) if path.suffix.lower() == ".json" else _of_csv(text))
    except OSError as error:
        raise ParameterError(f"{path}: cannot be read ({error.strerror})") from error
    except FormatError as error:
        reason = str(error).removeprefix(f"{path}: ")
        raise ParameterError(f"{path}: cannot be read ({reason})") from error
    except (ValueError, RecursionError, csv.Error) as error:
        raise ParameterError(f"{path}: not readable as a manifest ({error})") from error
    if not rows:
        raise ParameterError(f"{path}: it lists no file; give one row for each file")
    entries, wrong = [], []
    for line, row in rows:
        where = f"{path}, {line}"
        try:
            entries.append(_entry(row, path.parent, where))
        except ParameterError as error:
            wrong.append(f"{where}: {error}")
    refuse(wrong)
    return entries


def refuse(wrong: list[str]) -> None:
    """Raise a ParameterError if rows are invalid, with one line for each of the first ten."""
    more = [f"and {len(wrong) - _SHOWN} more rows"] if len(wrong) > _SHOWN else []
    if wrong:
        raise ParameterError("\n".join([*wrong[:_SHOWN], *more]))


def _of_csv(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = columns
    unknown = [name for name in columns if name not in KEYS]
    if unknown:
        raise ValueError(not_known("column", unknown[0], KEYS))
    if "file" not in columns:
        raise ValueError(f"it has no column 'file'; columns are {', '.join(columns) or 'none'}")
    if len(set(columns)) < len(columns):
        raise ValueError(f"a column occurs twice: {', '.join(columns)}")
    for row in reader:
        yield f"line {reader.line_num}", dict(row)


def _of_json(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    content = json.loads(text)
    if not isinstance(content, list):
        raise ValueError(f"it holds a {type(content).__name__}; give a list of objects")
    for number, row in enumerate(content, 1):
        if not isinstance(row, dict):
            raise ValueError(f"entry {number} is a {type(row).__name__}; give an object")
        yield f"entry {number}", row


def _entry(row: Mapping[Any, Any], folder: Path, where: str) -> Listed:
    """Entry of a row, after its values have been checked."""
    if None in row:
        raise ParameterError(f"it has more cells than there are columns: {', '.join(row[None])}")
    for key in row:
        if key not in KEYS and closest(key, KEYS, _ALIKE):
            raise ParameterError(not_known("key", key, KEYS))
    texts = {key: _text(key, row[key]) for key in KEYS if row.get(key) not in (None, "")}
    texts = {key: text for key, text in texts.items() if text}
    if "file" not in texts:
        raise ParameterError("it names no file; fill in 'file', or leave the row out")
    if "truth" in row:
        texts = _of_a_pair(texts)
    if texts.get("preset", PRESETS[0]) not in PRESETS:
        raise ParameterError(not_known("preset", texts["preset"], PRESETS))
    if "output" in texts:
        _check_below(texts["output"])
    said = tuple((key, texts[key]) for key in OPTIONS if key in texts)
    return Listed(folder / texts["file"], where, texts.get("output"), said)


def _text(key: str, value: Any) -> str:
    switch = isinstance(value, bool)
    whole = isinstance(value, int) and not switch
    numbered = whole and key in ("frames", "channel", "scene")
    if not isinstance(value, str) and not numbered and not (switch and key == "uncertainty"):
        raise ParameterError(f"{key} is {value!r}; it must be a string")
    if "\0" in str(value):
        raise ParameterError(f"{key} is {value!r}; it must not contain a NUL character")
    return str(value).strip()


def _of_a_pair(texts: Mapping[str, str]) -> dict[str, str]:
    """Values that apply to the noisy file of a pair."""
    kept = {key: text for key, text in texts.items() if key != "channel"}
    try:
        vocabulary.specimen(kept.get("specimen"))
    except ParameterError:
        kept["specimen"] = "other"
    return kept


def _check_below(output: str) -> None:
    path = PurePath(output)
    if path.is_absolute() or ".." in path.parts or PurePosixPath(output).is_absolute():
        raise ParameterError(f"output {output!r}; give a path below the output folder")
