"""Claim files that reserve a run, so that several processes and machines can share the work."""

from __future__ import annotations

import json
import os
import platform
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from autodip.util.files import writing

STALE = 600.0
"""Seconds without a refresh after which a claim counts as abandoned."""

REFRESH = 30.0
"""Minimum number of seconds between two refreshes of a claim."""


class Claim:
    """A claim held by this process; release it when the run has been written or given up."""

    def __init__(self, path: Path, content: str) -> None:
        self._path = path
        self._content = content
        self._refreshed = time.monotonic()

    def refresh(self) -> None:
        """Renew the time stamp of the claim if it is older than :data:`REFRESH` seconds."""
        if time.monotonic() - self._refreshed > REFRESH:
            with suppress(OSError):
                os.utime(self._path)
            self._refreshed = time.monotonic()

    def release(self) -> None:
        """Delete the claim file, unless another process has taken the claim over."""
        with suppress(OSError):
            if self._path.read_text(encoding="utf-8") == self._content:
                self._path.unlink()


def claim(path: Path, advice: str = "choose another --base") -> Claim | None:
    """Claim a run for this process; return None if another live process holds the claim.

    A claim counts as abandoned if its process ran on this machine and has ended, or if it ran on
    another machine and has not refreshed the claim for :data:`STALE` seconds. An abandoned claim
    is taken over.

    Parameters
    ----------
    path : Path
        Path of the claim file.
    advice : str
        End of the message of an OutputError: what to do.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    content = json.dumps({**_self(), "time": time.time()})
    with writing(path, advice):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not _created(path, content) and not (_removed(path) and _created(path, content)):
            return None
    return Claim(path, content)


def _created(path: Path, content: str) -> bool:
    """Create the claim file; False if it exists."""
    try:
        file = path.open("x", encoding="utf-8")
    except FileExistsError:
        return False
    try:
        with file:
            file.write(content)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return True


def _removed(path: Path) -> bool:
    """Delete an abandoned claim; False if it is not abandoned, or another process has done so."""
    try:
        content = path.read_bytes()
        if not _left_behind(path, content):
            return False
        aside = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}")
        path.rename(aside)
    except FileNotFoundError:  # released just now: its run has been written
        return False
    if aside.read_bytes() != content:
        aside.rename(path)  # a new claim, made by another process in the meantime
        return False
    aside.unlink()
    return True


def _self() -> dict[str, Any]:
    """Identify this process; its number may be reused later, but not with the same start time."""
    pid = os.getpid()
    return {"host": platform.node(), "pid": pid, "started": psutil.Process(pid).create_time()}


def _left_behind(path: Path, content: bytes) -> bool:
    age = time.time() - path.stat().st_mtime
    try:
        owner = json.loads(content)
        here = owner["host"] == platform.node()
        alive = _alive(int(owner["pid"]), float(owner["started"]))
    except (ValueError, KeyError, TypeError, OverflowError):  # its writing was interrupted
        return age > REFRESH
    return not alive if here else age > STALE


def _alive(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        zombie = process.status() == psutil.STATUS_ZOMBIE
        return not zombie and abs(process.create_time() - started) < 1
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
