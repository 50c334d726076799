"""Run times of the same work without workers, with one worker and with two workers.

    python benchmarks/scaling.py WORK > scaling-table.md

The folder WORK is for the files. There are two jobs with the preset ``fast``: one image of
900 x 900 pixels in 16 windows, and 8 files of 256 x 256 pixels. The last row has 100 windows with
fits of a single iteration: it shows the overhead of the client and the scheduler for each window.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

import tifffile

from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate

_FAST = ["--preset", "fast", "--tile", "256"]
_EMPTY = ["--tile", "128", "--iterations", "1", "--depth", "1", "--width", "2", "--no-refine"]


def seconds(source: Path, out: Path, options: list[str], workers: int) -> float:
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-m", "autodip", "denoise", str(source), "-o", str(out), "-q"]
    command += [*options, *(["--workers", str(workers)] if workers else [])]
    start = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    work = parser.parse_args().work
    files = work / "files"
    files.mkdir(parents=True, exist_ok=True)
    large, _ = simulate("mito", Optics(), size=900, seed=1)
    tifffile.imwrite(work / "large.tif", large)
    for number in range(8):
        noisy, _ = simulate("actin", Optics(), size=256, seed=number)
        tifffile.imwrite(files / f"{number}.tif", noisy)
    jobs = (
        ("16 windows of one image", work / "large.tif", _FAST),
        ("8 files", files, ["--preset", "fast"]),
        ("100 windows of one iteration", work / "large.tif", _EMPTY),
    )
    print("| work | no workers | 1 worker | 2 workers |")
    print("|---|---|---|---|")
    for name, source, options in jobs:
        taken = [seconds(source, work / "out", options, workers) for workers in (0, 1, 2)]
        cells = [f"{one:.1f} s ({taken[0] / one:.2f})" for one in taken]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
