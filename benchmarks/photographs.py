"""The learned prior on what it was not trained for: photographs and a phase contrast image.

    python benchmarks/photographs.py [--side 320]

Pictures that come with scikit-image, with Gaussian noise (15 of 255) or photon noise (8 grey values
per photon). Prints a table of PSNR in dB: blur of 1 pixel, ``balanced``, ``untrained``, and the
distance from the training examples.
"""

from __future__ import annotations

import argparse

import numpy as np
import skimage.data
from scipy.ndimage import gaussian_filter

import autodip

NAMES = ("camera", "coins", "moon", "cell", "page", "brick", "grass")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=320, help="Side length used of each picture.")
    side = parser.parse_args().side
    generator = np.random.default_rng(0)
    print("| picture | noise | blur | `balanced` | `untrained` | distance |")
    print("|---|---|---|---|---|---|")
    for name in NAMES:
        truth = getattr(skimage.data, name)().astype(float)[:side, :side]
        captured = {
            "Gaussian": truth + generator.normal(0, 15, truth.shape),
            "photons": generator.poisson(truth / 8) * 8.0,
        }
        for noise, recorded in captured.items():
            noisy = np.clip(recorded, 0, 255).round().astype(np.uint8)
            results = {"blur": gaussian_filter(noisy.astype(float), 1)}
            for preset in ("balanced", "untrained"):
                done = autodip.denoise(noisy, preset=preset, dtype="float32")
                results[preset] = done.image
                if preset == "balanced":
                    known = done.choice.evidence.familiarity
            decibels = [10 * np.log10(255**2 / np.mean((x - truth) ** 2)) for x in results.values()]
            cells = " | ".join(f"{value:.2f}" for value in decibels)
            print(f"| {name} | {noise} | {cells} | {known.distance:.1f} |", flush=True)


if __name__ == "__main__":
    main()
