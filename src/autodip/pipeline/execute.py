"""Tasks computed: fit, stop, refine, assess."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Sequence

import numpy as np

from autodip.fit.loop import Step, fit_many, mean_of
from autodip.fit.series import Course
from autodip.fit.stopping import Discrepancy
from autodip.image.scaling import to_dtype
from autodip.physics.noise import estimate
from autodip.pipeline.assess import assess
from autodip.pipeline.parts import Finished, Task
from autodip.pipeline.planning import constant
from autodip.pipeline.result import PlaneResult
from autodip.refine.combine import refine


def compute(tasks: Sequence[Task]) -> list[Finished]:
    """Results for all planes of tasks; see :func:`steps`."""
    return [done for done in steps(tasks) if isinstance(done, Finished)]


def steps(tasks: Sequence[Task]) -> Iterator[Step | Finished]:
    """Compute tasks; yields every step of their fits, and the result for each plane.

    Parameters
    ----------
    tasks : sequence of Task
        One of any kind; or several of one plane each, of one shape and choice, which are fitted
        at once (see :func:`autodip.fit.loop.fit_many`).
    """
    if len(tasks) == 1:
        yield from _one_after_the_other(tasks[0])
    else:
        yield from _at_once(tasks)


def _one_after_the_other(task: Task) -> Iterator[Step | Finished]:
    course = Course(task.choice.net, task.choice.fit, task.seed, task.device, task.scale)
    for place, plane in enumerate(task.planes):
        if constant(plane):
            yield _passed(task, place, plane)
            continue
        fitting = _Fitting(task, place, plane)
        for step in course.steps(plane, fitting.noise):
            yield step
            if fitting.ends(step):
                break
        done, result = fitting.finish(course.follows)
        course.keep(result)
        yield done


def _at_once(tasks: Sequence[Task]) -> Iterator[Step | Finished]:
    running = []
    for task in tasks:
        (plane,) = task.planes
        if constant(plane):
            yield _passed(task, 0, plane)
        else:
            running.append(_Fitting(task, 0, plane))
    if not running:
        return
    first, count = tasks[0], tasks[0].choice.fit.seeds
    seeds = [(first.seed + number) % 2**32 for number in range(count)]
    images = [one.scaled for one in running for _ in seeds]
    all_seeds = seeds * len(running)
    left = set(range(len(running)))
    for fits in fit_many(
        images, first.choice.net, first.choice.fit, seeds=all_seeds, device=first.device
    ):
        for number in sorted(left):
            step = mean_of(fits[number * count : (number + 1) * count])
            if running[number].ends(step):
                left.remove(number)
        yield mean_of(fits)
        if not left:
            break
    for one in running:
        yield one.finish(follows=False)[0]


def _passed(task: Task, place: int, plane: np.ndarray) -> Finished:
    """A constant plane, which is passed through."""
    record = PlaneResult(
        task.part.indices[place],
        task.description,
        np.empty((0, 2)),
        None,
        0.0,
        0,
        window=task.part.window,
    )
    return Finished(task.part.number, place, plane.astype(task.dtype), record)


class _Fitting:
    """A plane that is being fitted: its noise, its losses, where it ends, and its result."""

    def __init__(self, task: Task, place: int, plane: np.ndarray) -> None:
        self._start = time.perf_counter()
        self._task, self._place, self._plane = task, place, plane
        self.noise = task.noises[place] if task.noises else estimate(plane)
        self._history: list[tuple[int, float]] = []
        self._fallbacks = 0
        self._result: np.ndarray | None = None
        fit, self._stop = task.choice.fit, None
        if fit.noise_limit is not None and self.noise is not None:
            data = plane.astype(np.float64)
            self._stop = Discrepancy(data, self.noise, fit.iterations, fit.noise_limit)

    @property
    def scaled(self) -> np.ndarray:
        """The plane on the scale of its task."""
        return self._task.scale.apply(self._plane)

    def ends(self, step: Step) -> bool:
        """Take in a step; whether the fit ends with it."""
        self._history.append((step.iteration, step.loss))
        self._fallbacks = step.fallbacks
        last = step.iteration == step.iterations
        due = self._stop is not None and self._stop.due(step.iteration)
        if not (last or due):
            return False
        result = self._task.scale.invert(step.output(), np.dtype(np.float64))
        reached = due and self._stop is not None and self._stop.reached(result)
        if last or reached:
            self._result = result
        return last or reached

    def finish(self, follows: bool) -> tuple[Finished, np.ndarray]:
        """Refine and assess; also the result (Y, X) as floats, in units of the plane."""
        task, result = self._task, self._result
        assert result is not None  # a fit ends with its last step
        refined = task.choice.refine is not None and self.noise is not None
        if task.choice.refine is not None and self.noise is not None:
            device = task.device if task.device.startswith("cuda") else "cpu"
            result = refine(self._plane, result, self.noise, task.choice.refine, device=device)
        denoised = to_dtype(result, task.dtype)
        record = PlaneResult(
            task.part.indices[self._place],
            dataclasses.replace(task.description, noise=self.noise),
            np.array(self._history),
            assess(self._plane, denoised, self.noise),
            time.perf_counter() - self._start,
            self._fallbacks,
            refined,
            follows,
            task.part.window,
        )
        return Finished(task.part.number, self._place, denoised, record), result
