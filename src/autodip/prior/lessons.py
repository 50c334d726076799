"""Training patches from own images, and the loss for each kind of target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from autodip.physics.anscombe import Stabiliser
from autodip.prior.apply import turned_lags
from autodip.prior.architecture import PriorNet
from autodip.prior.examples import Example
from autodip.prior.observation import Observation
from autodip.prior.recorruption import STRENGTH, NoiseModel, draw_noise, look, noise_model
from autodip.prior.shots import Data, Shot
from autodip.prior.training import loss_of


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """An own image, stabilised, with the noise that is told and what serves as target.

    Parameters
    ----------
    data : "pair", "capture" or "single"
    stable : ndarray, shape (Y, X)
    observed : Observation
        Noise seen in the residual of a first pass.
    deviation : ndarray, shape (Y, X)
    targets : ndarray, shape (n, Y, X)
        Stabilised truth; squares of the stabilised other captures; or the stabilised image.
    scale : ndarray, shape (Y, X)
        Standard deviation of the noise of a target; 1 for a truth.
    model : NoiseModel or None
        Noise of a single image, with which it is recorrupted; None for the other kinds.
    """

    data: Data
    stable: np.ndarray = field(repr=False)
    observed: Observation
    deviation: np.ndarray = field(repr=False)
    targets: np.ndarray = field(repr=False)
    scale: np.ndarray = field(repr=False)
    model: NoiseModel | None = None


@dataclass(frozen=True, kw_only=True)
class Patch:
    """A patch of a lesson in one orientation, or a simulated sample.

    Parameters
    ----------
    data : "pair", "capture" or "single"
    noisy, target, scale, deviation : ndarray, shape (Y, X)
    correlation : sequence of float
    """

    data: Data
    noisy: np.ndarray
    target: np.ndarray
    scale: np.ndarray
    deviation: np.ndarray
    correlation: Sequence[float]

    @classmethod
    def of(cls, sample: Example) -> Patch:
        """Patch of a simulated sample."""
        return cls(
            data="pair",
            noisy=sample.noisy,
            target=sample.truth,
            scale=np.ones_like(sample.truth),
            deviation=sample.deviation,
            correlation=tuple(sample.correlation),
        )


def prepare(net: PriorNet, shot: Shot, generator: np.random.Generator) -> Lesson:
    """Stabilise an image, observe its noise in the residual of a blind pass, and make its target.

    Parameters
    ----------
    net : PriorNet
        Network whose residual shows the noise.
    shot : Shot
    generator : numpy.random.Generator
    """
    first = look(net, shot.noisy, shot.noise)
    transform, stable, observed = first.transform, first.stable, first.observed
    deviation = observed.deviation(stable)
    one, model = np.ones_like(stable), None
    if shot.truth is not None:
        targets, scale = transform.forward(shot.truth)[None], one
    elif shot.others:
        targets = np.stack([square_of(other, transform) for other in shot.others])
        # Derivative of the square: intensities, which are linear, have a noise of this strength.
        scale = 2 * np.maximum(first.result, 0.5) * deviation
    else:
        model = noise_model(net, stable, observed, generator)
        targets, scale = (stable + model.lowered)[None], model.deviation
    return Lesson(
        data=shot.data,
        stable=stable,
        observed=observed,
        deviation=deviation,
        targets=targets,
        scale=scale,
        model=model,
    )


def square_of(image: np.ndarray, transform: Stabiliser) -> np.ndarray:
    """Square of the stabilised grey values, a linear function of them; may be negative."""
    photons = (image - transform.black) / transform.gain
    return np.asarray(4 * (photons + 3 / 8 + transform.read**2))


def draw_patch(lesson: Lesson, side: int, generator: np.random.Generator) -> Patch:
    """Draw a square patch of a lesson in one of eight orientations."""
    rows, columns = lesson.stable.shape
    top, left = generator.integers(rows - side + 1), generator.integers(columns - side + 1)
    number = int(generator.integers(8))
    window = (slice(top, top + side), slice(left, left + side))
    noisy, scale, deviation = lesson.stable, lesson.scale, lesson.deviation
    target = lesson.targets[generator.integers(len(lesson.targets))][window]
    noisy, scale, deviation = noisy[window], scale[window], deviation[window]
    if lesson.model is not None:
        noise = scale * draw_noise(lesson.model.covariance, (side, side), generator)
        noisy, target = noisy + STRENGTH * noise, target - noise / STRENGTH
        deviation = deviation * np.sqrt(1 + STRENGTH**2)
    return Patch(
        data=lesson.data,
        noisy=_turned(noisy, number),
        target=_turned(target, number),
        scale=_turned(scale, number),
        deviation=_turned(deviation, number),
        correlation=turned_lags(lesson.observed.correlation, number),
    )


def _turned(image: np.ndarray, number: int) -> np.ndarray:
    """One of eight orientations, numbered as in :func:`autodip.prior.apply.denoise_stable`."""
    image = np.rot90(image, number % 4)
    return image[:, ::-1] if number >= 4 else image


def batch_of(patches: Sequence[Patch]) -> tuple[Tensor, ...]:
    """Noisy images, targets, scales and deviations (N, 1, Y, X), and correlations (N, 8)."""
    images = [
        torch.from_numpy(np.stack([getattr(patch, name) for patch in patches]).astype(np.float32))
        for name in ("noisy", "target", "scale", "deviation")
    ]
    lags = np.array([patch.correlation for patch in patches], np.float32)
    return (*(image[:, None] for image in images), torch.from_numpy(lags))


def mixed_loss(result: Tensor, target: Tensor, scale: Tensor, data: Sequence[Data]) -> Tensor:
    """Mean loss of a batch (N, 1, Y, X) of several kinds of data.

    Truths have the loss of the training. Noisy targets need squared errors, whose minimum noise
    in the target does not move: for captures those of intensities, for single images those of
    stabilised values, both in units of the noise.
    """
    total = result.new_zeros(())
    for kind in dict.fromkeys(data):
        chosen = [number for number, one in enumerate(data) if one == kind]
        found, wanted = result[chosen], target[chosen]
        if kind == "pair":
            loss = loss_of(found, wanted)
        else:
            value = found.square() if kind == "capture" else found
            loss = ((value - wanted) / scale[chosen]).square().mean()
        total = total + len(chosen) / len(data) * loss
    return total
