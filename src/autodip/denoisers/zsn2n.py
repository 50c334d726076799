"""Zero-Shot Noise2Noise (Mansour and Heckel, CVPR 2023): two half-size copies, one small network.

The means of the two diagonals of every 2 x 2 block are two images of the same scene with
independent noise. A small network learns to predict the noise of each, such that subtracting it
gives the other, and to do so consistently before and after down-sampling.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from autodip.denoisers import learn
from autodip.denoisers.context import Context, Denoised
from autodip.image.scaling import Scale

ITERATIONS = 2000
"""Adam steps; 2000 or 3000 in the published programs."""

RATE, DECAY, DECAY_EVERY = 1e-3, 0.5, 1000
"""Learning rate, halved every 1000 steps, as in the paper."""

CHANNELS = 48


def denoise(image: np.ndarray, context: Context) -> Denoised:
    """Denoise an image (Y, X) by Zero-Shot Noise2Noise.

    Settings are those of the paper; the result is not clipped to the range of the input.

    Raises
    ------
    ImageError
        If a pixel is NaN or infinite, or all pixels are equal.
    """
    scale = Scale.of(image)
    noisy = learn.to_tensor(scale.apply(image), context.device)
    network = learn.build(_network, context)
    learn.train(
        network,
        lambda: loss(network, noisy),
        ITERATIONS,
        rate=RATE,
        decay=DECAY,
        decay_every=DECAY_EVERY,
    )
    with torch.no_grad():
        result = noisy - network(noisy)
    chosen = {
        "iterations": ITERATIONS,
        "learning_rate": RATE,
        "channels": CHANNELS,
        "precision": learn.precision(context.device),
    }
    return Denoised(learn.to_image(result, scale), chosen)


def halves(image: Tensor) -> tuple[Tensor, Tensor]:
    """Means of the anti-diagonal and of the diagonal of every 2 x 2 block.

    Parameters
    ----------
    image : Tensor, shape (1, 1, Y, X)
        The last row or column is ignored if their number is odd.

    Returns
    -------
    tuple of Tensor, both of shape (1, 1, Y // 2, X // 2)
    """
    image = image[..., : image.shape[-2] // 2 * 2, : image.shape[-1] // 2 * 2]
    top, bottom = image[..., ::2, :], image[..., 1::2, :]
    anti = (top[..., 1::2] + bottom[..., ::2]) / 2
    main = (top[..., ::2] + bottom[..., 1::2]) / 2
    return anti, main


def loss(network: nn.Module, noisy: Tensor) -> Tensor:
    """Residual loss plus consistency loss, as the paper defines them.

    Parameters
    ----------
    network : Module
        Predicts the noise of an image (1, 1, Y, X).
    noisy : Tensor, shape (1, 1, Y, X)
        Noisy image in [0, 1].
    """
    pair = torch.cat(halves(noisy))
    with learn.fast(noisy.device.type):
        clean = pair - network(pair)
        after = torch.cat(halves(noisy - network(noisy)))
    # The mean over both halves is half the sum of their means.
    return F.mse_loss(clean, pair.flip(0)) + F.mse_loss(clean, after)


def _network() -> nn.Module:
    """Two 3 x 3 convolutions and a 1 x 1 convolution; about 21,000 weights."""
    return nn.Sequential(
        nn.Conv2d(1, CHANNELS, 3, padding=1),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(CHANNELS, 1, 1),
    )
