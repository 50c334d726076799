"""Engines, which compute the results for the tasks of an image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from autodip.pipeline.parts import Finished, Task

if TYPE_CHECKING:
    from autodip.fit.loop import Step


class Engine(Protocol):
    """Computes tasks, for example by :func:`autodip.pipeline.fitted_tasks.fit_tasks`.

    An engine that is sent to the workers of a cluster must be a module-level function.
    """

    def __call__(self, tasks: Sequence[Task]) -> Iterator[Step | Finished]:
        """Compute tasks; yield steps as progress, and a result for each of their planes.

        Parameters
        ----------
        tasks : sequence of Task
            A single task of any kind, or several tasks of one plane each that share their shape
            and choice.

        Yields
        ------
        Step or Finished
            A result may contain named maps in addition to its pixels, float32 of the same shape.
        """
        ...
