"""The curve of one configuration: figures of its outputs at every stop, from a single fit."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from autodip.bases.records import Config, Output, Point
from autodip.image.scaling import Scale, to_dtype
from autodip.metrics import fidelity
from autodip.metrics.affine import fit_affine
from autodip.metrics.scores import Truth
from autodip.metrics.weights import SMALLEST
from autodip.physics.noise import Noise

if TYPE_CHECKING:
    from autodip.fit.loop import Step
    from autodip.metrics.lpips import Lpips

REFINED_STOPS = 5
"""At so many stops the output is refined, which takes seconds."""

_EARLIER = 1.5
"""Exponent above 1 that moves these stops to the early part, where the curve bends."""

_PERFECT = 200.0
"""PSNR in dB of a result that equals the truth; JSON has no infinity."""


@dataclass(frozen=True)
class Subject:
    """A calibration image in memory.

    Parameters
    ----------
    noisy : ndarray, shape (Y, X)
        In its own units.
    truth : Truth
    noise : Noise or None
        As estimated from the noisy image; None where it cannot be told, which leaves the
        refinement out.
    """

    noisy: np.ndarray
    truth: Truth
    noise: Noise | None


def stops(config: Config) -> tuple[int, ...]:
    """Iterations that are scored: every so many, and the last."""
    last = config.fit.iterations
    return (*range(config.every, last, config.every), last)


def refined_stops(config: Config) -> tuple[int, ...]:
    """Iterations whose output is refined too, denser in the early part; none without refinement."""
    if config.refine is None:
        return ()
    marks = stops(config)
    shares = [(k / REFINED_STOPS) ** _EARLIER for k in range(1, REFINED_STOPS + 1)]
    wanted = [share * config.fit.iterations for share in shares]
    nearest = (min(marks, key=lambda mark: abs(mark - target)) for target in wanted)
    return tuple(dict.fromkeys(nearest))


def record(
    subjects: Sequence[Subject],
    config: Config,
    *,
    device: str = "cpu",
    lpips: Lpips | None = None,
    on_step: Callable[[], None] = lambda: None,
) -> list[tuple[Point, ...]]:
    """Fit once to the longest stop, and score the outputs on the way.

    The last output of the network is scored at every stop and, if the fit averages, the average;
    at some stops also what the refinement makes of the output that the fit keeps. Results are
    rounded to the type of the noisy image first, as in a benchmark.

    Parameters
    ----------
    subjects : sequence of Subject
        Images of one shape; fitted at once if several.
    config : Config
    device : str
        Name of a torch device.
    lpips : Lpips, optional
        Without it there is no LPIPS.
    on_step : callable
        Called after every iteration.

    Returns
    -------
    list of tuple of Point
        For each image, sorted by iteration. Seconds are those of the fit and the refinement; of
        fits at once, each has its share.

    Raises
    ------
    ParameterError
        If an image is too small for the network.
    FitError
        If one of the fits diverges again and again.
    """
    from autodip.fit.loop import fit_many  # noqa: PLC0415  (imports torch)

    traces = [_Trace(subject, config, device, lpips) for subject in subjects]
    seconds, start = 0.0, time.perf_counter()
    for steps in fit_many(
        [trace.scale.apply(trace.subject.noisy) for trace in traces],
        config.net,
        config.fit,
        seeds=[config.seed],
        device=device,
        every=1,
    ):
        seconds += (time.perf_counter() - start) / len(traces)
        for trace, step in zip(traces, steps, strict=True):
            trace.take(step, seconds)
        on_step()
        start = time.perf_counter()
    return [tuple(trace.points) for trace in traces]


@dataclass
class _Trace:
    """Follows one fit."""

    subject: Subject
    config: Config
    device: str
    lpips: Lpips | None
    points: list[Point] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scale = Scale.of(self.subject.noisy)
        self._stops = set(stops(self.config))
        self._refined = set(refined_stops(self.config))
        self._before: np.ndarray | None = None
        self._fallbacks, self._began = 0, 0

    def take(self, step: Step, seconds: float) -> None:
        """Score the outputs of a step, if it is a stop."""
        if step.fallbacks != self._fallbacks:  # the average began anew with this output
            self._fallbacks, self._began = step.fallbacks, step.iteration - 1
        stop = step.iteration in self._stops
        if stop or step.iteration + 1 in self._stops:
            current = step.output().astype(np.float64)
            if stop:
                self._score(current, step.iteration, seconds)
            self._before = current

    def _score(self, current: np.ndarray, iteration: int, seconds: float) -> None:
        self._add(iteration, "last", self._in_units(self._last(current, iteration)), seconds)
        kept = self._in_units(current)
        if self.config.fit.average:
            self._add(iteration, "average", kept, seconds)
        if iteration in self._refined and self.subject.noise is not None:
            start = time.perf_counter()
            refined = self._refine(kept, self.subject.noise)
            self._add(iteration, "refined", refined, seconds + time.perf_counter() - start)

    def _last(self, current: np.ndarray, iteration: int) -> np.ndarray:
        """Last output of the network, from the bias-corrected averages before and after it."""
        factor, count = self.config.fit.average, iteration - self._began
        if not factor or count == 1 or self._before is None:
            return current
        now, before = current * (1 - factor**count), self._before * (1 - factor ** (count - 1))
        return np.asarray(np.clip((now - factor * before) / (1 - factor), 0, 1))

    def _in_units(self, image: np.ndarray) -> np.ndarray:
        return self.scale.invert(image, np.dtype(np.float64))

    def _refine(self, pilot: np.ndarray, noise: Noise) -> np.ndarray:
        from autodip.refine.combine import refine  # noqa: PLC0415  (imports torch)

        assert self.config.refine is not None  # else there are no stops to refine at
        place = self.device if self.device.startswith("cuda") else "cpu"
        return refine(self.subject.noisy, pilot, noise, self.config.refine, device=place)

    def _add(self, iteration: int, output: Output, result: np.ndarray, seconds: float) -> None:
        image = to_dtype(result, self.subject.noisy.dtype)
        figures = score(image, self.subject.truth, self.lpips)
        self.points.append(Point(iteration, output, *figures, seconds))


def score(
    result: np.ndarray, truth: Truth, lpips: Lpips | None = None
) -> tuple[float, float, float | None, float, float]:
    """PSNR (dB), SSIM, LPIPS, mean absolute and mean squared difference of a result.

    As in :mod:`autodip.metrics.scores`: a result of a pair whose images were stretched
    separately is brought to the truth by least squares first, and LPIPS is that of [0, 1] not
    rescaled. The differences are those of intensities divided by the range.

    Parameters
    ----------
    result : ndarray, shape (Y, X)
        In the units of the noisy image; 11 pixels or more a side.
    truth : Truth
    lpips : Lpips, optional
        None, and images below 32 pixels a side, give no LPIPS.
    """
    reference, kept = truth.image.astype(np.float64), result.astype(np.float64)
    if truth.stretched:
        kept = np.asarray(np.polyval(fit_affine(kept, reference), kept), np.float64)
    black = float(reference.min()) if truth.data_range is None else 0.0
    span = float(np.ptp(reference)) if truth.data_range is None else truth.data_range
    one, other = (kept - black) / span, (reference - black) / span
    psnr = min(fidelity.psnr(kept, reference, data_range=span), _PERFECT)
    ssim = fidelity.ssim(kept, reference, data_range=span)
    distance = lpips(one, other) if lpips is not None and min(one.shape) >= SMALLEST else None
    difference = one - other
    return psnr, ssim, distance, float(abs(difference).mean()), float((difference**2).mean())
