"""Calibration on the workers of a cluster, which share the folder of the base."""

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
    """One configuration, and the images that a device fits at the same time."""

    base: Path
    device: str
    options: Sweep
    pairs: tuple[Pair, ...]
    config: Config


def spread(
    cluster: Cluster,
    work: tuple[Path, str, Sweep],
    pairs: Sequence[Pair],
    configs: Sequence[Config],
) -> Iterator[Attempt]:
    """Run all configurations on all images; an image that cannot be read yields one row.

    If a worker dies, only its running fits are lost; another worker runs them again.

    Parameters
    ----------
    cluster : Cluster
    work : tuple of Path, str and Sweep
        Absolute path of the base (the workers must find it, and the images, at the same paths),
        name of a torch device of the workers, and how the grid is run.
    pairs, configs
        As in :func:`autodip.calibration.calibrate`.
    """
    base, device, sweep = work
    size = BATCH if device.startswith("cuda") else 1
    cells = [
        _Cell(base, device, sweep, tuple(pairs[start : start + size]), config)
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
    """Work of this worker, cached so that the base is not read again for every cell.

    ``created`` makes the cache distinguish bases that were created in the same folder.
    """
    return Work(store.create(base), device, options)
