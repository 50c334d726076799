"""Runs the cells one after the other, and yields their rows."""

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
from autodip.util.files import replacing
from autodip.util.text import words_of


@dataclass(frozen=True)
class Update:
    """State of a run: a cell that starts (``row.status`` is "not run") or that has ended.

    Parameters
    ----------
    number, total : int
        Position of the cell among all of them, from 1.
    row : Row
    starting : bool
        Whether the cell starts now; its row will follow.
    kept : bool
        The row was finished before this run.
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
    """Run the cells in their order; one that fails is a row with its error.

    Parameters
    ----------
    planned : sequence of Cell
    options : Conditions
    finished : mapping of key to Row, optional
        Rows of earlier runs; those that are done are yielded again and not run.
    images : Path, optional
        Folder where results are kept as ``<image>/<method>.tif``, so that they can be looked at
        and scored anew.
    cluster : Cluster, optional
        Its workers run the cells, which then come in the order in which they are done; they see
        the images of the pairs, and ``images``, at the same places.

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
    """A cell to run, or to score anew where it is ``known``."""

    cell: Cell
    options: Conditions
    known: Row | None
    kept: Path | None

    def failed(self, error: Exception) -> Row:
        return self.known or self.cell.row.replace(status="failed", reason=words_of(error))


def _done(task: _Task) -> Row:
    """Row of a cell after its run."""
    try:
        if task.known is None:
            return _run(task.cell, task.options, task.kept)
        return _rescored(task.cell, task.known, task.kept)
    except Exception as error:  # a lost cell, not a lost run
        return task.failed(error)


def image_path(folder: Path, row: Row) -> Path:
    """Where the result of a cell is kept; the end of its name tells cells of one name apart."""
    name = re.sub(r"[^\w.+-]", "_", row.image.replace("/", "-"))
    dataset = re.sub(r"[^\w+-]", "_", row.dataset)
    key = hashlib.sha256("\n".join(row.key).encode()).hexdigest()[:8]
    return folder / dataset / name[-100:] / f"{row.method}-{key}.tif"


def _rescored(cell: Cell, known: Row, kept: Path | None) -> Row:
    """Score anew what is kept of an earlier run; a figure that cannot be had now stays."""
    noisy, truth = load(cell.pair, known.crop)
    assert kept is not None  # there is nothing to score without it
    figures = cells.rescore(noisy, io.read(kept).data, truth)
    if "error" in figures:
        raise ArithmeticError(figures["error"])
    compared = ("data_range", "stretched")
    if all(figures[name] == getattr(known, name) for name in compared):
        figures = {k: v for k, v in figures.items() if v is not None}
    return known.replace(**figures)


def _run(cell: Cell, options: Conditions, kept: Path | None) -> Row:
    """Run one cell, and keep its result."""
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
            return row.replace(reason=f"{row.reason}; its image was not kept: {words_of(error)}")
    return row
