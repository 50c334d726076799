"""What a run over many files came to: ``run.json`` and ``summary.csv`` in the output folder.

``run.json`` tells the last run: command, versions, options, times, totals, and what became of each
of its files. ``summary.csv`` tells the folder: one row for each file and channel (:data:`FIELDS`),
with the figures of the sidecars. Rows of files that were not in the last run are kept, as long as
their outputs are there; a file left as it is has the figures of its sidecar.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal

from autodip.errors import OutputError
from autodip.fit.params import NetParams
from autodip.runs.notes import notes
from autodip.util.files import replacing
from autodip.util.text import to_json, valid

SCHEMA = 1
RUN, TABLE = "run.json", "summary.csv"

FIELDS = {
    "input": "file, as it was given",
    "output": "file below the output folder",
    "status": "done; skipped, if it was there and has no sidecar; or failed",
    "channel": "number, from 0",
    "name": "of the channel",
    "microscope": "that was known, of the channel",
    "specimen": "that was known, of the channel",
    "preset": "asked for",
    "net": "depth/width/skip",
    "iterations": "of a fit from scratch",
    "planes": "of the channel",
    "seconds": "of all planes of the channel",
    "noise_sigma": "standard deviation at median brightness, median over the planes",
    "noise_gain": "grey values per photon, median over the planes",
    "removed_to_noise": "what was removed / noise expected, median over the planes",
    "residual_correlation_y": "of neighbours in what was removed, median over the planes",
    "residual_correlation_x": "of neighbours in what was removed, median over the planes",
    "mean_shift": "mean of result - noisy, median over the planes",
    "notes": "what should be looked at",
    "error": "why it failed",
}
"""Columns of the table, and what they hold."""

Row = dict[str, str]


@dataclass(frozen=True)
class Ended:
    """What became of an input.

    Parameters
    ----------
    source : Path
    target : Path or None
        None where there is none, as for a folder without images.
    status : "done", "skipped" or "failed"
    content : mapping, optional
        Of the sidecar.
    error : str, optional
    said : tuple of (str, str)
        By a manifest.
    """

    source: Path
    target: Path | None
    status: Literal["done", "skipped", "failed"]
    content: Mapping[str, Any] | None = None
    error: str | None = None
    said: tuple[tuple[str, str], ...] = ()


def check(folder: Path) -> None:
    """Raise an OutputError where files of these names are there that are not ours."""
    _rows(folder)
    try:
        content = json.loads((folder / RUN).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, ValueError):
        content = None
    if not isinstance(content, dict) or not {"schema", "totals", "files"} <= set(content):
        raise _foreign(folder / RUN)


def entry(ended: Ended, folder: Path) -> dict[str, Any]:
    """What ``run.json`` tells of an input."""
    content = ended.content if ended.status == "done" else None
    return {
        "input": valid(str(ended.source)),
        "output": _below(ended.target, folder),
        "status": ended.status,
        "seconds": content["seconds"] if content else None,
        "notes": notes(content) if content else [],
        "error": ended.error,
        **({"manifest": dict(ended.said)} if ended.said else {}),
    }


def rows(ended: Ended, folder: Path) -> list[Row]:
    """Rows of the table for an input: one for each channel, just one where it failed."""
    place = _below(ended.target, folder) or ""
    bare = {"input": valid(str(ended.source)), "output": place, "status": ended.status}
    if ended.content is None:
        return [_row({**bare, "error": ended.error})]
    try:
        known = _channels(ended.content)
    except (LookupError, TypeError, ValueError):  # of an older version
        return [_row(bare)]
    return [_row({**bare, "status": "done", **channel}) for channel in known]


def write(folder: Path, run: Mapping[str, Any], added: Sequence[Row]) -> None:
    """Write both files; rows of other files of the folder are kept."""
    mine = {_key(row) for row in added}
    kept = [row for row in _rows(folder) if _key(row) not in mine and _holds(row, folder)]
    everything = sorted([*kept, *added], key=lambda row: (_key(row), row["channel"].zfill(4)))
    table = io.StringIO()
    writer = csv.DictWriter(table, list(FIELDS), lineterminator="\n")
    writer.writeheader()
    writer.writerows(everything)
    with replacing(folder / TABLE, folder / RUN) as (table_part, run_part):
        table_part.write_text(valid(table.getvalue()), encoding="utf-8")
        run_part.write_text(valid(to_json({"schema": SCHEMA, **run})) + "\n", encoding="utf-8")


def totals(files: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many files came to which end."""
    ends = [file["status"] for file in files]
    return {status: ends.count(status) for status in ("done", "skipped", "failed")}


def _below(target: Path | None, folder: Path) -> str | None:
    return None if target is None else valid(target.relative_to(folder).as_posix())


def _channels(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Figures of each channel, by the content of a sidecar."""
    found = []
    for number, channel in enumerate(content["channels"]):
        parts = [p for p in content["planes"] if _channel_of(p) == number]
        choice, evidence = channel["choice"], channel["choice"]["evidence"]
        found.append(
            {
                "channel": number,
                "name": channel["name"],
                **{key: evidence["known"][key] for key in ("microscope", "specimen")},
                "preset": evidence["preset"],
                "net": str(NetParams.from_dict(choice["net"])),
                "iterations": choice["fit"]["iterations"],
                "planes": len({str(part["index"]) for part in parts}),
                "seconds": round(sum(part["seconds"] for part in parts), 3),
                **_figures(parts),
                "notes": "; ".join(notes({"channels": [channel], "planes": parts})),
            }
        )
    return found


def _channel_of(part: Mapping[str, Any]) -> int:
    index: Mapping[str, int] = part["index"]
    return index.get("C", index.get("S", 0))


def _figures(parts: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """Medians of the noise and quality indicators."""
    noise = [part["noise"] for part in parts if part["noise"]]
    quality = [part["assessment"] for part in parts if part["assessment"]]
    correlations = [each["residual_correlation"] for each in quality]
    return {
        "noise_sigma": _median(each["sigma"] for each in noise),
        "noise_gain": _median(each["gain"] for each in noise),
        "removed_to_noise": _median(each["removed_to_noise"] for each in quality),
        "residual_correlation_y": _median(down for down, _ in correlations),
        "residual_correlation_x": _median(along for _, along in correlations),
        "mean_shift": _median(each["mean_shift"] for each in quality),
    }


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _row(values: Mapping[str, Any]) -> Row:
    return {name: _cell(values.get(name)) for name in FIELDS}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _rows(folder: Path) -> list[Row]:
    """Rows of the table that is there; raises an OutputError if it is not ours."""
    path = folder / TABLE
    try:
        content = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError) as error:
        raise _foreign(path) from error
    reader = csv.DictReader(io.StringIO(content, newline=""))
    if list(reader.fieldnames or ()) != list(FIELDS):
        raise _foreign(path)
    return [_row(row) for row in reader]


def _foreign(path: Path) -> OutputError:
    return OutputError(
        f"{path} is there and is not of this version of autodip; move it away, "
        "or choose another place with -o"
    )


def _key(row: Row) -> str:
    return row["output"] or row["input"]


def _holds(row: Row, folder: Path) -> bool:
    """Whether a row of an earlier run still tells of this folder."""
    failed = row["status"] == "failed"
    return bool(row["output"]) and (failed or (folder / row["output"]).exists())
