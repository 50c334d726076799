"""Commands that are ended at random moments and resumed, compared with undisturbed ones.

    python benchmarks/kills.py WORK [--signal KILL|TERM|INT] [--count 20] [--seed 0] [COMMAND ...]

COMMAND is denoise, calibrate or benchmark; by default all three. Each is run undisturbed once,
which takes a few seconds. Then it is started in a new folder, ended at a random moment and started
again, until it has been ended ``--each`` times, and then resumed to its end; this is repeated until
it has been ended ``--count`` times. The pixels must be equal to the bit; sidecars, tables and bases
must be equal but for times; no other file, and no process, may be left. A table of the counts is
printed, and differences are listed; the exit code is 1 if there are any.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import tifffile

from autodip import io
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate

TIMES = {
    *("seconds", "cpu_seconds", "started", "finished", "created", "date"),
    *("memory_mb", "peak_memory", "machine"),
    "command",  # names the output folder
    "sha256",  # of a record with times
}
"""Values that differ between any two runs, or two output folders."""

GRID = """
nets:
  - {depth: 2, width: ["2,4", 4], input_channels: 2, lean: true}
fit: {iterations: 60, average: 0.8, start_at_mean: true}
every: 20
refine: false
"""


@dataclass(frozen=True)
class Job:
    """A command without its output folder, and the option for that."""

    words: tuple[str, ...]
    out: str


def jobs(work: Path) -> dict[str, Job]:
    images, pairs = work / "images", work / "pairs"
    for folder in (images, pairs):
        folder.mkdir(parents=True, exist_ok=True)
    noisy, _ = simulate("mito", Optics(), size=300, seed=1)
    tifffile.imwrite(images / "tiles.tif", noisy)
    film = np.stack([noisy[:96, :96], noisy[96:192, :96], noisy[:96, 96:192]] * 2)
    tifffile.imwrite(images / "film.tif", film, imagej=True, metadata={"axes": "TYX"})
    entries = []
    for number in range(3):
        noisy, truth = simulate("actin", Optics(), size=64, seed=number)
        for kind, image in (("noisy", noisy), ("truth", truth)):
            tifffile.imwrite(pairs / f"{kind}{number}.tif", image)
        names = {"file": f"noisy{number}.tif", "truth": f"truth{number}.tif"}
        known = {
            "set": "cells",
            "role": "calibration",
            "fov": number,
            "capture": 1,
            "noise_level": "raw",
        }
        entries.append({**names, **known, "microscope": "confocal", "specimen": "actin"})
    (pairs / "manifest.json").write_text(json.dumps(entries))
    (work / "grid.yaml").write_text(GRID)
    fit = ("--preset", "untrained", "--depth", "2", "--width", "4", "--iterations", "60")
    parts = ("--tile", "128", "--independent")
    grid = ("--grid", str(work / "grid.yaml"), "--device", "cpu")
    cells = ("--where", "role=calibration", "--methods", "blur,median", "--device", "cpu")
    return {
        "denoise": Job(("denoise", str(images), *fit, *parts), "-o"),
        "calibrate": Job(("calibrate", str(pairs), *grid), "--base"),
        "benchmark": Job(("benchmark", "shared", "--root", str(pairs), *cells), "-o"),
    }


def start(job: Job, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "autodip", *job.words, job.out, str(out)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, start_new_session=True)


def whole(job: Job, out: Path) -> float:
    """Run to the end, and return the seconds."""
    begin = time.monotonic()
    running = start(job, out)
    _, err = running.communicate()
    if running.returncode:
        raise SystemExit(f"{job.words[0]} failed: {err.decode()}")
    return time.monotonic() - begin


def end(running: subprocess.Popen[bytes], number: int, after: float) -> list[str] | None:
    """End a command after some seconds; return what was wrong, or None if it had ended before."""
    try:
        running.communicate(timeout=after)
        return None
    except subprocess.TimeoutExpired:
        pass
    try:
        children = psutil.Process(running.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        children = []
    os.kill(running.pid, number)
    _, err = running.communicate()
    if running.returncode == 0:
        return None
    _, alive = psutil.wait_procs(children, timeout=15)
    wrong = [f"process left: {child}" for child in alive]
    code = -number if number == signal.SIGKILL else 128 + number
    if running.returncode not in (code, -number):
        wrong.append(f"exit code {running.returncode}")
    if b"Traceback" in err:
        wrong.append(f"traceback: {err.decode()[-300:]}")
    return wrong


def complete(out: Path) -> bool:
    """Whether a run of denoise has nothing left to do; other commands may always be run again."""
    return (out / "run.json").exists() and not any(out.glob(".autodip-run-*"))


def content(folder: Path) -> dict[str, Any]:
    """Content of all files by path, without times; pixels as bytes."""
    return {
        str(path.relative_to(folder)): _content(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _content(path: Path) -> Any:
    if path.name == "environment.json":  # the state of the machine at the end
        return ""
    if path.suffix in (".json", ".jsonl"):
        return _timeless(json.loads(path.read_text()))
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            rows = [_timeless(row) for row in csv.DictReader(file)]
        return sorted(rows, key=str)
    if path.suffix == ".tif":
        image = io.read(path)
        return image.axes, image.data.dtype, image.data.tobytes()
    return "" if path.suffix in (".md", ".png") else path.read_bytes()  # with times in them


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _timeless(v) for k, v in value.items() if k not in TIMES}
    return [_timeless(one) for one in value] if isinstance(value, list) else value


def differences(found: dict[str, Any], expected: dict[str, Any]) -> Iterator[str]:
    for name in sorted(found.keys() | expected.keys()):
        if name not in found or name not in expected:
            yield f"{name} is {'left over' if name in found else 'missing'}"
        elif found[name] != expected[name]:
            yield f"{name} differs"


def trial(
    job: Job, work: Path, number: int, *, count: int, each: int, moments: random.Random
) -> tuple[int, int, list[str]]:
    """Numbers of ends and of resumed runs, and what was wrong."""
    undisturbed = work / job.words[0] / "undisturbed" / "out"
    seconds = whole(job, undisturbed)
    expected = content(undisturbed)
    ended, resumed, wrong = 0, 0, []
    while ended < count:
        out = work / job.words[0] / str(resumed) / "out"
        here = 0
        while here < min(each, count - ended) and not complete(out):
            found = end(start(job, out), number, moments.uniform(0.02, 1) * seconds)
            here += found is not None
            wrong += found or []
            if found is None:
                break
        ended += here
        if not complete(out):
            whole(job, out)
        resumed += 1
        problems = list(differences(content(out), expected))
        wrong += problems
        if not problems:
            shutil.rmtree(out)
    return ended, resumed, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("commands", nargs="*")
    parser.add_argument("--signal", choices=["KILL", "TERM", "INT"], default="KILL")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--each", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_intermixed_args()
    shutil.rmtree(given.work, ignore_errors=True)
    number = getattr(signal, f"SIG{given.signal}")
    known = jobs(given.work.absolute())
    moments = random.Random(given.seed)
    failed = False
    print("| command | signal | ended | resumed to the end | differences |\n|---|---|---|---|---|")
    for name in given.commands or known:
        ended, resumed, wrong = trial(
            known[name],
            given.work.absolute(),
            number,
            count=given.count,
            each=given.each,
            moments=moments,
        )
        print(f"| {name} | {given.signal} | {ended} | {resumed} | {len(wrong)} |", flush=True)
        for line in wrong:
            print(f"  {line}", file=sys.stderr)
        failed = failed or bool(wrong)
    sys.exit(failed)


if __name__ == "__main__":
    main()
