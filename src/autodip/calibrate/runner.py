"""Images × configurations, as rows; what is recorded is not run again."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

from autodip import device as devices
from autodip.bases import store
from autodip.bases.records import Config
from autodip.calibrate.halving import better_half, kept_of, shortened
from autodip.calibrate.rows import Options, Row
from autodip.calibrate.work import Work
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
) -> Iterator[Row]:
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
        As in :class:`Options`.

    Yields
    ------
    Row

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
    options = Options(device, seed, crop, keep_images, lpips, halving)
    configs = [_checked(config, options.seed) for config in grid]
    if not pairs or not configs:
        raise ParameterError(f"{len(pairs)} images and {len(configs)} configurations to run")
    place = devices.resolve(options.device)
    begun = store.create(base)
    work = Work(begun, place, options)
    if not options.halving:
        work.total = len(pairs) * len(configs)
        yield from work.stage(pairs, configs)
        return
    short = [shortened(config) for config in configs]
    work.total = len(pairs) * (len(configs) + kept_of(len(configs)))
    yield from work.stage(pairs, short)
    better = better_half(short, store.load(base).runs)
    yield from work.stage(pairs, [configs[number] for number in better])


def _checked(config: Config, seed: int) -> Config:
    if config.fit.seeds > 1:
        raise ParameterError(
            f"network {config.net}: seeds is {config.fit.seeds}; a curve is that of one fit, use 1"
        )
    return dataclasses.replace(config, seed=seed, fit=config.fit.replace(noise_limit=None))
