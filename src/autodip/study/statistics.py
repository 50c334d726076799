"""Scores of each strategy over the images, and tests of whether they differ significantly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from autodip.choose.from_base import GROUP
from autodip.study.judged import FIXED, OPTIMUM, Judged

Figure = Literal["psnr", "ssim", "lpips"]

RIVALS = (FIXED, GROUP)
"""Strategies against which the others are tested."""

_EXACT = 50
"""Maximum number of fields of view for which the test is exact."""


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation (n - 1) of a score over images.

    ``deviation`` is None for a single image. ``loss`` is the mean difference from the optimum of
    the same image, positive if worse, and None if no image has both scores. ``against`` has the
    p value of the test against each of the other :data:`RIVALS`, None if no field of view differs.
    It is empty for the optimum, which is a bound.
    """

    mean: float
    deviation: float | None
    loss: float | None
    against: Mapping[str, float | None]


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Summary of a strategy over the images for which it has scores.

    Parameters
    ----------
    strategy : str
    images, fields : int
        Number of images that have scores, and number of their fields of view.
    psnr : Spread or None
        PSNR in dB; None, as for the other scores, if no image has it.
    ssim, lpips : Spread or None
    same : int
        Number of images for which the configuration of their optimum was picked, at any stop.
    missing : int
        Number of images without scores.
    reasons : tuple of str
        Reasons why scores are missing, without duplicates.
    """

    strategy: str
    images: int
    fields: int
    psnr: Spread | None
    ssim: Spread | None
    lpips: Spread | None
    same: int
    missing: int
    reasons: tuple[str, ...]


def summarise(rows: Sequence[Judged]) -> list[Summary]:
    """Summarise each strategy, in the order in which they appear in the rows."""
    by_strategy = _by_strategy(rows)
    return [_summary(name, by_strategy) for name in by_strategy]


def mean_loss(rows: Sequence[Judged], strategy: str, figure: Figure) -> float | None:
    """Mean difference from the optimum of the same image, positive if worse.

    None if no image has both scores.
    """
    losses = _losses(figure, strategy, _by_strategy(rows))
    return float(np.mean(losses)) if losses else None


def paired_test(differences: Mapping[str, Sequence[float]]) -> float | None:
    """Two-sided p value of Wilcoxon's signed-rank test (1945) over fields of view.

    Images of one field of view are not independent samples, so each field counts once, by its
    mean. Fields whose mean difference is zero are left out, and ties share their rank. For up to
    50 fields the p value is exact, from counts over all combinations of signs.

    Parameters
    ----------
    differences : mapping of str to sequence of float
        Differences by field of view, one for each image.

    Returns
    -------
    float or None
        The p value; None if no field has a mean difference other than zero.
    """
    from scipy.stats import rankdata, wilcoxon  # noqa: PLC0415  (slow to import)

    means = np.array([np.mean(values) for values in differences.values()])
    means = means[means != 0]
    if not len(means):
        return None
    if len(means) > _EXACT:
        return float(wilcoxon(means).pvalue)
    ranks = np.rint(2 * rankdata(np.abs(means))).astype(int)  # doubled: integers, even for ties
    ways = np.ones(1)  # number of sign combinations, by the sum of the positive ranks
    for rank in ranks:
        none = np.zeros(rank)
        ways = np.concatenate([ways, none]) + np.concatenate([none, ways])
    smaller = min(ranks[means > 0].sum(), ranks[means < 0].sum())
    return float(min(2 * ways[: smaller + 1].sum() / ways.sum(), 1.0))


def _by_strategy(rows: Sequence[Judged]) -> dict[str, dict[str, Judged]]:
    """Rows by strategy and image."""
    found: dict[str, dict[str, Judged]] = {}
    for row in rows:
        found.setdefault(row.strategy, {})[row.image] = row
    return found


def _summary(name: str, by_strategy: Mapping[str, Mapping[str, Judged]]) -> Summary:
    rows = by_strategy[name]
    done = [row for row in rows.values() if row.psnr is not None]
    best = {image: row.config for image, row in by_strategy.get(OPTIMUM, {}).items()}
    return Summary(
        strategy=name,
        images=len(done),
        fields=len({row.fov for row in done}),
        psnr=_spread("psnr", name, by_strategy),
        ssim=_spread("ssim", name, by_strategy),
        lpips=_spread("lpips", name, by_strategy),
        same=sum(row.config == best.get(row.image) for row in done),
        missing=len(rows) - len(done),
        reasons=tuple(dict.fromkeys(row.reason for row in rows.values() if row.reason)),
    )


def _spread(
    figure: Figure, name: str, by_strategy: Mapping[str, Mapping[str, Judged]]
) -> Spread | None:
    found = (getattr(row, figure) for row in by_strategy[name].values())
    values = [value for value in found if value is not None]
    if not values:
        return None
    losses = _losses(figure, name, by_strategy)
    return Spread(
        float(np.mean(values)),
        float(np.std(values, ddof=1)) if len(values) > 1 else None,
        float(np.mean(losses)) if losses else None,
        {
            rival: paired_test(_differences(figure, name, rival, by_strategy))
            for rival in RIVALS
            if name not in (rival, OPTIMUM)
        },
    )


def _losses(
    figure: Figure, name: str, by_strategy: Mapping[str, Mapping[str, Judged]]
) -> list[float]:
    """Differences from the optimum, positive if worse."""
    sign = 1 if figure == "lpips" else -1
    lost = _differences(figure, name, OPTIMUM, by_strategy)
    return [sign * value for field in lost.values() for value in field]


def _differences(
    figure: Figure, name: str, other: str, by_strategy: Mapping[str, Mapping[str, Judged]]
) -> dict[str, list[float]]:
    """Score of a strategy minus the score of another, for each image, by field of view."""
    differences: dict[str, list[float]] = {}
    for image, row in by_strategy.get(name, {}).items():
        pair = by_strategy.get(other, {}).get(image)
        mine, theirs = getattr(row, figure), getattr(pair, figure, None)
        if mine is not None and theirs is not None:
            differences.setdefault(row.fov, []).append(mine - theirs)
    return differences
