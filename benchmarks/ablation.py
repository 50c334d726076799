"""Contribution of each part of the fit and its refinement, on calibration images.

    python benchmarks/ablation.py measure DATA WEIGHTS OUT.csv [--hours H]
    python benchmarks/ablation.py report OUT.csv > docs/results/ablation.md

DATA is a folder with a ``manifest.json`` of noisy/true pairs; only pairs of role ``calibration``
are read. WEIGHTS is the file with the weights of LPIPS. Every row is appended to OUT.csv as soon as
it is measured; the same command resumes an interrupted run.

The calibration sets have no two-photon image with a good truth, and no widefield noise that is
correlated between neighbouring pixels as in FMD (lag 1: about 0.6). Both are simulated: Poisson
noise of few photons on truths of the confocal set, and Poisson-like noise, blurred to that
correlation, on truths of the widefield and the confocal set.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import imagecodecs
import numpy as np
from scipy.ndimage import gaussian_filter

from autodip.choose import presets
from autodip.fit.loop import fit_many, mean_of
from autodip.fit.params import FitParams, NetParams
from autodip.fit.stopping import Discrepancy
from autodip.image.scaling import Scale
from autodip.metrics.alexnet import load
from autodip.physics.estimate import estimate_noise
from autodip.refine.combine import refine
from autodip.refine.refinement import RefineParams

ROW = presets.load("best").rows[-1]
BODY = ROW.net
FULL = NetParams(depth=5, width=(8, 16, 32, 64, 128), skip=4, input_channels=8, lean=True)
STOPS = (60, 120, 180, 240, 320, 400)
CENTRE = 180
REFINED = RefineParams()
LADDER = {
    "local filters": RefineParams(strengths=(), keep=0),
    "local filters, one pass": RefineParams(strengths=(1.2,), keep=0),
    "local filters, two passes": RefineParams(keep=0),
}
"""The refinement, step by step."""
Rule = Callable[[dict[int, float], dict[int, float]], int]
FIELDS = ("image", "kind", "what", "iterations", "psnr", "lpips", "residual", "variance", "seconds")


@dataclass(frozen=True)
class Pair:
    """A noisy image and its truth; ``affine`` is True if the two were rescaled separately."""

    name: str
    kind: str
    noisy: np.ndarray
    truth: np.ndarray
    affine: bool = False


def pairs(data: Path) -> Iterator[Pair]:
    """Ten pairs of 512 x 512 pixels, in an order that mixes the kinds."""
    manifest = json.loads((data / "manifest.json").read_text())
    rows = [r for r in manifest if r["role"] == "calibration"]

    def read(row: dict[str, str]) -> tuple[np.ndarray, np.ndarray]:
        noisy, truth = (
            imagecodecs.imread(str(data / row[key])).astype(np.float64).squeeze()
            for key in ("file", "truth")
        )
        return noisy, truth

    confocal = {r["specimen"]: read(r) for r in rows if r["set"] == "fmd_confocal_fov1"}
    wide = [read(r) for r in rows if r["set"] == "w2s" and r["noise_level"] == "avg1"]
    generator = np.random.default_rng(1)
    names = sorted(confocal)
    actin, mito = (next(n for n in names if n.startswith(k)) for k in ("actin", "mito"))
    real = [Pair(f"confocal {n}", "confocal", *confocal[n]) for n in names if n != "nucleus"]
    few = [
        Pair(f"few photons, {n}", "few photons", photons(confocal[n][1], gain, generator), truth)
        for n, gain in ((actin, 13.0), (mito, 21.0))
        for truth in (confocal[n][1],)
    ]
    smooth = [
        ("widefield truth", 25 + 0.75 * wide[4][1], 24.0),
        (f"blurred {actin}", 20 + gaussian_filter(confocal[actin][1], 1.2), 25.0),
        (f"blurred {mito}", 20 + gaussian_filter(confocal[mito][1], 1.2), 27.0),
    ]
    blurred = [
        Pair(f"correlated, {n}", "correlated", correlated(truth, db, generator), truth)
        for n, truth, db in smooth
    ]
    white = [Pair("widefield", "widefield", *wide[0], affine=True)]
    yield from (real[0], few[1], blurred[0], white[0], real[1], few[0], blurred[1])
    yield from (*real[2:], blurred[2])


def photons(truth: np.ndarray, gain: float, generator: np.random.Generator) -> np.ndarray:
    """Noisy image: Poisson noise of ``truth / gain`` photons, and read noise of 0.5 grey values."""
    counted = generator.poisson(truth / gain) * gain
    return np.asarray(np.clip(np.rint(counted + generator.normal(0, 0.5, truth.shape)), 0, 255))


def correlated(truth: np.ndarray, db: float, generator: np.random.Generator) -> np.ndarray:
    """Noisy image of PSNR ``db``, whose noise is correlated between neighbours (lag 1: 0.6).

    The variance of the noise is proportional to the signal.
    """
    drawn = gaussian_filter(generator.standard_normal(truth.shape), 0.7) * np.sqrt(truth)
    drawn *= 255 * 10 ** (-db / 20) / drawn.std()
    return np.asarray(np.clip(np.rint(truth + drawn), 0, 255))


class Table:
    """Rows of OUT.csv, appended one by one."""

    def __init__(self, path: Path, weights: Path) -> None:
        self.path = path
        lpips = load(weights)
        assert lpips is not None  # the file exists
        self.lpips = lpips
        rows = list(csv.DictReader(path.open())) if path.exists() else []
        self.done = {(r["image"], r["what"], int(r["iterations"])) for r in rows}

    def has(self, pair: Pair, what: str, iterations: int) -> bool:
        """Whether the row exists."""
        return (pair.name, what, iterations) in self.done

    def add(
        self,
        pair: Pair,
        what: str,
        iterations: int,
        image: np.ndarray,
        residual: float,
        variance: float,
        spent: float,
    ) -> None:
        """Compute the scores of an image and append its row."""
        if pair.affine:
            image = np.polyval(np.polyfit(image.ravel(), pair.truth.ravel(), 1), image)
        psnr = 10 * np.log10(255**2 / np.mean((image - pair.truth) ** 2))
        figures = (psnr, self.lpips(image / 255, pair.truth / 255), residual, variance, spent)
        row = [pair.name, pair.kind, what, iterations, *(f"{value:.4f}" for value in figures)]
        new = not self.path.exists()
        with self.path.open("a", newline="") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(FIELDS)
            writer.writerow(row)
        print(*row, flush=True)


def measure_pair(pair: Pair, into: Table) -> None:
    """Measure all rows of one image that are missing."""
    found = estimate_noise(pair.noisy)
    assert found is not None  # the images are large and noisy
    stop = Discrepancy(pair.noisy, found, 1, 1.0)

    def add(
        what: str, iterations: int, image: np.ndarray, spent: float, variance: float = 0.0
    ) -> None:
        into.add(pair, what, iterations, image, stop.value(image), variance, spent)

    def refined(what: str, iterations: int, pilot: np.ndarray, params: RefineParams) -> None:
        if not into.has(pair, what, iterations):
            start = time.perf_counter()
            image = refine(pair.noisy, pilot, found, params)
            add(what, iterations, image, time.perf_counter() - start)

    if not into.has(pair, "noisy", 0):
        add("noisy", 0, pair.noisy, 0)
    blur = gaussian_filter(pair.noisy, 1)
    if not into.has(pair, "blur, 1 px", 0):
        add("blur, 1 px", 0, blur, 0)
    refined("no fit: blur of 2 px, refined", 0, gaussian_filter(pair.noisy, 2), REFINED)
    contestants = (
        ("fit", BODY, 1, STOPS),
        ("two seeds", BODY, 2, (400,)),
        ("full", FULL, 1, (180,)),
    )
    for name, net, seeds, stops in contestants:
        if into.has(pair, f"{name}, refined", stops[-1]):
            continue
        fit = ROW.fit.replace(iterations=stops[-1], seeds=seeds, noise_limit=None)
        for iterations, pilot, spent, variance in curve(pair.noisy, net, fit, stops):
            if not into.has(pair, name, iterations):
                add(name, iterations, pilot, spent, variance)
            if name == "fit" and iterations == CENTRE:
                for steps, params in LADDER.items():
                    refined(f"fit, {steps}", iterations, pilot, params)
            refined(f"{name}, refined", iterations, pilot, REFINED)


def curve(
    noisy: np.ndarray, net: NetParams, fit: FitParams, stops: tuple[int, ...]
) -> Iterator[tuple[int, np.ndarray, float, float]]:
    """Fit an image; yields iterations, result, seconds and variance of iterates at each stop.

    The result is in units of the image; the seconds are those spent on the fit so far. The
    variance is the exponential moving variance of ES-EMV (Wang et al. 2023), in squared grey
    values. It is computed from the moving average of the outputs: the distance of an output from
    the average before it is ``1 / (1 - average)`` times the change that it causes in the average.
    """
    scale, spent = Scale.of(noisy), 0.0
    start = time.perf_counter()
    before, variance = None, 0.0
    for steps in fit_many([scale.apply(noisy)], net, fit, seeds=range(fit.seeds)):
        step = mean_of(steps)
        average = step.output()
        if before is not None:
            moved = np.mean((average - before) ** 2, dtype=np.float64) * np.ptp(noisy) ** 2
            variance += (1 - fit.average) * (moved / (1 - fit.average) ** 2 - variance)
        before = average
        if step.iteration in stops:
            spent += time.perf_counter() - start
            yield step.iteration, scale.invert(average, np.dtype(np.float64)), spent, variance
            start = time.perf_counter()


def report(path: Path) -> str:
    """Mean scores by kind of image, and the PSNR lost by each stopping rule, as Markdown."""
    rows = list(csv.DictReader(path.open()))
    images = list(dict.fromkeys(r["image"] for r in rows))
    shots = list(dict.fromkeys((r["what"], int(r["iterations"])) for r in rows))
    by_key = {(r["image"], r["what"], int(r["iterations"])): r for r in rows}
    whole = [i for i in images if all((i, *shot) in by_key for shot in shots)]
    kind = {r["image"]: r["kind"] for r in rows}
    kinds = sorted({kind[i] for i in whole})
    lines = [["what", "iterations", *(f"{k} ({[kind[i] for i in whole].count(k)})" for k in kinds)]]
    lines[0] += [f"all ({len(whole)})", "seconds"]
    lines.append(["---"] * len(lines[0]))
    for what, iterations in shots:
        cells = [what, str(iterations or "")]
        for group in (*kinds, None):
            of = [by_key[i, what, iterations] for i in whole if group in (kind[i], None)]
            psnr, lpips = (np.mean([float(r[f]) for r in of]) for f in ("psnr", "lpips"))
            cells.append(f"{psnr:.2f} / {lpips:.3f}")
        spent = np.mean([float(by_key[i, what, iterations]["seconds"]) for i in whole])
        lines.append([*cells, f"{spent:.1f}" if spent else ""])
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{PREFACE}\n{text}\n\n{STOP}\n{stop_losses(by_key, whole, kind, kinds)}\n"


def stop_losses(
    by_key: dict[tuple[str, str, int], dict[str, str]],
    images: list[str],
    kind: dict[str, str],
    kinds: list[str],
) -> str:
    """Markdown table of the mean PSNR lost against the best stop of each image, by rule."""
    lines = [["rule", *kinds, "all"], ["---"] * (len(kinds) + 2)]
    for what in ("fit", "fit, refined"):
        for name, rule in RULES.items():
            lost = {i: _lost(by_key, i, what, rule) for i in images}
            cells = [np.mean([lost[i] for i in images if kind[i] == k]) for k in kinds]
            cells.append(np.mean(list(lost.values())))
            lines.append([f"{what}: {name}", *(f"{c:.2f}" for c in cells)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _lost(
    by_key: dict[tuple[str, str, int], dict[str, str]], image: str, what: str, rule: Rule
) -> float:
    """Best PSNR over all stops minus the PSNR at the stop that a rule chooses, in dB."""
    psnr = {s: float(by_key[image, what, s]["psnr"]) for s in STOPS}
    residual, variance = (
        {s: float(by_key[image, "fit", s][name]) for s in STOPS}
        for name in ("residual", "variance")
    )
    return max(psnr.values()) - psnr[rule(residual, variance)]


def _discrepancy(centre: int) -> Rule:
    """Rule that takes the first stop at which the residual has no more power than the noise.

    Only stops from half of the centre up to the centre count; the centre is taken if none does.
    """

    def rule(residual: dict[int, float], variance: dict[int, float]) -> int:
        late = [s for s in STOPS if centre <= 2 * s <= 2 * centre]
        return next((s for s in late if residual[s] <= 1), centre)

    return rule


RULES: dict[str, Rule] = {
    "180": lambda residual, variance: 180,
    "400": lambda residual, variance: 400,
    "noise limit, centre 180": _discrepancy(180),
    "noise limit, centre 400": _discrepancy(400),
    "least variance of iterates": lambda residual, variance: min(
        variance, key=variance.__getitem__
    ),
}
"""Rules that choose one of STOPS from the residual and the variance of the iterates at each."""

PREFACE = """# Ablation of the fit and its refinement

