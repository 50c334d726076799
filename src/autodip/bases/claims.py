"""Claim files that reserve a run, so that several processes and machines can share the work."""

from __future__ import annotations

import json
import os
import platform
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from autodip.util.files import replacing, writing

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


def claim(path: Path) -> Claim | None:
    """Claim a run for this process; return None if another live process holds the claim.

    A claim counts as abandoned if its process ran on this machine and has ended, or if it has not
    been refreshed for :data:`STALE` seconds. An abandoned claim is taken over. If two processes
    take it over at the same moment, both do the work and write the same result.

    Parameters
    ----------
    path : Path
        Path of the claim file.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    content = json.dumps({**_self(), "time": time.time()})
    with writing(path, "choose another --base"):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(content)
        except FileExistsError:
            if not _left_behind(path):
                return None
            with replacing(path) as (part,):
                part.write_text(content, encoding="utf-8")
            if path.read_text(encoding="utf-8") != content:
                return None
    return Claim(path, content)


def _self() -> dict[str, Any]:
    """Identify this process; its number may be reused later, but not with the same start time."""
    pid = os.getpid()
    return {"host": platform.node(), "pid": pid, "started": psutil.Process(pid).create_time()}


def _left_behind(path: Path) -> bool:
    try:
        age = time.time() - path.stat().st_mtime
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:  # released just now: its run has been written
        return False
    try:
        owner = json.loads(text)
        here = owner["host"] == platform.node()
        alive = _alive(int(owner["pid"]), float(owner["started"]))
    except (ValueError, KeyError, TypeError):  # truncated, as its writing was interrupted
        return age > REFRESH
    return age > STALE or (here and not alive)


def _alive(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        zombie = process.status() == psutil.STATUS_ZOMBIE
        return not zombie and abs(process.create_time() - started) < 1
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
