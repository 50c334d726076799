"""By how much the learned prior overestimates the PSNR of its result, on pairs with a truth.

    python benchmarks/predicted_quality.py FOLDER... [--limit 1] [--role test]

Every FOLDER has a manifest.json as for ``autodip benchmark``; of each group and noise level,
``--limit`` pairs with the role are measured: calibration to choose the correction, test to report
what it is worth. Pairs whose images were scaled separately are left out. Simulated images are
added to the former.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import autodip
from autodip.datasets import own_pairs
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate
from autodip.report.page.expected import expected
from autodip.runs.plane_records import PlaneRecord


def pairs(
    folders: list[Path], limit: int, role: str
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    for microscope in ("confocal", "twophoton", "widefield") if role == "calibration" else ():
        for specimen in ("mito", "nucleus", "actin"):
            optics = Optics(microscope=microscope)
            yield (
                f"simulated {microscope} {specimen}",
                *simulate(specimen, optics, size=256, seed=5),
            )
    for folder in folders:
        seen: dict[str, int] = {}
        for pair in own_pairs.scan(folder).pairs:
            group = f"{pair.dataset} {pair.group} {pair.noise_level}"
            if pair.role != role:
                continue
            seen[group] = seen.get(group, 0) + 1
            if not pair.stretched and seen[group] <= limit:
                yield f"{pair.dataset} {pair.name}", *pair.read()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, default=1)
    parser.add_argument("--role", choices=("calibration", "test"), default="calibration")
    given = parser.parse_args()
    differences, seen = [], set()
    for name, noisy, truth in pairs(given.folders, given.limit, given.role):
        if noisy.tobytes() in seen:  # some sets share images
            continue
        seen.add(noisy.tobytes())
        result = autodip.denoise(noisy, device="cpu")
        plane = PlaneRecord.of(result.planes[0])
        found = expected(plane, result.image)
        if found is None:
            print(f"{name:60} not predicted")
            continue
        error = float(np.sqrt(np.mean((result.image.astype(float) - truth) ** 2)))
        difference = 20 * np.log10(error / found.error)
        differences.append(difference)
        print(f"{name:60} own estimate {found.own:5.2f} dB, {difference:+5.2f} dB too high")
    print(
        f"{len(differences)} images: mean {np.mean(differences):+.2f} dB, standard deviation "
        f"{np.std(differences, ddof=1):.2f} dB, from {min(differences):+.2f} to "
        f"{max(differences):+.2f} dB"
    )


if __name__ == "__main__":
    main()
