"""What defects of an image cost: simulated images with and without each of them.

    python benchmarks/defects.py [--preset fast] [--seed 0]

The image is simulated (mitochondria, confocal, 256 x 256 pixels), with an offset of 100 grey
values. The error is the root mean square difference to the truth, in grey values, in the pixels
that are not defective: of the noisy image, of a Gaussian filter of 1 pixel, of the result, and of
the result for the image without the defect. A second table is of images with few photons per
pixel: the light of the result relative to that of the noisy image, and the errors of the result and
of the best of several Gaussian filters.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter, rotate

import autodip
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate

OFFSET = 100
WIDTHS = (1, 1.5, 2, 3, 4, 6, 8, 12)


def cases(noisy: Any, rng: np.random.Generator) -> Iterator[tuple[str, Any, Any]]:
    """Name, image with a defect, and which pixels are not defective."""
    rows, columns = noisy.shape
    whole = np.ones(noisy.shape, bool)
    yield "none", noisy, whole
    for name, place in {
        "border of zeros": np.s_[:30],
        "border of 1 pixel": np.s_[:, :1],
        "hole of zeros": np.s_[90:150, 60:140],
    }.items():
        valid = whole.copy()
        valid[place] = False
        yield name, np.where(valid, noisy, 0), valid
        if name == "border of zeros":
            yield "border of NaN", np.where(valid, noisy, np.nan), valid
    inside = rotate(whole.astype(float), 20, reshape=False, order=0) > 0
    yield "corners of a rotation", np.where(inside, noisy, 0), inside
    hot = whole.copy()
    hot.flat[rng.choice(noisy.size, 60, replace=False)] = False
    yield "60 hot pixels", np.where(hot, noisy, 65535), hot
    yield "60 dead pixels", np.where(hot, noisy, 0), hot
    lines = whole.copy()
    lines[:, [40, 41, 170]] = lines[99] = False
    yield (
        "dead columns and a hot row",
        np.where(lines, noisy, [[0]] * 99 + [[9000]] + [[0]] * 156),
        lines,
    )
    spread = 2 * float(np.std(noisy - gaussian_filter(noisy, 1)))
    yield "noise common to a row", noisy + rng.normal(0, spread, (rows, 1)), whole
    yield "noise common to a column", noisy + rng.normal(0, spread, (1, columns)), whole
    high = np.percentile(noisy, 98)
    yield "2 % overexposed", np.minimum(noisy, high), noisy < high
    low = np.percentile(noisy, 30)
    yield "30 % cut at 0", np.maximum(noisy - low, 0) + low, noisy > low


def error(image: Any, truth: Any, where: Any) -> float:
    """Root mean square difference."""
    return float(np.sqrt(np.mean((np.asarray(image, float) - truth)[where] ** 2)))


def defects(preset: str, seed: int) -> Iterator[str]:
    """Rows of the first table."""
    rng = np.random.default_rng(seed)
    noisy, truth = simulate("mito", Optics(microscope="confocal"), size=256, seed=seed)
    noisy, truth = noisy.astype(float) + OFFSET, truth.astype(float) + OFFSET
    usual = autodip.denoise(noisy, preset=preset).image
    for name, image, valid in cases(noisy, rng):
        result = autodip.denoise(image, preset=preset)
        blur = gaussian_filter(np.nan_to_num(image), 1)
        errors = [
            error(one, truth, valid) for one in (np.nan_to_num(image), blur, result.image, usual)
        ]
        yield f"| {name} | " + " | ".join(f"{one:.1f}" for one in errors) + " |"


def photons(preset: str, seed: int) -> Iterator[str]:
    """Rows of the second table."""
    rng = np.random.default_rng(seed)
    truth = simulate("mito", Optics(microscope="confocal"), size=256, seed=seed)[1].astype(float)
    truth -= truth.min()
    for level in (0.02, 0.1, 0.3, 1.0, 5.0):
        for grey, offset, read in ((1, 0, 0), (50, 100, 3)):
            mean = level * truth / truth.mean()
            counts = rng.poisson(mean) * grey + offset + rng.normal(0, read, mean.shape)
            image = np.rint(counts).astype(np.uint16)
            result = autodip.denoise(image, preset=preset).image
            light = (result.mean() - offset) / (image.mean() - offset)
            blurs = [gaussian_filter(image.astype(float), width) for width in WIDTHS]
            expected, everywhere = mean * grey + offset, np.ones(mean.shape, bool)
            errors = [
                error(result, expected, everywhere) / grey,
                min(error(blur, expected, everywhere) for blur in blurs) / grey,
            ]
            kept = f"{light:.3f} | {errors[0]:.3f} | {errors[1]:.3f} | {result.dtype}"
            yield f"| {level:g} | {grey} | {kept} |"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print("| defect | noisy | blur σ = 1 | result | result without it |\n|---|---|---|---|---|")
    for row in defects(given.preset, given.seed):
        print(row, flush=True)
    print("\n| photons per pixel | grey values per photon | light kept | error, photons |", end="")
    print(" best blur (truth) | type |\n|---|---|---|---|---|---|")
    for row in photons(given.preset, given.seed):
        print(row, flush=True)


if __name__ == "__main__":
    main()
