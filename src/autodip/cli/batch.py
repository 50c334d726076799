"""File after file: a failed one is named and the rest goes on."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from autodip.cli import sidecar
from autodip.cli.common import named, say_results, valid
from autodip.cli.inputs import Failed
from autodip.cli.jobs import Job, Outcome, Settings, denoise_file, denoise_there, done
from autodip.cli.progress import ProgressBar
from autodip.cli.record import Unrecorded
from autodip.cli.summary import Ended
from autodip.cluster import Cluster
from autodip.errors import AutodipError


@dataclass(frozen=True)
class Voice:
    """How the user is spoken to.

    Parameters
    ----------
    verbosity : int
        -1 for errors alone, 1 or more for details.
    json : bool
        Results as JSON on standard output, all else on standard error.
    """

    verbosity: int = 0
    json: bool = False

    def say(self, line: str) -> None:
        """Print a line unless errors alone are wanted."""
        if self.verbosity >= 0:
            click.echo(valid(line), err=self.json)

    def complain(self, message: str) -> None:
        """Print an error."""
        click.echo(valid(f"autodip: {message}"), err=True)


@dataclass
class Batch:
    """Jobs, and what became of them so far.

    Parameters
    ----------
    settings : Settings
    voice : Voice
    record : Unrecorded
        Keeps what is done.
    cluster : Cluster or None
        Its workers compute.
    failed : mapping
        Message by input.
    results : list of mapping
        Of the files that did not fail, for ``--json``.
    """

    settings: Settings
    voice: Voice
    record: Unrecorded
    cluster: Cluster | None = None
    failed: Failed = field(default_factory=dict)
    results: list[Mapping[str, Any]] = field(default_factory=list)

    def run(self, jobs: Sequence[Job]) -> int:
        """Do all jobs and return the exit code."""
        for path, message in self.failed.items():
            self.voice.complain(message)
            self.record.end(Ended(path, None, "failed", error=message))
        told, interrupted = None, False
        left = list(jobs)
        try:
            for job, outcome in self._outcomes(jobs):
                self._note(job, outcome)
                left.remove(job)
            told = self.record.finish()
        except KeyboardInterrupt:
            interrupted = True
            names = ", ".join(str(job.source) for job in left) or "the summary"
            self.voice.complain(f"interrupted; not written: {names}{self.record.advice}")
            self.failed.update({job.source: f"{job.source}: interrupted" for job in left})
        self._conclude(told)
        return 1 if self.failed or interrupted else 0

    def _conclude(self, told: str | None) -> None:
        if told is not None:
            self.voice.say(told)
        if self.voice.json:
            say_results([dict(result) for result in self.results], self.failed)
        elif self.failed and told is None and self.voice.verbosity >= 0:
            total = len(self.results) + len(self.failed)
            self.voice.complain(f"{len(self.failed)} of {total} failed")

    def _outcomes(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Outcome | Exception]]:
        """What became of each job, in the order in which they end.

        Where there are as many files as workers each is denoised by one of them; else the
        workers compute the parts of one file after the other.
        """
        cluster = self.cluster
        if cluster is None or len(jobs) < max(2, cluster.workers) or self.settings.dry_run:
            for job in jobs:
                yield job, self._outcome(job)
            return
        there: list[Job] = []
        for job in jobs:
            earlier = self._earlier(job)
            if earlier is None:
                there.append(job)
            else:
                yield job, earlier
        for number, outcome in cluster.attempts(denoise_there, self._begun(there)):
            yield there[number], outcome

    def _begun(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Settings, Path]]:
        """Jobs for workers, each begun when it is asked for."""
        for job in jobs:
            self.record.begin(job)
            yield job, self.settings, Path.cwd()

    def _note(self, job: Job, outcome: Outcome | Exception) -> None:
        """Tell and note what became of a job."""
        if isinstance(outcome, Outcome):
            self._succeed(job, outcome)
        elif isinstance(outcome, AutodipError):
            self._fail(job, named(job.source, outcome))
        else:  # a defect must not end a batch either
            self._fail(job, f"{job.source}: unexpected {type(outcome).__name__}: {outcome}")
            if self.voice.verbosity > 0:
                click.echo("".join(traceback.format_exception(outcome)), err=True)

    def _earlier(self, job: Job) -> Outcome | None:
        """Outcome of a job that this run has done before it was interrupted."""
        content = self.record.earlier(job)
        if content is None:
            return None
        line = f"{job.source} -> {job.target}: done before the interruption"
        return done(job, content, line)

    def _outcome(self, job: Job) -> Outcome | Exception:
        """Denoise one file, unless this run has before it was interrupted."""
        try:
            earlier = self._earlier(job)
            if earlier is not None:
                return earlier
            self.record.begin(job)
            with ProgressBar(job.source.name, self.voice.verbosity < 0) as bar:
                return denoise_file(job, self.settings, bar.show, self.cluster)
        except Exception as error:
            return error

    def _succeed(self, job: Job, outcome: Outcome) -> None:
        if outcome.status != "planned":
            skipped = outcome.status == "skipped"
            content = sidecar.recorded(job.target) if skipped else outcome.record["run"]
            self.record.end(
                Ended(job.source, job.target, outcome.status, content, said=job.said), job
            )
        self.results.append(outcome.record if self.voice.json else {})
        for line in outcome.lines:
            self.voice.say(line)

    def _fail(self, job: Job, message: str) -> None:
        self.voice.complain(message)
        self.failed[job.source] = message
        self.record.end(Ended(job.source, job.target, "failed", error=message, said=job.said), job)
