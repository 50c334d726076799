"""The choice from a calibration base: by metadata, by the most similar images, or by both."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autodip.bases.criteria import Group, Pick, default_criterion, pick
from autodip.bases.records import Entry
from autodip.bases.store import Base
from autodip.choose.adapt import Setting, settle
from autodip.choose.choice import Choice, Evidence, Explicit
from autodip.choose.describe import Description
from autodip.choose.measures import MEASURES, beyond
from autodip.choose.samples import Sample
from autodip.errors import ParameterError
from autodip.fit.params import FitParams
from autodip.refine.refinement import RefineParams

GROUP = "group"
"""The strategy that goes by microscope and specimen alone."""

STRATEGIES = (GROUP, *MEASURES, *(f"{GROUP}+{name}" for name in MEASURES))
"""By metadata; by the nearest of all images; by the nearest of the metadata's group."""


@dataclass(frozen=True)
class Strategy:
    """How calibration images are chosen for an image.

    Parameters
    ----------
    grouped : bool
        Whether only those of the same microscope and specimen are asked.
    measure : str or None
        One of :data:`autodip.choose.measures.MEASURES`, by which the nearest are taken; None for
        all.
    """

    grouped: bool
    measure: str | None

    @classmethod
    def parse(cls, name: str) -> Strategy:
        """Read a name out of :data:`STRATEGIES`.

        Raises
        ------
        ParameterError
            If it is none.
        """
        if name not in STRATEGIES:
            raise ParameterError(
                f"strategy {name!r} is not known; known are {', '.join(STRATEGIES)}"
            )
        if name == GROUP:
            return cls(True, None)
        return cls(name.startswith(f"{GROUP}+"), name.removeprefix(f"{GROUP}+"))


@dataclass(frozen=True)
class Deciding:
    """The calibration images whose curves decide.

    Parameters
    ----------
    entries : tuple of Entry
        The nearest first, where a measure was asked.
    group : tuple of str or None
        Microscope and specimen they were looked for in; None for any.
    distances : tuple of float
        One for each entry, or none at all.
    """

    entries: tuple[Entry, ...]
    group: Group
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
    known: Group,
    entries: Sequence[Entry],
    distances: Callable[[str, Sequence[Entry]], np.ndarray],
    neighbours: int = 1,
) -> Deciding:
    """Find the calibration images that decide on an image.

    Parameters
    ----------
    strategy : Strategy
    known : tuple of str or None
        Microscope and specimen of the image, None where unknown.
    entries : sequence of Entry
        All that may be asked; one or more.
    distances : callable
        From a measure and entries to the distance of the image to each.
    neighbours : int
        So many of the nearest.
    """
    members, group = _members(entries, known if strategy.grouped else (None, None))
    if strategy.measure is None:
        return Deciding(tuple(members), group)
    pool = members if MEASURES[strategy.measure].pairwise else entries
    found = distances(strategy.measure, pool)
    far = {entry.id: float(value) for entry, value in zip(pool, found, strict=True)}
    nearest = sorted(members, key=lambda entry: (far[entry.id], entry.id))[:neighbours]
    return Deciding(tuple(nearest), group, tuple(far[entry.id] for entry in nearest))


def _members(entries: Sequence[Entry], known: Group) -> tuple[list[Entry], Group]:
    """Images of the most specific group that has any; all of them in the end."""
    microscope, specimen = known
    for group in ((microscope, specimen), (microscope, None), (None, specimen)):
        members = [entry for entry in entries if _belongs(entry, group)]
        if members:
            return members, group
    return list(entries), (None, None)


def _belongs(entry: Entry, group: Group) -> bool:
    own = (entry.microscope, entry.specimen)
    return all(want is None or have == want for have, want in zip(own, group, strict=True))


