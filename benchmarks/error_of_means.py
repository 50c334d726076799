"""Error of the mean over a square of a result, beside that of one pixel and of the noisy image.

    python benchmarks/error_of_means.py [--folder FOLDER] [--preset balanced]

Simulated images of three structures, and one pair of every group of a FOLDER with a manifest.json
as for ``autodip benchmark``, with the role calibration.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.ndimage import uniform_filter

import autodip
from autodip.datasets import own_pairs

SIDES = (1, 3, 5, 9, 15, 31)
CROP = 256


def pairs(folder: Path | None) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    for kind in ("nucleus", "actin", "mito"):
        noisy, truth = autodip.sample(kind, size=CROP)
        yield f"simulated {kind}", np.asarray(noisy), np.asarray(truth)
    seen = set()
    for pair in own_pairs.scan(folder).pairs if folder is not None else ():
        if pair.role == "calibration" and not pair.stretched and pair.group not in seen:
            seen.add(pair.group)
            noisy, truth = pair.read()
            yield f"{pair.dataset} {pair.name}", noisy[:CROP, :CROP], truth[:CROP, :CROP]


def of_means(error: np.ndarray) -> np.ndarray:
    """Standard deviation of the mean error over squares, without the mean of the whole image."""
    error = error.astype(float) - error.mean()
    found = []
    for side in SIDES:
        half = side // 2
        mean = uniform_filter(error, side)[half : len(error) - half, half : error.shape[1] - half]
        found.append(mean.std())
    return np.array(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--preset", default="balanced")
    given = parser.parse_args()
    print("error of a mean / error of a pixel (error of the noisy mean / of the result's)")
    print(f"{'side of the square':40}", *(f"{side:11}" for side in SIDES))
    print(f"{'independent errors':40}", *(f"{1 / side:11.2f}" for side in SIDES))
    for name, noisy, truth in pairs(given.folder):
        result = autodip.denoise(noisy, preset=given.preset, dtype="float64", device="cpu")
        ours, noises = of_means(result.image - truth), of_means(noisy.astype(float) - truth)
        shares = ours / ours[0]
        cells = (f"{a:4.2f} ({b:4.2f})" for a, b in zip(shares, noises / ours, strict=True))
        print(f"{name[-40:]:40}", *cells, flush=True)


if __name__ == "__main__":
    main()
