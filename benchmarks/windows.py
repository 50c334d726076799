"""Effect of cutting a plane into windows: scores against the truth, and seams.

    python benchmarks/windows.py DATA [--side 256] > docs/results/windows.md

DATA is a folder with a ``manifest.json``; its calibration images are denoised whole and in windows.
The seam value is the mean step across the edges of the windows divided by the mean step elsewhere,
relative to the same ratio in the result for the whole image: 1 if no edge is visible.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import imagecodecs
import numpy as np

import autodip
from autodip.image import windows
from autodip.metrics import alexnet
from autodip.metrics.fidelity import psnr
from autodip.pipeline.memory import tiling_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--preset", default="balanced")
    given = parser.parse_args()
    rows = json.loads((given.data / "manifest.json").read_text())
    chosen = [row for row in rows if row["set"] == "fmd_confocal_fov1"]
    measure = alexnet.load()
    print("# Windows\n")
    print("Made by `python benchmarks/windows.py DATA > docs/results/windows.md`; preset")
    print(
        f"`{given.preset}`, calibration images, windows of {given.side} pixels with an overlap of"
    )
    print(f"{tiling_of(given.side).overlap}.\n")
    print("| confocal image | whole: PSNR, LPIPS | windows: PSNR, LPIPS | difference, dB | seam |")
    print("|---|---|---|---|---|")
    differences, seams = [], []
    for row in chosen:
        noisy, truth = (
            imagecodecs.imread(str(given.data / row[key])).squeeze() for key in ("file", "truth")
        )
        results = [
            autodip.denoise(
                noisy,
                microscope=row["microscope"],
                specimen="other",
                preset=given.preset,
                tile=tile,
            ).image
            for tile in (0, given.side)
        ]
        quality = [psnr(result, truth, data_range=255) for result in results]
        looks = [
            "" if measure is None else f", {measure(result / 255, truth / 255):.3f}"
            for result in results
        ]
        parts = tiling_of(given.side).windows(noisy.shape)
        seam = windows.seam(results[1], parts) / windows.seam(results[0], parts)
        differences.append(quality[1] - quality[0])
        seams.append(seam)
        print(
            f"| {row['specimen']} | {quality[0]:.2f}{looks[0]} | "
            f"{quality[1]:.2f}{looks[1]} | {differences[-1]:+.2f} | {seam:.3f} |",
            flush=True,
        )
    print(f"| mean | | | {np.mean(differences):+.2f} | {np.mean(seams):.3f} |")


if __name__ == "__main__":
    main()
