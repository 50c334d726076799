"""Calibrates the map of standard errors, and measures what its promises are worth.

    python benchmarks/error_map.py collect DATA CACHE [--role calibration|test]
    python benchmarks/error_map.py truths CACHE        is the truth that of the noisy image?
    python benchmarks/error_map.py calibrate CACHE     writes src/autodip/data/error_map.json
    python benchmarks/error_map.py fitted CACHE        adds the factor of fits (--preset untrained)
    python benchmarks/error_map.py left-out CACHE      tables, each set left out of the calibration
    python benchmarks/error_map.py coverage CACHE [--plot FILE.png]    tables of the packaged model
    python benchmarks/error_map.py picture CACHE NAME --plot FILE.png  one image and its map

DATA has manifest.json, validation/ and clean/; results of ``--preset`` (balanced) for the centre of
every image and for simulated images are kept in CACHE. The truth is fitted to the noisy image,
never to the result, in gain, offset, position and brightness over 16 pixels: no single image shows
those. ``--plain`` fits gain and offset only. ``--results`` names a folder with other results.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path

import error_map_cases
import error_map_fit
import numpy as np
from scipy.ndimage import gaussian_filter

from autodip.physics.noise import Noise
from autodip.pictures.chart import PALETTE, Axes, Line, chart, reduced
from autodip.pictures.panel import panel
from autodip.prior.shots import fitted_truth
from autodip.trust.error_map import (
    GROSS,
    WIDTH,
    error_by,
    expected_psnr,
    standard_error,
    uncertain,
)
from autodip.trust.error_model import ErrorModel, load_error_model
from autodip.trust.local_features import Surroundings, features

UNFAITHFUL = ("miro", "twophoton_flim")
"""Sets whose truth differs from the noisy image by far more than its noise (``truths``)."""

GRAINY = 0.03
"""Noise variance of a clean image, relative to the simulated noise, up to which it is a truth."""

HOME = Path(__file__).parents[1] / "src" / "autodip" / "data" / "error_map.json"


@dataclass(frozen=True)
class Case:
    """A noisy image, its result and truth, and the variance of the noise of the truth."""

    name: str
    group: str
    noise: Noise
    noisy: np.ndarray
    result: np.ndarray
    truth: np.ndarray
    doubt: np.ndarray
    grain: float

    @property
    def usable(self) -> bool:
        """Whether its truth is good enough to calibrate and to judge by."""
        simulated = self.group in error_map_cases.SIMULATED
        return self.group not in UNFAITHFUL and not (simulated and self.grain > GRAINY)


def read(path: Path, plain: bool) -> Case:
    with np.load(path) as file:
        noisy, truth, result = (file[key] for key in ("noisy", "truth", "result"))
        meta = json.loads(str(file["meta"]))
    noise, group = Noise.from_dict(meta["noise"]), meta["group"]
    if group in error_map_cases.SIMULATED:
        fitted, scale = error_map_cases.toned(truth, noisy), 1.0
    else:
        fitted = fitted_truth(truth, noisy, noise)
        scale = float(np.polyfit(truth.ravel(), fitted.ravel(), 1)[0])
        if not plain:
            fitted = error_map_cases.aligned(fitted, noisy, noise)
    doubt = meta["share"] * noise.std(fitted) ** 2
    if meta["integer"]:
        doubt = doubt + scale**2 / 12
    return Case(meta["name"], group, noise, noisy, result, fitted, doubt, meta["grain"])


def cases(folder: Path, plain: bool = False) -> list[Case]:
    return [read(path, plain) for path in sorted(folder.glob("*.npz"))]


def truths(given: argparse.Namespace) -> None:
    """Variance of noisy minus truth over 4 pixels, relative to what its noise explains."""
    found: dict[str, list[float]] = {}
    for case in cases(given.cache, plain=True):
        unit = np.maximum(case.noise.std(case.truth), 0.1 * case.noise.sigma)
        around = np.sum(case.noise.autocorrelation or 1.0)
        expected = float(around) / (4 * np.pi * 16)
        power = float(gaussian_filter((case.noisy - case.truth) / unit, 4).var())
        found.setdefault(case.group, []).append(power / expected)
    for group, values in found.items():
        low, middle, high = np.percentile(values, (10, 50, 90))
        print(f"{group:24} {len(values):3} images: {low:5.2f} {middle:5.2f} {high:5.2f}")


def table(given: argparse.Namespace) -> error_map_fit.Pixels:
    """Pixels of all usable cases for the regression."""
    pixels = error_map_fit.Pixels()
    generator = np.random.default_rng(0)
    for case in cases(given.cache):
        if not case.usable:
            continue
        around = Surroundings.of(case.noisy, case.result, case.noise)
        unit, size = around.unit, case.noisy.size
        chosen = generator.choice(size, min(2500, size), replace=False)
        columns = {
            name: np.broadcast_to(values, unit.shape).ravel()[chosen]
            for name, values in features(around, case.noise).items()
        }
        error = ((case.result - case.truth) / unit).ravel()[chosen]
        doubt = np.broadcast_to(case.doubt / unit**2, unit.shape).ravel()[chosen]
        pixels.add(error_map_cases.FOLDS.get(case.group, case.group), columns, error, doubt)
    return pixels


def calibrate(given: argparse.Namespace) -> None:
    pixels = table(given)
    excess = error_map_fit.excess(pixels, error_map_cases.REAL)
    model = error_map_fit.fit(pixels, set(), float(np.mean([*excess.values()])))
    error_map_fit.written(HOME, replace(model, fitted=load_error_model().fitted))
    print("coverage of sets that were left out becomes 90 % if squared errors are divided by")
    print(", ".join(f"{fold} {np.exp(value):.3f}" for fold, value in excess.items()))


def fitted(given: argparse.Namespace) -> None:
    """Factor of the standard errors of fits, and what that of the other sets gives for each."""
    found: dict[str, list[tuple[np.ndarray, ...]]] = {}
    for case in cases(given.cache, given.plain):
        if wanted(case):
            wrong, error = case.result - case.truth, errors_of(case, None)
            found.setdefault(case.group, []).append((np.abs(wrong), error, case.doubt + 0 * wrong))
    logs = {group: np.log(error_map_fit.factor(images)) for group, images in found.items()}
    print("| set | images | coverage | with the factor of the other sets | its own factor |")
    print("|---|---|---|---|---|")
    for group, images in found.items():
        others = np.exp(np.mean([value for name, value in logs.items() if name != group]))
        before, after = (100 * error_map_fit.covered(images, by) for by in (1.0, float(others)))
        own = np.exp(logs[group])
        print(f"| {group} | {len(images)} | {before:.1f} % | {after:.1f} % | {own:.2f} |")
    factor = float(np.exp(np.mean([*logs.values()])))
    error_map_fit.written(HOME, replace(load_error_model(), fitted=factor))
    print(f"factor {factor:.3f}, the mean over the sets")


def left_out(given: argparse.Namespace) -> None:
    pixels = table(given)
    excess = error_map_fit.excess(pixels, error_map_cases.REAL)
    known = cases(given.cache, given.plain)
    print(HEAD)
    for group in dict.fromkeys(case.group for case in known):
        fold = error_map_cases.FOLDS.get(group, group)
        others = [value for name, value in excess.items() if name != fold]
        model = error_map_fit.fit(pixels, {fold}, float(np.mean(others)))
        show(group, [case for case in known if case.group == group and wanted(case)], model)


def wanted(case: Case) -> bool:
    return case.group in UNFAITHFUL or case.usable


HEAD = (
    "| set | images | coverage | by brightness, darkest fifth first | by structure | "
    "predicted − real PSNR, mean ± sd, within 1 dB | gross errors, found, flagged |\n"
    "|---|---|---|---|---|---|---|"
)


def errors_of(case: Case, model: ErrorModel | None) -> np.ndarray:
    if model is None:
        return standard_error(case.noisy, case.result, case.noise).astype(np.float64)
    around = Surroundings.of(case.noisy, case.result, case.noise)
    return error_by(model, around, case.noise)


def show(
    group: str, found: list[Case], model: ErrorModel | None = None
) -> list[tuple[float, float]]:
    """Print a row; returns the predicted and the real PSNR of every image."""
    inside, bright, structured, psnr, gross = [], [], [], [], np.zeros(4)
    for case in found:
        error = errors_of(case, model)
        wrong = case.result - case.truth
        inside.append((np.abs(wrong) <= WIDTH * np.sqrt(error**2 + case.doubt)).ravel())
        around = Surroundings.of(case.noisy, case.result, case.noise)
        measured = features(around, case.noise)
        bright.append(np.asarray(measured["level"]).ravel())
        structured.append(np.asarray(measured["slope_near"]).ravel())
        total = np.sqrt(error**2 + case.doubt)
        span = float(np.subtract(*np.percentile(case.result, (99.9, 0.1))))
        real = 10 * np.log10(span**2 / np.mean(wrong**2))
        psnr.append((expected_psnr(case.result, total), float(real)))
        flagged = uncertain(error)
        large = np.abs(wrong) > GROSS * np.sqrt(np.mean(error**2))
        gross += [large.sum(), (large & flagged).sum(), flagged.sum(), flagged.size]
    hits = np.concatenate(inside)
    difference = np.subtract(*np.array(psnr).T)
    print(
        f"| {group} | {len(found)} | {100 * hits.mean():.1f} % "
        f"| {fifths(np.concatenate(bright), hits)} | {fifths(np.concatenate(structured), hits)} "
        f"| {difference.mean():+.2f} ± {difference.std():.2f} dB, "
        f"{100 * np.mean(np.abs(difference) < 1):.0f} % "
        f"| {100 * gross[0] / gross[3]:.1f} %, "
        f"{100 * gross[1] / max(gross[0], 1):.0f} %, {100 * gross[2] / gross[3]:.1f} % |",
        flush=True,
    )
    return psnr


def fifths(values: np.ndarray, hits: np.ndarray) -> str:
    """Coverage in each fifth of the pixels, in percent."""
    order = np.digitize(values, np.quantile(values, (0.2, 0.4, 0.6, 0.8)))
    shares = (hits[order == number] for number in range(5))
    return " ".join(f"{100 * one.mean():.1f}" if len(one) else "–" for one in shares)


def coverage(given: argparse.Namespace) -> None:
    known = [case for case in cases(given.results or given.cache, given.plain) if wanted(case)]
    print(HEAD)
    points: dict[str, list[tuple[float, float]]] = {}
    for group in dict.fromkeys(case.group for case in known):
        points[group] = show(group, [case for case in known if case.group == group])
    if len(points) > 1:
        show("all", [case for case in known if case.usable])
    if given.plot:
        draw(points, [case for case in known if case.usable], given.plot)


def draw(points: dict[str, list[tuple[float, float]]], known: list[Case], path: Path) -> None:
    """Predicted over real PSNR, and share of pixels inside intervals of every width."""
    pairs = [pair for group in points.values() for pair in group]
    low, high = np.floor(np.min(pairs)) - 1, np.ceil(np.max(pairs)) + 1
    lines = [Line([(low, low + by), (high, high + by)], (150, 150, 150), 1) for by in (-1, 0, 1)]
    reach = (high - low) / 130
    for number, group in enumerate(points.values()):
        for predicted, real in group:
            for arm in ((reach, 0), (0, reach)):
                ends = [(real - arm[0], predicted - arm[1]), (real + arm[0], predicted + arm[1])]
                lines.append(Line(ends, PALETTE[number % len(PALETTE)], 1.5))
    spans = ((low, high), (low, high))
    left = Axes(
        title="PSNR of each image; lines: 1 dB", across="real, dB", up="predicted, dB",
        x=spans[0], y=spans[1],
    )  # fmt: skip
    ratio = np.concatenate([
        (np.abs(c.result - c.truth) / np.sqrt(errors_of(c, None) ** 2 + c.doubt)).ravel()[::5]
        for c in known
    ])  # fmt: skip
    widths = np.linspace(0, 4, 81)
    seen = [(float(w), 100 * float(np.mean(ratio <= w))) for w in widths]
    normal = [(float(w), 100 * error_map_fit.normal_share(float(w))) for w in widths]
    right = Axes(
        title="Pixels in result ± x standard errors; grey: normal", across="x", up="%",
        x=(0, 4), y=(0, 100),
    )  # fmt: skip
    panels = [chart((460, 420), left, lines, ())]
    panels.append(
        chart((460, 420), right, [Line(normal, (150, 150, 150), 3), Line(seen, PALETTE[0], 2)], ())
    )
    error_map_cases.beside([reduced(panel) for panel in panels]).save(path)


def picture(given: argparse.Namespace) -> None:
    """An image, its result, its real error and the map; the last two have the same grey scale."""
    case = read(given.folders[0] / f"{given.folders[1]}.npz", plain=False)
    error = errors_of(case, None)
    wrong = np.abs(case.result - case.truth)
    images = panel({"noisy": case.noisy, "result": case.result})
    maps = panel({"absolute error": wrong, "standard error": error})
    error_map_cases.beside([images, maps]).convert("L").save(given.plot)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=[*COMMANDS, "collect"])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--role", default="calibration", choices=("calibration", "test"))
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--results", type=Path)
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    given.cache = given.folders[-1]
    if given.command == "collect":
        error_map_cases.collect(given.folders[0], given.cache, given.role, given.preset)
    else:
        COMMANDS[given.command](given)


COMMANDS = {
    "truths": truths,
    "calibrate": calibrate,
    "fitted": fitted,
    "left-out": left_out,
    "coverage": coverage,
    "picture": picture,
}

if __name__ == "__main__":
    main()
