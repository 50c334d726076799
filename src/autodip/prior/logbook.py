"""Log of a training as a table, which an interrupted training continues."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from torch import Tensor

from autodip.prior.training import Progressed
from autodip.prior.validation import SCORES
from autodip.util.files import replacing, writing

FILE = "training.csv"

FIELDS = ("step", "loss", "rate", "seconds", *SCORES)
"""Columns: step, running mean of the loss, learning rate, seconds of training without those of
validation, and the scores of a validation, empty at other steps."""

_EVERY = 100
"""Steps between two rows."""

Row = dict[str, float | None]


class Logbook:
    """Table of a training; rows after the step from which the training continues are dropped.

    Parameters
    ----------
    path : Path
        File of the table, in an existing folder; created if necessary.
    step : int
        Step from which the training continues.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """

    def __init__(self, path: Path, step: int) -> None:
        rows = [row for row in _rows(path) if int(row["step"]) <= step]
        self._path = path
        self._seconds = float(rows[-1]["seconds"]) if rows else 0.0
        with replacing(path) as (part,), part.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, FIELDS)
            table.writeheader()
            table.writerows(rows)

    def follow(
        self,
        steps: Iterable[Progressed],
        validate: Callable[[Mapping[str, Tensor]], Mapping[str, float | None]] | None = None,
        every: int = 2000,
    ) -> Iterator[tuple[Progressed, Row | None]]:
        """Log a training while it runs.

        Parameters
        ----------
        steps : iterable of Progressed
        validate : callable, optional
            From averaged weights to scores by name.
        every : int
            Steps between two validations; the last step is also validated.

        Yields
        ------
        Progressed
        dict or None
            The row that was written for the step, if any.
        """
        started = time.monotonic()
        for progressed in steps:
            seconds = time.monotonic() - started
            last = progressed.step == progressed.steps
            due = validate is not None and (progressed.step % every == 0 or last)
            row: Row | None = None
            if due or last or progressed.step % _EVERY == 0:
                row = {
                    "step": progressed.step,
                    "loss": progressed.loss,
                    "rate": progressed.rate,
                    "seconds": round(self._seconds + seconds, 1),
                }
                if validate is not None and due:
                    scores = validate(progressed.average)
                    row |= {k: None if v is None else round(v, 4) for k, v in scores.items()}
                self._append(row)
                started = time.monotonic() - seconds
            yield progressed, row

    def _append(self, row: Row) -> None:
        with (
            writing(self._path, "choose another folder with --out"),
            self._path.open("a", encoding="utf-8", newline="") as file,
        ):
            csv.DictWriter(file, FIELDS).writerow(row)


def _rows(path: Path) -> list[dict[str, str]]:
    """Complete rows of a table; none if it does not exist or has other columns."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        table = csv.reader(file)
        if tuple(next(table, ())) != FIELDS:
            return []
        return [dict(zip(FIELDS, row, strict=True)) for row in table if len(row) == len(FIELDS)]
