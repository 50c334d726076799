"""Tasks computed by the engine that their choice calls for."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from autodip.fit.loop import Step
from autodip.pipeline.engine import Engine
from autodip.pipeline.fitted_tasks import fit_tasks
from autodip.pipeline.learned_tasks import apply_to_tasks, hindrance, with_noise
from autodip.pipeline.parts import Finished, Task


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
        return
    tasks = [with_noise(task) for task in tasks]
    reasons = [hindrance(task) for task in tasks]
    learned = [task for task, reason in zip(tasks, reasons, strict=True) if reason is None]
    if learned:
        yield from apply_to_tasks(learned)
    for task, reason in zip(tasks, reasons, strict=True):
        if reason is None:
            continue
        for step in fit_tasks([task]):
            if isinstance(step, Finished):
                record = dataclasses.replace(step.record, reason=reason)
                yield dataclasses.replace(step, record=record)
            else:
                yield step
