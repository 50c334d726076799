"""Who is at which run: claim files, so that several processes and machines share the work."""

from __future__ import annotations

import json
import os
import platform
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from autodip.errors import OutputError
from autodip.util.files import replacing

STALE = 600.0
"""Seconds without a sign of life after which a claim counts as left behind."""

REFRESH = 30.0
"""Seconds between two signs of life, at least."""


class Claim:
    """A claim of this process; release it when the run is written, or given up."""

    def __init__(self, path: Path, content: str) -> None:
        self._path = path
        self._content = content
        self._refreshed = time.monotonic()

    def refresh(self) -> None:
        """Give a sign of life, if the last is some time ago."""
        if time.monotonic() - self._refreshed > REFRESH:
            with suppress(OSError):
                os.utime(self._path)
            self._refreshed = time.monotonic()

    def release(self) -> None:
        """Take the claim back, unless another process took it over."""
        with suppress(OSError):
            if self._path.read_text(encoding="utf-8") == self._content:
                self._path.unlink()


def claim(path: Path) -> Claim | None:
    """Claim a file for this process; None where another one has it and is alive.

    A claim is left behind where its process is gone, if that was on this machine, or where it
    gave no sign of life for :data:`STALE` seconds. It is taken over; should two processes do so
    at the same moment, both do the work, and write the same.

    Parameters
    ----------
    path : Path
        Of the claim file.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    content = json.dumps({**_self(), "time": time.time()})
    try:
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
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"{path}: cannot be written ({error.strerror or error}); choose another --base"
        ) from error
    return Claim(path, content)


def _self() -> dict[str, Any]:
    """Name the process: another one may have its number later, but not its time of start."""
    pid = os.getpid()
    return {"host": platform.node(), "pid": pid, "started": psutil.Process(pid).create_time()}


def _left_behind(path: Path) -> bool:
    try:
        age = time.time() - path.stat().st_mtime
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:  # released just now: its run is written
        return False
    try:
        owner = json.loads(text)
        here = owner["host"] == platform.node()
        alive = _alive(int(owner["pid"]), float(owner["started"]))
    except (ValueError, KeyError, TypeError):  # cut off while it was written
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
