"""Memory of autodip: its peak for one image, and whether it grows over a thousand fits.

    python benchmarks/memory.py peak [--side 1024] [--preset balanced]
    python benchmarks/memory.py growth [--fits 1000]

Prints the resident memory of the process, in units of 2**20 bytes.
"""

from __future__ import annotations

import argparse
import resource

import numpy as np
import psutil

import autodip

MB = 2**20


def image(side: int) -> np.ndarray:
    """Image of a wave with a mean of 20 photons and Poisson noise; uint16, (side, side)."""
    waves = 20 + 10 * np.sin(np.arange(side) / 6)
    generator = np.random.default_rng(0)
    return generator.poisson(np.broadcast_to(waves, (side, side))).astype(np.uint16)


def peak(side: int, preset: str) -> None:
    autodip.denoise(image(side), preset=preset)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"{preset}, {side} x {side}: peak {used / MB:.0f} MB")


def growth(fits: int) -> None:
    process, small = psutil.Process(), image(96)
    for number in range(1, fits + 1):
        autodip.denoise(small, preset="fast", seed=number, iterations=10)
        if number in (1, 10) or number % max(1, fits // 10) == 0:
            print(f"{number:5} fits: {process.memory_info().rss / MB:.0f} MB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="what", required=True)
    one = commands.add_parser("peak")
    one.add_argument("--side", type=int, default=1024)
    one.add_argument("--preset", default="balanced")
    many = commands.add_parser("growth")
    many.add_argument("--fits", type=int, default=1000)
    given = parser.parse_args()
    if given.what == "peak":
        peak(given.side, given.preset)
    else:
        growth(given.fits)


if __name__ == "__main__":
    main()
