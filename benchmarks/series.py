"""Following planes compared with independent fits, on films whose truth is known.

    python benchmarks/series.py DATA [--frames 6] [--side 256] [--films 3] > docs/results/series.md

DATA is a folder with a ``manifest.json``. The films are made of the truths of its calibration
images: these are shifted by up to a few pixels per frame, bleached by 3 % per frame (unless they
stand still), and given the noise that was measured on the noisy image of the pair. Flicker is the
standard deviation over the frames of a film that stands still, in the darkest fifth of the truth,
in units of the standard deviation of the noise.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import imagecodecs
import numpy as np
from scipy.ndimage import shift

import autodip
from autodip.metrics.fidelity import psnr
from autodip.physics import noise
from autodip.physics.estimate import estimate_noise

STEPS = (0.0, 0.5, 1.5, 4.0)
"""Shift along Y, in pixels per frame; along X it is -0.7 times as large."""


def film(
    truth: np.ndarray, camera: noise.Noise, frames: int, step: float, side: int
) -> tuple[np.ndarray, np.ndarray]:
    """Noisy and true frames, each (T, Y, X)."""
    generator = np.random.default_rng(0)
    top, left = ((n - side) // 2 for n in truth.shape)
    true = np.stack(
        [
            shift(truth, (step * k, -0.7 * step * k), order=1, mode="reflect")[
                top : top + side, left : left + side
            ]
            * (0.97**k if step else 1.0)
            for k in range(frames)
        ]
    )
    noisy = true + generator.standard_normal(true.shape) * camera.std(true)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8), true


def flicker(frames: np.ndarray, true: np.ndarray, camera: noise.Noise) -> float:
    """Standard deviation over time in the darkest fifth of the truth, relative to the noise's."""
    dark = true[0] <= np.percentile(true[0], 20)
    spread = frames.astype(np.float64).std(axis=0)[dark].mean()
    return float(spread / camera.std(true[0])[dark].mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--frames", type=int, default=6)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--films", type=int, default=3)
    given = parser.parse_args()
    rows = json.loads((given.data / "manifest.json").read_text())
    pairs = [r for r in rows if r["set"] == "fmd_confocal_fov1"][: given.films]
    print("# Frames that follow one another\n")
    print(
        "Made by `python benchmarks/series.py DATA > docs/results/series.md`; preset `untrained`,"
    )
    print(f"{given.frames} frames of {given.side} x {given.side} pixels; means over all frames")
    print("except the first. Iterations are those per frame; seconds include the refinement.\n")
    print(
        "| film | pixels a frame | fits | iterations | PSNR, dB | worst frame | flicker | seconds |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for row in pairs:
        noisy, truth = (
            imagecodecs.imread(str(given.data / row[k])).squeeze() for k in ("file", "truth")
        )
        camera = estimate_noise(noisy)
        assert camera is not None  # the images are large enough
        for step in STEPS:
            frames, true = film(truth.astype(np.float64), camera, given.frames, step, given.side)
            own: list[float] = []
            for independent in (True, False):
                result = autodip.denoise(
                    frames, axes="TYX", preset="untrained", independent=independent
                )
                figures = [
                    psnr(a.astype(np.float64), b, data_range=255)
                    for a, b in zip(result.image, true, strict=True)
                ][1:]
                worst = "" if independent else f"{min(np.subtract(figures, own)):+.2f}"
                own = figures
                planes = result.planes[1:]
                seen = f"{flicker(result.image, true, camera):.3f}" if not step else ""
                print(
                    f"| {row['specimen']} | {step:g} | "
                    f"{'independent' if independent else 'following'} | "
                    f"{np.mean([len(p.history) for p in planes]):.0f} | {np.mean(figures):.2f} | "
                    f"{worst} | {seen} | {np.mean([p.seconds for p in planes]):.1f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
