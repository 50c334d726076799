"""Manifests: tables (CSV) and lists (JSON) of files to denoise, with what is known of each.

A CSV has a header with the column ``file`` and any of the others of :data:`KEYS`; its cells are
parted by commas, semicolons or tabs. A JSON holds a list of objects with the same keys and may
have others, so that the ``manifest.json`` of a data set of pairs can be given: in its entries,
told by their key ``truth``, ``channel`` numbers the channels of the set, not of the file, and is
left alone, and a specimen that is not in the vocabulary is one of no known kind.

Files are seen from the folder of the manifest. Empty cells and null say nothing.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from autodip.choose import vocabulary
from autodip.choose.presets import PRESETS
from autodip.errors import ParameterError

SUFFIXES = (".csv", ".json")
"""Endings of manifests, in lower case."""

OPTIONS = ("microscope", "specimen", "axes", "frames", "channel", "scene", "preset")
"""Keys that win over the option of the same name."""

KEYS = ("file", "output", *OPTIONS)
"""Keys that are known."""

_SHOWN = 10
_ALIKE = 0.75
"""Similarity from which an unknown key is taken for a slip."""


@dataclass(frozen=True)
class Listed:
    """A file that a manifest lists.

    Parameters
    ----------
    path : Path
    where : str
        Manifest and line, for messages.
    output : str or None
        Path of the output below the output folder.
    said : tuple of (str, str)
        Options that hold for this file, out of :data:`OPTIONS`.
    """

    path: Path
    where: str
    output: str | None = None
    said: tuple[tuple[str, str], ...] = ()


def read(path: Path) -> list[Listed]:
    """Files that a manifest lists.

    Raises
    ------
    ParameterError
        If it cannot be read, or rows of it are wrong; the message names them all.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = list(_of_json(text) if path.suffix.lower() == ".json" else _of_csv(text))
    except OSError as error:
        raise ParameterError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, csv.Error) as error:
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
    """Raise a ParameterError with what is wrong, one line a row, where something is."""
    more = [f"and {len(wrong) - _SHOWN} rows more"] if len(wrong) > _SHOWN else []
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
        raise ValueError(_unknown("column", unknown[0]))
    if "file" not in columns:
        raise ValueError(f"it has no column 'file'; columns are {', '.join(columns) or 'none'}")
    if len(set(columns)) < len(columns):
        raise ValueError(f"a column is there twice: {', '.join(columns)}")
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
    """Entry of a row, its texts checked."""
    if None in row:
        raise ParameterError(f"it has more cells than there are columns: {', '.join(row[None])}")
    for key in row:
        if key not in KEYS and difflib.get_close_matches(key.lower(), KEYS, 1, _ALIKE):
            raise ParameterError(_unknown("key", key))
    texts = {key: _text(key, row[key]) for key in KEYS if row.get(key) not in (None, "")}
    texts = {key: text for key, text in texts.items() if text}
    if "file" not in texts:
        raise ParameterError("it names no file; fill in 'file', or leave the row out")
    if "truth" in row:
        texts = _of_a_pair(texts)
    if texts.get("preset", PRESETS[0]) not in PRESETS:
        raise ParameterError(f"preset {texts['preset']!r} is not one of {', '.join(PRESETS)}")
    if "output" in texts:
        _check_below(texts["output"])
    said = tuple((key, texts[key]) for key in OPTIONS if key in texts)
    return Listed(folder / texts["file"], where, texts.get("output"), said)


def _text(key: str, value: Any) -> str:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not isinstance(value, str) and not (whole and key in ("frames", "channel", "scene")):
        raise ParameterError(f"{key} is {value!r}; give a text")
    return str(value).strip()


def _of_a_pair(texts: Mapping[str, str]) -> dict[str, str]:
    """What holds for the noisy file of a pair."""
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


def _unknown(kind: str, name: str) -> str:
    close = difflib.get_close_matches(name.lower(), KEYS, 1)
    meant = f" Did you mean {close[0]!r}?" if close else ""
    return f"{kind} {name!r} is not known.{meant} Known are {', '.join(KEYS)}"
