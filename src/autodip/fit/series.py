"""The planes of one channel, one after the other: frames of a film, slices of a stack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from autodip.fit.loop import Step, mean_of, run_batch
from autodip.fit.optimise import FitBatch
from autodip.fit.params import FitParams, NetParams
from autodip.image.scaling import Scale
from autodip.physics.noise import Noise

LESS = 10
"""An image that follows one like it takes so many times fewer iterations."""

WARM_AVERAGE = 0.9
"""Factor of the average of outputs there at most, which is to forget the image before."""


UNEXPLAINED = 0.5
"""Share of a plane's structure that the result before it may leave unexplained."""

_LITTLE, _SHARE = 0.3, 0.45
"""Change in units of the noise's power that the fewest iterations learn, and the share of those of
a fit from scratch that each further unit takes."""


class Course:
    """Fits to the planes of a channel, each from the weights of the plane before it.

    All planes have one intensity scale. Where a plane is too unlike the result before it (the
    scene has changed), it is fitted from scratch.

    Parameters
    ----------
    net, params : NetParams, FitParams
    seed : int
    device : str
    scale : Scale
        That of all planes.
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
        """Fit the next plane (Y, X), in its own units; steps are on the scale ``scale``.

        ``follows`` says from then on whether the fit began from the plane before.
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
        """Remember the result (Y, X) of a plane, in its own units, for the one that follows."""
        self._before = result


@dataclass(frozen=True)
class Change:
    """How a noisy plane differs from the result before it.

    Parameters
    ----------
    unexplained : float
        Power of the difference, less the noise's, over that of the plane's structure: 0 for
        equal scenes, 1 and more for unlike ones.
    to_noise : float
        The same power over that of the noise; 0 where the noise is not known.
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
        """Share of the iterations of a fit from scratch that learn it."""
        return min(1.0, 1 / LESS + _SHARE * max(0.0, self.to_noise - _LITTLE))


class Series:
    """Fits to one image after the other, each from the weights of the one before it.

    What frames of a film or planes of a stack have in common is learnt once: an image that follows
    one like it takes a tenth of the iterations (:func:`warm`).

    Parameters
    ----------
    net, params : NetParams, FitParams
        Architecture, and how the first image is fitted.
    seeds : sequence of int
        One fit from each; see :func:`mean_of`.
    device : str
        Name of a torch device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    """

    def __init__(
        self, net: NetParams, params: FitParams, *, seeds: Sequence[int] = (0,), device: str = "cpu"
    ) -> None:
        self._net, self._params, self._seeds, self._device = net, params, seeds, device
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
            Noisy, on one scale in [0, 1] for the whole series.
        anew : bool
            Start from random weights, as for the first image and where the scene has changed.
        share : float
            Of the iterations of the first image; more where the image differs more.
        every : int, optional
            Iterations between yields, as in :func:`fit`.

        Yields
        ------
        list of Step
            One for each seed.

        Raises
        ------
        ParameterError
            If the shape is another, or too small for the depth of the network.
        FitError
            If the loss of one of the fits becomes infinite again and again.
        """
        images, params = [image] * len(self._seeds), self._params
        if self._batch is None or anew:
            self._batch = FitBatch(images, self._net, params, self._seeds, self._device)
        else:
            params = warm(params, share)
            self._batch.follow(images, params)
        yield from run_batch(self._batch, params, self._device, every)


def warm(params: FitParams, share: float = 1 / LESS) -> FitParams:
    """Fit of an image that follows another: a share of the iterations, a shorter average."""
    iterations = max(1, round(params.iterations * share))
    shorter: FitParams = params.replace(
        iterations=iterations, average=min(params.average, WARM_AVERAGE)
    )
    return shorter
