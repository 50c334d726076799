"""Runs the cells of a benchmark, here or on a cluster, and yields their rows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from autodip import io
from autodip.benchmark import cell as cells
from autodip.benchmark.environment import machine
from autodip.benchmark.planned import Cell, Conditions, context_of
from autodip.benchmark.rows import Key, Row
from autodip.compute.cluster import Cluster
from autodip.datasets.pair import load
from autodip.errors import AutodipError
from autodip.image.image import Image
from autodip.metrics.scores import score
from autodip.util.files import replacing
from autodip.util.text import words_of


@dataclass(frozen=True)
class Update:
    """Progress of a run: a cell that is starting (``row.status`` is "not run") or has ended.

    Parameters
    ----------
    number, total : int
        Position of the cell among all cells, from 1, and the number of cells.
    row : Row
    starting : bool
        Whether the cell is starting now; an update with its final row follows.
    kept : bool
        Whether the row was finished before this run.
    """

    number: int
    total: int
    row: Row
    starting: bool = False
    kept: bool = False


def run(
    planned: Sequence[Cell],
    options: Conditions,
    *,
    finished: Mapping[Key, Row] | None = None,
    images: Path | None = None,
    cluster: Cluster | None = None,
) -> Iterator[Update]:
    """Run the cells in the given order; a cell that fails yields a row with its error.

    Parameters
    ----------
    planned : sequence of Cell
    options : Conditions
    finished : mapping of key to Row, optional
        Rows of earlier runs; rows that are done are yielded again without running the method. If
        their scores are outdated and their result is stored, they are scored again.
    images : Path, optional
        Folder where results are stored as ``<dataset>/<image>/<method>-<hash>.tif``, so that they
        can be inspected and scored again.
    cluster : Cluster, optional
        Cluster whose workers run the cells, which are then yielded in the order of completion and
        without an update at their start. The workers must find the images of the pairs, and
        ``images``, at the same paths.

    Yields
    ------
    Update
    """
    finished = finished or {}
    limit = float("inf") if options.max_hours is None else 3600 * options.max_hours
    elsewhere: list[tuple[int, _Task]] = []
    for number, cell in enumerate(planned, 1):
        known = cell.finished(finished)
        kept = image_path(images, cell.row) if images else None
        again = known is not None and cell.to_score(known) and kept is not None and kept.exists()
        if known is not None and not again:
            yield Update(number, len(planned), known, kept=True)
            continue
        dear = known is None and (cell.row.predicted_seconds or 0) > limit
        if cell.row.status == "failed" or dear:
            yield Update(number, len(planned), cell.row)
            continue
        task = _Task(cell, options, known, kept)
        if cluster is not None:
            elsewhere.append((number, task))
            continue
        yield Update(number, len(planned), cell.row, starting=True)
        yield Update(number, len(planned), _done(task))
    if cluster is not None:
        for place, outcome in cluster.attempts(_done, [task for _, task in elsewhere]):
            number, task = elsewhere[place]
            row = task.failed(outcome) if isinstance(outcome, Exception) else outcome
            yield Update(number, len(planned), row)


@dataclass(frozen=True)
class _Task:
    """A cell to run or, if its row is ``known``, to score again."""

    cell: Cell
    options: Conditions
    known: Row | None
    kept: Path | None

    def failed(self, error: Exception) -> Row:
        return self.known or self.cell.row.replace(status="failed", reason=words_of(error))


def _done(task: _Task) -> Row:
    """Row of a cell after it was run or scored again."""
    try:
        if task.known is None:
            return _run(task.cell, task.options, task.kept)
        return _rescored(task.cell, task.known, task.kept)
    except Exception as error:  # only this cell is lost, not the whole run
        return task.failed(error)


def image_path(folder: Path, row: Row) -> Path:
    """File for the result of a cell; a hash in its name keeps similar names apart."""
    name = re.sub(r"[^\w.+-]", "_", row.image.replace("/", "-"))
    dataset = re.sub(r"[^\w+-]", "_", row.dataset)
    key = hashlib.sha256("\n".join(row.key).encode()).hexdigest()[:8]
    return folder / dataset / name[-100:] / f"{row.method}-{key}.tif"


def _rescored(cell: Cell, known: Row, kept: Path | None) -> Row:
    """Score the stored result of an earlier run again.

    An old score that cannot be computed now is retained, unless the data range or the stretching
    has changed.
    """
    noisy, truth = load(cell.pair, known.crop)
    assert kept is not None  # only a cell with a stored result is scored again
    figures = score(noisy, io.read(kept).data, truth)
    compared = ("data_range", "stretched")
    if all(figures[name] == getattr(known, name) for name in compared):
        figures = {k: v for k, v in figures.items() if v is not None}
    return known.replace(**figures)


def _run(cell: Cell, options: Conditions, kept: Path | None) -> Row:
    """Run one cell, and store its result if a file is given."""
    noisy, truth = load(cell.pair, options.crop)
    context = context_of(cell.pair, cell.seed, options, truth if cell.method.oracle else None)
    figures = cells.run(cell.method, noisy, truth, context)
    made = {"machine": machine(options.device), "date": datetime.now(UTC).date().isoformat()}
    if "error" in figures:
        return cell.row.replace(status="failed", reason=figures["error"], **made)
    image = figures.pop("image")
    row = cell.row.replace(status="done", **figures, **made)
    if kept is not None:
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            with replacing(kept) as (part,):
                io.write(part, Image(image, "YX"), kept.suffix)
        except (AutodipError, OSError) as error:
            return row.replace(reason=f"{row.reason}; its image was not saved: {words_of(error)}")
    return row
