"""The fit: an untrained network learns to reproduce one noisy image and is stopped early."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from autodip.errors import ParameterError
from autodip.fit.optimise import FitBatch
from autodip.fit.params import FitParams, NetParams


@dataclass(frozen=True)
class Step:
    """State of a fit after an iteration.

    Parameters
    ----------
    iteration, iterations : int
        Iterations done, and iterations in all.
    loss : float
        Mean squared error to the noisy image (scaled to [0, 1]) at this iteration.
    fallbacks : int
        How often an earlier checkpoint was restored so far.
    output : callable
        Returns the result as of this step: float32 (Y, X) in [0, 1]. Valid only until
        the next step is taken; costs a copy from the device.
    """

    iteration: int
    iterations: int
    loss: float
    fallbacks: int
    output: Callable[[], np.ndarray] = field(repr=False, compare=False)


def fit(
    image: np.ndarray,
    net: NetParams,
    params: FitParams,
    *,
    seed: int = 0,
    device: str = "cpu",
    every: int | None = None,
) -> Iterator[Step]:
    """Fit a deep image prior to one image (Ulyanov et al. 2018), step by step.

    Minimises the mean squared error between ``f_w(z)`` and the image over the weights w
    with Adam; z is uniform noise, fixed. Closing the generator stops the fit.

    Parameters
    ----------
    image : ndarray, float, shape (Y, X)
        Noisy image scaled to [0, 1].
    net, params : NetParams, FitParams
        Architecture, and how it is fitted.
    seed : int
        Decides weights and input; the same seed repeats the fit on the same device.
    device : str
        Name of a torch device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    every : int, optional
        Iterations between the steps that are yielded; the default, 1 on the CPU and 25
        elsewhere, keeps an accelerator from waiting for the host. The last is always yielded.

    Yields
    ------
    Step

    Raises
    ------
    ParameterError
        If the image is too small for the depth of the network.
    FitError
        If the loss becomes infinite again and again.
    """
    for (step,) in fit_many([image], net, params, seeds=[seed], device=device, every=every):
        yield step


def mean_of(steps: Sequence[Step]) -> Step:
    """One step of the mean of several fits to one image: mean loss and mean result."""
    if len(steps) == 1:
        return steps[0]
    return Step(
        steps[0].iteration,
        steps[0].iterations,
        sum(step.loss for step in steps) / len(steps),
        sum(step.fallbacks for step in steps),
        lambda: np.mean([step.output() for step in steps], axis=0),
    )


def fit_many(
    images: Sequence[np.ndarray],
    net: NetParams,
    params: FitParams,
    *,
    seeds: Sequence[int] = (0,),
    device: str = "cpu",
    every: int | None = None,
) -> Iterator[list[Step]]:
    """Fit several images, or one from several seeds, at once.

    Each fit goes the way it goes alone in :func:`fit`, up to rounding; a fit that blows up
    returns to its own checkpoint. Pays where one small network leaves the device idle: on an
    accelerator, where an iteration is also recorded and replayed as one CUDA graph. On a CPU
    it takes as long as one fit after the other, or longer.

    Parameters
    ----------
    images : sequence of ndarray, float, shape (Y, X), or ndarray (N, Y, X)
        Noisy images scaled to [0, 1], all of one shape. A single one serves all seeds.
    net, params : NetParams, FitParams
        Architecture, and how it is fitted.
    seeds : sequence of int
        One for each image; a single one serves all images.
    device : str
        Name of a torch device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    every : int, optional
        Iterations between yields, as in :func:`fit`.

    Yields
    ------
    list of Step
        One for each fit, in the order of images or seeds.

    Raises
    ------
    ParameterError
        If numbers of images and seeds don't match, shapes differ, or an image is too small
        for the depth of the network.
    FitError
        If the loss of one of the fits becomes infinite again and again.
    """
    n = max(len(images), len(seeds))
    if {len(images), len(seeds)} - {1, n} or n == 0:
        raise ParameterError(
            f"{len(images)} images and {len(seeds)} seeds; give as many of each, or one of either"
        )
    images = [images[0]] * n if len(images) == 1 else list(images)
    seeds = [seeds[0]] * n if len(seeds) == 1 else list(seeds)
    yield from run_batch(FitBatch(images, net, params, seeds, device), params, device, every)


def run_batch(
    batch: FitBatch, params: FitParams, device: str, every: int | None
) -> Iterator[list[Step]]:
    """Do all iterations of a batch; yields the steps of its fits, as :func:`fit_many` does."""
    every = every or (1 if torch.device(device).type == "cpu" else 25)
    for iteration in range(1, params.iterations + 1):
        last = iteration == params.iterations
        batch.iterate(check=last or iteration % params.checkpoint_every == 0)
        if last or iteration % every == 0:
            yield [
                Step(iteration, params.iterations, float(one.loss), one.fallbacks, one.output)
                for one in batch.fits
            ]
