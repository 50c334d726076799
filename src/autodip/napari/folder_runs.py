"""Runs on a folder of files, as ``autodip denoise`` does them."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autodip.errors import FormatError
from autodip.napari.background import Tell
from autodip.napari.entries import Entries
from autodip.napari.live import EVERY
from autodip.napari.repeat import folder_command_of
from autodip.napari.tally import Tally, time_left
from autodip.pipeline.options import SPECS, Options
from autodip.pipeline.result import Progress
from autodip.runs import selection
from autodip.runs.batch import Batch, Event
from autodip.runs.inputs import find
from autodip.runs.job import Job, Settings, Show
from autodip.runs.ledger import Call, Record
from autodip.runs.places import pair
from autodip.runs.request import Request
from autodip.runs.selection import Selection


@dataclass(frozen=True, kw_only=True)
class FolderEntries:
    """What a user enters for a folder.

    Parameters
    ----------
    folder, out : Path
        Folder with the files, and folder for the outputs.
    recursive : bool
        Whether sub-folders are included.
    skip : bool
        Whether files whose output exists are skipped; else they fail.
    """

    folder: Path
    out: Path
    recursive: bool = False
    skip: bool = True

    def command(self, entries: Entries) -> str:
        """Command that does the same."""
        return folder_command_of(
            self.folder.absolute(),
            self.out.absolute(),
            entries,
            recursive=self.recursive,
            skip=self.skip,
        )


@dataclass(frozen=True)
class FileEnded:
    """News: a file has ended.

    Parameters
    ----------
    path : Path
    status : "done", "skipped" or "failed"
    message : str
        Reason for a failure; else empty.
    """

    path: Path
    status: str
    message: str = ""

    @classmethod
    def of(cls, event: Event) -> FileEnded:
        """News about the outcome of a job."""
        status = "failed" if event.outcome is None else event.outcome.status
        return cls(event.job.source, status, event.message)


def denoise_folder(entries: Entries, places: FolderEntries, tell: Tell) -> str:
    """Denoise the files of a folder; tells :class:`Tally` and :class:`FileEnded` as news.

    Returns
    -------
    str
        One line on the outcome.
    """
    tell(Tally())
    if not places.folder.is_dir():
        raise FormatError(f"{places.folder}: there is no such folder")
    inputs = [places.folder]
    found, failed = find(inputs, recursive=places.recursive, out=places.out)
    for path, message in failed.items():
        tell(FileEnded(path, "failed", message))
    request = _request(entries).on(None)
    settings = Settings(skip_existing=places.skip)
    jobs = request.jobs(pair(found, f"{places.out}/", inputs, None))
    words = shlex.split(places.command(entries))
    call = Call.of(inputs, places.out, request, settings, command=words, recursive=places.recursive)
    with Record(call, jobs) as record:
        batch = Batch(settings, record, None, failed)
        watch = _Watcher(len(jobs), tell)
        for event in batch.run(jobs, watch.watching):
            tell(FileEnded.of(event))
        return record.finish() or ""


def _request(entries: Entries) -> Request:
    """Request with what was entered; the config file states the rest, as for the command."""
    said = entries.keywords()
    options, part = Options(), Selection()
    given: dict[str, Any] = {
        **{name: getattr(options, name) for name in SPECS},
        **{name: getattr(part, name) for name in selection.SPECS},
        **said,
    }
    return Request.of(given, list(said), None)


class _Watcher:
    """Turns the steps of every file into counts of the whole run."""

    def __init__(self, files: int, tell: Tell) -> None:
        self._files, self._tell = files, tell
        self._file, self._shown = 0, 0.0
        self._start = time.monotonic()

    @contextmanager
    def watching(self, job: Job) -> Iterator[Show]:
        """Watch the steps of a job."""
        self._file, self._shown = self._file + 1, 0.0
        yield self._show

    def _show(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._shown < EVERY / 2:
            return
        self._shown = now
        step = progress.step
        within = 0.0 if step is None else step.iteration / step.iterations
        inside = (progress.plane + within) / max(progress.planes, 1)
        fraction = min(1.0, (self._file - 1 + inside) / self._files)
        left = time_left(fraction, now - self._start, None)
        self._tell(
            Tally.of(progress, file=self._file, files=self._files, fraction=fraction, left=left)
        )
