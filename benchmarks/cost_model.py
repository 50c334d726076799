"""Predicted and measured seconds, compared.

    python benchmarks/cost_model.py > docs/results/cost_model.md

Every network is fitted to an image of noise for a few iterations, and every preset is run from
end to end. Nothing else may run on the machine at the same time.
"""

from __future__ import annotations

import time

import numpy as np

import autodip
from autodip.compute.device import computes_bfloat16
from autodip.fit import counting
from autodip.fit.loop import fit
from autodip.fit.params import FitParams, NetParams, Precision
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate

_HALF = NetParams(4, (16, 32, 64, 128), input_channels=8, lean=True, reduction=2)
_LEAN = NetParams(5, (8, 16, 32, 64, 128), input_channels=8, lean=True)
NETS = (
    (_HALF, 256),
    (_HALF, 512),
    (_HALF, 1024),
    (_LEAN, 512),
    (NetParams(4, 32), 256),
    (NetParams(5, 128), 256),
    (NetParams(8, "asc_to512"), 512),
)
_WARM, _TIMED = 3, 5


def main() -> None:
    """Print both tables."""
    print("# Predicted and measured seconds\n")
    print("Made by `python benchmarks/cost_model.py`, on two CPU cores.\n")
    print("| network | pixels | precision | predicted, s an iteration | measured | ratio |")
    print("|---|---|---|---|---|---|")
    precisions: tuple[Precision, ...] = ("float32", "bfloat16")
    for net, size in NETS:
        for precision in precisions[: 1 + computes_bfloat16("cpu")]:
            price = counting.estimate(net, 1, (size, size), precision=precision).seconds
            assert price is not None  # on a CPU
            real = iteration(net, size, precision)
            print(
                f"| {net} | {size}² | {precision} | {price:.3f} | {real:.3f} "
                f"| {price / real:.2f} |",
                flush=True,
            )
    print("\n| preset | pixels | predicted, s | measured, all iterations | ratio |")
    print("|---|---|---|---|---|")
    for preset in ("fast", "balanced", "best", "untrained"):
        for size in (256, 512, 1024):
            noisy, _ = simulate("actin", Optics(microscope="confocal"), size=size, seed=1)
            plan = autodip.plan(noisy, autodip.Options(preset=preset, device="cpu"))[0]
            price = plan.cost.seconds
            assert price is not None  # on a CPU
            choice = plan.choice.replace(fit=plan.choice.fit.replace(noise_limit=None))
            start = time.perf_counter()
            options = autodip.Options(preset=preset, device="cpu", choices=(choice,))
            for _ in autodip.denoise_steps(noisy, options):
                pass
            real = time.perf_counter() - start
            print(
                f"| {preset} | {size}² | {price:.1f} | {real:.1f} | {price / real:.2f} |",
                flush=True,
            )


def iteration(net: NetParams, size: int, precision: Precision) -> float:
    """Measured seconds per iteration, after a few warm-up iterations."""
    image = np.random.default_rng(0).random((size, size))
    start = 0.0
    for step in fit(image, net, FitParams(_WARM + _TIMED, precision=precision)):
        if step.iteration == _WARM:
            start = time.perf_counter()
    return (time.perf_counter() - start) / _TIMED


if __name__ == "__main__":
    main()
