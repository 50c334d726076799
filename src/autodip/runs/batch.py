"""File after file: a failed one is recorded and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from autodip.compute.cluster import Cluster
from autodip.errors import AutodipError
from autodip.runs import sidecar
from autodip.runs.inputs import Failed
from autodip.runs.job import Job, Outcome, Settings, Show, denoise_file, denoise_there, done
from autodip.runs.ledger import Unrecorded
from autodip.runs.summary import Ended
from autodip.util.text import named

Watch = Callable[[Job], AbstractContextManager[Show | None]]
"""Opens what is called with every step of a job."""


@dataclass(frozen=True)
class Event:
    """What became of a job.

    Parameters
    ----------
    job : Job
    outcome : Outcome or None
        None where it failed.
    error : Exception or None
        Why it failed.
    """

    job: Job
    outcome: Outcome | None = None
    error: Exception | None = None

    @property
    def defect(self) -> bool:
        """Whether it failed by an error that autodip does not raise on purpose."""
        return self.error is not None and not isinstance(self.error, AutodipError)

    @property
    def message(self) -> str:
        """Why it failed, in one line that names the file; empty where it did not."""
        if self.error is None:
            return ""
        if self.defect:
            return f"{self.job.source}: unexpected {type(self.error).__name__}: {self.error}"
        return named(self.job.source, self.error)


@dataclass
class Batch:
    """Jobs, and what became of them so far.

    Parameters
    ----------
    settings : Settings
    record : Unrecorded
        Keeps what is done.
    cluster : Cluster or None
        Its workers compute.
    failed : mapping of Path to str
        Message by input; those that became no job are in it from the beginning.
    left : list of Job
        Jobs that have not ended, as after an interruption.
    """

    settings: Settings
    record: Unrecorded
    cluster: Cluster | None = None
    failed: Failed = field(default_factory=dict)
    left: list[Job] = field(default_factory=list)

    def run(self, jobs: Sequence[Job], watch: Watch = lambda job: nullcontext()) -> Iterator[Event]:
        """Do all jobs; yields what became of each, in the order in which they end.

        Where there are as many files as workers each is denoised by one of them; else the
        workers compute the parts of one file after the other.
        """
        for path, message in self.failed.items():
            self.record.end(Ended(path, None, "failed", error=message))
        self.left = list(jobs)
        for job, outcome in self._outcomes(jobs, watch):
            if isinstance(outcome, Exception):
                event = Event(job, error=outcome)
            else:
                event = Event(job, outcome)
            self._record(event)
            self.left.remove(job)
            yield event

    def _outcomes(
        self, jobs: Sequence[Job], watch: Watch
    ) -> Iterator[tuple[Job, Outcome | Exception]]:
        cluster = self.cluster
        if cluster is None or len(jobs) < max(2, cluster.workers) or self.settings.dry_run:
            for job in jobs:
                yield job, self._outcome(job, watch)
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

    def _earlier(self, job: Job) -> Outcome | None:
        """Outcome of a job that this run has done before it was interrupted."""
        content = self.record.earlier(job)
        return None if content is None else done(job, content, earlier=True)

    def _outcome(self, job: Job, watch: Watch) -> Outcome | Exception:
        """Denoise one file, unless this run has before it was interrupted."""
        try:
            earlier = self._earlier(job)
            if earlier is not None:
                return earlier
            self.record.begin(job)
            with watch(job) as show:
                return denoise_file(job, self.settings, show, self.cluster)
        except Exception as error:  # a defect must not end a batch either
            return error

    def _record(self, event: Event) -> None:
        job, outcome = event.job, event.outcome
        if outcome is None:
            self.failed[job.source] = event.message
            ended = Ended(job.source, job.target, "failed", error=event.message, said=job.said)
            self.record.end(ended, job)
        elif outcome.status != "planned":
            skipped = outcome.status == "skipped"
            content = sidecar.recorded(job.target) if skipped else outcome.record["run"]
            self.record.end(
                Ended(job.source, job.target, outcome.status, content, said=job.said), job
            )
