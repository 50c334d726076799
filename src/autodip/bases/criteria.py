"""Selection of the best setting over one or several calibration images, by several criteria."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autodip.bases.records import Config, Output, Point, Run
from autodip.bases.store import Base
from autodip.errors import ParameterError
from autodip.image.kind import Kind
from autodip.util.closest import not_known

CRITERIA = ("combined", "psnr", "lpips", "ssim", "cheapest")
"""Names of the criteria of :func:`pick`."""

FIGURES = ("psnr", "ssim", "lpips", "l1", "mse")
"""Scores of a pick, named as in :class:`autodip.bases.records.Point`."""

WITHIN = (0.2, 0.01)
"""Largest loss that the criterion ``cheapest`` accepts: PSNR in dB, and LPIPS."""


@dataclass(frozen=True)
class Pick:
    """A setting: the configuration, the iteration at which it stops, and the output it uses.

    Parameters
    ----------
    config : Config
    output : "last", "average" or "refined"
    iteration : int
        Iteration at which the fit stops.
    scores : mapping of str to float or None
        Means over the images of each score in :data:`FIGURES`; LPIPS is None if any image lacks
        it.
    cost : mapping of str to float
        Means over the images: ``flop`` up to the stop, ``memory`` in bytes, ``parameters``. A
        cost that any run lacks is left out.
    """

    config: Config
    output: Output
    iteration: int
    scores: Mapping[str, float | None]
    cost: Mapping[str, float]


def default_criterion(runs: Iterable[Run]) -> str:
    """``combined``, or ``psnr`` if any run lacks LPIPS."""
    measured = all(point.lpips is not None for run in runs for point in run.points)
    return "combined" if measured else "psnr"


def means(runs: Iterable[Run]) -> list[Pick]:
    """List all settings that were run on every image, with their means over the images.

    Raises
    ------
    ParameterError
        If there are no runs, or no setting was run on all images.
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

    Scores are means over the images. Of equally good settings, the cheapest is chosen.

    Parameters
    ----------
    runs : iterable of Run
        Runs on one or several images; only settings that were run on all of them are compared.
    criterion : str
        ``psnr``, ``ssim`` (highest), ``lpips`` (lowest), ``combined`` (lowest mean of the ranks
        by PSNR and by LPIPS, as in AUTO-DIP, arXiv 2601.12055) or ``cheapest`` (fewest
        operations among the settings that lose no more than ``within`` against the best one by
        ``combined``).
    within : tuple of float
        Largest loss that ``cheapest`` accepts against the best setting: PSNR in dB, and LPIPS.

    Raises
    ------
    ParameterError
        If the criterion is unknown or needs LPIPS where it was not measured, or if there is no
        setting to choose from.
    """
    if criterion not in CRITERIA:
        raise ParameterError(not_known("criterion", criterion, CRITERIA))
    found = means(runs)
    if criterion in ("combined", "lpips", "cheapest"):
        _check_lpips(found, criterion)
    ranks = dict(zip(map(id, found), _ranks(found, criterion), strict=True))
    best = min(found, key=lambda one: (ranks[id(one)], *_price(one)))
    if criterion != "cheapest":
        return best
    close = [one for one in found if _hardly_worse(one, best, within)]
    return min(close, key=lambda one: (_price(one)[0], ranks[id(one)], *_price(one)))


def group_rows(base: Base, criterion: str, exclude: Collection[str] = ()) -> dict[Kind, Pick]:
    """Choose the best setting of each group of images.

    There is a group for each pair of microscope and specimen, for each microscope, for each
    specimen, and for all images.

    Parameters
    ----------
    base : Base
    criterion : str
        As for :func:`pick`.
    exclude : collection of str
        Fields of view whose images are left out.

    Returns
    -------
    dict of Kind to Pick
        Best setting by group, the most specific groups first. A group whose images have no
        setting in common is left out.

    Raises
    ------
    ParameterError
        As for :func:`pick`.
    """
    runs: dict[str, list[Run]] = {}
    for run in base.runs:
        if base.entries[run.image].fov not in exclude:
            runs.setdefault(run.image, []).append(run)
    rows: dict[Kind, Pick] = {}
    for group, images in groups(base, runs).items():
        members = [run for image in images for run in runs[image]]
        if _have_common(members):
            rows[group] = pick(members, criterion)
    return rows


def groups(base: Base, images: Collection[str]) -> dict[Kind, list[str]]:
    """Identifiers of the given images, by group; the most specific groups come first."""
    found: dict[Kind, list[str]] = {}
    for image, entry in base.entries.items():
        if image in images:
            for group in entry.kind.fallbacks():
                found.setdefault(group, []).append(image)
    return {group: found[group] for group in sorted(found, key=lambda group: _RANK[group.missing])}


_RANK = {(): 0, ("specimen",): 1, ("microscope",): 2, ("microscope", "specimen"): 3}
"""Position of a group in the order, by which of its two names are missing."""


def _have_common(runs: Sequence[Run]) -> bool:
    images = {run.image for run in runs}
    counts: dict[Config, int] = {}
    for run in runs:
        counts[run.config] = counts.get(run.config, 0) + 1
    return len(images) in counts.values()


def _stops(config: Config, runs: Mapping[str, Run]) -> list[Pick]:
    """Mean scores of one configuration at each output and stop that all images have."""
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
    """Quantity that the criterion minimises, one number for each setting."""
    from scipy.stats import rankdata  # noqa: PLC0415  (slow to import)

    if criterion in ("psnr", "ssim"):
        return -_values(found, criterion)
    if criterion == "lpips":
        return _values(found, criterion)
    ranks = rankdata(-_values(found, "psnr")) + rankdata(_values(found, "lpips"))
    return np.asarray(ranks / 2)


def _values(found: Sequence[Pick], name: str) -> np.ndarray:
    return np.array([one.scores[name] for one in found], float)


def _price(one: Pick) -> tuple[float, int, str, str]:
    """Sort key for settings that are equally good: the cheapest comes first."""
    return one.cost.get("flop", float("inf")), one.iteration, one.output, one.config.key


def _hardly_worse(one: Pick, best: Pick, within: tuple[float, float]) -> bool:
    def lost(name: str, sign: int) -> float:
        return sign * ((one.scores[name] or 0.0) - (best.scores[name] or 0.0))

    return lost("psnr", -1) <= within[0] and lost("lpips", 1) <= within[1]
