"""Figures of each strategy over the images, and whether they differ by more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from autodip.lookup import GROUP
from autodip.study.rows import FIXED, OPTIMUM, Row

Figure = Literal["psnr", "lpips"]

RIVALS = (FIXED, GROUP)
"""Strategies that the others are tested against."""


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation over images, with one degree of freedom less.

    ``loss`` is the mean difference from the optimum of the same image, positive where worse.
    ``against`` has the p value of the test against each of :data:`RIVALS`; None where it cannot
    be told.
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
    lpips : Spread or None
    reasons : tuple of str
        Why other images have no figures; each once.
    """

    strategy: str
    images: int
    fields: int
    psnr: Spread | None
    lpips: Spread | None
    reasons: tuple[str, ...]


def summarise(rows: Sequence[Row]) -> list[Summary]:
    """Summaries of the strategies, in the order of the rows."""
    by_strategy: dict[str, dict[str, Row]] = {}
    for row in rows:
        by_strategy.setdefault(row.strategy, {})[row.image] = row
    return [_summary(name, by_strategy) for name in by_strategy]


def paired_test(differences: Mapping[str, Sequence[float]]) -> float | None:
    """Two-sided p value of Wilcoxon's signed-rank test (1945) over fields of view.

    Images of one field are no independent samples: each field counts once, by its mean.

    Parameters
    ----------
    differences : mapping of str to sequence of float
        By field of view, one for each image.

    Returns
    -------
    float or None
        None where no field differs.
    """
    from scipy.stats import wilcoxon  # noqa: PLC0415  (slow to import)

    means = np.array([np.mean(values) for values in differences.values()])
    if not np.any(means):
        return None
    return float(wilcoxon(means).pvalue)


def _summary(name: str, by_strategy: Mapping[str, Mapping[str, Row]]) -> Summary:
    rows = by_strategy[name]
    done = [row for row in rows.values() if row.psnr is not None]
    return Summary(
        name,
        len(done),
        len({row.fov for row in done}),
        _spread("psnr", name, by_strategy),
        _spread("lpips", name, by_strategy),
        tuple(dict.fromkeys(row.reason for row in rows.values() if row.reason)),
    )


def _spread(
    figure: Figure, name: str, by_strategy: Mapping[str, Mapping[str, Row]]
) -> Spread | None:
    found = (getattr(row, figure) for row in by_strategy[name].values())
    values = [value for value in found if value is not None]
    if not values:
        return None
    sign = -1 if figure == "psnr" else 1
    lost = _differences(figure, name, OPTIMUM, by_strategy)
    losses = [sign * value for field in lost.values() for value in field]
    return Spread(
        float(np.mean(values)),
        float(np.std(values, ddof=1)) if len(values) > 1 else None,
        float(np.mean(losses)) if losses else None,
        {
            rival: paired_test(_differences(figure, name, rival, by_strategy))
            for rival in RIVALS
            if rival != name
        },
    )


def _differences(
    figure: Figure, name: str, other: str, by_strategy: Mapping[str, Mapping[str, Row]]
) -> dict[str, list[float]]:
    """Figure of a strategy less that of another, by field of view."""
    differences: dict[str, list[float]] = {}
    for image, row in by_strategy[name].items():
        pair = by_strategy.get(other, {}).get(image)
        mine, theirs = getattr(row, figure), getattr(pair, figure, None)
        if mine is not None and theirs is not None:
            differences.setdefault(row.fov, []).append(mine - theirs)
    return differences
