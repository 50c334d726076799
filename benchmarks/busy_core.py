"""Seconds of a fit while other work uses all cores but one, by what was imported first.

    python benchmarks/busy_core.py [--size 128] [--iterations 60]

Where autodip is imported first, it keeps the threads of OpenMP from spinning; where torch is, it
uses as many threads as there are free cores. The last row is torch first without this.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

TIMED = """
import sys, time
first, size, iterations = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
if first != "autodip":
    import torch
import autodip
from autodip.compute import threads
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate
if first == "nothing done":
    threads.SPINS = False
noisy, _ = simulate("mito", Optics(), size=size, seed=1)
autodip.denoise(noisy, preset="untrained", iterations=2, device="cpu")
start = time.perf_counter()
autodip.denoise(noisy, preset="untrained", iterations=iterations, device="cpu")
print(time.perf_counter() - start)
"""

ROWS = {
    "autodip": "autodip first",
    "torch": "torch first",
    "nothing done": "torch first, unchanged",
}


def seconds(first: str, size: int, iterations: int, busy: int) -> float:
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_"))}
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
    try:
        time.sleep(0.5)
        command = [sys.executable, "-c", TIMED, first, str(size), str(iterations)]
        done = subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
        return float(done.stdout)
    finally:
        for other in others:
            other.kill()
            other.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--iterations", type=int, default=60)
    given = parser.parse_args()
    busy = max(1, (os.cpu_count() or 2) - 1)
    print(f"load average before: {os.getloadavg()[0]:.1f}", file=sys.stderr)
    print(f"| imported | quiet | {busy} busy | ratio |\n|---|---|---|---|")
    for first, name in ROWS.items():
        quiet, shared = (seconds(first, given.size, given.iterations, n) for n in (0, busy))
        print(f"| {name} | {quiet:.1f} s | {shared:.1f} s | {shared / quiet:.1f} |", flush=True)


if __name__ == "__main__":
    main()
