"""Plan of a benchmark: one cell for each image, method and seed, with its predicted cost."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from autodip.bases.store import pixels_hash
from autodip.benchmark.method import Method
from autodip.benchmark.rows import Key, Row, to_json
from autodip.datasets.pair import Pair, load
from autodip.denoisers.context import Context
from autodip.errors import AutodipError, ParameterError
from autodip.metrics import weights
from autodip.metrics.multiscale import SMALLEST as MS_SSIM_SMALLEST
from autodip.metrics.scores import SCORING, Truth
from autodip.metrics.weights import SMALLEST as LPIPS_SMALLEST
from autodip.util.text import words_of


@dataclass(frozen=True)
class Conditions:
    """Conditions under which the cells are run.

    Parameters
    ----------
    crop : int
        Side of the central square that is cut out of every image, in pixels (64 or more); 0 takes
        the whole image.
    seeds : sequence of int
        Different seeds, 0 or more; a random method has one row for each of them.
    device : str
        Name of a torch device.
    max_hours : float or None
        Cells with a longer predicted run time on two cores, in hours, are not run; None runs all.

    Raises
    ------
    ParameterError
        If a value is not allowed.
    """

    crop: int = 0
    seeds: Sequence[int] = (0,)
    device: str = "cpu"
    max_hours: float | None = None

    def __post_init__(self) -> None:
        if self.crop < 0 or 0 < self.crop < 64:
            raise ParameterError(f"crop is {self.crop}; it must be 64 pixels or more")
        if not self.seeds or min(self.seeds) < 0 or len(set(self.seeds)) < len(self.seeds):
            raise ParameterError(
                f"seeds are {list(self.seeds)}; give different whole numbers from 0 up"
            )
        if self.max_hours is not None and not self.max_hours >= 0:
            raise ParameterError(f"hours are {self.max_hours}; they must be 0 or more")


@dataclass(frozen=True)
class Cell:
    """A pair, a method and a seed, with the row as far as it is known before the run.

    ``shape`` (Y, X) is the shape of the image; (0, 0) if it could not be read.
    """

    pair: Pair
    method: Method
    seed: int
    row: Row
    shape: tuple[int, int] = (0, 0)

    def finished(self, rows: Mapping[Key, Row]) -> Row | None:
        """Row of an earlier run, updated with the current description of the pair.

        The updated values are group, noise level, role and predicted seconds. None if there is no
        earlier row whose status is "done".
        """
        known = rows.get(self.row.key)
        if known is None or known.status != "done":
            return None
        now = ("group", "noise_level", "role", "predicted_seconds")
        return known.replace(**{name: getattr(self.row, name) for name in now})

    def to_score(self, known: Row) -> bool:
        """Whether a finished row has scores that are outdated, or lacks some available now."""
        wanted = self.pair.data_range
        other = wanted is not None and known.data_range != wanted
        stretched = bool(known.stretched) != self.pair.stretched
        return known.scoring != SCORING or other or stretched or missing(known, self.shape)


def plan(pairs: Sequence[Pair], methods: Sequence[Method], options: Conditions) -> list[Cell]:
    """List all cells, the cheapest first; cells of a pair that cannot be read have failed."""
    cells = [cell for pair in pairs for cell in _plan(pair, methods, options)]
    return sorted(cells, key=lambda cell: cell.row.predicted_seconds or 0.0)


def _plan(pair: Pair, methods: Sequence[Method], options: Conditions) -> Iterator[Cell]:
    """Cells of one pair, with their predicted cost."""
    blank = Row(
        dataset=pair.dataset,
        image=pair.name,
        group=pair.group,
        noise_level=pair.noise_level,
        role=pair.role,
        crop=options.crop,
        pixels="",
        method="",
        version="",
        settings="{}",
    )
    try:
        noisy, truth = load(pair, options.crop)
    except (AutodipError, OSError, MemoryError, ValueError) as error:
        for method in methods:
            row = blank.replace(method=method.name, status="failed", reason=words_of(error))
            yield Cell(pair, method, 0, row)
        return
    blank = blank.replace(pixels=pixels_hash(noisy, truth.image))
    shape = (noisy.shape[0], noisy.shape[1])
    for method in methods:
        for seed in options.seeds if method.random else (0,):
            row = blank.replace(method=method.name, version=method.full_version)
            try:
                plan = method.plan(shape, context_of(pair, seed, options))
            except AutodipError as error:
                row = row.replace(status="failed", reason=words_of(error))
            else:
                settings = to_json(plan.settings)
                row = row.replace(settings=settings, predicted_seconds=plan.seconds)
            yield Cell(pair, method, seed, row, shape)


def context_of(pair: Pair, seed: int, options: Conditions, truth: Truth | None = None) -> Context:
    """What a method may know about a pair."""
    shown = None if truth is None else truth.image
    return Context(pair.microscope, pair.specimen, seed, options.device, shown)


def missing(row: Row, shape: tuple[int, int]) -> bool:
    """Whether a row lacks a score that can be computed now, e.g. after installing its package."""
    side = min(shape)
    no_lpips = row.lpips is None and side >= LPIPS_SMALLEST and weights.location().exists()
    library = importlib.util.find_spec("pytorch_msssim") is not None
    return no_lpips or (row.ms_ssim is None and side >= MS_SSIM_SMALLEST and library)
