"""Locks that keep two runs from writing the same output at the same time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from autodip.bases.claims import REFRESH, Claim, claim
from autodip.errors import OutputError
from autodip.util.files import stem

_ELSEWHERE = "choose another place with -o"


class Lock:
    """Lock on an output, held by this process until it is released.

    The lock is a hidden file next to the output, so that it works on every system and between
    machines that share the folder. The lock of a process that has been killed does not count.

    Parameters
    ----------
    target : Path
        Output, in an existing folder.
    what : str
        Beginning of the message if another process holds the lock.

    Raises
    ------
    OutputError
        If another process holds the lock, or the folder cannot be written to.
    """

    def __init__(self, target: Path, what: str) -> None:
        path = lock_file(target)
        held = claim(path, _ELSEWHERE)
        if held is None:
            raise OutputError(
                f"{what}{_owner(path)}; wait until it has ended, or {_ELSEWHERE} (if it is not "
                f"running any more, delete {path})"
            )
        self._claim = held
        self._released = Event()
        self._thread = Thread(target=self._refresh, daemon=True)
        self._thread.start()

    def _refresh(self) -> None:
        while not self._released.wait(REFRESH + 1):
            self._claim.refresh()

    def release(self) -> None:
        """Release the lock."""
        self._released.set()
        self._thread.join()
        self._claim.release()


@contextmanager
def locked(target: Path) -> Iterator[None]:
    """Hold the lock on an output while the block runs.

    Raises
    ------
    OutputError
        If another process holds the lock, or the folder cannot be written to.
    """
    lock = Lock(target, f"{target} is being written by another run")
    try:
        yield
    finally:
        lock.release()


def lock_file(target: Path) -> Path:
    """Path of the lock on an output."""
    return target.with_name(f".{stem(target)}.autodip-lock")


def unlock(target: Path) -> None:
    """Delete the lock on an output if its process was killed."""
    path = lock_file(target)
    held: Claim | None = claim(path, _ELSEWHERE) if path.exists() else None
    if held is not None:
        held.release()


def _owner(path: Path) -> str:
    """Process and machine that hold a lock, for messages; empty if they cannot be read."""
    try:
        owner = json.loads(path.read_text(encoding="utf-8"))
        return f" (process {owner['pid']} on {owner['host']})"
    except (OSError, ValueError, LookupError, TypeError):
        return ""
