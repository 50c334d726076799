"""Record of a run over several files: its journal while it runs, its summary at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from autodip.runs import saving, summary
from autodip.runs.job import Job, Settings
from autodip.runs.journal import Journal, digest, key_of, plain
from autodip.runs.request import Request
from autodip.runs.sidecar import Sidecar
from autodip.runs.summary import Ended
from autodip.util.files import check_writable, leftovers, remove


class Unrecorded:
    """Record that stores nothing, for a run over one file; a context manager."""

    advice = "; the same command resumes from the finished tiles and planes"
    """Text that is appended to the message about an interruption."""

    def earlier(self, job: Job) -> Sidecar | None:
        """Sidecar of a job that this run completed before it was interrupted; else None."""
        return None

    def begin(self, job: Job) -> None:
        """Note the start of a job."""

    def end(self, ended: Ended, job: Job | None = None) -> None:
        """Note the outcome of an input, and of its job if there is one."""

    def finish(self) -> str | None:
        """Write the summary and return one line about it; None if there is no summary."""
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
    """The command that is running.

    Parameters
    ----------
    folder : Path
        Output folder.
    identity : str
        Hash of the command (see :func:`autodip.runs.journal.digest`).
    facts : mapping, JSON-ready
        What ``run.json`` contains about the command.
    format : str or None
        Output format; None for that of the input.
    dry : bool
        Whether nothing is written.
    """

    folder: Path
    identity: str
    facts: Mapping[str, Any]
    format: str | None = None
    dry: bool = False

    @classmethod
    def of(
        cls,
        inputs: Sequence[Path],
        out: Path,
        request: Request,
        settings: Settings,
        *,
        command: Sequence[str],
        recursive: bool = False,
        params: Path | None = None,
        figure: bool = False,
        report: bool = False,
    ) -> Call:
        """What is recorded about a command, and the hash by which it is recognised.

        Parameters
        ----------
        inputs, out : sequence of Path, Path
        request, settings : Request, Settings
        command : sequence of str
            Words of the command line.
        recursive : bool
            Whether the sub-folders of folders are included.
        params : Path, optional
            Sidecar that is repeated.
        figure, report : bool
            Whether figures and pages are written as well.
        """
        options = {k: v for k, v in plain(request.options).items() if k != "choices"}
        asked = {
            **options,
            **request.selection.to_dict(),
            "format": settings.format,
            "recursive": recursive,
            "overwrite": settings.overwrite,
        }
        places = [str(path.absolute()) for path in inputs]
        identity = digest([places, str(out.absolute()), request.options, asked])
        facts = {
            "command": list(command),
            "versions": saving.versions(),
            "options": {
                **asked,
                "skip_existing": settings.skip_existing,
                "figure": figure,
                "report": report,
                "params": None if params is None else str(params),
            },
        }
        return cls(out, identity, facts, settings.format, settings.dry_run)


class Record(Unrecorded):
    """Record with a journal, ``run.json`` and ``summary.csv`` in the output folder.

    Half-written files of an interrupted run are deleted first.

    Raises
    ------
    OutputError
        If the folder is not writable or contains files of these names that autodip did not
        write, or if the same command is already running.
    """

    advice = "; the same command resumes the run"

    def __init__(self, call: Call, jobs: Sequence[Job]) -> None:
        self._call = call
        self._order = {job.source: number for number, job in enumerate(jobs, 1)}
        self._ended: list[Ended] = []
        self._keys: dict[Path, str] = {}
        check_writable(call.folder, dry=call.dry)
        summary.check(call.folder)
        self._journal = Journal(call.folder, call.identity, dry=call.dry)
        if self._journal.resumed and not call.dry:
            self._journal.tidy(job.target for job in jobs)
            for name in (summary.RUN, summary.TABLE):
                for path in leftovers(call.folder / name):
                    remove(path)

    def _key(self, job: Job) -> str:
        """Key of the job, computed only once, when it is first needed."""
        if job.target not in self._keys:
            self._keys[job.target] = key_of(job, self._call.format)
        return self._keys[job.target]

    def earlier(self, job: Job) -> Sidecar | None:
        """Sidecar of a job that this run completed before it was interrupted; else None."""
        return self._journal.earlier(self._key(job), job)

    def begin(self, job: Job) -> None:
        """Note the start of a job."""
        self._journal.begin(self._key(job), job)

    def end(self, ended: Ended, job: Job | None = None) -> None:
        """Note the outcome of an input, and of its job if there is one."""
        self._ended.append(ended)
        if job is not None:
            self._journal.end(self._key(job), ended.status)

    def finish(self) -> str | None:
        """Write the summary, delete the journal, and return one line; None in a dry run."""
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
