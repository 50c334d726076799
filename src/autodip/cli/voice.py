"""Output of a batch: lines and progress bars on a terminal, or JSON."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click

from autodip.api.bars import TerminalBar
from autodip.cli import signals
from autodip.cli.plan_text import fitted, outcome_lines
from autodip.cli.replies import say_results
from autodip.runs.batch import Batch, Event
from autodip.runs.job import Job, Show
from autodip.util.text import one_line, valid


@dataclass(frozen=True)
class Voice:
    """Style and amount of the output.

    Parameters
    ----------
    verbosity : int
        -1 for errors only, 0 for the usual output, 1 or more for details.
    json : bool
        Whether results are printed as JSON on standard output, and all else on standard error.
    """

    verbosity: int = 0
    json: bool = False

    def say(self, line: str) -> None:
        """Print a line, unless only errors are wanted."""
        if self.verbosity >= 0:
            click.echo(fitted(one_line(valid(line))), err=self.json)

    def complain(self, message: str) -> None:
        """Print an error."""
        click.echo(one_line(valid(f"autodip: {message}")), err=True)

    def run(self, batch: Batch, jobs: Sequence[Job]) -> int:
        """Process all jobs of a batch, print their outcomes, and return the exit code."""
        for message in batch.failed.values():
            self.complain(message)
        results: list[Mapping[str, Any]] = []
        summary, stop = None, None
        try:
            for event in batch.run(jobs, self._bar):
                self._tell(event)
                if event.outcome is not None:
                    results.append(event.outcome.record if self.json else {})
            summary = batch.record.finish()
        except (signals.Stopped, KeyboardInterrupt, BrokenPipeError) as error:
            stop = error
            names = ", ".join(str(job.source) for job in batch.left) or "the summary"
            stop.add_note(valid(f"not written: {names}{batch.record.advice}"))
            batch.failed.update({job.source: f"{job.source}: interrupted" for job in batch.left})
        if summary is not None:
            self.say(summary)
        if self.json:
            say_results([dict(result) for result in results], batch.failed)
        elif batch.failed and summary is None and stop is None and self.verbosity >= 0:
            total = len(results) + len(batch.failed)
            self.complain(f"{len(batch.failed)} of {total} failed")
        if stop is not None:
            raise stop
        return 1 if batch.failed else 0

    @contextmanager
    def _bar(self, job: Job) -> Iterator[Show]:
        with TerminalBar(job.source.name, self.verbosity < 0) as bar:
            yield bar.show

    def _tell(self, event: Event) -> None:
        if event.outcome is not None:
            for line in outcome_lines(event.job, event.outcome, verbose=self.verbosity > 0):
                self.say(line)
            return
        self.complain(event.message)
        if self.verbosity > 0 and event.defect:
            click.echo("".join(traceback.format_exception(event.error)), err=True)
