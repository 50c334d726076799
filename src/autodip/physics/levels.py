"""Noise variance as a function of brightness, from the spectra of blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autodip.physics.blocks import BLOCK, COARSEST, ODD, RADIUS, Spectra

_BINS, _QUANTILES = 24, 12
"""Bins of equal width in brightness, each divided where the population's quantiles lie."""

_POPULATION, _CHOSEN = 60, 20
"""Smallest number of blocks in a bin, and of blocks chosen in it."""

_SHARE = 0.15
"""Share of blocks chosen in a bin full of structure."""

_SMOOTH, _STRUCTURED = 0.2, 0.8
"""Structure (see :class:`Levels`) up to which all blocks of a bin are used, and from which only
``_SHARE`` of them are."""

_LEAK, _LEAK_SHARE, _LEAK_MOST = 0.12, 0.7, 0.2
"""Largest ratio of fine to coarse structure, share of that ratio which is corrected (weak structure
is more blurred than strong structure), and share of the variance that is subtracted at most."""

_STEP, _LEAST_STEPS = 0.015, 0.05
"""Relative error of a difference of variances within a bin, and sum of squared relative differences
of coarse power below which there is too little structure to measure that ratio."""

_EXACT, _MARGIN, _FREE = 0.05, 0.03, 0.5
"""Relative error of a straight line of variance over brightness, and by what share a bin may exceed
the line: with structure, and in addition without."""

_ROUNDS = 15


@dataclass(frozen=True, kw_only=True)
class Levels:
    """Noise in bins of brightness, in the order of brightness.

    Parameters
    ----------
    level : ndarray, shape (n,)
        Mean grey value of the blocks chosen in a bin.
    variance : ndarray, shape (n,)
        Noise variance.
    count : ndarray, shape (n,)
        Number of blocks in a bin, chosen or not.
    structure : ndarray, shape (n,)
        Power of the coarse coefficients in excess of that of noise, relative to it; about 0 if
        a bin shows noise only.
    chosen : tuple of ndarray
        Indices of the blocks chosen in every bin.
    terms : int
        Number of fine coefficients from which the variances were measured.
    """

    level: np.ndarray
    variance: np.ndarray
    count: np.ndarray
    structure: np.ndarray
    chosen: tuple[np.ndarray, ...]
    terms: int

    @property
    def upper(self) -> np.ndarray:
        """Variances of the bins, limited to a line if structure may have increased them.

        Structure can only add to the variance, so bins below the line are taken as they are:
        clipping at black and detectors that are not linear bend the curve.
        """
        gain, constant = self.line()
        line = np.maximum(gain * self.level + constant, self.variance.min())
        free = _FREE * np.clip(1 - self.structure / 0.3, 0, 1)
        return np.asarray(np.minimum(self.variance, line * (1 + _MARGIN + free)))

    def line(self) -> tuple[float, float]:
        """Gain (0 or more) and constant of a line fitted to the variances.

        Weighted by the uncertainties of variance and brightness. Structure can only add to the
        variance, so bins above the line are down-weighted in a few iterations.
        """
        level, variance = self.level, self.variance
        mean = float(np.average(variance, weights=self.count))
        if len(level) < 2 or np.ptp(level) == 0 or mean <= 0:
            return 0.0, mean
        chosen = np.array([len(blocks) for blocks in self.chosen])
        relative = 5 / (chosen * self.terms) + _EXACT**2  # blocks overlap
        crowd = (self.count / self.count.max()) ** 0.25
        least = max(0.5 * float(variance.min()), 1e-4 * float(variance.max()))
        expected, excess = np.maximum(variance, 0.2 * mean), np.zeros(len(level))
        gain, constant = 0.0, mean
        for _ in range(_ROUNDS):
            # The mean of a block is noisy as well, which matters where variance rises steeply.
            aside = gain**2 * expected / BLOCK**2
            weight = crowd / np.sqrt(expected**2 * relative + aside) / (1 + 4 * excess)
            gain, constant = np.polyfit(level, variance, 1, w=weight)
            if gain < 0:
                gain, constant = 0.0, float(np.average(variance, weights=weight**2))
            expected = np.maximum(gain * level + constant, least)
            aside = gain**2 * expected / BLOCK**2
            excess = np.maximum(variance - expected, 0) / np.sqrt(expected**2 + aside)
        return float(gain), float(constant)


