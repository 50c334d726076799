"""What measurements on a result give, compared with the same on the noisy image and on the truth.

    python benchmarks/quantify.py [--repeats 4]

Simulated images, 256 x 256 pixels: 2 grey values per photon, an offset of 100, read-out noise of 1
photon. Prints tables in Markdown. ``noisy`` and ``autodip`` (preset ``balanced``, float32) are
measured by the same code.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from scipy.ndimage import gaussian_filter, label
from scipy.optimize import curve_fit
from skimage.filters import threshold_otsu

import autodip
from autodip.metrics.frc import frc
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate

SIDE, GAIN, OFFSET, READ = 256, 2.0, 100.0, 1.0
APART, WIDTH, REACH = 32, 1.4, 5
"""Distance between spots, their standard deviation, and half the side in which each is fitted."""
MEASURED = ("noisy", "autodip")
Shot = dict[str, np.ndarray]


def shoot(photons: np.ndarray, rng: np.random.Generator) -> Shot:
    """Noisy, denoised and true image, in photons above the offset."""
    counts = rng.poisson(photons) + rng.normal(0, READ, photons.shape)
    noisy = np.clip(np.rint(GAIN * counts + OFFSET), 0, 65535).astype(np.uint16)
    result = autodip.denoise(noisy, dtype="float32").image
    images = {"noisy": noisy, "autodip": result}
    return {
        **{name: (one.astype(float) - OFFSET) / GAIN for name, one in images.items()},
        "truth": photons,
    }


def scene(specimen: str, peak: float, seed: int) -> np.ndarray:
    """Photons of a simulated specimen without its noise; the brightest pixel has ``peak``."""
    optics = Optics(microscope="confocal", photons=peak, gain=1, offset=0)
    return simulate(specimen, optics, size=SIDE, seed=seed)[1].astype(float)


def spots(repeats: int) -> Iterator[str]:
    """Single spots: integrated intensity, peak, width and place."""
    yield "| photons per spot | | integrated | peak | width | place, pixels | found |"
    yield "|---|---|---|---|---|---|---|"
    y, x = np.mgrid[:SIDE, :SIDE]
    for photons in (30, 100, 300, 1000):
        rng = np.random.default_rng(photons)
        found: dict[str, list[np.ndarray]] = {"noisy": [], "autodip": []}
        asked = 0
        for _ in range(repeats):
            places = np.mgrid[APART // 2 : SIDE : APART, APART // 2 : SIDE : APART]
            places = places.reshape(2, -1).T + rng.uniform(-2, 2, (len(places[0]) ** 2, 2))
            truth = np.full((SIDE, SIDE), 2.0)
            for at in places:
                distance = (y - at[0]) ** 2 + (x - at[1]) ** 2
                truth += photons * np.exp(-distance / (2 * WIDTH**2)) / (2 * np.pi * WIDTH**2)
            shot = shoot(truth, rng)
            asked += len(places)
            for name, values in found.items():
                values += [one for at in places if (one := _fitted(shot[name], at)) is not None]
        for name, values in found.items():
            height, sigma, off = np.array(values).T
            whole = 2 * np.pi * height * sigma**2 / photons
            peak = height / (photons / (2 * np.pi * WIDTH**2))
            yield (
                f"| {photons} | {name} | {_spread(whole)} | {_spread(peak)} | "
                f"{_spread(sigma / WIDTH)} | {np.sqrt(np.mean(off**2)):.2f} | "
                f"{len(values)} of {asked} |"
            )


def _fitted(image: np.ndarray, at: np.ndarray) -> tuple[float, float, float] | None:
    """Height, standard deviation and error of the place of a Gaussian; None if there is none."""
    top, left = np.rint(at).astype(int) - REACH
    part = image[top : top + 2 * REACH + 1, left : left + 2 * REACH + 1]
    grid = np.mgrid[: part.shape[0], : part.shape[1]].reshape(2, -1)
    start = (float(np.ptp(part)), REACH, REACH, 1.5, float(np.median(part)))
    bounds = ([0, 1, 1, 0.7, -50], [1e5, 2 * REACH - 1, 2 * REACH - 1, 3.5, 1e4])
    try:
        found, covariance = curve_fit(_gaussian, grid, part.ravel(), start, bounds=bounds)
    except RuntimeError:
        return None
    if not found[0] > 3 * np.sqrt(covariance[0, 0]):
        return None
    off = np.hypot(top + found[1] - at[0], left + found[2] - at[1])
    return (found[0], found[3], off) if off < REACH else None


def _gaussian(
    grid: np.ndarray, height: float, y: float, x: float, sigma: float, floor: float
) -> np.ndarray:
    distance = (grid[0] - y) ** 2 + (grid[1] - x) ** 2
    return np.asarray(height * np.exp(-distance / (2 * sigma**2)) + floor)


def regions(repeats: int) -> Iterator[str]:
    """Means over nuclei, the ratio of two channels, area by a threshold."""
    yield "| photons | | mean of a nucleus | ratio of two channels | area | Dice |"
    yield "|---|---|---|---|---|---|"
    for peak in (3, 10, 30, 100):
        rng = np.random.default_rng(peak)
        means: dict[str, list[float]] = {"noisy": [], "autodip": []}
        ratios: dict[str, list[float]] = {"noisy": [], "autodip": []}
        areas: dict[str, list[float]] = {"noisy": [], "autodip": []}
        overlaps: dict[str, list[float]] = {"noisy": [], "autodip": []}
        for number in range(repeats):
            truth = scene("nucleus", peak, 10 + number)
            first, second = shoot(truth, rng), shoot(truth / 2, rng)
            inside = truth > threshold_otsu(truth)
            parts, count = label(inside)
            for name in MEASURED:
                one, other = first[name], second[name]
                for part in range(1, count + 1):
                    where = parts == part
                    if where.sum() > 100:
                        means[name].append(float(one[where].mean() / truth[where].mean()))
                usable = inside & (other > 0)
                ratios[name] += list(one[usable] / other[usable] / 2)
                mask = one > threshold_otsu(one)
                areas[name].append(float(mask.sum() / inside.sum()))
                overlaps[name].append(2 * (mask & inside).sum() / (mask.sum() + inside.sum()))
        for name in MEASURED:
            middle, low, high = np.percentile(ratios[name], (50, 16, 84))
            yield (
                f"| {peak} | {name} | {_spread(means[name])} | {middle:.2f} ({low:.2f}–{high:.2f}) "
                f"| {_spread(areas[name])} | {np.mean(overlaps[name]):.3f} |"
            )


def together(repeats: int) -> Iterator[str]:
    """Correlation of two channels, and resolution by Fourier ring correlation."""
    yield "| photons | | Pearson's r | FRC, pixels |"
    yield "|---|---|---|---|"
    for peak in (3, 10, 30, 100):
        rng = np.random.default_rng(peak)
        shared: dict[str, list[float]] = {"noisy": [], "autodip": [], "truth": []}
        rings: dict[str, list[float]] = {"noisy": [], "autodip": [], "truth": []}
        for number in range(repeats):
            parts = [scene("mito", peak / 2, 100 + 3 * number + k) for k in range(3)]
            one, other = shoot(parts[0] + parts[1], rng), shoot(parts[0] + parts[2], rng)
            again = shoot(parts[0] + parts[1], rng)
            for name in (*MEASURED, "truth"):
                shared[name].append(
                    float(np.corrcoef(one[name].ravel(), other[name].ravel())[0, 1])
                )
                second = one["autodip"] if name == "truth" else again[name]
                rings[name].append(float(frc(one[name], second).resolution()))
        for name in (*MEASURED, "truth"):
            ring = f"{np.nanmean(rings[name]):.1f}"
            ring = f"{ring} (result against truth)" if name == "truth" else ring
            yield f"| {peak} | {name} | {np.mean(shared[name]):.3f} | {ring} |"


def lines(repeats: int) -> Iterator[str]:
    """Two parallel lines, and the contrast between them."""
    yield "| distance, pixels | photons on a line | | contrast of the gap |"
    yield "|---|---|---|---|"
    for photons in (5, 20, 80):
        for apart in (4, 6):
            gaps: dict[str, list[float]] = {"noisy": [], "autodip": [], "truth": []}
            for number in range(repeats):
                rng = np.random.default_rng(number)
                drawn = np.zeros((SIDE, SIDE))
                drawn[:, 60::60] = 1
                drawn[:, 60 + apart :: 60] = 1
                truth = gaussian_filter(drawn, (0, WIDTH))
                shot = shoot(photons * truth / truth.max() + 1, rng)
                for name, values in gaps.items():
                    profile = shot[name].mean(0)
                    for at in range(60, SIDE - apart, 60):
                        top = (profile[at] + profile[at + apart]) / 2
                        values.append(float(1 - (profile[at + apart // 2] - 1) / (top - 1)))
            for name, values in gaps.items():
                yield f"| {apart} | {photons} | {name} | {_spread(values)} |"


def linearity(repeats: int) -> Iterator[str]:
    """The same image with its intensities scaled and shifted; light and slope."""
    yield "| image | change of the result, in noise | light kept | slope against the truth |"
    yield "|---|---|---|---|"
    for specimen in ("mito", "nucleus"):
        noisy, truth = simulate(specimen, Optics(microscope="confocal"), size=SIDE, seed=repeats)
        image = noisy.astype(np.float32)
        result, noise = _exact(image), float(np.std(image - truth))
        light = (result.mean() - OFFSET) / (image.mean() - OFFSET)
        slope = np.polyfit(truth.ravel(), result.ravel(), 1)[0]
        yield f"| {specimen} | | {light:.4f} | {slope:.3f} |"
        for scale, shift in ((2.0, 0.0), (1.0, 500.0), (0.01, 0.0), (3.0, -300.0)):
            other = (_exact(image * np.float32(scale) + np.float32(shift)) - shift) / scale
            change = float(np.sqrt(np.mean((other - result) ** 2))) / noise
            yield f"| {specimen} × {scale:g} {shift:+g} | {change:.6f} | | |"


def _exact(image: np.ndarray) -> np.ndarray:
    return np.asarray(autodip.denoise(image).image, np.float64)


def _spread(values: list[float] | np.ndarray) -> str:
    return f"{np.median(values):.2f} ± {np.std(values):.2f}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=4)
    arguments = parser.parse_args()
    for table in (linearity, spots, regions, together, lines):
        print(f"\n{table.__doc__}\n")
        for line in table(arguments.repeats):
            print(line, flush=True)


if __name__ == "__main__":
    main()
