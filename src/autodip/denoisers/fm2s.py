"""Denoising learned from simulated noise, after FM2S (Liu et al. 2024, arXiv 2412.10031).

The median-filtered image stands in for the truth. Noise is added to it repeatedly, per region
and over the whole image, and a tiny network learns to remove it; the network is then applied
to the noisy image itself.

The method differs from the paper in these points, hence the name "FM2S-like":

- The paper lists the strength of the added noise for each microscope and noise level. Here the
  strength and the correlation are estimated from the image (``autodip.physics.estimate``).
- The noise is Gaussian with the variance of Poisson-Gaussian noise, not clipped to [0, 1].
- The wider median filter and the single input channel, which the paper uses for widefield
  images, are used if the estimated noise is correlated; the filter is narrower than theirs.
- There are fewer Adam steps; their number was chosen on calibration images.
- The second stage of the paper's second version is omitted.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from scipy.ndimage import median_filter
from torch import Tensor, nn

from autodip.denoisers import learn
from autodip.denoisers.context import Context, Denoised
from autodip.image.scaling import Scale
from autodip.physics.estimate import estimate_noise
from autodip.physics.noise import Noise

SAMPLES, STEPS = 48, 10
"""Number of noisy versions of the filtered image, and of Adam steps on each."""

RATE, DECAY, DECAY_EVERY = 1e-3, 0.5, 240
"""Learning rate, the factor by which it decays, and the number of steps between decays."""

REGION = 75
"""Side length of a region in pixels, as in the paper."""

REGIONAL, OVERALL = 1.0, 1.5
"""Standard deviations of the two parts of the added noise, relative to the estimated noise.

They were chosen on calibration images, the second from 1, 1.5 and 2.
"""

NARROW, WIDE = 3, 5
"""Side length (pixels) of the median filter for white and for correlated noise (paper: 11)."""

CORRELATED = 0.3
"""Correlation of neighbouring pixels from which noise counts as correlated."""


def denoise(image: np.ndarray, context: Context) -> Denoised:
    """Denoise an image (Y, X) by a network trained on simulated noise.

    Raises
    ------
    ImageError
        If a pixel is NaN or infinite, or all pixels are equal.
    """
    scale = Scale.of(image)
    scaled = scale.apply(image)
    noise = measure(scaled)
    correlated = max(noise.correlation) >= CORRELATED
    window, copies = (WIDE, 1) if correlated else (NARROW, 2)
    filtered = median_filter(scaled, window, mode="reflect")
    network = learn.build(lambda: _network(copies), context)
    _train(network, filtered, noise, copies, context)
    with torch.no_grad():
        noisy = learn.to_tensor(scaled, context.device).repeat(1, copies, 1, 1)
        result = network(noisy).mean(1, keepdim=True)
    chosen = {
        "iterations": SAMPLES * STEPS,
        "median": window,
        "copies": copies,
        "sigma": noise.sigma * (scale.high - scale.low),
        "correlation": list(noise.correlation),
        "precision": learn.precision(context.device),
    }
    return Denoised(learn.to_image(result, scale), chosen)


def measure(image: np.ndarray) -> Noise:
    """Estimate the noise of an image (Y, X); axes below 64 pixels are extended by mirroring."""
    border = [(0, max(0, 64 - n)) for n in image.shape]
    noise = estimate_noise(np.pad(image, border, mode="symmetric"))
    assert noise is not None, "large enough, finite and not constant"
    return noise


def add_noise(
    image: np.ndarray, noise: Noise, copies: int, random: np.random.Generator
) -> np.ndarray:
    """Add noise of uniform strength within each region, and noise that depends on the signal.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
        Filtered image.
    noise : Noise
        Noise of the noisy image, in the same units.
    copies : int
        Number of independent noisy versions.
    random : Generator

    Returns
    -------
    ndarray, shape (copies, Y, X)
    """
    region = np.empty_like(image)
    for y in range(0, image.shape[0], REGION):
        for x in range(0, image.shape[1], REGION):
            part = np.s_[y : y + REGION, x : x + REGION]
            region[part] = noise.std(np.array(image[part].mean()))
    shape = (copies, *image.shape)
    regional = REGIONAL * region * _unit_noise(shape, noise.correlation, random)
    overall = OVERALL * noise.std(image) * _unit_noise(shape, noise.correlation, random)
    result: np.ndarray = image + regional + overall
    return result


def _unit_noise(
    shape: tuple[int, ...], correlation: tuple[float, float], random: np.random.Generator
) -> np.ndarray:
    """Gaussian noise of unit variance, shape (copies, Y, X).

    The correlation at distance d along Y and along X is ``correlation ** d**2``, as for white
    noise after a Gaussian blur. A correlation below ``CORRELATED`` is treated as 0, one above
    0.9 as 0.9.
    """
    noise = random.standard_normal(shape)
    for axis, neighbours in enumerate(correlation, 1):
        if neighbours < CORRELATED:
            continue
        step = np.arange(shape[axis])
        distance = np.minimum(step, shape[axis] - step)
        power = np.fft.rfft(min(neighbours, 0.9) ** (distance**2.0)).real
        filtered = np.fft.rfft(noise.swapaxes(axis, 2)) * np.sqrt(np.maximum(power, 0))
        noise = np.fft.irfft(filtered, shape[axis]).swapaxes(axis, 2)
    return noise


def _train(
    network: nn.Module, filtered: np.ndarray, noise: Noise, copies: int, context: Context
) -> None:
    """Train the network to recover the filtered image from noisy versions of it."""
    target = learn.to_tensor(filtered, context.device).repeat(1, copies, 1, 1)
    inputs = _inputs(filtered, noise, copies, context)

    def loss() -> Tensor:
        with learn.fast(context.device):
            return F.mse_loss(network(next(inputs)), target)

    learn.train(network, loss, SAMPLES * STEPS, rate=RATE, decay=DECAY, decay_every=DECAY_EVERY)


def _inputs(filtered: np.ndarray, noise: Noise, copies: int, context: Context) -> Iterator[Tensor]:
    """Yield ``SAMPLES`` noisy versions of shape (1, copies, Y, X), each ``STEPS`` times."""
    random = np.random.default_rng(context.seed)
    for _ in range(SAMPLES):
        sample = add_noise(filtered, noise, copies, random)
        tensor = torch.tensor(sample[None], dtype=torch.float32).to(context.device)
        yield from repeat(tensor, STEPS)


def _network(copies: int) -> nn.Module:
    """Three 3 x 3 convolutions; about 3,000 weights."""
    return nn.Sequential(
        nn.Conv2d(copies, 24, 3, padding=1),
        nn.LeakyReLU(1e-3, inplace=True),
        nn.Conv2d(24, 12, 3, padding=1),
        nn.LeakyReLU(1e-3, inplace=True),
        nn.Conv2d(12, copies, 3, padding=1),
    )
