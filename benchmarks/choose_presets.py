"""Measure candidate networks for the presets on calibration images.

    python benchmarks/choose_presets.py DATA WEIGHTS OUT.csv [--iterations N] [--workers N]

DATA is a folder with a ``manifest.json`` of noisy/true pairs; only pairs of role
``calibration`` are read. Every candidate is fitted once to each image; the curve of PSNR
and LPIPS (paper convention) over the iterations is appended to OUT.csv, for several
averages of the outputs. Started again, it goes on where it was stopped.

FMD's widefield noise is correlated between neighbouring pixels (lag 1: about 0.6), that of
the only widefield calibration set (W2S) is not. Pairs with correlated noise are therefore
simulated from W2S truths: Poisson-Gaussian noise blurred to that correlation, its strength
drawn to give 24, 26 and 28 dB.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import imagecodecs
import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from autodip.fit import fit
from autodip.metrics.lpips import load
from autodip.params import FitParams, NetParams

CANDIDATES = (
    NetParams(depth=5, width=(4, 8, 16, 32, 64), skip=4, input_channels=8),
    NetParams(depth=5, width=(8, 16, 32, 64, 128), skip=4, input_channels=8),
    NetParams(depth=4, width=(8, 16, 32, 64), skip=4, input_channels=8),
)
FIT = FitParams(iterations=300, learning_rate=0.02, start_at_mean=True)
AVERAGES = (0.0, 0.9, 0.95, 0.98)
PICK = {
    "fmd_confocal_fov1": slice(1, None),
    "fmd_confocal_nucleus": slice(20, None, 30),
    "twophoton_flim": slice(1, None, 2),
    "w2s": slice(0, None, 16),
}
"""Which calibration pairs of each set are used, in the order of the manifest."""


def pairs(data: Path) -> Iterator[tuple[str, str, np.ndarray, np.ndarray, bool]]:
    """Name, microscope, noisy, truth, and whether the two were stretched separately."""
    manifest = json.loads((data / "manifest.json").read_text())
    for name, chosen in PICK.items():
        rows = [r for r in manifest if r["set"] == name and r["role"] == "calibration"]
        for row in rows[chosen]:
            noisy, truth = (
                imagecodecs.imread(str(data / row[key])).astype(np.float64).squeeze()
                for key in ("file", "truth")
            )
            yield row["file"], row["microscope"], noisy, truth, "truth_affine" in row
            if name == "w2s" and row["noise_level"] == "avg1":
                db = (24, 26, 28)[sum(row["file"].encode()) % 3]
                yield f"{row['file']}+{db}dB", "widefield", correlated(truth, db), truth, False


def correlated(truth: np.ndarray, db: float) -> np.ndarray:
    """Poisson-like noise, variance proportional to the signal, blurred to lag-1 0.6."""
    noise = gaussian_filter(np.random.default_rng(0).standard_normal(truth.shape), 0.7)
    noise *= np.sqrt(truth + 0.05 * truth.max()) / noise.std()
    noise *= 255 * 10 ** (-db / 20) / noise.std()
    return np.clip(np.rint(truth + noise), 0, 255)


def curve(job: tuple[Path, int, NetParams, int]) -> list[dict[str, object]]:
    """Rows of one fit: image, network, iteration, average, PSNR, LPIPS."""
    (data_and_weights, index, net, iterations) = job
    data, weights = data_and_weights
    torch.set_num_threads(1)
    name, microscope, noisy, truth, affine = list(pairs(data))[index]
    lpips = load(weights)
    peak = 255.0 if truth.max() > 50 else truth.max()
    low, span = noisy.min(), np.ptp(noisy)

    def score(image: np.ndarray) -> dict[str, float]:
        image = image * span + low
        if affine:
            image = np.polyval(np.polyfit(image.ravel(), truth.ravel(), 1), image)
        psnr = 10 * np.log10(peak**2 / np.mean((image - truth) ** 2))
        return {"psnr": psnr, "lpips": lpips(image / peak, truth / peak)}

    base = {"image": name, "microscope": microscope, "net": str(net)}
    first = score((noisy - low) / span)
    rows = [{**base, "iteration": 0, "average": 0.0, **first, "loss": 0.0, "seconds": 0.0}]
    means = {a: np.zeros(noisy.shape) for a in AVERAGES}
    start = time.perf_counter()
    for step in fit((noisy - low) / span, net, FIT.replace(iterations=iterations)):
        output = step.output().astype(np.float64)
        for a in AVERAGES:
            means[a] = a * means[a] + (1 - a) * output
        if step.iteration % 20 == 0:
            seconds = time.perf_counter() - start
            for a in AVERAGES:
                scores = score(means[a] / (1 - a**step.iteration))
                row = {**base, "iteration": step.iteration, "average": a, **scores}
                rows.append({**row, "loss": step.loss, "seconds": seconds})
    return rows


def main() -> None:
    """Run all fits that OUT.csv does not hold yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--iterations", type=int, default=FIT.iterations)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    done = set()
    if args.out.exists():
        done = {(r["image"], r["net"]) for r in csv.DictReader(args.out.open())}
    names = [name for name, *_ in pairs(args.data)]
    jobs = [
        ((args.data, args.weights), index, net, args.iterations)
        for net in CANDIDATES
        for index, name in enumerate(names)
        if (name, str(net)) not in done
    ]
    with ProcessPoolExecutor(args.workers) as pool:
        for number, rows in enumerate(pool.map(curve, jobs), 1):
            with args.out.open("a", newline="") as file:
                writer = csv.DictWriter(file, rows[0].keys())
                if file.tell() == 0:
                    writer.writeheader()
                writer.writerows(rows)
            print(f"{number}/{len(jobs)} {rows[0]['image']} {rows[0]['net']}", flush=True)


if __name__ == "__main__":
    main()
