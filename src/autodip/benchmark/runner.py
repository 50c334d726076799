"""Plans the cells, runs them one after the other, and yields their rows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autodip import io
from autodip.baselines import Context, Method
from autodip.benchmark import cell as cells
from autodip.benchmark.rows import Key, Row, to_json
from autodip.benchmark.scores import SCORING, Truth
from autodip.datasets.pair import Pair
from autodip.errors import AutodipError, ImageError, ParameterError
from autodip.image import Image


@dataclass(frozen=True)
class Options:
    """How the cells are run.

    Parameters
    ----------
    crop : int
        Side of the centre that is cut out of every image, in pixels; 0 takes the whole.
    seeds : sequence of int
        One row for each, for methods that are random.
    device : str
        Name of a torch device.
    max_hours : float or None
        A cell whose predicted hours (on two cores) lie above it is not run.
    """

    crop: int = 0
    seeds: Sequence[int] = (0,)
    device: str = "cpu"
    max_hours: float | None = None

    def __post_init__(self) -> None:
        if self.crop < 0 or 0 < self.crop < 64:
            raise ParameterError(f"crop is {self.crop}; it must be 64 pixels or more")
        if not self.seeds or min(self.seeds) < 0:
            raise ParameterError(f"seeds are {list(self.seeds)}; give whole numbers from 0 up")
        if self.max_hours is not None and not self.max_hours >= 0:
            raise ParameterError(f"hours are {self.max_hours}; they must be 0 or more")


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


@dataclass(frozen=True)
class Cell:
    """A pair and a method, with the row as far as it is known before the run."""

    pair: Pair
    method: Method
    seed: int
    row: Row


def plan(pairs: Sequence[Pair], methods: Sequence[Method], options: Options) -> list[Cell]:
    """All cells, from the cheapest to the dearest; a pair that cannot be read has failed."""
    cells = [cell for pair in pairs for cell in _plan(pair, methods, options)]
    return sorted(cells, key=lambda cell: cell.row.predicted_seconds or 0.0)


def run(
    planned: Sequence[Cell],
    options: Options,
    *,
    finished: Mapping[Key, Row] | None = None,
    images: Path | None = None,
) -> Iterator[Update]:
    """Run the cells in their order; one that fails is a row with its error.

    Parameters
    ----------
    planned : sequence of Cell
    options : Options
    finished : mapping of key to Row, optional
        Rows of earlier runs; those that are done are yielded again and not run.
    images : Path, optional
        Folder where results are kept as ``<image>/<method>.tif``, so that they can be looked at
        and scored anew.

    Yields
    ------
    Update
    """
    finished = finished or {}
    limit = float("inf") if options.max_hours is None else 3600 * options.max_hours
    for number, cell in enumerate(planned, 1):
        known = finished.get(cell.row.key)
        if known is not None and known.status == "done" and known.scoring == SCORING:
            yield Update(number, len(planned), known, kept=True)
            continue
        old = known is not None and known.status == "done"
        if cell.row.status == "failed" or (not old and (cell.row.predicted_seconds or 0) > limit):
            yield Update(number, len(planned), cell.row)
            continue
        yield Update(number, len(planned), cell.row, starting=True)
        kept = image_path(images, cell.row, cell.seed) if images else None
        yield Update(number, len(planned), _run(cell, options, known, kept))


def image_path(folder: Path, row: Row, seed: int) -> Path:
    """Where the result of a cell is kept."""
    name = re.sub(r"[^\w./+-]", "_", row.image)
    crop = f"_{row.crop}" if row.crop else ""
    return folder / row.dataset / f"{name}{crop}" / f"{row.method}_{seed}.tif"


def load(pair: Pair, crop: int) -> tuple[np.ndarray, Truth]:
    """Read a pair and cut out its centre.

    Raises
    ------
    ImageError
        If the two images differ in shape, are not (Y, X), or are smaller than the crop.
    """
    noisy, truth = pair.read()
    if noisy.ndim != 2 or noisy.shape != truth.shape:
        raise ImageError(
            f"the noisy image has shape {noisy.shape}, the true one {truth.shape}; "
            "both must be (Y, X) of one shape"
        )
    if crop > min(noisy.shape):
        raise ImageError(f"a crop of {crop} pixels does not fit an image of {noisy.shape}")
    if crop:
        top, left = ((n - crop) // 2 for n in noisy.shape)
        window = (slice(top, top + crop), slice(left, left + crop))
        noisy, truth = noisy[window], truth[window]
    return noisy, Truth(truth, pair.data_range, pair.stretched)


def _plan(pair: Pair, methods: Sequence[Method], options: Options) -> Iterator[Cell]:
    """Rows of all cells of one pair, with what they are predicted to cost."""
    blank = Row(
        dataset=pair.dataset,
        image=pair.name,
        group=pair.group,
        role=pair.role,
        crop=options.crop,
        pixels="",
        method="",
        version="",
        settings="{}",
    )
    try:
        noisy, truth = load(pair, options.crop)
    except (AutodipError, OSError) as error:
        for method in methods:
            row = blank.replace(method=method.name, status="failed", reason=str(error))
            yield Cell(pair, method, 0, row)
        return
    blank = blank.replace(pixels=_hash(noisy, truth.image))
    for method in methods:
        for seed in options.seeds if method.random else options.seeds[:1]:
            row = blank.replace(method=method.name, version=method.full_version)
            try:
                plan = method.plan((noisy.shape[0], noisy.shape[1]), _context(pair, seed, options))
            except AutodipError as error:
                row = row.replace(status="failed", reason=str(error))
            else:
                settings = to_json(plan.settings)
                row = row.replace(settings=settings, predicted_seconds=plan.seconds)
            yield Cell(pair, method, seed, row)


def _run(cell: Cell, options: Options, known: Row | None, kept: Path | None) -> Row:
    """Run one cell, or score anew what is kept of an earlier run."""
    noisy, truth = load(cell.pair, options.crop)
    if known is not None and known.status == "done" and kept is not None and kept.exists():
        figures = cells.rescore(noisy, io.read(kept).data, truth)
        if "error" not in figures:
            return known.replace(**{"reason": "", **figures})
    context = _context(cell.pair, cell.seed, options, truth if cell.method.oracle else None)
    figures = cells.run(cell.method, noisy, truth, context)
    if "error" in figures:
        return cell.row.replace(status="failed", reason=figures["error"])
    image = figures.pop("image")
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        io.write(kept, Image(image, "YX"))
    parameters = to_json(figures.pop("parameters"))
    return cell.row.replace(status="done", parameters=parameters, **figures)


def _context(pair: Pair, seed: int, options: Options, truth: Truth | None = None) -> Context:
    shown = None if truth is None else truth.image
    return Context(pair.microscope, pair.specimen, seed, options.device, shown)


def _hash(*images: np.ndarray) -> str:
    digest = hashlib.sha256()
    for image in images:
        digest.update(f"{image.shape} {image.dtype.str}".encode())
        digest.update(np.ascontiguousarray(image).tobytes())
    return digest.hexdigest()[:16]
