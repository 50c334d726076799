"""Fits to the planes of one channel in sequence: frames of a film, slices of a stack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from autodip.fit.loop import Step, mean_of, run_batch
from autodip.fit.objective import Objective
from autodip.fit.optimise import FitBatch
from autodip.fit.params import FitParams, NetParams
from autodip.image.scaling import Scale
from autodip.physics.noise import Noise

LESS = 10
"""Factor by which the iterations are reduced for an image similar to the one before it."""

WARM_AVERAGE = 0.9
"""Upper limit of ``average`` for such an image, so that the average forgets the image before."""


UNEXPLAINED = 0.5
"""Largest share of a plane's structure that the result before it may leave unexplained."""

_LITTLE, _SHARE = 0.3, 0.45
"""Change, in units of the noise power, for which the minimum number of iterations suffices, and
share of the iterations of a fit from scratch that each further unit adds."""


class Course:
    """Fits to the planes of a channel, each from the weights of the plane before it.

    All planes share one intensity scale. A plane that differs too much from the result before it
    (the scene has changed) is fitted from scratch.

    Parameters
    ----------
    net, params : NetParams, FitParams
    seed : int
    device : str
    scale : Scale
        Intensity scale of all planes.
    """

    def __init__(
        self, net: NetParams, params: FitParams, seed: int, device: str, scale: Scale
    ) -> None:
        seeds = [(seed + number) % 2**32 for number in range(params.seeds)]
        self._series = Series(net, params, seeds=seeds, device=device)
        self._before: np.ndarray | None = None
        self.scale = scale
        self.follows = False

    def steps(self, plane: np.ndarray, noise: Noise | None) -> Iterator[Step]:
        """Fit the next plane (Y, X), in units of the image; steps are on the scale ``scale``.

        From the first step on, ``follows`` states whether the fit continues from the plane before.
        """
        share = 1.0
        self.follows = False
        if self._before is not None:
            change = Change.of(plane, self._before, noise)
            self.follows, share = change.unexplained <= UNEXPLAINED, change.share
        scaled = self.scale.apply(plane)
        for steps in self._series.fit(scaled, anew=not self.follows, share=share):
            yield mean_of(steps)

    def keep(self, result: np.ndarray) -> None:
        """Store the result (Y, X) of a plane, in units of the image, for the plane that follows."""
        self._before = result


@dataclass(frozen=True)
class Change:
    """Difference between a noisy plane and the result before it.

    Parameters
    ----------
    unexplained : float
        Power of the difference minus the noise power, divided by the power of the plane's
        structure: 0 for equal scenes, 1 or more for different scenes.
    to_noise : float
        Power of the difference minus the noise power, divided by the noise power; 0 if the noise
        is not known.
    """

    unexplained: float
    to_noise: float

    @classmethod
    def of(cls, plane: np.ndarray, before: np.ndarray, noise: Noise | None) -> Change:
        """Change from a result to the noisy plane that follows; both (Y, X), in the same units."""
        data = plane.astype(np.float64)
        power = 0.0 if noise is None else float(np.mean(noise.std(before) ** 2))
        structure = max(float(data.var()) - power, 0.1 * power, 1e-30)
        excess = max(float(np.mean((data - before) ** 2)) - power, 0.0)
        return cls(excess / structure, excess / power if power else 0.0)

    @property
    def share(self) -> float:
        """Share of the iterations of a fit from scratch that this change requires."""
        return min(1.0, 1 / LESS + _SHARE * max(0.0, self.to_noise - _LITTLE))


class Series:
    """Fits to one image after the other, each from the weights of the one before it.

    What the frames of a film or the planes of a stack have in common is learnt once: an image that
    is similar to the one before it takes a tenth of the iterations (:func:`warm`).

    Parameters
    ----------
    net, params : NetParams, FitParams
        Architecture, and how the first image is fitted.
    seeds : sequence of int
        One fit is run for each seed; see :func:`mean_of`.
    device : str
        Name of a torch device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    objective : Objective, optional
        What the fits minimise, as in :func:`autodip.fit.loop.fit`.
    """

    def __init__(
        self,
        net: NetParams,
        params: FitParams,
        *,
        seeds: Sequence[int] = (0,),
        device: str = "cpu",
        objective: Objective | None = None,
    ) -> None:
        self._net, self._params, self._seeds, self._device = net, params, seeds, device
        self._objective = objective
        self._batch: FitBatch | None = None

    def fit(
        self,
        image: np.ndarray,
        *,
        anew: bool = False,
        share: float = 1 / LESS,
        every: int | None = None,
    ) -> Iterator[list[Step]]:
        """Fit the next image.

        Parameters
        ----------
        image : ndarray, float, shape (Y, X)
            Noisy image, on one scale in [0, 1] for the whole series.
        anew : bool
            Start from random weights, as for the first image; for use when the scene has changed.
        share : float
            Share of the iterations of the first image; larger if the image differs more.
        every : int, optional
            Number of iterations between yields, as in :func:`autodip.fit.loop.fit`.

        Yields
        ------
        list of Step
            One for each seed.

        Raises
        ------
        ParameterError
            If the shape differs from that of the first image, or is too small for the depth of
            the network.
        FitError
            If one of the fits keeps diverging although it is restored from a checkpoint each time.
        """
        images, params = [image] * len(self._seeds), self._params
        if self._batch is None or anew:
            self._batch = FitBatch(
                images,
                self._net,
                params,
                self._seeds,
                self._device,
                objective=self._objective,
            )
        else:
            params = warm(params, share)
            self._batch.follow(images, params)
        yield from run_batch(self._batch, params, self._device, every)


def warm(params: FitParams, share: float = 1 / LESS) -> FitParams:
    """Parameters of a fit that continues from another: fewer iterations, a shorter average."""
    iterations = max(1, round(params.iterations * share))
    return params.replace(iterations=iterations, average=min(params.average, WARM_AVERAGE))
