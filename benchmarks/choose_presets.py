"""Measure candidate networks for the presets on calibration images.

    python benchmarks/choose_presets.py measure DATA WEIGHTS OUT.csv [--crop N] [--workers N]
    python benchmarks/choose_presets.py report OUT.csv [OUT.csv ...] > docs/results/presets.md

DATA is a folder with a ``manifest.json`` of noisy/true pairs; only pairs of role
``calibration`` are read. Every candidate is fitted once to each image; the curve of PSNR
and LPIPS (paper convention) over the iterations is appended to OUT.csv, for several
averages of the outputs, beside a Gaussian blur of sigma 1. Started again, it goes on where it
was stopped.

FMD's widefield noise is correlated between neighbouring pixels (lag 1: about 0.6), that of
the only widefield calibration set (W2S) is not. Pairs with correlated noise are therefore
simulated from W2S truths: Poisson-Gaussian noise blurred to that correlation, its strength
drawn to give 24, 26 and 28 dB.
"""

from __future__ import annotations

import argparse
import csv
import json
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
)
FIT = FitParams(iterations=300, learning_rate=0.02, start_at_mean=True)
AVERAGES = (0.0, 0.9, 0.95, 0.98)
SHOWN = 0.95
EVERY = 20
NOISY, BLUR = "noisy", "blur, sigma 1"
PICK = {
    "fmd_confocal_fov1": slice(1, None),
    "fmd_confocal_nucleus": slice(20, None, 30),
    "twophoton_flim": slice(1, None, 2),
    "w2s": slice(0, None, 16),
}
"""Which calibration pairs of each set are used, in the order of the manifest."""


PREFACE = """# How the presets were chosen

Mean PSNR in dB / LPIPS (AlexNet v0.1 on [0, 1], not rescaled; lower is better) over calibration
images, whole (about 512 x 512 pixels) unless said otherwise; the test images of the benchmarks
are not among them. Networks are given as depth/widths/skip, with 8 input channels; the fit starts
at the mean of the image, with a learning rate of {fit.learning_rate}; "average" is the factor of
the bias-corrected exponential average of the outputs.

Widefield has two columns, as the noise of some cameras is correlated between neighbours and that
of others is not; the pairs with correlated noise are simulated. The two-photon truth is a mean of
only five frames, the noisy one among them, which flatters the noisy image and the blur.

Made by `python benchmarks/choose_presets.py report {tables}`,
measured by its verb `measure` (presets-256.csv with `--crop 256`: the centres of the same images).

What follows from it: the thin network learns a given iteration faster, the wider one in fewer
iterations and with the lower LPIPS. On whole images nothing is lost by going on to 300, except
under widefield, which peaks at about 240; on the smaller crops the peaks come about 1.6 times
earlier under widefield (the cube root of the number of pixels), while confocal and two-photon
images still gain at 300. `fast` is the thin network at 140, `balanced` the wider one at 200
(widefield and unknown: 180), about a minute on two cores, `best` the wider one at 300 (widefield
and unknown: 240). Widefield and unknown images stop earlier where they are smaller.
On PSNR the blur stays ahead under confocal and two-photon microscopes: what the early stop leaves
out is not yet returned to the data.
"""


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


