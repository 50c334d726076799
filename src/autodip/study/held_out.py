"""Evaluation of the strategies on held-out images."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from autodip.bases.criteria import Pick, pick
from autodip.bases.records import Config, Entry, Output
from autodip.bases.store import Base
from autodip.choose import presets
from autodip.choose.adapt import scaled
from autodip.choose.choice import Choice
from autodip.choose.describe import Description
from autodip.choose.from_base import Deciding, Strategy, decide, stopped
from autodip.choose.measures import nearness
from autodip.errors import MissingPackageError, ParameterError
from autodip.image.kind import Kind
from autodip.study import recorded
from autodip.study.distances import Distances
from autodip.study.judged import (
    FIXED,
    NOT_IN_GRID,
    OPTIMUM,
    OUTPUTS,
    REFERENCES,
    Design,
    Judged,
    columns_of,
    row_of,
)
from autodip.study.recorded import Curves


@dataclass(kw_only=True)
class Study:
    """A comparison that is ready to run.

    Parameters
    ----------
    judged : tuple of Entry
        Entries of the images that are judged.
    options : Design
    notes : tuple of str
        Description of the images and settings to choose from, and what was left out and why.
    """

    judged: tuple[Entry, ...]
    options: Design
    notes: tuple[str, ...]
    _entries: tuple[Entry, ...]
    _grid: tuple[str, ...]
    _allowed: Curves
    _recorded: Curves
    _distances: Distances
    _picks: dict[frozenset[str], Pick] = field(default_factory=dict)

    def rows(self) -> Iterator[Judged]:
        """Yield the rows of each image: optimum, fixed, the strategies, the references."""
        for entry in self.judged:
            pool = [other for other in self._entries if other.fov != entry.fov]
            described = [other.descriptors for other in pool]
            near = nearness(entry.descriptors, described, [other.fov for other in pool])
            outside = None if near is None else near[0] > near[1]
            for row in self._rows_of(entry, pool):
                yield dataclasses.replace(row, outside=outside)

    def _rows_of(self, entry: Entry, pool: Sequence[Entry]) -> Iterator[Judged]:
        yield self._row(entry, OPTIMUM, self._best([entry]))
        yield self._by(entry, FIXED, Deciding(tuple(pool), Kind()))
        for name in self.options.strategies:
            yield self._by_strategy(entry, name, pool)
        for title, preset in REFERENCES.items():
            yield self._by_reference(entry, title, preset)

    def _best(self, entries: Sequence[Entry]) -> Pick:
        """Best setting over some images, cached by the set of images."""
        ids = frozenset(entry.id for entry in entries)
        if ids not in self._picks:
            runs = [run for entry in entries for run in self._allowed[entry.id].values()]
            self._picks[ids] = pick(runs, self.options.criterion)
        return self._picks[ids]

    def _by_strategy(self, entry: Entry, name: str, pool: Sequence[Entry]) -> Judged:
        def distances(measure: str, asked: Sequence[Entry]) -> np.ndarray:
            return self._distances(entry, measure, asked)

        way, neighbours = Strategy.parse(name), self.options.neighbours
        try:
            deciding = decide(way, entry.kind, pool, distances, neighbours)
        except (ParameterError, MissingPackageError) as error:
            return row_of(entry, name, reason=str(error))
        return self._by(entry, name, deciding)

    def _by(self, entry: Entry, name: str, deciding: Deciding) -> Judged:
        best = self._best(deciding.entries)
        iteration = scaled(stopped(best), deciding.pixels, entry.shape)[0].iterations
        row = self._row(entry, name, dataclasses.replace(best, iteration=iteration))
        measured = bool(deciding.distances)
        return dataclasses.replace(
            row,
            group=" ".join(part or "any" for part in deciding.group.names),
            neighbours="; ".join(one.name for one in deciding.entries) if measured else "",
            distance=deciding.distances[0] if measured else None,
        )

    def _row(self, entry: Entry, name: str, best: Pick) -> Judged:
        run = self._allowed[entry.id][best.config.key]
        point = recorded.nearest(run, best.output, best.iteration)
        if point is None:
            return row_of(entry, name, reason=f"no {best.output} output recorded")
        return row_of(entry, name, **columns_of(best.config, best.iteration, point))

    def _by_reference(self, entry: Entry, title: str, preset: str) -> Judged:
        described = Description(entry.shape, entry.microscope, entry.specimen, {}, None)
        choice = presets.choose(described, presets.load(preset))
        wanted = choice.fit.iterations
        output = _output(choice)
        for run in self._recorded[entry.id].values():
            if not _same(run.config, choice, output):
                continue
            point = recorded.nearest(run, output, wanted)
            if point is not None and abs(point.iteration - wanted) <= run.config.every / 2:
                return row_of(entry, title, **columns_of(run.config, wanted, point))
        return row_of(entry, title, reason=NOT_IN_GRID)


def prepare(base: Base, validation: Base | None = None, options: Design | None = None) -> Study:
    """Prepare a study, and check that the curves it needs are recorded.

    Parameters
    ----------
    base : Base
        Base whose images the settings are chosen from.
    validation : Base, optional
        Base whose images are judged; by default each image of ``base`` is judged by settings
        chosen from the images of the other fields of view. No field of view is ever on both sides.
    options : Design, optional

    Returns
    -------
    Study

    Raises
    ------
    ParameterError
        If no setting was run on all images of ``base``, no configuration has the outputs that may
        be picked, an image to be judged lacks one of the settings, or no image is left to judge.
    """
    options = options or Design()
    target = base if validation is None else validation
    outputs = OUTPUTS[options.output]
    asked, judging = recorded.recorded(base), recorded.recorded(target)
    grid, partial = recorded.grid(asked, outputs)
    recorded.check(target, judging, grid)
    entries = tuple(base.entries[image] for image in asked)
    notes = [_pool(base.name, entries, len(grid)), *partial]
    judged = [target.entries[image] for image in judging]
    kept = tuple(one for one in judged if any(other.fov != one.fov for other in entries))
    if not kept:
        raise ParameterError(
            "no image is left to judge: all show the only field of view of the base; calibrate "
            "images of two fields of view or more"
        )
    if len(kept) < len(judged):
        notes.append(
            f"{len(judged) - len(kept)} of {len(judged)} images: no other field of view in the base"
        )
    allowed = {
        image: {key: recorded.only(runs[key], outputs) for key in grid}
        for image, runs in {**judging, **asked}.items()
    }
    places = {**dict.fromkeys(judging, target), **dict.fromkeys(asked, base)}
    return Study(
        judged=kept,
        options=options,
        notes=tuple(notes),
        _entries=entries,
        _grid=grid,
        _allowed=allowed,
        _recorded=judging,
        _distances=Distances(places),
    )


def _pool(name: str, entries: Sequence[Entry], settings: int) -> str:
    """Description of the images and settings to choose from."""
    fields = len({entry.fov for entry in entries})
    simulated = sum("simulated" in entry.source for entry in entries)
    return (
        f"calibration base {name}: {len(entries)} images of {fields} fields of view"
        + (f", {simulated} of them simulated" if simulated else "")
        + f"; settings that were run on all: {settings}"
    )


def _output(choice: Choice) -> Output:
    """Output that is the result of a choice."""
    if choice.refine is not None:
        return "refined"
    return "average" if choice.fit.average else "last"


def _same(config: Config, choice: Choice, output: Output) -> bool:
    """Whether the curve of a configuration passes through a choice."""
    free = ["iterations", "precision", "noise_limit", *(["average"] if output == "last" else [])]
    fit = config.fit.replace(**{name: getattr(choice.fit, name) for name in free})
    refined = output != "refined" or config.refine == choice.refine
    return bool(config.net == choice.net and fit == choice.fit and refined)
