"""Choice from a calibration base: by metadata, by the most similar images, or by both."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autodip.bases.criteria import Pick, default_criterion, pick
from autodip.bases.records import Entry
from autodip.bases.store import Base
from autodip.choose.adapt import Proposal
from autodip.choose.choice import Evidence
from autodip.choose.describe import Description
from autodip.choose.from_own_prior import propose_own_prior, with_own_prior
from autodip.choose.measures import MEASURES, beyond
from autodip.choose.samples import Sample
from autodip.errors import ParameterError
from autodip.fit.params import FitParams
from autodip.image.kind import Kind
from autodip.refine.refinement import RefineParams
from autodip.util.closest import not_known

GROUP = "group"
"""Strategy that uses microscope and specimen alone."""

STRATEGIES = (GROUP, *MEASURES, *(f"{GROUP}+{name}" for name in MEASURES))
"""Strategies: by metadata; by the nearest of all images; by the nearest of the same group."""


@dataclass(frozen=True)
class Strategy:
    """How calibration images are selected for an image.

    Parameters
    ----------
    grouped : bool
        Whether only images of the same microscope and specimen are considered.
    measure : str or None
        One of :data:`autodip.choose.measures.MEASURES`, by which the nearest images are selected;
        None uses all images.
    """

    grouped: bool
    measure: str | None

    @classmethod
    def parse(cls, name: str) -> Strategy:
        """Parse one of the names in :data:`STRATEGIES`.

        Raises
        ------
        ParameterError
            If it is not one of these names.
        """
        if name not in STRATEGIES:
            raise ParameterError(not_known("strategy", name, STRATEGIES))
        if name == GROUP:
            return cls(True, None)
        return cls(name.startswith(f"{GROUP}+"), name.removeprefix(f"{GROUP}+"))


@dataclass(frozen=True)
class Deciding:
    """Calibration images whose curves determine the choice.

    Parameters
    ----------
    entries : tuple of Entry
        The images; the nearest first if a measure was used.
    group : Kind
        Group from which they were selected.
    distances : tuple of float
        Distance of each entry; empty if no measure was used.
    """

    entries: tuple[Entry, ...]
    group: Kind
    distances: tuple[float, ...] = ()

    @property
    def ids(self) -> frozenset[str]:
        """Identifiers of the entries."""
        return frozenset(entry.id for entry in self.entries)

    @property
    def pixels(self) -> int:
        """Median number of pixels of the entries."""
        return int(np.median([entry.shape[0] * entry.shape[1] for entry in self.entries]))


def decide(
    strategy: Strategy,
    known: Kind,
    entries: Sequence[Entry],
    distances: Callable[[str, Sequence[Entry]], np.ndarray],
    neighbours: int = 1,
) -> Deciding:
    """Select the calibration images that determine the choice for an image.

    Parameters
    ----------
    strategy : Strategy
    known : Kind
        Microscope and specimen of the image.
    entries : sequence of Entry
        Calibration images to select from; one or more.
    distances : callable
        Returns the distances of the image from entries, given the name of a measure and the
        entries.
    neighbours : int
        Number of nearest images to select, if the strategy has a measure.
    """
    members, group = _members(entries, known if strategy.grouped else Kind())
    if strategy.measure is None:
        return Deciding(tuple(members), group)
    pool = members if MEASURES[strategy.measure].pairwise else entries
    found = distances(strategy.measure, pool)
    far = {entry.id: float(value) for entry, value in zip(pool, found, strict=True)}
    nearest = sorted(members, key=lambda entry: (far[entry.id], entry.id))[:neighbours]
    return Deciding(tuple(nearest), group, tuple(far[entry.id] for entry in nearest))


def _members(entries: Sequence[Entry], known: Kind) -> tuple[list[Entry], Kind]:
    """Images of the most specific group that has any, with that group; as a last resort, all."""
    for group in known.fallbacks():
        members = [entry for entry in entries if group.includes(entry.kind)]
        if members:
            return members, group
    return list(entries), Kind()


def propose_from_base(
    description: Description,
    sample: Sample,
    base: Base,
    *,
    strategy: str = GROUP,
    criterion: str | None = None,
    neighbours: int = 1,
    preset: str = "",
) -> Proposal:
    """Propose the parameters of one image from a calibration base.

    Parameters
    ----------
    description : Description
        Description of the image.
    sample : Sample
        Descriptors of the image, and its pixels if the measure needs them.
    base : Base
    strategy : str
        One of :data:`STRATEGIES`.
    criterion : str, optional
        Criterion for the best setting; see :mod:`autodip.bases.criteria`. The default is
        ``combined``, or ``psnr`` if the base was calibrated without LPIPS.
    neighbours : int
        Number of nearest calibration images whose curves are averaged, if the strategy has a
        measure.
    preset : str
        Preset that was specified in addition to the base; recorded in the evidence.

    Raises
    ------
    ParameterError
        If an option is not allowed, if the base has no calibrated images, or if it does not store
        the pixels that the measure needs.
    """
    if neighbours < 1:
        raise ParameterError(f"neighbours is {neighbours}; it must be 1 or more")
    way = Strategy.parse(strategy)
    calibrated = {run.image for run in base.runs}
    entries = [entry for entry in base.entries.values() if entry.id in calibrated]
    if not entries and base.prior is not None:
        return propose_own_prior(description, base, preset)
    if not entries:
        raise ParameterError("the base holds no calibrated image; fill it with autodip calibrate")

    def distances(measure: str, pool: Sequence[Entry]) -> np.ndarray:
        return MEASURES[measure].distance(sample, samples(base, measure, pool))

    known = description.kind
    deciding = decide(way, known, entries, distances, neighbours)
    criterion = criterion or default_criterion(base.runs)
    best = pick([run for run in base.runs if run.image in deciding.ids], criterion)
    warning = unlike(sample.descriptors, entries)
    evidence = Evidence(
        preset=preset,
        table=f"{base.name} {_version(base)}",
        source=f"best by {criterion} over {len(deciding.entries)} of {len(entries)} images",
        group=deciding.group,
        known=known,
        origin=dict(description.origin),
        notes=tuple(_notes(way, known, deciding)),
        neighbours=_neighbours(deciding),
        outside=warning is not None,
        strategy=strategy,
    )
    proposal = Proposal(
        best.config.net,
        stopped(best),
        refinement(best),
        evidence,
        pixels=deciding.pixels,
        remarks=tuple(filter(None, [warning])),
    )
    return with_own_prior(proposal, base)


def covers(base: Base, known: Kind) -> bool:
    """Whether a base has calibrated images of the microscope and specimen of an image.

    A base whose prior was tuned on such images covers them as well, and one that has a prior but
    no calibrated images covers all.

    Parameters
    ----------
    base : Base
    known : Kind
        Microscope and specimen of the image; one that is None matches any calibration image.
    """
    calibrated = {run.image for run in base.runs}
    kinds = [base.entries[image].kind for image in calibrated]
    if base.prior is not None:
        kinds += base.prior.kinds if kinds else [known]
    return any(known.includes(kind) for kind in kinds)


def near(sample: Sample, entries: Sequence[Entry], number: int) -> tuple[Mapping[str, object], ...]:
    """List the nearest calibration images by descriptors, for the evidence of a choice."""
    far = MEASURES["descriptor"].distance(sample, [Sample(None, e.descriptors) for e in entries])
    order = sorted(range(len(entries)), key=lambda k: (float(far[k]), entries[k].id))[:number]
    nearest = tuple(entries[k] for k in order)
    return _neighbours(Deciding(nearest, Kind(), tuple(float(far[k]) for k in order)))


def samples(base: Base, measure: str, entries: Sequence[Entry]) -> list[Sample]:
    """Samples of calibration images, with pixels if the measure needs them.

    Raises
    ------
    ParameterError
        If the measure needs pixels that the base does not store.
    """
    if not MEASURES[measure].needs_pixels:
        return [Sample(None, entry.descriptors) for entry in entries]
    result = []
    for entry in entries:
        pixels = base.pixels(entry.id)
        if pixels is None:
            raise ParameterError(
                f"the measure {measure} compares pixels, but the base does not store the pixels of "
                f"{entry.name}; calibrate with --keep-images, or use the measure descriptor"
            )
        result.append(Sample(pixels[0], entry.descriptors))
    return result


def stopped(best: Pick) -> FitParams:
    """Fit parameters with the stop of the pick; no averaging if it uses the last output."""
    changes = {"average": 0.0} if best.output == "last" else {}
    return best.config.fit.replace(iterations=best.iteration, **changes)


def refinement(best: Pick) -> RefineParams | None:
    """Refinement of the pick; None if it uses the result of the fit without refinement."""
    return best.config.refine if best.output == "refined" else None


def unlike(descriptors: Mapping[str, float], entries: Sequence[Entry]) -> str | None:
    """Warn if an image is unlike all calibration images.

    See :func:`autodip.choose.measures.beyond`.

    Returns
    -------
    str or None
        Warning for the user; None if the image is not unusual, or if this is undetermined.
    """
    described = [entry.descriptors for entry in entries]
    found = beyond(descriptors, described, [entry.fov for entry in entries])
    if found is None:
        return None
    nearest, limit = found
    return (
        f"this image is unlike all {len(entries)} calibration images (its descriptors are "
        f"{nearest:.1f} standard deviations from the nearest; 99 % of the calibration images have "
        f"a neighbour within {limit:.1f}); look at the result"
    )


def _version(base: Base) -> str:
    """First 8 hexadecimal digits of a SHA-256 hash of the runs: image, setting and engine."""
    lines = sorted(f"{run.image} {run.config.key} {run.engine}" for run in base.runs)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:8]


def _notes(way: Strategy, known: Kind, deciding: Deciding) -> list[str]:
    """Notes on missing metadata, and on the calibration images used instead."""
    notes = []
    if way.grouped:
        used = deciding.group.words or "any kind"
        if known.missing:
            options = " and ".join("--" + name for name in known.missing)
            unknown = " and ".join(known.missing)
            notes.append(
                f"{unknown} unknown: calibration images of {used} are used; specify with {options}"
            )
        if deciding.group != known:
            notes.append(
                f"no calibration image of {known.words}: calibration images of {used} are used "
                "instead"
            )
    return notes


def _neighbours(deciding: Deciding) -> tuple[Mapping[str, object], ...]:
    return tuple(
        {
            "name": entry.name,
            "distance": distance,
            "microscope": entry.microscope,
            "specimen": entry.specimen,
        }
        for entry, distance in zip(deciding.entries, deciding.distances, strict=False)
    )
