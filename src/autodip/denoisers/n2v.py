"""Noise2Void (Krull et al., CVPR 2019): a U-Net that never sees the pixel it is to predict.

A few pixels of each patch are each overwritten by a neighbour; the network is trained to
predict their noisy values. From the neighbours it can predict the structure, but not the noise,
provided that the noise of neighbouring pixels is independent.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from autodip.denoisers import learn
from autodip.denoisers.context import Context, Denoised
from autodip.image.scaling import Scale

ITERATIONS = 600
"""Adam steps; chosen on calibration images, such that no image takes more than a minute."""

BATCH, PATCH = 16, 64
"""Patches per step (as in the release), and their side length in pixels (as in the paper)."""

CELL = 8
"""Side length of a cell, in which one pixel is masked, 1.6 % of all (paper: 64 of 64 x 64)."""

RADIUS = 5
"""Largest distance along Y and X of the neighbour that is copied, as in the release."""

RATE, DECAY, DECAYS = 1e-3, 0.5, 4
"""Learning rate (0.0004 in the paper, with far more steps), decay factor, decay intervals."""

DEPTH, CHANNELS = 2, 16
"""Number of down-samplings of the U-Net, and channels at its finest scale (release: 32)."""


def denoise(image: np.ndarray, context: Context) -> Denoised:
    """Denoise an image (Y, X) by a small Noise2Void network trained on it alone.

    Raises
    ------
    ImageError
        If a pixel is NaN or infinite, or all pixels are equal.
    """
    scale = Scale.of(image)
    noisy = learn.to_tensor(scale.apply(image), context.device)
    std, mean = torch.std_mean(noisy)
    normal = (noisy - mean) / std
    network = learn.build(_UNet, context)
    generator = torch.Generator().manual_seed(context.seed)
    learn.train(
        network,
        lambda: loss(network, patches(normal, generator), generator),
        ITERATIONS,
        rate=RATE,
        decay=DECAY,
        decay_every=max(1, ITERATIONS // DECAYS),
    )
    result = _predict(network, normal) * std + mean
    chosen = {
        "iterations": ITERATIONS,
        "batch": BATCH,
        "channels": CHANNELS,
        "depth": DEPTH,
        "precision": learn.precision(context.device),
    }
    return Denoised(learn.to_image(result, scale), chosen)


def patches(image: Tensor, generator: torch.Generator) -> Tensor:
    """Cut patches at random positions, all rotated and mirrored in the same random manner.

    Parameters
    ----------
    image : Tensor, shape (1, 1, Y, X)
    generator : Generator
        On the CPU, so that the choice does not depend on the device.

    Returns
    -------
    Tensor, shape (BATCH, 1, n, n)
        n is ``PATCH``, or the largest multiple of ``CELL`` that fits a smaller image.
    """
    rows, columns = image.shape[-2:]
    side = min(PATCH, rows // CELL * CELL, columns // CELL * CELL)
    top = torch.randint(rows - side + 1, (BATCH,), generator=generator)
    left = torch.randint(columns - side + 1, (BATCH,), generator=generator)
    cut = torch.cat(
        [image[..., y : y + side, x : x + side] for y, x in zip(top, left, strict=True)]
    )
    turns, mirror = torch.randint(4, (2,), generator=generator).tolist()
    cut = torch.rot90(cut, turns, (2, 3))
    return cut.flip(3) if mirror % 2 else cut


def mask(cut: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Overwrite one pixel in every cell by a neighbour that is not overwritten itself.

    Parameters
    ----------
    cut : Tensor, shape (B, 1, n, n)
        n is a multiple of ``CELL``.
    generator : Generator
        On the CPU.

    Returns
    -------
    masked : Tensor, shape (B, 1, n, n)
        Patches that contain no original value of any masked pixel.
    at : Tensor of int64, shape (B, k)
        Indices of the masked pixels in the flattened patch.
    """
    count, _, side, _ = cut.shape
    cells = side // CELL
    shape = (count, cells, cells)
    y = torch.randint(CELL, shape, generator=generator) + CELL * torch.arange(cells)[:, None]
    x = torch.randint(CELL, shape, generator=generator) + CELL * torch.arange(cells)
    at = (y * side + x).flatten(1)
    hidden = torch.zeros(count, side * side, dtype=torch.bool).scatter_(1, at, value=True)
    source = at.clone()
    while bool((again := hidden.gather(1, source)).any()):
        drawn = [
            torch.randint(-RADIUS, RADIUS + 1, at.shape, generator=generator) for _ in range(2)
        ]
        near_y = (y.flatten(1) + drawn[0]).clamp(0, side - 1)
        near_x = (x.flatten(1) + drawn[1]).clamp(0, side - 1)
        source = torch.where(again, near_y * side + near_x, source)
    at, source = at.to(cut.device), source.to(cut.device)
    flat = cut.flatten(1)
    return flat.scatter(1, at, flat.gather(1, source)).view_as(cut), at


def loss(network: nn.Module, cut: Tensor, generator: torch.Generator) -> Tensor:
    """Mean squared error at the masked pixels of patches (B, 1, n, n)."""
    masked, at = mask(cut, generator)
    layout = torch.channels_last if cut.device.type == "cpu" else torch.contiguous_format
    with learn.fast(cut.device.type):
        output = network(masked.contiguous(memory_format=layout))
    return F.mse_loss(output.flatten(1).gather(1, at).float(), cut.flatten(1).gather(1, at))


def _predict(network: nn.Module, image: Tensor) -> Tensor:
    """Output for an unmasked image (1, 1, Y, X) of any size."""
    rows, columns = image.shape[-2:]
    unit = 2**DEPTH
    padding = (0, -columns % unit, 0, -rows % unit)
    network.eval()
    with torch.no_grad():
        output: Tensor = network(F.pad(image, padding, mode="reflect"))
    return output[..., :rows, :columns]


def _block(channels_in: int, channels: int) -> nn.Sequential:
    """Two 3 x 3 convolutions, each with batch normalisation and ReLU."""
    layers: list[nn.Module] = []
    for n in (channels_in, channels):
        layers += [nn.Conv2d(n, channels, 3, padding=1, bias=False)]
        layers += [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


class _UNet(nn.Module):
    """U-Net (Ronneberger et al. 2015): max pooling, nearest up-sampling, linear output."""

    def __init__(self) -> None:
        super().__init__()
        widths = [CHANNELS * 2**n for n in range(DEPTH + 1)]
        self.down = nn.ModuleList(
            _block(a, b) for a, b in zip([1, *widths[:-1]], widths, strict=True)
        )
        self.up = nn.ModuleList(_block(a + b, a) for a, b in pairwise(widths))
        self.head = nn.Conv2d(CHANNELS, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, 1, Y, X) to the same shape; Y and X are multiples of ``2**DEPTH``."""
        skips = []
        for level, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if level else x)
            skips.append(x)
        x = skips.pop()
        for block in reversed(self.up):
            x = block(torch.cat([skips.pop(), F.interpolate(x, scale_factor=2.0)], 1))
        output: Tensor = self.head(x)
        return output
