"""Cells of a calibration on the workers of a cluster, which share the folder of the base."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from autodip.bases import store
from autodip.bases.records import Config
from autodip.calibration.sweep import Attempt, Sweep
from autodip.calibration.work import BATCH, Work
from autodip.compute.cluster import Cluster
from autodip.datasets.pair import Pair


@dataclass(frozen=True)
class _Cell:
    """One configuration on the images that a device fits at once."""

    base: Path
    device: str
    options: Sweep
    pairs: tuple[Pair, ...]
    config: Config


def spread(
    cluster: Cluster,
    base: Path,
    device: str,
    options: Sweep,
    pairs: Sequence[Pair],
    configs: Sequence[Config],
) -> Iterator[Attempt]:
    """All configurations on all images; an image that cannot be read has one row.

    A worker that dies loses its running fits; another one runs them again.

    Parameters
    ----------
    cluster : Cluster
    base : Path
        Absolute; the workers see it, and the images, at the same place.
    device : str
        Name of a torch device of the workers.
    options, pairs, configs
        As in :func:`autodip.calibration.calibrate`.
    """
    size = BATCH if device.startswith("cuda") else 1
    cells = [
        _Cell(base, device, options, tuple(pairs[start : start + size]), config)
        for start in range(0, len(pairs), size)
        for config in configs
    ]
    unread: set[str] = set()
    for number, outcome in cluster.attempts(_rows, cells):
        if isinstance(outcome, Exception):
            cell = cells[number]
            for pair in cell.pairs:
                yield Attempt(0, 0, pair.name, cell.config, "failed", reason=str(outcome))
            continue
        for row in outcome:
            if row.config is not None or row.name not in unread:
                yield row
            if row.config is None:
                unread.add(row.name)


def _rows(cell: _Cell) -> list[Attempt]:
    created = str(store.read_head(cell.base).get("created", ""))
    work = _work(cell.base, created, cell.device, cell.options)
    return list(work.stage(cell.pairs, [cell.config]))


@lru_cache(maxsize=1)
def _work(base: Path, created: str, device: str, options: Sweep) -> Work:
    """Work of this worker; it knows what it has done, in the base that was created then."""
    return Work(store.create(base), device, options)
