"""What a GPU changes: seconds of the presets on CUDA and on two CPU threads, and the pixels.

    python benchmarks/gpu.py > docs/results/gpu.md

Simulated images; the first call on each device, which loads its libraries, is not timed. Nothing
else may run on the machine at the same time.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

import autodip
from autodip.benchmark.environment import machine
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate

PRESETS = ("fast", "balanced", "best", "untrained")
FRAMES, PLANE = 32, 4096


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--presets", default=",".join(PRESETS))
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    still, truth = simulate("actin", Optics(microscope="confocal"), size=512, seed=1)
    film = np.random.default_rng(0).poisson(np.tile(truth.clip(0), (FRAMES, 1, 1)))
    plane = np.tile(still, (PLANE // 512, PLANE // 512))
    print("# Presets on a GPU\n\nMade by `python benchmarks/gpu.py`, on", end=" ")
    print(f"{machine(arguments.device)}, with torch {torch.__version__}.\n")
    print(
        "| preset | 512², two CPU threads, s | GPU, s | PSNR, CPU | PSNR, GPU | root mean square "
        f"of the difference / standard deviation of the image | {FRAMES} frames of 512², GPU, s "
        f"| {PLANE}², GPU, s |\n|" + "---|" * 8
    )
    for preset in arguments.presets.split(","):
        for device in ("cpu", arguments.device):
            denoised(still[:128, :128], "cpu" if device == "cpu" else device, preset)
        slow, on_cpu = denoised(still, "cpu", preset)
        denoised(still, arguments.device, preset)
        quick, on_gpu = denoised(still, arguments.device, preset)
        apart = np.sqrt(np.mean((on_cpu - on_gpu) ** 2)) / on_cpu.std()
        frames = denoised(film.astype(np.float32), arguments.device, preset, axes="TYX")[0]
        large = denoised(plane, arguments.device, preset)[0]
        print(
            f"| {preset} | {slow:.2f} | {quick:.2f} | {psnr(on_cpu, truth):.2f} "
            f"| {psnr(on_gpu, truth):.2f} | {apart:.4f} | {frames:.1f} | {large:.1f} |",
            flush=True,
        )


def denoised(
    image: np.ndarray, device: str, preset: str, axes: str | None = None
) -> tuple[float, np.ndarray]:
    """Seconds of the whole call, and the result."""
    start = time.perf_counter()
    result = autodip.denoise(image, preset=preset, device=device, axes=axes, dtype="float32")
    return time.perf_counter() - start, result.image.astype(float)


def psnr(image: np.ndarray, truth: np.ndarray) -> float:
    """PSNR in dB, with the range of the truth."""
    return float(10 * np.log10(np.ptp(truth) ** 2 / np.mean((image - truth) ** 2)))


if __name__ == "__main__":
    main()
