"""Journal of a run over many files, from which the same command resumes after an interruption.

The journal is a hidden file in the output folder to which lines of JSON are appended: first one
that identifies the run, then one when a file is started, with the size and time of an existing
output, and one when it is finished. A line that is incomplete or damaged is ignored. Files are
recognised by a hash of everything that determines their output, so that files may have been added
to a folder in the meantime.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from autodip.errors import OutputError
from autodip.runs import map_files, sidecar
from autodip.runs.companions import every_path
from autodip.runs.job import Job
from autodip.runs.locks import Lock, unlock
from autodip.runs.sidecar import Sidecar
from autodip.util import files
from autodip.util.files import stamp, writing
from autodip.util.paths import exists

SCHEMA = 1
_PREFIX, _SUFFIX = ".autodip-run-", ".jsonl"
_ELSEWHERE = "choose another place with -o"


class Journal:
    """Journal of one run in its output folder; a context manager that closes the file at the end.

    Parameters
    ----------
    folder : Path
        Output folder; it must exist unless ``dry``.
    identity : str
        Hash of the command (see :func:`digest`); journals of other commands are not touched.
    dry : bool
        Whether to read only what an interrupted run has done, without writing anything.

    Attributes
    ----------
    started : str
        Time at which the run was first started, before any interruption; ISO 8601.
    resumed : bool
        Whether the run was interrupted and is now resumed.

    Raises
    ------
    OutputError
        If the journal cannot be written, or the same command is already running.
    """

    def __init__(self, folder: Path, identity: str, *, dry: bool = False) -> None:
        self._folder = folder
        self.path = folder / f"{_PREFIX}{identity[:16]}{_SUFFIX}"
        self.resumed = False
        self._file: BinaryIO | None = None
        self._lock: Lock | None = None
        self._begun: dict[str, Mapping[str, Any]] = {}
        self._done: set[str] = set()
        self.started = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            with writing(self.path, _ELSEWHERE):
                if not dry:
                    self._lock = Lock(
                        self.path, f"{folder}: the same command is already running there"
                    )
                    self._file = self.path.open("ab")
                self._load(identity)
        except OutputError:
            self.close()
            raise

    def _load(self, identity: str) -> None:
        """Read the journal of an interrupted run and resume it, or begin a new one."""
        content = self.path.read_bytes() if self.path.exists() else b""
        head, *lines = [_parsed(line) for line in content.split(b"\n")]
        known = [line for line in lines if _is_known(line)]
        ours = head.get("schema") == SCHEMA and head.get("identity") == identity
        if ours or (not head and known):  # the first line is damaged; the name is ours
            self.resumed, self.started = True, str(head.get("started", self.started))
            for line in known:
                if "begun" in line:
                    self._begun[line["begun"]] = line
                    self._done.discard(line["begun"])
                else:
                    self._done.add(line["done"])
            if not content.endswith(b"\n"):
                self._write(b"\n")
        elif self._file is not None:  # no journal yet, or killed while writing its first line
            self._file.truncate(0)
            self._append({"schema": SCHEMA, "identity": identity, "started": self.started})

    def tidy(self, targets: Iterable[Path]) -> None:
        """Delete half-written files that a killed process left next to these outputs."""
        known = {str(target.absolute()): target for target in targets}
        for key, line in self._begun.items():
            target = known.get(line["output"])
            if target is not None and key not in self._done:
                unlock(target)
                for path in every_path(target):
                    for left in files.leftovers(path):
                        files.remove(left)

    def earlier(self, key: str, job: Job) -> Sidecar | None:
        """Sidecar of a job that this run completed before it was interrupted; else None.

        If the process was killed after writing an output but before logging it, the job still
        counts as done: it is logged as started, the file has changed since, and its sidecar
        contains this input's hash.
        """
        begun = self._begun.get(key)
        content = sidecar.recorded(job.target) if begun is not None else None
        if begun is None or content is None or not _is_whole(job.target, content):
            return None
        if key in self._done:
            return content
        if stamp(job.target) == begun["before"]:
            return None
        with suppress(OSError):
            if content.input["sha256"] == files.sha256(job.source):
                return content
        return None

    def begin(self, key: str, job: Job) -> None:
        """Note the start of a job."""
        target = job.target
        self._append({"begun": key, "output": str(target.absolute()), "before": stamp(target)})

    def end(self, key: str, status: str) -> None:
        """Note how a job ended: done, skipped or failed."""
        with suppress(OutputError):  # the line about its start is sufficient
            self._append({status: key})

    def _append(self, line: Mapping[str, Any]) -> None:
        self._write(json.dumps(line).encode() + b"\n")

    def _write(self, line: bytes) -> None:
        if self._file is None:
            return
        with writing(self.path):
            self._file.write(line)
            self._file.flush()

    def delete(self) -> None:
        """Delete the journal of a completed run."""
        if self._file is not None:
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file, which remains so that the run can be resumed."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def digest(content: Any) -> str:
    """Hash of plain values, paths and dataclasses, and of the version of autodip."""
    text = json.dumps([version("autodip"), content], sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def key_of(job: Job, format: str | None) -> str:
    """Hash of everything that determines the output of a job: input, output, options, version."""
    places = [str(path.absolute()) for path in (job.source, job.target)]
    return digest([places, stamp(job.source), job.options, job.selection.to_dict(), format])


def plain(value: Any) -> Any:
    """Value with all its content converted to types of JSON."""
    return json.loads(json.dumps(value, default=_plain))


def _plain(value: Any) -> Any:
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if dataclasses.is_dataclass(value):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    return dict(value) if isinstance(value, Mapping) else str(value)


def _parsed(line: bytes) -> Mapping[str, Any]:
    """Content of a line of a journal; empty if the line was cut short."""
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _is_whole(target: Path, content: Sidecar) -> bool:
    """Whether an output and its map have the sizes that its sidecar states; False without them."""
    found = files.size(target) if exists(target) else None
    if found is None or content.output.get("bytes", found) != found:
        return False
    return map_files.stated_in(content) is None or map_files.is_whole(target, content)


def _is_known(line: Mapping[str, Any]) -> bool:
    """Whether a line is complete: the start of a job, or its end as done."""
    if "begun" in line:
        return isinstance(line["begun"], str) and {"output", "before"} <= set(line)
    return isinstance(line.get("done"), str)
