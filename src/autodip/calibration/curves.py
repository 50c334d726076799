"""The curve of one configuration: scores of its outputs at every stop, from a single fit."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from autodip.bases.records import Config, Output, Point
from autodip.image.scaling import Scale
from autodip.metrics.scores import Truth, score_stop
from autodip.physics.noise import Noise

if TYPE_CHECKING:
    from autodip.fit.loop import Step
    from autodip.fit.session import Session
    from autodip.metrics.alexnet import Lpips

REFINED_STOPS = 5
"""Maximum number of stops at which the output is refined; each refinement takes seconds."""

_EARLIER = 1.5
"""Exponent above 1, which moves these stops to the early part, where the curve bends."""


@dataclass(frozen=True)
class Subject:
    """A calibration image in memory.

    Parameters
    ----------
    noisy : ndarray, shape (Y, X)
        Noisy pixels, in their own units.
    truth : Truth
    noise : Noise or None
        Noise estimated from the noisy image; None if it could not be estimated, in which case
        there is no refinement.
    """

    noisy: np.ndarray
    truth: Truth
    noise: Noise | None


def stops(config: Config) -> tuple[int, ...]:
    """Iterations that are scored: multiples of ``config.every``, and the last iteration."""
    last = config.fit.iterations
    return (*range(config.every, last, config.every), last)


def refined_stops(config: Config) -> tuple[int, ...]:
    """Stops whose output is also refined, denser early on; empty without a refinement."""
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
    """Fit once, up to the last stop, and score the outputs on the way.

    The last output of the network is scored at every stop, as is the average of the outputs if
    the fit averages. At some stops the output that the fit would return (the average if there is
    one) is also refined and scored. Results are first rounded to the type of the noisy image, as
    in a benchmark.

    Parameters
    ----------
    subjects : sequence of Subject
        Images of the same shape; several images are fitted at the same time.
    config : Config
    device : str
        Name of a torch device.
    lpips : Lpips, optional
        Without it, the LPIPS of all points is None.
    on_step : callable
        Called after every iteration.

    Returns
    -------
    list of tuple of Point
        Points of each image, sorted by iteration. Seconds cover the fit and the refinement, not
        the scoring; the time of fits that run together is divided equally between them.

    Raises
    ------
    ParameterError
        If an image is too small for the network.
    FitError
        If one of the fits diverges repeatedly.
    """
    from autodip.fit.loop import fit_many  # noqa: PLC0415  (imports torch)

    traces = [
        _Trace(subject, config, _session(subject, config, device), lpips) for subject in subjects
    ]
    seconds, start = 0.0, time.perf_counter()
    for steps in fit_many(
        [trace.session.scaled for trace in traces],
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


def _session(subject: Subject, config: Config, device: str) -> Session:
    """Session as in ``autodip denoise``, of which the early stop by the noise is not used."""
    from autodip.fit.session import Session  # noqa: PLC0415  (imports torch)

    scale = Scale.of(subject.noisy)
    return Session(subject.noisy, scale, subject.noise, config.fit, config.refine, device=device)


@dataclass
class _Trace:
    """Collects the points of one fit while it runs."""

    subject: Subject
    config: Config
    session: Session
    lpips: Lpips | None
    points: list[Point] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stops = set(stops(self.config))
        self._refined = set(refined_stops(self.config))
        self._before: np.ndarray | None = None
        self._fallbacks, self._began = 0, 0

    def take(self, step: Step, seconds: float) -> None:
        """Score the outputs of a step, if it is a stop."""
        if step.fallbacks != self._fallbacks:  # the average was restarted with this output
            self._fallbacks, self._began = step.fallbacks, step.iteration - 1
        stop = step.iteration in self._stops
        if stop or step.iteration + 1 in self._stops:
            current = step.output().astype(np.float64)
            if stop:
                self._score(current, step.iteration, seconds)
            self._before = current

    def _score(self, current: np.ndarray, iteration: int, seconds: float) -> None:
        self._add(iteration, "last", self.session.in_units(self._last(current, iteration)), seconds)
        kept = self.session.in_units(current)
        if self.config.fit.average:
            self._add(iteration, "average", kept, seconds)
        if iteration in self._refined and self.session.refines:
            start = time.perf_counter()
            refined = self.session.refined(kept)
            self._add(iteration, "refined", refined, seconds + time.perf_counter() - start)

    def _last(self, current: np.ndarray, iteration: int) -> np.ndarray:
        """Recover the last output of the network from the averages before and after it."""
        factor, count = self.config.fit.average, iteration - self._began
        if not factor or count == 1 or self._before is None:
            return current
        now, before = current * (1 - factor**count), self._before * (1 - factor ** (count - 1))
        return np.asarray(np.clip((now - factor * before) / (1 - factor), 0, 1))

    def _add(self, iteration: int, output: Output, result: np.ndarray, seconds: float) -> None:
        scores = score_stop(self.session.rounded(result), self.subject.truth, self.lpips)
        self.points.append(Point(iteration=iteration, output=output, seconds=seconds, **scores))
