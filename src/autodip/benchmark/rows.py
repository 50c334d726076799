"""One row of a benchmark for each cell (image × method), and the file that keeps them."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from autodip.atomic import replacing
from autodip.errors import FormatError, OutputError

Status = Literal["done", "failed", "not run"]
Key = tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """What is known of one cell.

    Parameters
    ----------
    dataset, image, group, role : str
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
    psnr, ssim, lpips, ... : float or None
        See :mod:`autodip.benchmark.scores`.
    seconds, cpu_seconds : float or None
        Of the method alone, by the clock and summed over the cores.
    memory_mb, gpu_memory_mb : float or None
        Peak of the whole process, and of what was allocated on the accelerator; 1e6 bytes.
    parameters : str
        What the method chose for itself, as JSON.
    """

    dataset: str
    image: str
    group: str
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
    seconds: float | None = None
    cpu_seconds: float | None = None
    memory_mb: float | None = None
    gpu_memory_mb: float | None = None
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
_TEXT = {f.name for f in dataclasses.fields(Row) if f.type in ("str", "Status")}
_WHOLE = {f.name for f in dataclasses.fields(Row) if f.type == "int"}


class Store:
    """Rows in a CSV file that only grows; the last row of a key counts.

    Rows are written in one piece, so that several runs may share a file and a stop loses
    nothing but the cell it interrupts.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> dict[Key, Row]:
        """Rows by key; an unfinished last line is left out.

        Raises
        ------
        FormatError
            If the file is something else, or a line is damaged.
        """
        if not self.path.exists():
            return {}
        text = self.path.read_text(encoding="utf-8")
        lines = csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1]))
        rows = [self._parsed(number, line) for number, line in enumerate(lines, 2)]
        return {row.key: row for row in rows}

    def add(self, rows: Iterable[Row]) -> None:
        """Append rows; a file of an older version gets the columns it lacks.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        rows = list(rows)
        try:
            if self._is_current():
                with self.path.open("ab") as file:
                    file.write(_lines(rows).encode())
            else:
                rows = [*self.load().values(), *rows]
                with replacing(self.path) as (part,):
                    part.write_text(",".join(FIELDS) + "\n" + _lines(rows), encoding="utf-8")
        except OSError as error:
            raise OutputError(
                f"{self.path}: cannot be written ({error.strerror or error})"
            ) from error

    def _is_current(self) -> bool:
        """Whether the file has these columns, and ends with a whole line."""
        if not self.path.exists():
            return False
        with self.path.open("rb") as file:
            header = file.readline().decode().rstrip("\n")
            file.seek(-1, os.SEEK_END)
            return header == ",".join(FIELDS) and file.read(1) == b"\n"

    def _parsed(self, number: int, line: dict[str, str | None]) -> Row:
        try:
            return Row(**{k: _value(k, v) for k, v in line.items()})
        except (TypeError, ValueError) as error:
            raise FormatError(
                f"{self.path}, line {number}: not a row of a benchmark ({error}); "
                "choose another folder, or remove the file"
            ) from error


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
    return " ".join(value.splitlines()) if isinstance(value, str) else str(value)


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
