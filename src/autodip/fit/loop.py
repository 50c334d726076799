"""The fit: an untrained network learns to reproduce one noisy image and is stopped early."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from autodip.errors import ParameterError
from autodip.fit.objective import Objective
from autodip.fit.optimise import FitBatch
from autodip.fit.params import FitParams, NetParams


@dataclass(frozen=True)
class Step:
    """State of a fit after an iteration.

    Parameters
    ----------
    iteration, iterations : int
        Number of iterations done, and total number of iterations.
    loss : float
        Data term of the objective at this iteration, by default the mean squared error to the
        noisy image (scaled to [0, 1]).
    fallbacks : int
        Number of times an earlier checkpoint has been restored so far.
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
    objective: Objective | None = None,
) -> Iterator[Step]:
    """Fit a deep image prior to one image (Ulyanov et al. 2018), step by step.

    Minimises the objective, by default the mean squared error between ``f_w(z)`` and the image,
    over the weights w with Adam; the input z is fixed uniform noise. Closing the generator stops
    the fit.

    Parameters
    ----------
    image : ndarray, float, shape (Y, X)
        Noisy image scaled to [0, 1].
    net, params : NetParams, FitParams
        Architecture, and how it is fitted.
    seed : int
        Determines weights and input; the same seed reproduces the fit on the same device.
    device : str
        Name of a torch device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    every : int, optional
        Number of iterations between the steps that are yielded. The default, 1 on the CPU and 25
        elsewhere, keeps an accelerator from waiting for the host. The last step is always yielded.
    objective : Objective, optional
        Data term, operator (a point spread function, for example) and regularisers.

    Yields
    ------
    Step

    Raises
    ------
    ParameterError
        If the image is too small for the depth of the network.
    FitError
        If the fit keeps diverging although it is restored from a checkpoint each time.
    """
    for (step,) in fit_many(
        [image], net, params, seeds=[seed], device=device, every=every, objective=objective
    ):
        yield step


def mean_of(steps: Sequence[Step]) -> Step:
    """Combine steps of several fits to one image: mean loss and result, sum of fallbacks."""
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
    objective: Objective | None = None,
) -> Iterator[list[Step]]:
    """Fit several images, or one image from several seeds, simultaneously.

    Each fit proceeds as it would alone in :func:`fit`, up to rounding; a fit that diverges
    returns to its own checkpoint. This saves time if a single small network leaves the device
    idle, as on an accelerator; on CUDA, an iteration is also recorded and replayed as one graph.
    On a CPU it takes as long as one fit after the other, or longer.

    Parameters
    ----------
    images : sequence of ndarray, float, shape (Y, X), or ndarray (N, Y, X)
        Noisy images scaled to [0, 1], all of one shape. A single image is used for all
        seeds.
    net, params : NetParams, FitParams
        Architecture, and how it is fitted.
    seeds : sequence of int
        One for each image; a single seed is used for all images.
    device : str
        Name of a torch device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    every, objective : optional
        As in :func:`fit`.

    Yields
    ------
    list of Step
        One for each fit, in the order of images or seeds.

    Raises
    ------
    ParameterError
        If the numbers of images and seeds do not match, the shapes differ, or an image is too
        small for the depth of the network.
    FitError
        If one of the fits keeps diverging although it is restored from a checkpoint each time.
    """
    n = max(len(images), len(seeds))
    if {len(images), len(seeds)} - {1, n} or n == 0:
        raise ParameterError(
            f"{len(images)} images and {len(seeds)} seeds; give the same number of each, or one of "
            "either"
        )
    images = [images[0]] * n if len(images) == 1 else list(images)
    seeds = [seeds[0]] * n if len(seeds) == 1 else list(seeds)
    batch = FitBatch(images, net, params, seeds, device, objective=objective)
    yield from run_batch(batch, params, device, every)


def run_batch(
    batch: FitBatch, params: FitParams, device: str, every: int | None
) -> Iterator[list[Step]]:
    """Run all iterations of a batch; yields the steps of its fits, as :func:`fit_many` does."""
    every = every or (1 if torch.device(device).type == "cpu" else 25)
    for iteration in range(1, params.iterations + 1):
        last = iteration == params.iterations
        batch.iterate(check=last or iteration % params.checkpoint_every == 0)
        if last or iteration % every == 0:
            yield [
                Step(iteration, params.iterations, float(one.loss), one.fallbacks, one.output)
                for one in batch.fits
            ]
