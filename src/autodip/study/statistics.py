"""Figures of each strategy over the images, and whether they differ by more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from autodip.choose.from_base import GROUP
from autodip.study.judged import FIXED, OPTIMUM, Judged

Figure = Literal["psnr", "ssim", "lpips"]

RIVALS = (FIXED, GROUP)
"""Strategies that the others are tested against."""

_EXACT = 50
"""Fields of view up to which the test is exact."""


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation over images, with one degree of freedom less.

    ``loss`` is the mean difference from the optimum of the same image, positive where worse.
    ``against`` has the p value of the test against each of :data:`RIVALS`; None where it cannot
    be told. That of the optimum, which is a bound, is empty.
    """

    mean: float
    deviation: float | None
    loss: float | None
    against: Mapping[str, float | None]


@dataclass(frozen=True)
class Summary:
    """A strategy over the images it has figures for.

    Parameters
    ----------
    strategy : str
    images, fields : int
        How many, and of how many fields of view.
    psnr : Spread or None
        In dB.
    ssim, lpips : Spread or None
    same : int
        Images for which the setting of their optimum was picked, at any stop.
    missing : int
        Images that have no figures.
    reasons : tuple of str
        Why; each once.
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
    """Summaries of the strategies, in the order of the rows."""
    by_strategy = _by_strategy(rows)
    return [_summary(name, by_strategy) for name in by_strategy]


def mean_loss(rows: Sequence[Judged], strategy: str, figure: Figure) -> float | None:
    """Mean difference from the optimum of the same image, positive where worse.

    None where no image has both.
    """
    losses = _losses(figure, strategy, _by_strategy(rows))
    return float(np.mean(losses)) if losses else None


def paired_test(differences: Mapping[str, Sequence[float]]) -> float | None:
    """Two-sided p value of Wilcoxon's signed-rank test (1945) over fields of view.

    Images of one field are no independent samples: each field counts once, by its mean. Fields
    that don't differ are left out, and ties share their rank. Up to 50 fields the p value is
    exact, counted over all signs.

    Parameters
    ----------
    differences : mapping of str to sequence of float
        By field of view, one for each image.

    Returns
    -------
    float or None
        None where no field differs.
    """
    from scipy.stats import rankdata, wilcoxon  # noqa: PLC0415  (slow to import)

    means = np.array([np.mean(values) for values in differences.values()])
    means = means[means != 0]
    if not len(means):
        return None
    if len(means) > _EXACT:
        return float(wilcoxon(means).pvalue)
    ranks = np.rint(2 * rankdata(np.abs(means))).astype(int)  # whole numbers, also of ties
    ways = np.ones(1)  # by the sum of the ranks that are positive
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
        name,
        len(done),
        len({row.fov for row in done}),
        _spread("psnr", name, by_strategy),
        _spread("ssim", name, by_strategy),
        _spread("lpips", name, by_strategy),
        sum(row.config == best.get(row.image) for row in done),
        len(rows) - len(done),
        tuple(dict.fromkeys(row.reason for row in rows.values() if row.reason)),
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
    """Differences from the optimum, positive where worse."""
    sign = 1 if figure == "lpips" else -1
    lost = _differences(figure, name, OPTIMUM, by_strategy)
    return [sign * value for field in lost.values() for value in field]


def _differences(
    figure: Figure, name: str, other: str, by_strategy: Mapping[str, Mapping[str, Judged]]
) -> dict[str, list[float]]:
    """Figure of a strategy less that of another, by field of view."""
    differences: dict[str, list[float]] = {}
    for image, row in by_strategy.get(name, {}).items():
        pair = by_strategy.get(other, {}).get(image)
        mine, theirs = getattr(row, figure), getattr(pair, figure, None)
        if mine is not None and theirs is not None:
            differences.setdefault(row.fov, []).append(mine - theirs)
    return differences
