"""The best setting over one or several calibration images, by one criterion or another."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from autodip.bases.records import Config, Output, Point, Run
from autodip.bases.store import Base
from autodip.errors import ParameterError

CRITERIA = ("combined", "psnr", "lpips", "ssim", "cheapest")
"""Names of the criteria of :func:`pick`."""

FIGURES = ("psnr", "ssim", "lpips", "l1", "mse")
"""Figures of a pick, as :class:`autodip.bases.records.Point` has them."""

WITHIN = (0.2, 0.01)
"""What the criterion ``cheapest`` may lose: PSNR in dB, and LPIPS."""

Group = tuple[str | None, str | None]
"""Microscope and specimen, None standing for any."""


@dataclass(frozen=True)
class Pick:
    """A setting: what is fitted, where it stops and which output is kept.

    Parameters
    ----------
    config : Config
    output : "last", "average" or "refined"
    iteration : int
        The stop.
    scores : mapping of str to float or None
        Means over the images, of :data:`FIGURES`; None for an LPIPS that some image lacks.
    cost : mapping of str to float
        Means over the images: ``flop`` up to the stop, ``memory`` in bytes, ``parameters``.
    """

    config: Config
    output: Output
    iteration: int
    scores: Mapping[str, float | None]
    cost: Mapping[str, float]


def default_criterion(runs: Iterable[Run]) -> str:
    """``combined``, or ``psnr`` where a run lacks LPIPS."""
    measured = all(point.lpips is not None for run in runs for point in run.points)
    return "combined" if measured else "psnr"


def means(runs: Iterable[Run]) -> list[Pick]:
    """All settings that every image of the runs has, with their means over the images.

    Raises
    ------
    ParameterError
        If there is no run, or no setting that all images have.
    """
    by_config: dict[Config, dict[str, Run]] = {}
    for run in runs:
        by_config.setdefault(run.config, {})[run.image] = run
    images = {image for found in by_config.values() for image in found}
    if not images:
        raise ParameterError("no run to choose from; fill the base with autodip calibrate")
    shared = {config: found for config, found in by_config.items() if len(found) == len(images)}
    result = [one for config, found in shared.items() for one in _stops(config, found)]
    if not result:
        raise ParameterError(
            f"no setting was run on all {len(images)} images; calibrate them with the same grid"
        )
    return result


def pick(
    runs: Iterable[Run], criterion: str = "combined", within: tuple[float, float] = WITHIN
) -> Pick:
    """Choose the setting that is best over the images of the runs.

    Figures are means over the images. Of settings that are equally good, the cheapest is taken.

    Parameters
    ----------
    runs : iterable of Run
        On one image or several; only settings that all of them have are compared.
    criterion : str
        ``psnr``, ``ssim`` (highest), ``lpips`` (lowest), ``combined`` (lowest mean of the ranks
        by PSNR and by LPIPS, as in AUTO-DIP, arXiv 2601.12055) or ``cheapest`` (fewest
        operations among those that are hardly worse than the best combined one).
    within : tuple of float
        What ``cheapest`` may lose against the best: PSNR in dB, and LPIPS.

    Raises
    ------
    ParameterError
        If the criterion is not known or needs an LPIPS that was not measured, or no setting is
        there to choose from.
    """
    if criterion not in CRITERIA:
        raise ParameterError(
            f"criterion {criterion!r} is not known; known are {', '.join(CRITERIA)}"
        )
    found = means(runs)
    if criterion in ("combined", "lpips", "cheapest"):
        _check_lpips(found, criterion)
    ranks = dict(zip(map(id, found), _ranks(found, criterion), strict=True))
    best = min(found, key=lambda one: (ranks[id(one)], *_price(one)))
    if criterion != "cheapest":
        return best
    close = [one for one in found if _hardly_worse(one, best, within)]
    return min(close, key=lambda one: (_price(one)[0], ranks[id(one)], *_price(one)))


def group_rows(base: Base, criterion: str, exclude: Collection[str] = ()) -> dict[Group, Pick]:
    """Best setting of each group: microscope and specimen, either of them, and all images.

    Parameters
    ----------
    base : Base
    criterion : str
        As for :func:`pick`.
    exclude : collection of str
        Fields of view whose images are left out.

    Returns
    -------
    dict
        By microscope and specimen, None standing for any; the most specific groups first. A
        group whose images have no setting in common is left out.

    Raises
    ------
    ParameterError
        As for :func:`pick`.
    """
    runs: dict[str, list[Run]] = {}
    for run in base.runs:
        if base.entries[run.image].fov not in exclude:
            runs.setdefault(run.image, []).append(run)
    rows: dict[Group, Pick] = {}
    for group, images in groups(base, runs).items():
        members = [run for image in images for run in runs[image]]
        if _have_common(members):
            rows[group] = pick(members, criterion)
    return rows


def groups(base: Base, images: Collection[str]) -> dict[Group, list[str]]:
    """Identifiers among ``images`` by group; the most specific groups first."""
    found: dict[Group, list[str]] = {}
    ways: Sequence[Callable[[Group], Group]] = (
        lambda known: known,
        lambda known: (known[0], None),
        lambda known: (None, known[1]),
        lambda known: (None, None),
    )
    for number, way in enumerate(ways):
        for image, entry in base.entries.items():
            known = (entry.microscope, entry.specimen)
            group = way(known)
            complete = sum(part is not None for part in group) == (2, 1, 1, 0)[number]
            if image in images and complete:
                found.setdefault(group, []).append(image)
    return found


def _have_common(runs: Sequence[Run]) -> bool:
    images = {run.image for run in runs}
    counts: dict[Config, int] = {}
    for run in runs:
        counts[run.config] = counts.get(run.config, 0) + 1
    return len(images) in counts.values()


def _stops(config: Config, runs: Mapping[str, Run]) -> list[Pick]:
    """Means of one configuration at the stops that all images have."""
    curves = [{(p.output, p.iteration): p for p in run.points} for run in runs.values()]
    price = {
        name: float(np.mean([run.cost[name] for run in runs.values()]))
        for name in ("flop", "memory", "parameters")
        if all(name in run.cost for run in runs.values())
    }
    result = []
    for output, iteration in curves[0]:
        points = [curve.get((output, iteration)) for curve in curves]
        there = [point for point in points if point is not None]
        if len(there) < len(points):
            continue
        cost = dict(price)
        if "flop" in cost:
            cost["flop"] *= iteration / config.fit.iterations
        result.append(Pick(config, output, iteration, _scores(there), cost))
    return result


def _scores(points: Sequence[Point]) -> dict[str, float | None]:
    scores: dict[str, float | None] = {}
    for name in FIGURES:
        values = [getattr(point, name) for point in points]
        scores[name] = None if None in values else float(np.mean(values))
    return scores


def _check_lpips(found: Sequence[Pick], criterion: str) -> None:
    lacking = sum(one.scores["lpips"] is None for one in found)
    if lacking:
        raise ParameterError(
            f"the criterion {criterion} needs LPIPS, which {lacking} of {len(found)} settings "
            "lack; run 'autodip weights install' and calibrate in a new base, or choose the "
            "criterion psnr"
        )


def _ranks(found: Sequence[Pick], criterion: str) -> np.ndarray:
    """What the criterion wants to be least, one number for each setting."""
    if criterion in ("psnr", "ssim"):
        return -_values(found, criterion)
    if criterion == "lpips":
        return _values(found, criterion)
    ranks = rankdata(-_values(found, "psnr")) + rankdata(_values(found, "lpips"))
    return np.asarray(ranks / 2)


def _values(found: Sequence[Pick], name: str) -> np.ndarray:
    return np.array([one.scores[name] for one in found], float)


def _price(one: Pick) -> tuple[float, int, str, str]:
    """Order of settings that are equally good."""
    return one.cost.get("flop", float("inf")), one.iteration, one.output, one.config.key


def _hardly_worse(one: Pick, best: Pick, within: tuple[float, float]) -> bool:
    def lost(name: str, sign: int) -> float:
        return sign * ((one.scores[name] or 0.0) - (best.scores[name] or 0.0))

    return lost("psnr", -1) <= within[0] and lost("lpips", 1) <= within[1]
