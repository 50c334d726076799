"""Tasks computed by the deep image prior: fit, stop, refine, assess."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np

from autodip.fit.loop import Step, fit_many, mean_of
from autodip.fit.series import Course
from autodip.fit.session import Session
from autodip.image.scaling import is_constant
from autodip.physics.estimate import estimate_noise
from autodip.pipeline.assess import assess
from autodip.pipeline.error_maps import ErrorMap
from autodip.pipeline.parts import Finished, Task
from autodip.pipeline.result import PlaneResult


def fit_tasks(tasks: Sequence[Task]) -> Iterator[Step | Finished]:
    """Fit tasks; yields every step of their fits, and the result for each plane.

    Parameters
    ----------
    tasks : sequence of Task
        A single task of any kind, or several tasks of one plane each that share their shape and
        choice and are fitted simultaneously (see :func:`autodip.fit.loop.fit_many`).
    """
    if len(tasks) == 1:
        yield from _one_after_the_other(tasks[0])
    else:
        yield from _at_once(tasks)


def _one_after_the_other(task: Task) -> Iterator[Step | Finished]:
    choice = task.choice
    course = Course(choice.net, choice.fit, task.seed, task.device, task.scale)
    for place, plane in enumerate(task.planes):
        if is_constant(plane):
            yield _passed(task, place, plane)
            continue
        running = _Plane(task, place, plane)
        for step in course.steps(plane, running.session.noise):
            yield step
            if running.session.ends(step):
                break
        done, result = running.finish(course.follows)
        course.keep(result)
        yield done


def _at_once(tasks: Sequence[Task]) -> Iterator[Step | Finished]:
    running = []
    for task in tasks:
        (plane,) = task.planes
        if is_constant(plane):
            yield _passed(task, 0, plane)
        else:
            running.append(_Plane(task, 0, plane))
    if not running:
        return
    first, count = tasks[0], tasks[0].choice.fit.seeds
    seeds = [(first.seed + number) % 2**32 for number in range(count)]
    images = [one.session.scaled for one in running for _ in seeds]
    all_seeds = seeds * len(running)
    left = set(range(len(running)))
    for fits in fit_many(
        images, first.choice.net, first.choice.fit, seeds=all_seeds, device=first.device
    ):
        for number in sorted(left):
            step = mean_of(fits[number * count : (number + 1) * count])
            if running[number].session.ends(step):
                left.remove(number)
        yield mean_of(fits)
        if not left:
            break
    for one in running:
        yield one.finish(follows=False)[0]


def _passed(task: Task, place: int, plane: np.ndarray) -> Finished:
    """Result for a constant plane, which is passed through."""
    record = PlaneResult(
        index=task.part.indices[place],
        description=task.description,
        history=np.empty((0, 2)),
        assessment=None,
        seconds=0.0,
        fallbacks=0,
        window=task.part.window,
    )
    noise = task.noises.get(place)  # known in a window whose plane is not constant
    if noise is None:
        errors = ErrorMap.unknown(task, plane.shape)
    else:
        errors = ErrorMap.of(task, place, plane, noise, fitted=True)
    return Finished(task.part.number, place, plane.astype(task.dtype), record, errors.maps)


class _Plane:
    """The fit of one plane of a task."""

    def __init__(self, task: Task, place: int, plane: np.ndarray) -> None:
        self._start = time.perf_counter()
        self._task, self._place = task, place
        noise = task.noises[place] if place in task.noises else estimate_noise(plane, repaired=True)
        choice = task.choice
        self.session = Session(
            plane,
            task.scale,
            noise,
            choice.fit,
            choice.refine,
            device=task.device,
            dtype=task.dtype,
        )

    def finish(self, follows: bool) -> tuple[Finished, np.ndarray]:
        """Refine and assess; also return the result (Y, X) as floats, in units of the plane."""
        task, session = self._task, self.session
        assert session.result is not None  # a fit ends with its last step
        result = session.refined(session.result)
        denoised = session.rounded(result)
        errors = ErrorMap.of(task, self._place, result, session.noise, fitted=True)
        record = PlaneResult(
            index=task.part.indices[self._place],
            description=task.description.replace(noise=session.noise),
            history=np.array(session.history),
            assessment=assess(session.plane, denoised, session.noise),
            seconds=time.perf_counter() - self._start,
            fallbacks=session.fallbacks,
            refined=session.refines,
            follows=follows,
            window=task.part.window,
            errors=errors.summary,
        )
        return Finished(task.part.number, self._place, denoised, record, errors.maps), result
