"""What a result depends on besides the image and the parameters: threads, workers, processors.

    python benchmarks/repeatability.py [--presets fast untrained:20] [--side 192]

``untrained:20`` is the preset ``untrained`` with 20 iterations. Every run is a command of its own,
``autodip denoise`` on a simulated image, and its result (32-bit floats) is compared with that of a
reference. Prints a table in Markdown: the largest and the root mean square difference, in standard
deviations of the noise; and the share of the pixels that differ if the results are rounded to
grey values of 16 bits (the noise is as strong as some tens of them) and of 8 bits (the brightest
pixel is 255).

Other processors are imitated here, by limiting the instructions of torch (``ATEN_CPU_CAPABILITY``)
and of its convolutions (``ONEDNN_MAX_CPU_ISA``) and by switching bfloat16 on or off, which autodip
uses where the processor has instructions for it.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tifffile
import torch

from autodip.compute import processor
from autodip.compute.device import computes_bfloat16, multiplies_bfloat16
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate

PRESETS = ("fast", "balanced", "untrained:20", "untrained")
DRIVER = """
import sys
from autodip.compute import device
half = sys.argv.pop(1)
if half != "own":
    device.multiplies_bfloat16 = device.computes_bfloat16 = lambda _: half == "yes"
from autodip.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


@dataclass(frozen=True)
class Variant:
    """A run that differs from the reference in one thing.

    Parameters
    ----------
    name : str
    words : tuple of str
        Options of the command.
    half : "own", "yes" or "no"
        Whether bfloat16 is used; "own" as on this processor.
    variables : mapping of str to str
        Variables of the environment.
    against : "own" or "no"
        Use of bfloat16 in the reference.
    tiled : bool
        Whether it is compared with the reference that was cut into tiles.
    repeats : bool
        Whether it repeats a run with 2 threads from its sidecar, with which it is compared.
    """

    name: str
    words: tuple[str, ...] = ()
    half: str = "own"
    variables: Mapping[str, str] = field(default_factory=dict)
    against: str = "own"
    tiled: bool = False
    repeats: bool = False


ONE = ("--threads", "1")
VARIANTS = (
    Variant("the same command again", ONE),
    Variant("2 threads", ("--threads", "2")),
    Variant("4 threads", ("--threads", "4")),
    Variant("`--params` of the run with 2 threads", repeats=True),
    Variant("the same, 2 workers", ("--workers", "2"), repeats=True),
    Variant("tiles, 1 worker", (*ONE, "--tile", "128", "--workers", "1"), tiled=True),
    Variant("tiles, 2 workers", (*ONE, "--tile", "128", "--workers", "2"), tiled=True),
    Variant("float32 instead of bfloat16, or the reverse", ONE, half="other"),
    Variant(
        "float32, AVX2 instead of AVX-512",
        ONE,
        half="no",
        against="no",
        variables={"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"},
    ),
    Variant(
        "float32, no AVX",
        ONE,
        half="no",
        against="no",
        variables={"ONEDNN_MAX_CPU_ISA": "SSE41", "ATEN_CPU_CAPABILITY": "default"},
    ),
)


def table(presets: Sequence[str], side: int) -> Iterator[str]:
    """Differences of all variants, for each preset."""
    noisy, truth = simulate("actin", Optics(microscope="confocal"), size=side, seed=1)
    noise = float(np.std(noisy - truth.astype(np.float64)))
    step = float(truth.max()) / 255
    yield f"On {processor.kind('cpu')}, torch {torch.__version__}. Noise: {noise:.0f} grey values "
    yield f"of 16 bits, {noise / step:.0f} of 8 bits; {side} x {side} pixels.\n"
    yield (
        "| preset | what differs | largest | root mean square | pixels, 16 bits, % "
        "| pixels, 8 bits, % |"
    )
    yield "|---|---|---|---|---|---|"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tifffile.imwrite(folder / "noisy.tif", noisy)
        for preset in presets:
            runs = Runs(folder, preset)
            for variant in VARIANTS:
                one, other = runs.compared(variant)
                apart = np.abs(one - other)
                shares = [
                    100 * float(np.mean(np.rint(one / unit) != np.rint(other / unit)))
                    for unit in (1.0, step)
                ]
                yield (
                    f"| {preset} | {variant.name} | {_text(apart.max() / noise)} "
                    f"| {_text(np.sqrt(np.mean(apart**2)) / noise)} "
                    f"| {_text(shares[0])} | {_text(shares[1])} |"
                )


class Runs:
    """Runs of one preset on the image of a folder."""

    def __init__(self, folder: Path, preset: str) -> None:
        preset, _, iterations = preset.partition(":")
        self._folder, self._numbers = folder, itertools.count()
        self._words = ["--preset", preset, *(["--iterations", iterations] if iterations else [])]
        self._name = preset + iterations
        self._references: dict[tuple[str, ...], Path] = {}
        used = computes_bfloat16 if preset == "untrained" else multiplies_bfloat16
        self._half = "no" if used("cpu") else "yes"

    def compared(self, variant: Variant) -> tuple[np.ndarray, np.ndarray]:
        """Result of a variant, and the reference."""
        if variant.repeats:
            reference = self._reference(("--threads", "2"), "own")
            sidecar = f"{reference}.autodip.json"
            found = self._run(["--params", sidecar, *variant.words])
        else:
            words = (*ONE, "--tile", "128") if variant.tiled else ONE
            reference = self._reference(words, variant.against)
            half = self._half if variant.half == "other" else variant.half
            options = [*self._words, "--dtype", "float32", *variant.words]
            found = self._run(options, half, variant.variables)
        first, second = (tifffile.imread(path).astype(np.float64) for path in (found, reference))
        return first, second

    def _reference(self, words: tuple[str, ...], half: str) -> Path:
        if (half, *words) not in self._references:
            options = [*self._words, "--dtype", "float32", *words]
            self._references[half, *words] = self._run(options, half)
        return self._references[half, *words]

    def _run(
        self, words: Sequence[str], half: str = "own", variables: Mapping[str, str] | None = None
    ) -> Path:
        target = self._folder / f"{self._name}-{next(self._numbers)}.tif"
        whole = ["denoise", str(self._folder / "noisy.tif"), "-o", str(target), "-q", *words]
        subprocess.run(
            [sys.executable, "-c", DRIVER, half, *whole],
            check=True,
            env={**os.environ, **(variables or {})},
        )
        return target


def _text(value: float) -> str:
    return "0" if value == 0 else f"{value:.1g}" if value < 0.1 else f"{value:.2f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--presets", nargs="+", default=PRESETS)
    parser.add_argument("--side", type=int, default=192)
    arguments = parser.parse_args()
    for line in table(arguments.presets, arguments.side):
        print(line, flush=True)


if __name__ == "__main__":
    main()
