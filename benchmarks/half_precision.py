"""The deep image prior of AUTO-DIP on a CPU in bfloat16, for cells that no GPU has computed.

    python -m benchmarks.half_precision PRESET GROUP --data DATA [--result FILE --seconds S]

Fits capture 1 of a group of the FMD test set, and appends a row like those of ``autodip benchmark``
to ``docs/results/paper/bfloat16.csv``. With ``--result``, a NumPy file with a result that was
computed so is scored instead.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import numpy as np

from autodip.benchmark import Store
from autodip.benchmark.environment import machine
from autodip.benchmark.planned import Conditions, plan
from autodip.benchmark.registry import find
from autodip.datasets import own_pairs
from autodip.datasets.pair import Pair, load
from autodip.image.scaling import to_dtype
from autodip.metrics.scores import score
from autodip.pipeline.denoise import denoise_steps
from autodip.pipeline.fitted_tasks import fit_tasks
from autodip.pipeline.options import Options
from autodip.pipeline.parts import Task
from benchmarks.paper import FITS, HALF


def record(arguments: argparse.Namespace) -> None:
    """Fit capture 1 of a group in bfloat16, or take a result, and append its row."""
    pair = next(
        pair
        for pair in own_pairs.scan(arguments.data).pairs
        if (pair.dataset, pair.group, pair.capture) == ("fmd_test", arguments.group, "1")
    )
    noisy, truth = load(pair, 0)
    if arguments.result is None:
        begun = time.perf_counter()
        result = fitted(noisy, pair, arguments.preset)
        seconds: float | None = time.perf_counter() - begun
    else:
        result, seconds = np.load(arguments.result), arguments.seconds
    (cell,) = plan([pair], [find(arguments.preset)], Conditions())
    row = cell.row.replace(
        status="done",
        seconds=seconds,
        machine=f"{machine()}, bfloat16",
        date=datetime.now(UTC).date().isoformat(),
        **score(noisy, to_dtype(result, noisy.dtype), truth),
    )
    Store(HALF).add([row])
    print(f"{row.image}  {row.method}  {row.psnr:.2f} dB  {row.lpips}")


def fitted(noisy: np.ndarray, pair: Pair, preset: str) -> np.ndarray:
    """Result of a preset whose fit is computed in bfloat16, whether or not that is faster."""
    options = Options(microscope=pair.microscope, specimen=pair.specimen, preset=preset)
    with (
        mock.patch("autodip.fit.optimise.computes_bfloat16", return_value=True),
        mock.patch("autodip.pipeline.execute.fit_tasks", _in_bfloat16(fit_tasks)),
    ):
        *_, last = denoise_steps(noisy.astype(np.float64), options)
    assert last.result is not None  # the last step has it
    return last.result.image


def _in_bfloat16(compute: Callable[..., object]) -> Callable[..., object]:
    def changed(tasks: Sequence[Task]) -> object:
        half = [task.choice.fit.replace(precision="bfloat16") for task in tasks]
        return compute(
            [
                replace(task, choice=task.choice.replace(fit=fit))
                for task, fit in zip(tasks, half, strict=True)
            ]
        )

    return changed


def main() -> None:
    """Run the command of the arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("preset", choices=FITS)
    parser.add_argument("group", help="such as 'widefield mito'")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--result", type=Path, help="result to score, in the units of the image")
    parser.add_argument("--seconds", type=float, help="seconds that it took")
    record(parser.parse_args())


if __name__ == "__main__":
    main()
