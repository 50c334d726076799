"""One row of a benchmark for each cell (image × method), and the file that keeps them."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from autodip.errors import FormatError, OutputError
from autodip.util.files import replacing

Status = Literal["done", "failed", "not run"]
Key = tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """What is known of one cell.

    Parameters
    ----------
    dataset, image, group, noise_level, role : str
        The pair of images; see :class:`autodip.datasets.pair.Pair`.
    crop : int
        Side of the centre that was cut out, in pixels; 0 for the whole image.
    pixels : str
        Hash of the noisy and the true pixels.
    method, version, settings : str
        What was run; settings as JSON.
    status : "done", "failed" or "not run"
    reason : str
        Why it failed or was not run, or why a figure is missing.
    predicted_seconds : float or None
        On two cores, before it started.
    scoring : int
        Version of the figures of merit.
    data_range, stretched : float or None, int
        How the result was compared with the truth; 1 where it was fitted to it first.
    psnr, ssim, lpips, ... : float or None
        See :mod:`autodip.metrics.scores`.
    seconds, cpu_seconds : float or None
        Of the method alone, by the clock and summed over the cores.
    memory_mb, gpu_memory_mb : float or None
        Peak of the whole process, and of what was allocated on the accelerator; 1e6 bytes.
    machine, date : str
        Where and when it was run.
    parameters : str
        What the method chose for itself, as JSON.
    """

    dataset: str
    image: str
    group: str
    noise_level: str
    role: str
    crop: int
    pixels: str
    method: str
    version: str
    settings: str
    status: Status = "not run"
    reason: str = ""
    predicted_seconds: float | None = None
    scoring: int = 0
    psnr: float | None = None
    ssim: float | None = None
    ms_ssim: float | None = None
    lpips: float | None = None
    lpips_standard: float | None = None
    whiteness: float | None = None
    data_range: float | None = None
    stretched: int = 0
    seconds: float | None = None
    cpu_seconds: float | None = None
    memory_mb: float | None = None
    gpu_memory_mb: float | None = None
    machine: str = ""
    date: str = ""
    parameters: str = field(default="{}", repr=False)

    @property
    def key(self) -> Key:
        """What a finished row is known again by."""
        return (
            self.dataset,
            self.image,
            str(self.crop),
            self.pixels,
            self.method,
            self.version,
            self.settings,
        )

    def replace(self, **changes: Any) -> Row:
        """Copy with some values changed."""
        return dataclasses.replace(self, **changes)


FIELDS = tuple(f.name for f in dataclasses.fields(Row))
_HEADER = ",".join(FIELDS) + "\n"
_TEXT = {f.name for f in dataclasses.fields(Row) if f.type in ("str", "Status")}
_WHOLE = {f.name for f in dataclasses.fields(Row) if f.type == "int"}


class Store:
    """Rows in a CSV file that only grows; the last row of a key counts.

    Rows are appended in one piece, so that several runs may share a file and a stop loses
    nothing but the cell it interrupts.

    Attributes
    ----------
    damaged : list of int
        Lines that the last :meth:`load` could not read, as one that a stop cut off.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged: list[int] = []

    def load(self) -> dict[Key, Row]:
        """Rows by key; a file of an older version is given the columns that it lacks.

        Raises
        ------
        FormatError
            If the file cannot be read, or is something else.
        """
        self.damaged = []
        try:
            content = self.path.read_bytes() if self.path.exists() else b""
        except OSError as error:
            raise FormatError(f"{self.path}: cannot be read ({error.strerror})") from error
        lines = csv.DictReader(io.StringIO(content.decode(errors="replace")))
        header = list(lines.fieldnames or ())
        needed = {f.name for f in dataclasses.fields(Row) if f.default is dataclasses.MISSING}
        if header and not needed <= set(header) <= set(FIELDS):
            raise FormatError(
                f"{self.path}: its columns are {', '.join(header)}, which are not those of a "
                "benchmark of this version; choose another folder, or move the file"
            )
        rows = {}
        for number, line in enumerate(lines, 2):
            try:
                row = _parsed(line)
            except (TypeError, ValueError):
                self.damaged.append(number)
            else:
                rows[row.key] = row
        if header and tuple(header) != FIELDS:
            with replacing(self.path) as (part,):
                part.write_text(_HEADER + _lines(rows.values()), encoding="utf-8")
        return rows

    def add(self, rows: Iterable[Row]) -> None:
        """Append rows.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        text = _lines(rows)
        try:
            with suppress(FileExistsError), self.path.open("xb") as file:
                file.write(_HEADER.encode())
            with self.path.open("ab+") as file:
                whole = file.seek(0, os.SEEK_END) and (file.seek(-1, os.SEEK_END), file.read())[1]
                start = _HEADER if not whole else "" if whole == b"\n" else "\n"
                file.write((start + text).encode())
        except OSError as error:
            raise OutputError(
                f"{self.path}: cannot be written ({error.strerror or error})"
            ) from error


def _parsed(line: dict[str, str | None]) -> Row:
    row = Row(**{k: _value(k, v) for k, v in line.items()})
    json.loads(row.settings), json.loads(row.parameters)
    return row


def _lines(rows: Iterable[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, lineterminator="\n")
    writer.writerows({k: _text(v) for k, v in vars(row).items()} for row in rows)
    return text.getvalue()


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value).replace("\r", " ").replace("\n", " ")


def _value(name: str, text: str | None) -> Any:
    if text is None:
        raise ValueError(f"no {name}")
    if name in _TEXT:
        return text
    if name in _WHOLE:
        return int(text)
    return float(text) if text else None


def to_json(settings: Any) -> str:
    """One line, keys in order, so that equal settings are equal texts."""
    return json.dumps(settings, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
