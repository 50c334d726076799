"""Successive halving: short fits of all configurations, complete fits of the better half.

The method follows Jamieson & Talwalkar (AISTATS 2016), with a single round.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from scipy.stats import rankdata

from autodip.bases.criteria import default_criterion, pick
from autodip.bases.records import Config, Run

_SHARE = 4
"""The iterations are divided by this number in the short fits."""


def shortened(config: Config) -> Config:
    """Configuration with a quarter of the iterations, without the refinement, which is slower.

    The number of iterations is rounded down to a multiple of ``every``, but is at least ``every``
    unless the whole fit is shorter.
    """
    stops = max(1, config.fit.iterations // _SHARE // config.every)
    iterations = min(stops * config.every, config.fit.iterations)
    fit = config.fit.replace(iterations=iterations)
    return dataclasses.replace(config, fit=fit, refine=None)


def kept_of(configs: int) -> int:
    """Number of configurations that are run to the end, out of the given number."""
    return math.ceil(configs / 2)


def better_half(configs: Sequence[Config], runs: Sequence[Run]) -> list[int]:
    """Indices of the better half of the configurations, by the mean of their ranks.

    Each configuration is ranked by the PSNR and, if all runs have it, the LPIPS of its best stop,
    as means over the images on which all configurations were run. Empty if there is no such
    image.
    """
    wanted = set(configs)
    by_image: dict[str, dict[Config, Run]] = {}
    for run in runs:
        if run.config in wanted:
            by_image.setdefault(run.image, {})[run.config] = run
    complete = [found for found in by_image.values() if len(found) == len(wanted)]
    if not complete:
        return []
    criterion = default_criterion(run for found in complete for run in found.values())
    best = [pick([found[config] for found in complete], criterion) for config in configs]
    ranks = rankdata([-(one.scores["psnr"] or 0) for one in best])
    if criterion == "combined":
        ranks = ranks + rankdata([one.scores["lpips"] for one in best])
    order = sorted(range(len(configs)), key=lambda number: (ranks[number], number))
    return sorted(order[: kept_of(len(configs))])