def choose_from_base(
    description: Description,
    sample: Sample,
    base: Base,
    *,
    strategy: str = GROUP,
    criterion: str | None = None,
    neighbours: int = 1,
    explicit: Explicit | None = None,
) -> Choice:
    """Choose the parameters of one image from a calibration base.

    Parameters
    ----------
    description : Description
        Of the image.
    sample : Sample
        Its descriptors, and its pixels where the measure needs them.
    base : Base
    strategy : str
        One of :data:`STRATEGIES`.
    criterion : str, optional
        By which the best setting is told; see :mod:`autodip.bases.criteria`. The default is
        ``combined``, or ``psnr`` where the base was calibrated without LPIPS.
    neighbours : int
        Over so many of the nearest calibration images the curves are averaged.
    explicit : Explicit, optional
        Values that win over the choice.

    Raises
    ------
    ParameterError
        If an option is not allowed, or the base has no images, or none of the pixels that the
        measure needs.
    ImageError
        If the image is too small for any network.
    """
    if neighbours < 1:
        raise ParameterError(f"neighbours is {neighbours}; it must be 1 or more")
    way = Strategy.parse(strategy)
    calibrated = {run.image for run in base.runs}
    entries = [entry for entry in base.entries.values() if entry.id in calibrated]
    if not entries:
        raise ParameterError("the base holds no calibrated image; fill it with autodip calibrate")

    def distances(measure: str, pool: Sequence[Entry]) -> np.ndarray:
        return MEASURES[measure].distance(sample, samples(base, measure, pool))

    known = (description.microscope, description.specimen)
    deciding = decide(way, known, entries, distances, neighbours)
    criterion = criterion or default_criterion(base.runs)
    best = pick([run for run in base.runs if run.image in deciding.ids], criterion)
    setting = Setting(best.config.net, stopped(best), refinement(best), deciding.pixels)
    net, fit, refine, settled = settle(description, setting, explicit or Explicit())
    warning = unlike(sample.descriptors, entries)
    evidence = Evidence(
        preset=strategy,
        table=f"{base.name} {_version(base)}",
        source=f"best by {criterion} over {len(deciding.entries)} of {len(entries)} images",
        group=dict(zip(("microscope", "specimen"), deciding.group, strict=True)),
        known=dict(zip(("microscope", "specimen"), known, strict=True)),
        origin=dict(description.origin),
        notes=(*_notes(way, known, deciding), *settled, *filter(None, [warning])),
        neighbours=_neighbours(deciding),
        outside=warning is not None,
    )
    return Choice(net, fit, evidence, refine)


def covers(base: Base, known: Group) -> bool:
    """Whether a base has calibrated images of all that is known of an image.

    Parameters
    ----------
    base : Base
    known : tuple of str or None
        Microscope and specimen; None where unknown, which any image covers.
    """
    calibrated = {run.image for run in base.runs}
    return any(_belongs(base.entries[image], known) for image in calibrated)


def near(sample: Sample, entries: Sequence[Entry], number: int) -> tuple[Mapping[str, object], ...]:
    """Nearest calibration images by their descriptors, for the evidence of a choice."""
    far = MEASURES["descriptor"].distance(sample, [Sample(None, e.descriptors) for e in entries])
    order = sorted(range(len(entries)), key=lambda k: (float(far[k]), entries[k].id))[:number]
    nearest = tuple(entries[k] for k in order)
    return _neighbours(Deciding(nearest, (None, None), tuple(float(far[k]) for k in order)))


def samples(base: Base, measure: str, entries: Sequence[Entry]) -> list[Sample]:
    """What a measure compares of calibration images.

    Raises
    ------
    ParameterError
        If it needs pixels which the base has not kept.
    """
    if not MEASURES[measure].needs_pixels:
        return [Sample(None, entry.descriptors) for entry in entries]
    result = []
    for entry in entries:
        pixels = base.pixels(entry.id)
        if pixels is None:
            raise ParameterError(
                f"the measure {measure} compares pixels, and the base keeps none of {entry.name}; "
                "calibrate with --keep-images, or use the measure descriptor"
            )
        result.append(Sample(pixels[0], entry.descriptors))
    return result


def stopped(best: Pick) -> FitParams:
    """Fit that ends where the pick says; the last output is kept as it is."""
    changes = {"average": 0.0} if best.output == "last" else {}
    fit: FitParams = best.config.fit.replace(iterations=best.iteration, **changes)
    return fit


def refinement(best: Pick) -> RefineParams | None:
    """Refinement of the pick; None where it keeps the result of the fit."""
    return best.config.refine if best.output == "refined" else None


def unlike(descriptors: Mapping[str, float], entries: Sequence[Entry]) -> str | None:
    """Say so if an image is unlike all calibration images.

    See :func:`autodip.choose.measures.beyond`.

    Returns
    -------
    str or None
        For the user; None where nothing is unusual, or it cannot be told.
    """
    described = [entry.descriptors for entry in entries]
    found = beyond(descriptors, described, [entry.fov for entry in entries])
    if found is None:
        return None
    nearest, limit = found
    return (
        f"this image is unlike all {len(entries)} calibration images (its descriptors are "
        f"{nearest:.1f} of their standard deviations from the nearest; among "
        f"themselves 99 % are within {limit:.1f}); look at "
        "the result"
    )


def _version(base: Base) -> str:
    """First 8 hexadecimal digits of the SHA-256 of which settings were run on which images."""
    lines = sorted(f"{run.image} {run.config.key} {run.engine}" for run in base.runs)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:8]


def _notes(way: Strategy, known: Group, deciding: Deciding) -> list[str]:
    """What was missing for a better choice, and who decided."""
    notes = []
    if way.grouped:
        names = dict(zip(("microscope", "specimen"), known, strict=True))
        missing = [name for name, value in names.items() if value is None]
        used = " and ".join(part for part in deciding.group if part) or "any kind"
        if missing:
            options = " and ".join("--" + name for name in missing)
            unknown = " and ".join(missing)
            notes.append(f"{unknown} unknown: those of {used} are asked; say it with {options}")
        if deciding.group != known:
            asked = " and ".join(value for value in known if value)
            notes.append(f"no calibration image of {asked}: those of {used} are asked")
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
