"""A batch of files: a failure is recorded, and the other files are still processed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from autodip.compute.cluster import Cluster
from autodip.errors import AutodipError
from autodip.runs import sidecar
from autodip.runs.companions import complete
from autodip.runs.job import Job, Outcome, Settings, Show, denoise_file, denoise_there, done
from autodip.runs.ledger import Unrecorded
from autodip.runs.searching import Failed
from autodip.runs.summary import Ended
from autodip.util.text import named

Watch = Callable[[Job], AbstractContextManager[Show | None]]
"""Opens a context for a job; its value, unless None, is called with every step of the job."""


@dataclass(frozen=True)
class Event:
    """Outcome of a job.

    Parameters
    ----------
    job : Job
    outcome : Outcome or None
        None if the job failed.
    error : Exception or None
        Reason for the failure; None if the job did not fail.
    """

    job: Job
    outcome: Outcome | None = None
    error: Exception | None = None

    @property
    def defect(self) -> bool:
        """Whether the job failed with an error that autodip does not raise deliberately."""
        return self.error is not None and not isinstance(self.error, AutodipError)

    @property
    def message(self) -> str:
        """Reason for the failure, with the name of the file; empty if the job did not fail."""
        if self.error is None:
            return ""
        if self.defect:
            return f"{self.job.source}: unexpected {type(self.error).__name__}: {self.error}"
        return named(self.job.source, self.error)


@dataclass
class Batch:
    """Jobs, and their outcomes so far.

    Parameters
    ----------
    settings : Settings
    record : Unrecorded
        Record of the run, which notes the start and the outcome of each job.
    cluster : Cluster or None
        Cluster whose workers compute; None to compute in this process.
    failed : mapping of Path to str
        Error messages by input; initially those of inputs for which there is no job.
    left : list of Job
        Jobs that have not ended; not empty after an interruption.
    """

    settings: Settings
    record: Unrecorded
    cluster: Cluster | None = None
    failed: Failed = field(default_factory=dict)
    left: list[Job] = field(default_factory=list)

    def run(self, jobs: Sequence[Job], watch: Watch = lambda job: nullcontext()) -> Iterator[Event]:
        """Process all jobs and yield the outcome of each, in the order in which they end.

        If there are at least two files and at least as many files as workers, each file is
        denoised by one worker. Otherwise the files are processed one after the other, and the
        workers compute the windows or planes of each.
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
            try:
                earlier: Outcome | Exception | None = self._earlier(job)
            except AutodipError as error:
                earlier = error
            if earlier is None:
                there.append(job)
            else:
                yield job, earlier
        for number, outcome in cluster.attempts(denoise_there, self._begun(there)):
            yield there[number], outcome

    def _begun(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Settings, Path]]:
        """Tasks for the workers; the start of each job is noted when its task is requested."""
        for job in jobs:
            self.record.begin(job)
            yield job, self.settings, Path.cwd()

    def _earlier(self, job: Job) -> Outcome | None:
        """Outcome of a job that this run completed before it was interrupted, else None."""
        content = self.record.earlier(job)
        if content is None:
            return None
        if not self.settings.dry_run:
            renew = self.settings.overwrite
            complete(self.settings.companions, job.source, job.target, renew=renew)
        return done(job, self.settings, content, earlier=True)

    def _outcome(self, job: Job, watch: Watch) -> Outcome | Exception:
        """Denoise one file, unless this run did so before it was interrupted."""
        try:
            earlier = self._earlier(job)
            if earlier is not None:
                return earlier
            self.record.begin(job)
            with watch(job) as show:
                return denoise_file(job, self.settings, show, self.cluster)
        except Exception as error:  # an unexpected error must not end the batch either
            return error

    def _record(self, event: Event) -> None:
        job, outcome = event.job, event.outcome
        if outcome is None:
            self.failed[job.source] = event.message
            ended = Ended(job.source, job.target, "failed", error=event.message, said=job.said)
            self.record.end(ended, job)
        elif outcome.status != "planned":
            skipped = outcome.status == "skipped"
            content = sidecar.recorded(job.target) if skipped else outcome.sidecar
            ended = Ended(
                job.source,
                job.target,
                outcome.status,
                content=content,
                said=job.said,
                companions=self.settings.companions,
            )
            self.record.end(ended, job)