Mean PSNR in dB / LPIPS (AlexNet v0.1 on [0, 1], not rescaled; lower is better) over calibration
images of 512 x 512 pixels, none of them a test image: FMD confocal, W2S widefield, and noise
simulated on their truths (few photons; correlated between neighbours). "fit" is the network of
`balanced` and `best`, "full" a thin network without the half-resolution body (5/8-16-32-64-128
lean), and "two seeds" the mean of two fits. "local filters" are the first two steps of the
refinement, and "passes" its passes over groups of similar patches. "refined" is the complete
refinement of the presets, which also returns a small share of what was removed. Seconds are those
of the row's own step: the fit, or the refinement.

Made by `python benchmarks/ablation.py measure DATA WEIGHTS docs/results/ablation.csv` and
`python benchmarks/ablation.py report docs/results/ablation.csv > docs/results/ablation.md`.
"""

STOP = """## What the stop costs

PSNR in dB below that of the best stop of each image, by rule: a fixed number of iterations; the
discrepancy principle, which from half of a centre on ends the fit as soon as the residual has no
more power than the noise (as the presets do); the smallest variance of the iterates (ES-EMV, Wang
et al. 2023).
"""


def main() -> None:
    """Measure, or print the report of a table of measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    measuring = verbs.add_parser("measure")
    for name in ("data", "weights", "out"):
        measuring.add_argument(name, type=Path)
    measuring.add_argument(
        "--hours", type=float, default=100, help="start no image after this many hours"
    )
    verbs.add_parser("report").add_argument("table", type=Path)
    args = parser.parse_args()
    if args.verb == "report":
        print(report(args.table), end="")
        return
    into, start = Table(args.out, args.weights), time.monotonic()
    for pair in pairs(args.data):
        if time.monotonic() - start < 3600 * args.hours:
            measure_pair(pair, into)


if __name__ == "__main__":
    main()