def curve(job: tuple[Path, Path, int, NetParams | None, int | None]) -> list[dict[str, object]]:
    """Rows of one fit: image, network, iteration, average, PSNR, LPIPS; no fit without a net."""
    data, weights, index, net, crop = job
    torch.set_num_threads(1)
    name, microscope, noisy, truth, affine = list(pairs(data))[index]
    if crop:
        top, left = ((n - crop) // 2 for n in truth.shape)
        noisy, truth = (a[top : top + crop, left : left + crop] for a in (noisy, truth))
    lpips = load(weights)
    peak = 255.0 if truth.max() > 50 else truth.max()
    low, span = noisy.min(), np.ptp(noisy)

    def score(image: np.ndarray) -> dict[str, float]:
        image = image * span + low
        if affine:
            image = np.polyval(np.polyfit(image.ravel(), truth.ravel(), 1), image)
        psnr = 10 * np.log10(peak**2 / np.mean((image - truth) ** 2))
        return {"psnr": psnr, "lpips": lpips(image / peak, truth / peak)}

    def row(what: str, iteration: int, average: float, image: np.ndarray) -> dict[str, object]:
        values = {name: round(value, 4) for name, value in score(image).items()}
        key = {"image": name, "microscope": microscope, "net": what}
        return {**key, "iteration": iteration, "average": average, **values}

    scaled = (noisy - low) / span
    if net is None:
        return [row(NOISY, 0, 0.0, scaled), row(BLUR, 0, 0.0, gaussian_filter(scaled, 1))]
    rows = []
    means = {a: np.zeros(noisy.shape) for a in AVERAGES}
    for step in fit(scaled, net, FIT):
        output = step.output().astype(np.float64)
        for a in AVERAGES:
            means[a] = a * means[a] + (1 - a) * output
            if step.iteration % EVERY == 0:
                debiased = means[a] / (1 - a**step.iteration)
                rows.append(row(str(net), step.iteration, a, debiased))
    return rows


def measure(data: Path, weights: Path, out: Path, crop: int | None, workers: int) -> None:
    """Run all fits that ``out`` does not hold yet."""
    done = set()
    if out.exists():
        done = {(r["image"], r["net"]) for r in csv.DictReader(out.open())}
    names = [name for name, *_ in pairs(data)]
    jobs = [
        (data, weights, index, net, crop)
        for net in (None, *CANDIDATES)
        for index, name in enumerate(names)
        if (name, str(net or NOISY)) not in done
    ]
    with ProcessPoolExecutor(workers) as pool:
        for number, rows in enumerate(pool.map(curve, jobs), 1):
            with out.open("a", newline="") as file:
                writer = csv.DictWriter(file, rows[0].keys())
                if file.tell() == 0:
                    writer.writeheader()
                writer.writerows(rows)
            print(f"{number}/{len(jobs)} {rows[0]['image']} {rows[0]['net']}", flush=True)


def report(table: Path) -> str:
    """Mean over the images of each microscope, as Markdown."""
    groups: dict[tuple[str, int, str], dict[str, list[tuple[float, float]]]] = {}
    images: dict[str, set[str]] = {}
    for row in csv.DictReader(table.open()):
        if float(row["average"]) not in (0.0, SHOWN):
            continue
        kind = row["microscope"] + (", correlated noise" if "dB" in row["image"] else "")
        key = row["net"], int(row["iteration"]), row["average"]
        scores = float(row["psnr"]), float(row["lpips"])
        groups.setdefault(key, {}).setdefault(kind, []).append(scores)
        images.setdefault(kind, set()).add(row["image"])
    kinds = sorted(images)
    head = ["network", "iterations", "average", *(f"{k} (n={len(images[k])})" for k in kinds)]
    lines = [head, ["---"] * len(head)]
    for (net, iteration, average), by_kind in groups.items():
        if iteration % (3 * EVERY) == 0 and (average != "0.0" or iteration in (0, FIT.iterations)):
            cells = [np.mean(by_kind[k], 0) for k in kinds]
            figures = [f"{psnr:.2f} / {lpips:.3f}" for psnr, lpips in cells]
            lines.append([net, str(iteration or ""), average if iteration else "", *figures])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Measure, or report what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    measuring = verbs.add_parser("measure")
    for name in ("data", "weights", "out"):
        measuring.add_argument(name, type=Path)
    measuring.add_argument("--crop", type=int, help="centre crop, pixels a side")
    measuring.add_argument("--workers", type=int, default=2)
    verbs.add_parser("report").add_argument("tables", type=Path, nargs="+")
    args = parser.parse_args()
    if args.verb == "measure":
        measure(args.data, args.weights, args.out, args.crop, args.workers)
    else:
        names = " ".join(str(table) for table in args.tables)
        print(PREFACE.format(fit=FIT, tables=names))
        for table in args.tables:
            print(f"\n## {table.name}\n\n{report(table)}")


if __name__ == "__main__":
    main()
