"""Keeps what a run over several files does: its journal while it runs, its summary at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from autodip.runs import summary
from autodip.runs.job import Job
from autodip.runs.journal import Journal, key_of
from autodip.runs.summary import Ended
from autodip.util.files import check_writable, leftovers, remove


class Unrecorded:
    """Keeps nothing, as where one file is denoised; a context manager."""

    advice = ""
    """What is said when the run is interrupted."""

    def earlier(self, job: Job) -> Mapping[str, Any] | None:
        """Content of the sidecar of a job that this run did before it was interrupted."""
        return None

    def begin(self, job: Job) -> None:
        """Note that a job is begun."""

    def end(self, ended: Ended, job: Job | None = None) -> None:
        """Note what became of an input, and of its job if it became one."""

    def finish(self) -> str | None:
        """Write the summary; a line that tells it."""
        return None

    def __enter__(self) -> Unrecorded:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return


@dataclass(frozen=True)
class Call:
    """The command that runs.

    Parameters
    ----------
    folder : Path
        Output folder.
    identity : str
        Hash of the command (see :func:`autodip.runs.journal.digest`).
    facts : mapping, JSON-ready
        What ``run.json`` says of it.
    format : str or None
        To write.
    dry : bool
        Nothing is written.
    """

    folder: Path
    identity: str
    facts: Mapping[str, Any]
    format: str | None = None
    dry: bool = False


class Record(Unrecorded):
    """Keeps the journal, ``run.json`` and ``summary.csv`` in the output folder.

    What an interrupted run left half-written is deleted first.

    Raises
    ------
    OutputError
        If the folder is not writable or holds files of these names that are not ours, or the
        same command is running.
    """

    advice = "; the same command goes on from there"

    def __init__(self, call: Call, jobs: Sequence[Job]) -> None:
        self._call = call
        self._order = {job.source: number for number, job in enumerate(jobs, 1)}
        self._ended: list[Ended] = []
        self._keys: dict[Path, str] = {}
        summary.check(call.folder)
        if not call.dry:
            check_writable(call.folder)
        self._journal = Journal(call.folder, call.identity, dry=call.dry)
        if self._journal.resumed and not call.dry:
            self._journal.tidy(job.target for job in jobs)
            for name in (summary.RUN, summary.TABLE):
                for path in leftovers(call.folder / name):
                    remove(path)

    def _key(self, job: Job) -> str:
        """What the job was known by when it was first asked for."""
        if job.target not in self._keys:
            self._keys[job.target] = key_of(job, self._call.format)
        return self._keys[job.target]

    def earlier(self, job: Job) -> Mapping[str, Any] | None:
        """Content of the sidecar of a job that this run did before it was interrupted."""
        return self._journal.earlier(self._key(job), job)

    def begin(self, job: Job) -> None:
        """Note that a job is begun."""
        self._journal.begin(self._key(job), job)

    def end(self, ended: Ended, job: Job | None = None) -> None:
        """Note what became of an input, and of its job if it became one."""
        self._ended.append(ended)
        if job is not None:
            self._journal.end(self._key(job), ended.status)

    def finish(self) -> str | None:
        """Write the summary and delete the journal; a line that tells it."""
        if self._call.dry:
            return None
        folder = self._call.folder
        ended = sorted(self._ended, key=lambda one: self._order.get(one.source, 0))
        files = [summary.entry(one, folder) for one in ended]
        rows = [row for one in ended for row in summary.rows(one, folder)]
        totals = summary.totals(files)
        content = {
            **self._call.facts,
            "started": self._journal.started,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "totals": totals,
            "files": files,
        }
        summary.write(folder, content, rows)
        self._journal.delete()
        counts = ", ".join(f"{count} {status}" for status, count in totals.items())
        return f"{counts}; summary in {folder / summary.TABLE}"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._journal.close()
