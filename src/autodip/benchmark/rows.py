"""Rows of a benchmark, one for each cell (image × method), and the file that stores them."""

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


@dataclass(frozen=True, kw_only=True)
class Row:
    """Description and results of one cell.

    Parameters
    ----------
    dataset, image, group, noise_level, role : str
        Description of the pair of images; see :class:`autodip.datasets.pair.Pair`.
    crop : int
        Side of the central square that was cut out, in pixels; 0 for the whole image.
    pixels : str
        Hash of the noisy and the true pixels; empty if they could not be read.
    method, version, settings : str
        Name of the method, its version with those of its libraries, and its settings as JSON.
    status : "done", "failed" or "not run"
    reason : str
        Why the cell failed, or why a score or the stored image is missing.
    predicted_seconds : float or None
        Run time on two cores, as predicted before the start; None if it could not be predicted.
    scoring : int
        Version of the scores; see :data:`autodip.metrics.scores.SCORING`.
    data_range, stretched : float or None, int
        Data range of the comparison with the truth; 1 if the result was first fitted to the truth,
        else 0.
    psnr, ssim, lpips, ... : float or None
        See :mod:`autodip.metrics.scores`.
    seconds, cpu_seconds : float or None
        Wall-clock time of the method alone, and its CPU time summed over the cores.
    memory_mb, gpu_memory_mb : float or None
        Peak memory of the whole process, and peak memory allocated on a CUDA device, both in 1e6
        bytes; the latter is None for any other device.
    machine, date : str
        Where and when the cell was run.
    parameters : str
        Parameters that the method chose itself, as JSON.
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
    affine_psnr: float | None = None
    ssim: float | None = None
    ms_ssim: float | None = None
    lpips: float | None = None
    lpips_standard: float | None = None
    frc_pixels: float | None = None
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
        """Values that identify a finished row in later runs."""
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
        """Return a copy with some values changed."""
        return dataclasses.replace(self, **changes)


FIELDS = tuple(f.name for f in dataclasses.fields(Row))
_HEADER = ",".join(FIELDS) + "\n"
_TEXT = {f.name for f in dataclasses.fields(Row) if f.type in ("str", "Status")}
_WHOLE = {f.name for f in dataclasses.fields(Row) if f.type == "int"}


class Store:
    """Rows in a CSV file to which rows are only appended; the last row of each key counts.

    Rows are appended in a single write, so that several runs may share a file and an interruption
    loses only the running cell.

    Attributes
    ----------
    damaged : list of int
        Numbers of the lines that the last :meth:`load` could not read, for example a line that
        was truncated by an interruption.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged: list[int] = []

    def load(self) -> dict[Key, Row]:
        """Read the rows by key; add missing columns to a file of an older version.

        Raises
        ------
        FormatError
            As :meth:`read`.
        """
        rows, header = self._parsed()
        if header and tuple(header) != FIELDS:
            with replacing(self.path) as (part,):
                part.write_text(_HEADER + _lines(rows.values()), encoding="utf-8")
        return rows

    def read(self) -> dict[Key, Row]:
        """Read the rows by key; columns that a file of an older version lacks have their default.

        Raises
        ------
        FormatError
            If the file cannot be read, or does not contain rows of a benchmark.
        """
        return self._parsed()[0]

    def _parsed(self) -> tuple[dict[Key, Row], list[str]]:
        """Rows, and the names of the columns."""
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
                f"{self.path}: its columns are {', '.join(header)}, which do not match a "
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
        return rows, header

    def add(self, rows: Iterable[Row]) -> None:
        """Append rows to the file, which is created if it does not exist.

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
    """JSON on one line with sorted keys, so that equal settings give equal strings."""
    return json.dumps(settings, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
