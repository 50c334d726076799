"""Error of the noise estimate on pairs of noisy and true images.

    python benchmarks/noise_estimate.py MANIFEST [--role calibration] [--src SRC ...]

MANIFEST is that of a folder of pairs, as ``autodip calibrate`` takes it. SRC is a folder with the
package ``autodip`` (``src`` by default); with several, as with that of a checkout of an older
commit, there are rows for each. The reference is the noisy image minus a local fit of the truth:
in blocks of 32 x 32 pixels, an offset, a gain, a shift and a slope are fitted, because captures
differ from their mean in lamp gain and position.

For each set: the number of images; of the error of the standard deviation (averaged over the
image) in percent, and of the correlation at the lags (0,1), (1,0), (1,1), (0,2), (2,0), the
largest counting: median and worst.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from scipy.ndimage import gaussian_filter

from autodip.physics.correlation import autocorrelation
from autodip.physics.estimate import estimate_noise

LAGS = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0))
SIDE = 32


def pairs(manifest: Path, role: str) -> Iterator[tuple[str, Any, Any]]:
    """Set, noisy and true image of every pair with a role."""
    for entry in json.loads(manifest.read_text()):
        if entry["role"] == role:
            noisy, truth = (
                np.asarray(imagecodecs.imread(str(manifest.parent / entry[key])), float)
                for key in ("file", "truth")
            )
            yield f"{entry['set']}, {entry['noise_level']}", noisy, truth


def residual(noisy: Any, truth: Any) -> Any:
    """Noise of a noisy image: what a local fit of the truth does not explain."""
    gradient = np.gradient(gaussian_filter(truth, 0.7))
    result = np.zeros([n // SIDE * SIDE for n in truth.shape])
    plane = np.mgrid[:SIDE, :SIDE] / SIDE
    for top in range(0, result.shape[0], SIDE):
        for left in range(0, result.shape[1], SIDE):
            place = np.s_[top : top + SIDE, left : left + SIDE]
            terms = [np.ones((SIDE, SIDE)), truth[place], *(g[place] for g in gradient), *plane]
            matrix = np.stack([term.ravel() for term in terms], axis=1)
            fit, _, rank, _ = np.linalg.lstsq(matrix, noisy[place].ravel(), rcond=1e-6)
            rest = noisy[place] - (matrix @ fit).reshape(SIDE, SIDE)
            result[place] = rest / np.sqrt(1 - rank / SIDE**2)
    return result


def errors(noisy: Any, truth: Any) -> tuple[float, float]:
    """Relative error of the standard deviation, and largest error of the correlation."""
    noise = residual(noisy, truth)
    rows, columns = noise.shape
    gain, offset = np.polyfit(truth.ravel(), noisy.ravel(), 1)
    found = estimate_noise(noisy)
    if found is None:
        return float("nan"), float("nan")
    std = found.std(gain * truth[:rows, :columns] + offset)
    strength = float(np.sqrt(np.mean(std**2)) / noise.std() - 1)
    unit, measured, worst = noise / np.maximum(std, 1e-12), autocorrelation(noisy), 0.0
    for y, x in LAGS:
        product = unit[y:, x:] * unit[: rows - y, : columns - x]
        expected = float(product.mean() / np.mean(unit**2))
        worst = max(worst, abs(float(measured[2 + y, 2 + x]) - expected))
    return strength, worst


def table(manifest: Path, role: str) -> None:
    """Print one line for each set."""
    found: dict[str, list[tuple[float, float]]] = {}
    for name, noisy, truth in pairs(manifest, role):
        found.setdefault(name, []).append(errors(noisy, truth))
    for name, values in found.items():
        strength, correlation = np.array(values).T
        largest = strength[np.argmax(np.abs(strength))]
        print(
            f"{name:40} {len(values):3}   {100 * np.median(np.abs(strength)):5.1f} "
            f"{100 * largest:+7.1f}   {np.median(correlation):.3f} {correlation.max():.3f}"
        )


def main() -> None:
    """Run the estimate of every source in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--role", default="calibration")
    parser.add_argument("--src", nargs="+", type=Path, default=[])
    arguments = parser.parse_args()
    if not arguments.src:
        table(arguments.manifest, arguments.role)
        return
    for source in arguments.src:
        print(source, flush=True)
        environment = {**os.environ, "PYTHONPATH": str(source.resolve())}
        call = [sys.executable, __file__, str(arguments.manifest), "--role", arguments.role]
        subprocess.run(call, env=environment, check=True)


if __name__ == "__main__":
    main()
