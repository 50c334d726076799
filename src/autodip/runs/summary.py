"""Summary of a run over many files: ``run.json`` and ``summary.csv`` in the output folder.

``run.json`` describes the last run: command, versions, options, times, totals, and the outcome of
each of its files. ``summary.csv`` describes the folder: it has one row for each file and channel
(:data:`FIELDS`), with values from the sidecars. Rows of files that were not in the last run remain
as long as their outputs exist; the values of a skipped file are taken from its sidecar.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal

from autodip.errors import OutputError
from autodip.runs import map_files
from autodip.runs.companions import Companions
from autodip.runs.notes import notes
from autodip.runs.plane_records import PlaneRecord
from autodip.runs.sidecar import Sidecar
from autodip.runs.unsupported_structure import numbers_of_places
from autodip.util.files import replacing
from autodip.util.paths import exists, is_file
from autodip.util.text import to_json, valid

SCHEMA = 1
RUN, TABLE = "run.json", "summary.csv"

FIELDS = {
    "input": "input file, as specified",
    "output": "output file, relative to the output folder",
    "status": "done; skipped, if the output existed and has no sidecar; or failed",
    "channel": "number of the channel, from 0",
    "name": "name of the channel",
    "microscope": "microscope of the channel; empty if unknown",
    "specimen": "specimen of the channel; empty if unknown",
    "preset": "preset that was specified",
    "strategy": "how the calibration base was searched; empty if the preset decided",
    "net": "network, as depth/width/skip",
    "iterations": "number of iterations of a fit from scratch",
    "planes": "number of planes of the channel",
    "seconds": "run time of all planes of the channel",
    "noise_sigma": "noise standard deviation at median brightness; median over the planes",
    "noise_gain": "grey values per photon; median over the planes",
    "removed_to_noise": "what was removed, relative to the expected noise; median over the planes",
    "residual_correlation_y": "residual correlation of neighbours along Y; median over the planes",
    "residual_correlation_x": "residual correlation of neighbours along X; median over the planes",
    "mean_shift": "mean of result - noisy; median over the planes",
    "unsupported": "places that hold structure which the noisy image does not support, all planes",
    "lost": "places that lack structure which the noisy image supports, all planes",
    "standard_error": "median standard error of the pixels, relative to the noise; median over the "
    "planes; empty without --uncertainty",
    "notes": "notes on the result that should be read",
    "error": "reason for the failure",
}
"""Columns of the table, and their content."""

_ADDED = ("strategy", "unsupported", "lost", "standard_error")
"""Columns that are missing in the tables of older versions."""

Row = dict[str, str]


@dataclass(frozen=True)
class Ended:
    """Outcome of an input.

    Parameters
    ----------
    source : Path
    target : Path or None
        None if there is no output, as for a folder without images.
    status : "done", "skipped" or "failed"
    content : Sidecar, optional
        Sidecar of the output; None if there is none that can be read.
    error : str, optional
        Reason for the failure.
    said : tuple of (str, str)
        Names and values of the options that a manifest specifies.
    companions : Companions or None
        What wrote further files next to the output.
    """

    source: Path
    target: Path | None
    status: Literal["done", "skipped", "failed"]
    _: KW_ONLY
    content: Sidecar | None = None
    error: str | None = None
    said: tuple[tuple[str, str], ...] = ()
    companions: Companions | None = None


def check(folder: Path) -> None:
    """Raise an OutputError if there are files of these names that autodip did not write."""
    for path in (folder / TABLE, folder / RUN):
        if exists(path) and not is_file(path):  # a pipe would block
            raise _foreign(path)
    _rows(folder)
    try:
        content = json.loads((folder / RUN).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise _closed(folder / RUN, error) from error
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or not {"schema", "totals", "files"} <= set(content):
        raise _foreign(folder / RUN)


def entry(ended: Ended, folder: Path) -> dict[str, Any]:
    """Entry of an input in ``run.json``."""
    content = ended.content if ended.status == "done" else None
    return {
        "input": valid(str(ended.source)),
        "output": _below(ended.target, folder),
        "status": ended.status,
        "seconds": content.seconds if content else None,
        "notes": notes(content.channels, content.planes, content.notes) if content else [],
        "error": ended.error,
        **({"manifest": dict(ended.said)} if ended.said else {}),
        **_companions(ended, folder),
    }


def _companions(ended: Ended, folder: Path) -> dict[str, str | None]:
    """Paths of the further files of an output that exist, relative to the output folder."""
    if ended.target is None:
        return {}
    paths: dict[str, Path] = {}
    if map_files.stated_in(ended.content) is not None:
        paths[map_files.KIND] = map_files.path_of(ended.target)
    if ended.companions is not None:
        paths |= ended.companions.paths(ended.target)
    return {kind: _below(path, folder) for kind, path in paths.items() if exists(path)}


def rows(ended: Ended, folder: Path) -> list[Row]:
    """Rows of the table for an input: one for each channel, or only one without a sidecar."""
    place = _below(ended.target, folder) or ""
    bare = {"input": valid(str(ended.source)), "output": place, "status": ended.status}
    if ended.content is None:
        return [_row({**bare, "error": ended.error})]
    known = _channels(ended.content)
    return [_row({**bare, "status": "done", **channel}) for channel in known]


def write(folder: Path, run: Mapping[str, Any], added: Sequence[Row]) -> None:
    """Write both files; rows of other files in the folder remain."""
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
    """Number of files with each status."""
    ends = [file["status"] for file in files]
    return {status: ends.count(status) for status in ("done", "skipped", "failed")}


def _below(target: Path | None, folder: Path) -> str | None:
    return None if target is None else valid(target.relative_to(folder).as_posix())


def _channels(content: Sidecar) -> list[dict[str, Any]]:
    """Values of each channel."""
    found = []
    for number, channel in enumerate(content.channels):
        planes = [plane for plane in content.planes if plane.channel == number]
        choice, evidence = channel.choice, channel.choice.evidence
        found.append(
            {
                "channel": number,
                "name": channel.name,
                **evidence.known.to_dict(),
                "preset": evidence.preset,
                "strategy": evidence.strategy,
                "net": str(choice.net),
                "iterations": choice.fit.iterations,
                "planes": len({str(plane.index) for plane in planes}),
                "seconds": round(sum(plane.seconds for plane in planes), 3),
                **_figures(planes),
                **numbers_of_places(planes),
                "notes": "; ".join(notes([channel], planes, content.notes)),
            }
        )
    return found


def _figures(planes: Sequence[PlaneRecord]) -> dict[str, float | None]:
    """Medians over the planes of the noise and the quality indicators."""
    noise = [plane.noise for plane in planes if plane.noise]
    quality = [plane.assessment for plane in planes if plane.assessment]
    correlations = [each.residual_correlation for each in quality]
    return {
        "noise_sigma": _median(each.sigma for each in noise),
        "noise_gain": _median(each.gain for each in noise),
        "removed_to_noise": _median(each.removed_to_noise for each in quality),
        "residual_correlation_y": _median(down for down, _ in correlations),
        "residual_correlation_x": _median(along for _, along in correlations),
        "mean_shift": _median(each.mean_shift for each in quality),
        "standard_error": _median(plane.errors.to_noise for plane in planes if plane.errors),
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
    """Rows of the existing table; raises an OutputError if autodip did not write it."""
    path = folder / TABLE
    try:
        content = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise _closed(path, error) from error
    except ValueError as error:
        raise _foreign(path) from error
    if not content.strip():
        return []
    try:
        reader = csv.DictReader(io.StringIO(content, newline=""))
        header = list(reader.fieldnames or ())
        columns = [name for name in FIELDS if name not in _ADDED or name in header]
        if header != columns:
            raise _foreign(path)
        return [_row(row) for row in reader]
    except csv.Error as error:
        raise _foreign(path) from error


def _closed(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path}: cannot be read ({error.strerror}); move it away, or choose another place with -o"
    )


def _foreign(path: Path) -> OutputError:
    return OutputError(
        f"{path} exists and was not written by this version of autodip; move it away, "
        "or choose another place with -o"
    )


def _key(row: Row) -> str:
    return row["output"] or row["input"]


def _holds(row: Row, folder: Path) -> bool:
    """Whether a row of an earlier run still applies to this folder."""
    failed = row["status"] == "failed"
    return bool(row["output"]) and (failed or (folder / row["output"]).exists())
