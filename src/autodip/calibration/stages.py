"""Calibration of images × configurations; runs that are already recorded are not repeated."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from autodip.bases import store
from autodip.bases.records import Config
from autodip.bases.store import Base
from autodip.calibration.halving import better_half, kept_of, shortened
from autodip.calibration.spread import spread
from autodip.calibration.sweep import Attempt, Sweep
from autodip.calibration.work import Work
from autodip.compute import device as devices
from autodip.compute.cluster import Cluster
from autodip.datasets.pair import Pair
from autodip.errors import ParameterError


def calibrate(
    pairs: Sequence[Pair],
    grid: Sequence[Config],
    base: Path,
    sweep: Sweep | None = None,
    *,
    cluster: Cluster | None = None,
) -> Iterator[Attempt]:
    """Run every configuration on every image, and record the curves in a base.

    Each run is written as soon as it is finished, and recorded runs are not repeated, so that an
    interruption loses only the running fits. Several processes may fill one base. On a CUDA
    device, images of the same shape are fitted at the same time.

    Parameters
    ----------
    pairs : sequence of Pair
    grid : sequence of Config
        Configurations; their seed is replaced by that of ``sweep``, and their noise limit by None.
    base : Path
        Folder of the base; created if it does not exist.
    sweep : Sweep, optional
        Options of the runs, including the device; by default ``Sweep()``.
    cluster : Cluster, optional
        Cluster whose workers run the configurations; they must find ``base`` and the images at
        the same paths.

    Yields
    ------
    Attempt
        Outcome of one image × configuration, or of an image that could not be read.

    Raises
    ------
    ParameterError
        If there are no pairs or no configurations, a configuration averages over seeds, or the
        name of the device is unknown.
    FormatError, OutputError
        If the base cannot be read or written.
    DeviceError
        If the device is not available.
    ClusterError
        If the name of the device refers to different devices on the workers.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np, autodip
    >>> from autodip.bases.records import Config
    >>> from autodip.datasets.pair import Pair
    >>> noisy, truth = autodip.sample(size=64)
    >>> pair = Pair(
    ...     *("mine", "cell 1", lambda: (np.asarray(noisy), truth), "confocal", "mito"),
    ...     noise_level="raw",
    ...     fov="1",
    ... )
    >>> grid = [Config(autodip.NetParams(2, 4), autodip.FitParams(20))]
    >>> [attempt.status for attempt in autodip.calibrate([pair], grid, Path("my-base"))]
    ['done']
    """
    sweep = sweep or Sweep()
    configs = [_checked(config, sweep.seed) for config in grid]
    if not pairs or not configs:
        raise ParameterError(f"{len(pairs)} images and {len(configs)} configurations to run")
    begun = store.create(base)
    stage = _stage(begun, sweep, cluster)
    total = len(pairs) * len(configs)
    if sweep.halving:
        total += len(pairs) * kept_of(len(configs))
    number = 0
    for row, runs in _stages(stage, begun, pairs, configs, sweep.halving):
        number += runs
        yield dataclasses.replace(row, number=number, total=total)


_Stage = Callable[[Sequence[Pair], Sequence[Config]], Iterator[Attempt]]


def _stage(base: Base, sweep: Sweep, cluster: Cluster | None) -> _Stage:
    """Function that runs configurations on images, in this process or on a cluster."""
    if cluster is None:
        return Work(base, devices.resolve(sweep.device), sweep).stage
    device = cluster.device(sweep.device)
    return partial(spread, cluster, (base.path.absolute(), device, sweep))


def _stages(
    stage: _Stage, base: Base, pairs: Sequence[Pair], configs: Sequence[Config], halving: bool
) -> Iterator[tuple[Attempt, int]]:
    """Rows, each with the number of runs it stands for: all of an image that cannot be read."""
    first = [shortened(config) for config in configs] if halving else configs
    for row in stage(pairs, first):
        yield row, 1 if row.config else len(first)
    if halving:
        better = better_half(first, store.load(base.path).runs)
        for row in stage(pairs, [configs[number] for number in better]):
            yield row, 1 if row.config else len(better)


def _checked(config: Config, seed: int) -> Config:
    if config.fit.seeds > 1:
        raise ParameterError(
            f"network {config.net}: seeds is {config.fit.seeds}; a curve belongs to one fit, use 1"
        )
    return dataclasses.replace(config, seed=seed, fit=config.fit.replace(noise_limit=None))
