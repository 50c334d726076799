"""What a run over many files has done so far, so that the same command goes on where it was.

The journal is a hidden file in the output folder to which lines of JSON are appended: first one
that tells the run, then one when a file is begun, with what its output was at that moment, and
one when it is finished. A line that a kill cut short is ignored. Files are known again by a hash
of all that decides on their output, so that a folder may have grown in between.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import autodip
from autodip.errors import OutputError
from autodip.runs import sidecar
from autodip.runs.job import Job
from autodip.util import files
from autodip.util.files import stamp

SCHEMA = 1
_PREFIX, _SUFFIX = ".autodip-run-", ".jsonl"


class Journal:
    """Journal of one run in its output folder; a context manager that keeps it, if not deleted.

    Parameters
    ----------
    folder : Path
        Output folder; it exists unless ``dry``.
    identity : str
        Hash of the command (see :func:`digest`): journals of other commands are left alone.
    dry : bool
        Only look at what an interrupted run has done.

    Attributes
    ----------
    started : str
        When the run began, before any interruption; ISO 8601.
    resumed : bool
        Whether it was interrupted.

    Raises
    ------
    OutputError
        If it cannot be written, or the same command is running.
    """

    def __init__(self, folder: Path, identity: str, *, dry: bool = False) -> None:
        self._folder = folder
        self.path = folder / f"{_PREFIX}{identity[:16]}{_SUFFIX}"
        self.resumed = False
        self._file: BinaryIO | None = None
        self._begun: dict[str, Mapping[str, Any]] = {}
        self._done: set[str] = set()
        self.started = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            if not dry:
                self._file = self.path.open("ab")
                _lock(self._file, self.path)
            self._load(identity)
        except OSError as error:
            self.close()
            if isinstance(error, OutputError):
                raise
            raise OutputError(
                f"{self.path}: cannot be written ({error.strerror}); choose another place with -o"
            ) from error

    def _load(self, identity: str) -> None:
        """Read what an interrupted run has written, and begin or go on."""
        content = self.path.read_bytes() if self.path.exists() else b""
        head, *lines = [_parsed(line) for line in content.split(b"\n")]
        if head.get("schema") == SCHEMA and head.get("identity") == identity:
            self.resumed, self.started = True, head.get("started", self.started)
            for line in lines:
                if "begun" in line:
                    self._begun[line["begun"]] = line
                    self._done.discard(line["begun"])
                elif "done" in line:
                    self._done.add(line["done"])
            if not content.endswith(b"\n"):
                self._write(b"\n")
        elif self._file is not None:  # none yet, or killed within its first line
            self._file.truncate(0)
            self._append({"schema": SCHEMA, "identity": identity, "started": self.started})

    def tidy(self, targets: Iterable[Path]) -> None:
        """Delete what a kill left half-written beside these outputs."""
        known = {str(target.absolute()): target for target in targets}
        for key, line in self._begun.items():
            target = known.get(line["output"])
            if target is not None and key not in self._done:
                for path in (target, sidecar.beside(target)):
                    for left in files.leftovers(path):
                        files.remove(left)

    def earlier(self, key: str, job: Job) -> Mapping[str, Any] | None:
        """Content of the sidecar of a job that this run did before it was interrupted.

        A kill may come after an output was written and before that was noted: such a one was
        begun, is another file than then, and its sidecar names the input.
        """
        begun = self._begun.get(key)
        if begun is None or not job.target.exists():
            return None
        content = sidecar.recorded(job.target)
        if content is None or key in self._done:
            return content
        if stamp(job.target) == begun["before"]:
            return None
        with suppress(OSError):
            if content["input"]["sha256"] == sidecar.sha256(job.source):
                return content
        return None

    def begin(self, key: str, job: Job) -> None:
        """Note that a job is begun."""
        target = job.target
        self._append({"begun": key, "output": str(target.absolute()), "before": stamp(target)})

    def end(self, key: str, status: str) -> None:
        """Note how a job ended: done, skipped or failed."""
        with suppress(OutputError):  # the line of its beginning does as well
            self._append({status: key})

    def _append(self, line: Mapping[str, Any]) -> None:
        self._write(json.dumps(line).encode() + b"\n")

    def _write(self, line: bytes) -> None:
        if self._file is None:
            return
        try:
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written ({error.strerror})") from error

    def delete(self) -> None:
        """Delete the journal of a run that came to its end."""
        if self._file is not None:
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Leave the journal for a run that goes on."""
        if self._file is not None:
            self._file.close()
            self._file = None

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
    """Hash of anything made of plain values, paths and dataclasses."""
    text = json.dumps([autodip.__version__, content], sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def key_of(job: Job, format: str | None) -> str:
    """Hash of all that decides on the output of a job: input, output, options, version."""
    places = [str(path.absolute()) for path in (job.source, job.target)]
    return digest([places, stamp(job.source), job.options, dict(job.selection), format])


def plain(value: Any) -> Any:
    """Value as JSON has it, down to the last."""
    return json.loads(json.dumps(value, default=_plain))


def _plain(value: Any) -> Any:
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if dataclasses.is_dataclass(value):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    return dict(value) if isinstance(value, Mapping) else str(value)


def _parsed(line: bytes) -> Mapping[str, Any]:
    """Line of a journal; empty where it was cut short."""
    try:
        content = json.loads(line)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _lock(file: BinaryIO, path: Path) -> None:
    """Refuse to run where the same command runs; the lock ends with the process."""
    try:
        import fcntl  # noqa: PLC0415  (not on Windows)
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OutputError(
            f"{path.parent}: the same command is writing there; wait for its end, "
            "or choose another place with -o"
        ) from None
    except OSError:  # a file system without locks
        return
