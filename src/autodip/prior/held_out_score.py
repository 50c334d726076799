"""PSNR of a prior on held-out images, with a truth, with other captures, or without either."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autodip.prior.apply import denoise_stable, prior_result
from autodip.prior.architecture import PriorNet
from autodip.prior.recorruption import draw_noise, look, noise_model, response_to
from autodip.prior.shots import Shot

MOST = 8
"""Largest number of held-out images on which a prior is scored."""

_LEAST = 1e-3
"""Smallest mean squared error that is estimated without a truth, in units of the noise variance."""


class Examination:
    """Held-out images, prepared with the prior that is to be improved.

    The noise that is told for single images, and the noise drawn to estimate errors without a
    truth, are the same for every prior.

    Parameters
    ----------
    net : PriorNet
    shots : sequence of Shot
    seed : int
    """

    def __init__(self, net: PriorNet, shots: Sequence[Shot], seed: int) -> None:
        order = np.random.default_rng(seed).permutation(len(shots))[:MOST]
        self.shots = [shots[number] for number in sorted(order)]
        self._single = {
            number: _Single(net, shot, np.random.default_rng([seed, number]))
            for number, shot in enumerate(self.shots)
            if shot.data == "single"
        }

    def decibels(self, net: PriorNet) -> list[float]:
        """PSNR of each held-out image, in dB, measured or estimated."""
        return [
            self._single[number].decibels(net) if number in self._single else _compared(net, shot)
            for number, shot in enumerate(self.shots)
        ]


def _compared(net: PriorNet, shot: Shot) -> float:
    """PSNR with the truth, or as estimated from the other captures of the field.

    The mean squared difference from another capture exceeds the error by the noise variance of
    that capture, which the difference between the two captures shows.
    """
    result = prior_result(net, shot.noisy, shot.noise)
    if shot.truth is not None:
        return _decibels(float(np.mean((result - shot.truth) ** 2)), float(np.ptp(shot.truth)))
    noise = [float(np.mean((shot.noisy - other) ** 2)) / 2 for other in shot.others]
    errors = [
        max(float(np.mean((result - other) ** 2)) - variance, _LEAST * variance)
        for other, variance in zip(shot.others, noise, strict=True)
    ]
    mean = np.mean([shot.noisy, *shot.others], axis=0)
    return _decibels(float(np.mean(errors)), float(np.ptp(mean)))


def _decibels(error: float, peak: float) -> float:
    return float(10 * np.log10(peak**2 / max(error, 1e-12)))


class _Single:
    """A noisy image alone: its error is estimated by Stein's unbiased risk estimate (SURE).

    The mean squared residual, plus twice the covariance of the noise with the response of the
    network to it (Ramani et al., IEEE Transactions on Image Processing 17, 2008), less the noise
    variance; in the stabilised domain, where the noise is almost normal. Every pixel then counts as
    in the units of the image.
    """

    def __init__(self, net: PriorNet, shot: Shot, generator: np.random.Generator) -> None:
        seen = look(net, shot.noisy, shot.noise)
        self.stable, self.observed, first = seen.stable, seen.observed, seen.result
        model = noise_model(net, self.stable, self.observed, generator)
        shape = (self.stable.shape[0], self.stable.shape[1])
        self.noise = model.deviation * draw_noise(model.covariance, shape, generator)
        self.raised = self.stable + model.lowered
        self.weight = np.maximum(first, 1) ** 2
        self.weight /= self.weight.mean()
        self.variance = float(np.mean(self.weight * self.noise**2))
        # Squares of stabilised values are linear in the intensities, and change by twice the root.
        self.peak = float(np.ptp(first**2) / np.sqrt(4 * np.mean(np.maximum(first, 1) ** 2)))

    def decibels(self, net: PriorNet) -> float:
        """Estimated PSNR."""
        result = denoise_stable(net, self.stable[None], [self.observed])[0]
        response = response_to(net, self.stable, result, self.observed, self.noise)
        errors = (result - self.raised) ** 2 + 2 * self.noise * response
        error = float(np.mean(self.weight * errors)) - self.variance
        return _decibels(max(error, _LEAST * self.variance), self.peak)
