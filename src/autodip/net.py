"""The "skip" encoder-decoder of the deep image prior (Ulyanov et al. 2018), as AUTO-DIP uses it.

One scale: 3x3 convolution with down-sampling, 3x3 convolution, the deeper scale, up-sampling
by 2, concatenation with a 1x1 skip branch, normalisation, 3x3 convolution, 1x1 convolution.
Every convolution is followed by batch normalisation and LeakyReLU(0.2); 3x3 convolutions see
their input reflected by one pixel at the border.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from autodip.params import Downsample, NetParams, Upsample

LEAK = 0.2


class ConvBlock(nn.Module):
    """Convolution with reflected border, down-sampling by 2 if asked for, BN, LeakyReLU."""

    def __init__(
        self, channels_in: int, channels: int, kernel: int, down: Downsample | None = None
    ) -> None:
        super().__init__()
        self.pad = kernel // 2
        self.down = down
        stride = 2 if down == "stride" else 1
        self.conv = nn.Conv2d(channels_in, channels, kernel, stride)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(1, channels_in, Y, X) to (1, channels, Y', X'); Y' = ceil(Y/2) when down-sampling."""
        if self.pad:
            x = F.pad(x, (self.pad,) * 4, mode="reflect")
        x = self.conv(x)
        if self.down == "avg":
            x = F.avg_pool2d(x, 2, ceil_mode=True)
        elif self.down == "max":
            x = F.max_pool2d(x, 2, ceil_mode=True)
        return F.leaky_relu(self.norm(x), LEAK)


class Scale(nn.Module):
    """One scale with everything coarser inside it; keeps the size of its input."""

    def __init__(self, channels_in: int, widths: tuple[int, ...], params: NetParams) -> None:
        super().__init__()
        width, *coarser = widths
        self.upsample: Upsample = params.upsample
        self.skip = ConvBlock(channels_in, params.skip, 1) if params.skip else None
        self.down1 = ConvBlock(channels_in, width, 3, params.downsample)
        self.down2 = ConvBlock(width, width, 3)
        self.deeper = Scale(width, tuple(coarser), params) if coarser else None
        joined = params.skip + (coarser[0] if coarser else width)
        self.norm = nn.BatchNorm2d(joined)
        self.up1 = ConvBlock(joined, width, 3)
        self.up2 = ConvBlock(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(1, channels_in, Y, X) to (1, width, Y, X)."""
        y = self.down2(self.down1(x))
        if self.deeper is not None:
            y = self.deeper(y)
        y = F.interpolate(y, scale_factor=2, mode=self.upsample)
        y = y[:, :, : x.shape[2], : x.shape[3]]
        if self.skip is not None:
            y = torch.cat([self.skip(x), y], 1)
        out: Tensor = self.up2(self.up1(self.norm(y)))
        return out


class SkipNet(nn.Module):
    """The whole network: scales, then a 1x1 convolution and a sigmoid.

    Raises
    ------
    RuntimeError
        From torch, if the image is too small for the depth (see ``params.deepest``).
    """

    def __init__(self, params: NetParams) -> None:
        super().__init__()
        self.body = Scale(params.input_channels, params.widths, params)
        self.head = nn.Conv2d(params.widths[0], 1, 1)

    def forward(self, z: Tensor) -> Tensor:
        """Random input (1, input_channels, Y, X) to an image (1, 1, Y, X) in [0, 1]."""
        image: Tensor = torch.sigmoid(self.head(self.body(z)))
        return image


def build(params: NetParams, seed: int) -> SkipNet:
    """Build a network whose random weights depend on ``seed`` alone.

    The global random state of torch is left as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SkipNet(params)


def set_mean(network: SkipNet, mean: float) -> None:
    """Set the bias of the head so that a sigmoid around it gives ``mean`` (in [0, 1])."""
    mean = min(max(mean, 1e-4), 1 - 1e-4)
    with torch.no_grad():
        network.head.bias.fill_(math.log(mean / (1 - mean)))  # type: ignore[union-attr]
