"""Images × configurations, as rows; what is recorded is not run again."""

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
    *,
    device: str = "auto",
    seed: int = 0,
    crop: int = 0,
    keep_images: bool = False,
    lpips: bool = True,
    halving: bool = False,
    cluster: Cluster | None = None,
) -> Iterator[Attempt]:
    """Run every configuration on every image, and record the curves in a base.

    Each run is written as soon as it is finished, and what is recorded is not run again: a stop
    at any moment loses the running fits alone. Several processes may fill one base. On an
    accelerator, images of one shape are fitted at once.

    Parameters
    ----------
    pairs : sequence of Pair
    grid : sequence of Config
        Their seed is replaced by ``seed``, and their limit by noise left out.
    base : Path
        Folder; made where it is not there.
    device, seed, crop, keep_images, lpips, halving
        As in :class:`Sweep`.
    cluster : Cluster, optional
        Its workers run the configurations; they see ``base`` and the images at the same places.

    Yields
    ------
    Attempt

    Raises
    ------
    ParameterError
        If there is no pair or configuration, a configuration averages seeds, or an option is not
        allowed.
    FormatError, OutputError
        If the base cannot be read or written.
    DeviceError
        If the device is not there.
    """
    options = Sweep(device, seed, crop, keep_images, lpips, halving)
    configs = [_checked(config, options.seed) for config in grid]
    if not pairs or not configs:
        raise ParameterError(f"{len(pairs)} images and {len(configs)} configurations to run")
    begun = store.create(base)
    stage = _stage(begun, options, cluster)
    total = len(pairs) * len(configs)
    if options.halving:
        total += len(pairs) * kept_of(len(configs))
    number = 0
    for row, runs in _stages(stage, begun, pairs, configs, options.halving):
        number += runs
        yield dataclasses.replace(row, number=number, total=total)


_Stage = Callable[[Sequence[Pair], Sequence[Config]], Iterator[Attempt]]


def _stage(base: Base, options: Sweep, cluster: Cluster | None) -> _Stage:
    """Runs configurations on images, here or on a cluster."""
    if cluster is None:
        return Work(base, devices.resolve(options.device), options).stage
    device = cluster.device(options.device)
    return partial(spread, cluster, base.path.absolute(), device, options)


def _stages(
    stage: _Stage, base: Base, pairs: Sequence[Pair], configs: Sequence[Config], halving: bool
) -> Iterator[tuple[Attempt, int]]:
    """Rows, and for how many runs each stands: all of an image that could not be read."""
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
            f"network {config.net}: seeds is {config.fit.seeds}; a curve is that of one fit, use 1"
        )
    return dataclasses.replace(config, seed=seed, fit=config.fit.replace(noise_limit=None))
