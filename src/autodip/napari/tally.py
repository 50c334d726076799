"""Counts of a run over files, planes and steps, and an estimate of its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from autodip.choose.choice import Choice
from autodip.pipeline import pricing
from autodip.pipeline.parts import Task
from autodip.pipeline.result import Progress

if TYPE_CHECKING:
    from autodip.fit.loop import Step

_FEW = 4
"""Steps below which they are passes of the learned prior; a fit has more iterations."""


@dataclass
class Pace:
    """How far the planes of one group of tasks are computed.

    Parameters
    ----------
    planes : int
        Number of planes, or of windows of planes.
    following : float
        Cost of a plane that follows another, in units of that of the first.
    runs : tuple of int
        Number of runs of the network up to the result of each pass of the learned prior; empty
        for a fit.
    refining : float
        Share of the cost of a plane that the refinement has.
    seconds : float or None
        Predicted time of all planes; None for devices other than a CPU.
    """

    planes: int = 1
    following: float = 1.0
    runs: tuple[int, ...] = ()
    refining: float = 0.0
    seconds: float | None = None

    def __post_init__(self) -> None:
        self.ended = 0
        self._within = 0.0

    @classmethod
    def of(cls, tasks: Sequence[Task], plane: tuple[int, int]) -> Self:
        """Pace of tasks with one choice, for planes of a shape (Y, X)."""
        choice, device, window = tasks[0].choice, tasks[0].device, tasks[0].part.window
        shape = plane if window is None else window.shape
        first = pricing.of(choice, shape, device)
        planes = sum(len(task.part.indices) for task in tasks)
        following = 1.0
        if len(tasks) == 1 and planes > 1:
            following = pricing.following(choice, shape, device).flop / first.flop
        total = 1 + (planes - 1) * following
        seconds = None if first.seconds is None else first.seconds * total
        return cls(planes, following, _runs(choice), _refining(choice, shape), seconds)

    def take(self, step: Step) -> None:
        """Note a step of a plane."""
        if len(self.runs) == step.iterations:
            self._within = self.runs[step.iteration - 1] / self.runs[-1]
        else:
            self._within = step.iteration / step.iterations * (1 - self.refining)

    def end(self) -> None:
        """Note the end of a plane."""
        self._within = 0.0
        self.ended += 1

    @property
    def fraction(self) -> float:
        """Share of the cost of all planes that is done."""
        before = 0.0 if self.ended == 0 else 1 + (self.ended - 1) * self.following
        own = 1.0 if self.ended == 0 else self.following
        return min(1.0, (before + own * self._within) / (1 + (self.planes - 1) * self.following))


def _runs(choice: Choice) -> tuple[int, ...]:
    prior = choice.prior
    if prior is None:
        return ()
    # Between two passes the network runs once more, to measure what the first one hides.
    before = [2 * number + 1 for number in range(prior.passes - 1)]
    return (*before, 2 * (prior.passes - 1) + prior.orientations)


def _refining(choice: Choice, shape: tuple[int, int]) -> float:
    if choice.refine is None or choice.prior is not None:
        return 0.0
    whole, fit = (pricing.of(one, shape).seconds for one in (choice, choice.replace(refine=None)))
    return 1 - fit / whole if whole and fit else 0.0


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Counts of a run over files, planes and steps.

    Parameters
    ----------
    file, files : int
        Number of the file, from 1, and of all files.
    plane, planes : int
        Number of the plane (or window of a plane), from 1, and of all of them.
    step, steps : int
        Number of the iteration or pass, from 1, and of all of them; 0 before the first.
    fraction : float
        Share of the whole that is done, 0 to 1.
    left : float or None
        Estimate of the remaining seconds; None if there is none yet.
    part : "plane" or "window"
        What is counted as planes.
    """

    file: int = 1
    files: int = 1
    plane: int = 1
    planes: int = 1
    step: int = 0
    steps: int = 0
    fraction: float = 0.0
    left: float | None = None
    part: str = "plane"

    @classmethod
    def of(cls, progress: Progress, **more: Any) -> Tally:
        """Counts of a step of a run."""
        step = progress.step
        return cls(
            plane=min(progress.plane + 1, progress.planes),
            planes=progress.planes,
            step=0 if step is None else step.iteration,
            steps=0 if step is None else step.iterations,
            **more,
        )

    @property
    def text(self) -> str:
        """Counts as text, such as "plane 2 of 6 · iteration 120 of 400 · about 12 s left"."""
        unit = "pass" if self.steps < _FEW else "iteration"
        words = [
            f"file {self.file} of {self.files}" if self.files > 1 else "",
            f"{self.part} {self.plane} of {self.planes}" if self.planes > 1 else "",
            f"{unit} {self.step} of {self.steps}" if self.step else "",
            "" if self.left is None else f"about {duration(self.left)} left",
        ]
        return " · ".join(word for word in words if word) or "preparing"


def time_left(fraction: float, elapsed: float, predicted: float | None) -> float | None:
    """Remaining seconds: as predicted at first, then as the elapsed time suggests.

    Parameters
    ----------
    fraction : float
        Share that is done.
    elapsed : float
        Seconds since the start.
    predicted : float or None
        Seconds predicted for the whole, if they are known.
    """
    measured = None if fraction <= 0 else elapsed * (1 - fraction) / fraction
    if predicted is None or measured is None:
        return measured if predicted is None else max(predicted - elapsed, 0.0)
    # The more is done, the more is known about the speed of this machine.
    weight = min(1.0, 4 * fraction)
    return weight * measured + (1 - weight) * max(predicted * (1 - fraction), 0.0)


def duration(seconds: float) -> str:
    """Approximate duration as text: 12 s, 3 min, 2 h."""
    for unit, size, most in (("s", 1, 120), ("min", 60, 120)):
        if seconds < most * size:
            return f"{max(1, round(seconds / size))} {unit}"
    return f"{round(seconds / 3600)} h"
