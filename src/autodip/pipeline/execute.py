"""Tasks computed by the engine that their choice calls for."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from autodip.fit.loop import Step
from autodip.pipeline.engine import Engine
from autodip.pipeline.fitted_tasks import fit_tasks
from autodip.pipeline.learned_tasks import apply_to_tasks, hindrance, with_noise
from autodip.pipeline.parts import Finished, Task
from autodip.prior.observation import Observation


def compute(engine: Engine | None, tasks: Sequence[Task]) -> list[Finished]:
    """Results of an engine for all planes of tasks; None uses :func:`compute_tasks`."""
    return [done for done in (engine or compute_tasks)(tasks) if isinstance(done, Finished)]


def compute_tasks(tasks: Sequence[Task]) -> Iterator[Step | Finished]:
    """Apply the learned prior where one was chosen and can be used; otherwise fit.

    Parameters
    ----------
    tasks : sequence of Task
        As for :func:`autodip.pipeline.fitted_tasks.fit_tasks`.
    """
    if tasks[0].choice.prior is None:
        yield from fit_tasks(tasks)
    elif len(tasks) == 1:
        yield from _one_after_the_other(tasks[0])
    else:
        yield from _at_once(tasks)


def compute_place(
    task: Task, place: int, observed: Observation | None
) -> Iterator[Step | Finished]:
    """Apply the learned prior to one plane of a task, or fit it if that is not possible.

    Parameters
    ----------
    task : Task
        As for :func:`compute_tasks`, with a learned prior.
    place : int
        Position of the plane in the task.
    observed : Observation or None
        Noise observed first in the planes before this one.
    """
    known = {0: task.noises[place]} if place in task.noises else {}
    part = dataclasses.replace(task.part, indices=(task.part.indices[place],))
    darkest = task.darkest[place : place + 1]
    alone = dataclasses.replace(
        task, part=part, planes=(task.planes[place],), noises=known, darkest=darkest
    )
    for step in _at_once([alone], observed):
        yield dataclasses.replace(step, place=place) if isinstance(step, Finished) else step


def _one_after_the_other(task: Task) -> Iterator[Step | Finished]:
    """Planes in their order; each is told the noise observed in the first of them."""
    observed: Observation | None = None
    for place in range(len(task.part.indices)):
        for step in compute_place(task, place, observed):
            if isinstance(step, Finished):
                observed = observed or step.record.observed
            yield step


def _at_once(
    tasks: Sequence[Task], observed: Observation | None = None
) -> Iterator[Step | Finished]:
    """Tasks of one plane each, of one shape."""
    tasks = [with_noise(task) for task in tasks]
    reasons = [hindrance(task) for task in tasks]
    learned = [task for task, reason in zip(tasks, reasons, strict=True) if reason is None]
    if learned:
        yield from apply_to_tasks(learned, observed)
    for task, reason in zip(tasks, reasons, strict=True):
        if reason is None:
            continue
        for step in fit_tasks([task]):
            if isinstance(step, Finished):
                record = dataclasses.replace(step.record, reason=reason)
                yield dataclasses.replace(step, record=record)
            else:
                yield step
