"""What is to be run: one cell for each image and method, with its predicted cost."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autodip.baselines import Context, Method
from autodip.benchmark.rows import Key, Row, to_json
from autodip.benchmark.scores import SCORING, Truth, missing
from autodip.datasets.pair import Pair
from autodip.errors import AutodipError, ImageError, ParameterError


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
        if not self.seeds or min(self.seeds) < 0 or len(set(self.seeds)) < len(self.seeds):
            raise ParameterError(
                f"seeds are {list(self.seeds)}; give different whole numbers from 0 up"
            )
        if self.max_hours is not None and not self.max_hours >= 0:
            raise ParameterError(f"hours are {self.max_hours}; they must be 0 or more")


@dataclass(frozen=True)
class Cell:
    """A pair and a method, with the row as far as it is known before the run."""

    pair: Pair
    method: Method
    seed: int
    row: Row
    shape: tuple[int, int] = (0, 0)

    def finished(self, rows: Mapping[Key, Row]) -> Row | None:
        """Row of an earlier run if that is done, with what is now said of the pair."""
        known = rows.get(self.row.key)
        if known is None or known.status != "done":
            return None
        now = ("group", "noise_level", "role", "predicted_seconds")
        return known.replace(**{name: getattr(self.row, name) for name in now})

    def to_score(self, known: Row) -> bool:
        """Whether the figures of a finished row are not those that could be had now."""
        wanted = self.pair.data_range
        other = wanted is not None and known.data_range != wanted
        stretched = bool(known.stretched) != self.pair.stretched
        return known.scoring != SCORING or other or stretched or missing(known, self.shape)


def plan(pairs: Sequence[Pair], methods: Sequence[Method], options: Options) -> list[Cell]:
    """All cells, from the cheapest to the dearest; a pair that cannot be read has failed."""
    cells = [cell for pair in pairs for cell in _plan(pair, methods, options)]
    return sorted(cells, key=lambda cell: cell.row.predicted_seconds or 0.0)


def load(pair: Pair, crop: int) -> tuple[np.ndarray, Truth]:
    """Read a pair and cut out its centre.

    Raises
    ------
    ImageError
        If the two images differ in shape, are not (Y, X), have pixels that are not finite, or
        are smaller than the crop, or if the truth is constant and its range therefore unknown.
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
    for name, image in (("noisy", noisy), ("true", truth)):
        if not np.isfinite(image).all():
            raise ImageError(f"the {name} image has NaN or infinite pixels")
    if pair.data_range is None and not np.ptp(truth):
        raise ImageError(
            "all pixels of the true image are equal, so its range is not known; "
            "say it as data_range where the data set has a manifest"
        )
    return noisy, Truth(truth, pair.data_range, pair.stretched)


def _plan(pair: Pair, methods: Sequence[Method], options: Options) -> Iterator[Cell]:
    """Rows of all cells of one pair, with what they are predicted to cost."""
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
    blank = blank.replace(pixels=_hash(noisy, truth.image))
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


def context_of(pair: Pair, seed: int, options: Options, truth: Truth | None = None) -> Context:
    """What a method may know of a pair."""
    shown = None if truth is None else truth.image
    return Context(pair.microscope, pair.specimen, seed, options.device, shown)


def words_of(error: Exception) -> str:
    """Message of an error of autodip; of another with its type."""
    return str(error) if isinstance(error, AutodipError) else f"{type(error).__name__}: {error}"


def _hash(*images: np.ndarray) -> str:
    digest = hashlib.sha256()
    for image in images:
        digest.update(f"{image.shape} {image.dtype.str}".encode())
        digest.update(np.ascontiguousarray(image).tobytes())
    return digest.hexdigest()[:16]