def by_level(blocks: Spectra, coarse: np.ndarray, fine: np.ndarray, expected: np.ndarray) -> Levels:
    """Measure the noise in bins of brightness.

    In bins with structure, the variance is measured in the flattest blocks: those whose coarse
    coefficients are weakest relative to half of the fine ones. The other half yields the
    variance, and so is not biased by the choice (Ponomarenko et al. 2007; Colom, Buades & Morel
    2014 choose blocks by one half of the spectrum and measure in the other). A ratio finds flat
    blocks also where photons are so rare that blocks differ in their number. What structure
    adds to the fine coefficients is estimated from the next flattest blocks and subtracted.

    Parameters
    ----------
    blocks : Spectra
    coarse, fine : ndarray of bool, shape (144,)
        Coefficients for the choice, and those for the measurement.
    expected : ndarray, shape (144,)
        Mean power of the coefficients for noise of variance 1.
    """
    # Slopes, the coarsest structure, have no fine coefficients.
    rough = ODD & (RADIUS > COARSEST) & (RADIUS[coarse].max() >= RADIUS)
    parts = [coarse & ~ODD, rough, fine & ~ODD, fine & ODD]
    weights = np.stack([part / np.maximum(expected, 1e-3) / part.sum() for part in parts], axis=1)
    choice, coarse_power, reference, power = (blocks.power @ weights).T
    level, power_flat, coarse_flat, structure, chosen, steps = [], [], [], [], [], []
    bins = _bins(blocks.mean)
    for members in bins:
        scale = max(float(power[members].mean()), 1e-300)
        excess = float(choice[members].mean()) / scale - 1
        share = _SHARE ** np.clip((excess - _SMOOTH) / (_STRUCTURED - _SMOOTH), 0, 1)
        number = max(int(len(members) * share), min(_CHOSEN, len(members)))
        ratio = choice[members] / (reference[members] + 1e-300)
        order = members[np.argsort(ratio, kind="stable")]
        flat, following = order[:number], order[number : 3 * number]
        level.append(blocks.mean[flat].mean())
        power_flat.append(power[flat].mean())
        coarse_flat.append(coarse_power[flat].mean())
        structure.append(max(excess, 0.0))
        chosen.append(flat)
        if len(following) >= number and excess > _SMOOTH:
            steps.append(
                [part[following].mean() - part[flat].mean() for part in (power, coarse_power)]
                / np.maximum(power[flat].mean(), 1e-300)
            )
    return Levels(
        level=np.array(level),
        variance=_corrected(np.array(power_flat), np.array(coarse_flat), np.array(steps)),
        count=np.array([float(len(members)) for members in bins]),
        structure=np.array(structure),
        chosen=tuple(chosen),
        terms=int(fine.sum()),
    )


def _corrected(power: np.ndarray, coarse: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Variance of every bin without what structure adds to the fine coefficients.

    Parameters
    ----------
    power, coarse : ndarray, shape (n,)
        Mean power of fine and of coarse coefficients in the chosen blocks, for noise equal.
    steps : ndarray, shape (m, 2)
        Relative increase of the two towards blocks with more structure.
    """
    if len(steps) < 2:
        return power
    fine, rough = steps.T
    weight = 1 / (1 + rough**2)
    certain = float((weight * fine * rough).sum()) - _STEP * float(np.hypot.reduce(weight * rough))
    leak = certain / max(float((weight * rough**2).sum()), _LEAST_STEPS)
    leak = _LEAK_SHARE * float(np.clip(leak, 0, _LEAK))
    excess = leak / (1 - leak) * np.maximum(coarse - power, 0)
    return np.asarray(power - np.minimum(excess, _LEAK_MOST * power))


def _bins(mean: np.ndarray) -> list[np.ndarray]:
    """Indices of the blocks of each bin of brightness."""
    even = np.linspace(mean.min(), mean.max(), _BINS + 1)
    edges = np.union1d(even, np.quantile(mean, np.linspace(0, 1, _QUANTILES + 1)))
    order = np.argsort(mean, kind="stable")
    ends = np.searchsorted(mean[order], edges[1:-1])
    bins, start = [], 0
    for end in ends:
        if end - start >= _POPULATION and mean.size - end >= _POPULATION:
            bins.append(order[start:end])
            start = end
    return [*bins, order[start:]]
