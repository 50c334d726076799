"""The network of the prior: a residual U-Net on the variance-stabilised image.

The image is rearranged to half the resolution and four channels (pixel-unshuffle), which makes the
finest scale cheap. Every scale has a residual block of two 3x3 convolutions on the way down and on
the way up; scales are joined by addition. There is no normalisation, so that the result of a pixel
depends on its surroundings only and images can be cut into tiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from autodip.prior.observation import LAGS

_LEAK = 0.1
"""Slope of LeakyReLU below 0."""

_SCALE = 8.0
"""Stabilised values are divided by this, so that the network sees values around 1."""

_NEAR = 16
"""Side length of the blocks whose mean is subtracted, in pixels."""

CONDITIONS = 4 + len(LAGS) + 1
"""Channels that describe the noise: its deviation (4 pixels), its correlation, and 1 if known."""


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions, each followed by LeakyReLU, added to their input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, width, Y, X) to the same shape."""
        y = F.leaky_relu(self.first(x), _LEAK)
        return x + F.leaky_relu(self.second(y), _LEAK)


class PriorNet(nn.Module):
    """Residual U-Net that maps a stabilised noisy image to its stabilised truth.

    Parameters
    ----------
    widths : sequence of int
        Channels of each scale, finest (half the image's resolution) first.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.widths = tuple(widths)
        steps = list(pairwise(widths))
        self.head = nn.Conv2d(5 + CONDITIONS, widths[0], 3, padding=1)
        self.down_blocks = nn.ModuleList([ResidualBlock(width) for width in widths])
        self.downs = nn.ModuleList([nn.Conv2d(a, b, 2, stride=2) for a, b in steps])
        self.ups = nn.ModuleList([nn.ConvTranspose2d(b, a, 2, stride=2) for a, b in steps])
        self.up_blocks = nn.ModuleList([ResidualBlock(width) for width in widths[:-1]])
        self.tail = nn.Conv2d(widths[0], 4, 3, padding=1)

    @property
    def multiple(self) -> int:
        """Number of which the sides of an image must be multiples."""
        return int(max(2 ** len(self.widths), _NEAR))

    def forward(self, noisy: Tensor, conditions: Tensor) -> Tensor:
        """Denoise stabilised images.

        Parameters
        ----------
        noisy : Tensor, shape (N, 1, Y, X)
            Y and X are multiples of :attr:`multiple`.
        conditions : Tensor, shape (N, 13, Y / 2, X / 2)
            As made by :func:`conditions`.

        Returns
        -------
        Tensor, shape (N, 1, Y, X)
        """
        # The mean of a neighbourhood, not of the image, so that the tiles of an image agree.
        coarse = F.avg_pool2d(noisy, _NEAR)
        mean = F.interpolate(coarse, scale_factor=_NEAR, mode="bilinear", align_corners=False)
        x = F.pixel_unshuffle((noisy - mean) / _SCALE, 2)
        x = self.head(torch.cat([x, mean[:, :, ::2, ::2] / (2 * _SCALE), conditions], 1))
        levels = []
        for block, down in zip(self.down_blocks, self.downs, strict=False):
            x = block(x)
            levels.append(x)
            x = down(x)
        x = self.down_blocks[-1](x)
        for block, up, level in zip(
            reversed(self.up_blocks), reversed(self.ups), reversed(levels), strict=True
        ):
            x = block(up(x) + level)
        return noisy - _SCALE * F.pixel_shuffle(self.tail(x), 2)


def conditions(deviation: Tensor | None, correlation: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Channels that tell the network the noise.

    Parameters
    ----------
    deviation : Tensor, shape (N, 1, Y, X), optional
        Standard deviation of the stabilised noise; None if unknown.
    correlation : Tensor, shape (N, 8)
        Correlation of the noise at :data:`autodip.prior.observation.LAGS`.
    shape : tuple of int
        Shape (N, 1, Y, X) of the noisy images.

    Returns
    -------
    Tensor, shape (N, 13, Y / 2, X / 2)
        All 0 if the noise is unknown.
    """
    n, _, rows, columns = shape
    size = (rows // 2, columns // 2)
    if deviation is None:
        return correlation.new_zeros((n, CONDITIONS, *size))
    lags = correlation[:, :, None, None].expand(-1, -1, *size)
    known = correlation.new_ones((n, 1, *size))
    return torch.cat([F.pixel_unshuffle(deviation - 1, 2), lags, known], 1)
