"""The worker process as its parent sees it: started anew after a crash, ended if it hangs."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_HANG, _HANG_WALL = 20.0, 180.0
"""Seconds of processor time, and of the clock, after which a case counts as hanging."""

_START, _START_WALL = 120.0, 600.0
_ROOT = Path(__file__).parents[2]


class Watched:
    """A worker process; a context manager."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def ask(self, case: dict[str, Any]) -> dict[str, Any]:
        """Answer of the worker to a case; an outcome of its own if it hangs or crashes."""
        process = self._running()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(case) + "\n")
            process.stdin.flush()
            line = self._line(process, _HANG, _HANG_WALL)
        except BrokenPipeError:
            line = ""
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        known = {"events": [], "excess": 0, "need": 0, "seconds": 0.0}
        if line is None:
            self.stop()
            return {**known, "outcome": "hang", "text": f"more than {_HANG} s"}
        return {**known, "outcome": "crash", "text": f"worker ended with {process.wait()}"}

    def stop(self) -> None:
        """End the worker, if there is one."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
        if self._process is not None:
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                assert stream is not None
                stream.close()
        self._process = None

    def _running(self) -> subprocess.Popen[str]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.stop()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.hostile.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
            cwd=_ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", "AUTODIP_DEBUG": ""},
        )
        if not self._line(self._process, _START, _START_WALL):
            raise RuntimeError("the worker process does not start")
        return self._process

    @staticmethod
    def _line(process: subprocess.Popen[str], seconds: float, wall: float) -> str | None:
        """Next line of the worker, "" at its end; None after so many seconds."""
        assert process.stdout is not None
        started, before = time.monotonic(), _processor_time(process.pid)
        while time.monotonic() - started < wall:
            ready, _, _ = select.select([process.stdout], [], [], 1)
            if ready:
                return process.stdout.readline()
            if _processor_time(process.pid) - before > seconds:
                break
        return None


def _processor_time(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    try:
        parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")
