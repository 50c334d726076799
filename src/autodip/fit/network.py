"""The "skip" encoder-decoder of the deep image prior (Ulyanov et al. 2018), as AUTO-DIP uses it.

One scale consists of a 3x3 convolution with down-sampling, a 3x3 convolution, the next coarser
scale, up-sampling by 2, concatenation with a 1x1 skip branch, normalisation, a 3x3 convolution and
a 1x1 convolution. Every convolution is followed by batch normalisation and LeakyReLU(0.2); the
input of 3x3 convolutions is padded by one reflected pixel.

A lean network omits from every scale what costs time and changes the result little: the second
convolution on the way down, the normalisation after the concatenation and the 1x1 convolution.
Several networks of one architecture can be computed as one: their channels lie side by side, and
no convolution mixes the channels of different networks (see :func:`stack`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from autodip.compute.initial import initialised
from autodip.fit.params import Downsample, NetParams, Upsample

LEAK = 0.2


class _Double(torch.autograd.Function):
    """Bilinear up-sampling by 2; on a CPU, the backward pass of torch takes twice as long."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2, mode="bilinear")

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        # Along an axis, pixel i contributes with the weights (1/4, 3/4, 3/4, 1/4) to pixels 2i - 1
        # to 2i + 2; positions outside the image are replaced by the pixel at the border.
        gradient = F.pad(gradients[0], (1, 1, 1, 1), mode="replicate")
        channels = gradient.shape[1]
        spread = gradient.new_tensor([0.25, 0.75, 0.75, 0.25])
        kernel = torch.outer(spread, spread).expand(channels, 1, 4, 4)
        return F.conv2d(gradient, kernel, stride=2, groups=channels)


def _double(x: Tensor, mode: Upsample) -> Tensor:
    """Up-sample (1, C, Y, X) to (1, C, 2Y, 2X)."""
    if mode == "bilinear" and x.device.type == "cpu":
        doubled: Tensor = _Double.apply(x)  # type: ignore[no-untyped-call]
        return doubled
    return F.interpolate(x, scale_factor=2, mode=mode)


def _join(a: Tensor, b: Tensor, fits: int) -> Tensor:
    """Concatenate the channels of ``a`` and of ``b``, separately for each network."""
    if fits == 1:
        return torch.cat([a, b], 1)
    pairs = zip(a.chunk(fits, 1), b.chunk(fits, 1), strict=True)
    return torch.cat([part for pair in pairs for part in pair], 1)


def _norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation over the one image, without running statistics."""
    return nn.BatchNorm2d(channels, track_running_stats=False)


class ConvBlock(nn.Module):
    """Convolution with reflected border, optional down-sampling by 2, BN, LeakyReLU.

    Unless the network is lean, the bias of the convolution is initialised and counted as in the
    reference. It is not applied, because the normalisation would cancel it.
    """

    def __init__(
        self,
        channels_in: int,
        channels: int,
        kernel: int,
        params: NetParams,
        fits: int,
        *,
        down: Downsample | None = None,
    ) -> None:
        super().__init__()
        self.pad = kernel // 2
        self.down = down
        self.conv = nn.Conv2d(
            fits * channels_in,
            fits * channels,
            kernel,
            stride=2 if down == "stride" else 1,
            groups=fits,
            bias=not params.lean,
        )
        self.norm = _norm(fits * channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (1, channels_in, Y, X) to (1, channels, Y', X'); Y' = ceil(Y/2) if down-sampled."""
        if self.pad:
            x = F.pad(x, (self.pad,) * 4, mode="reflect")
        conv = self.conv
        x = F.conv2d(x, conv.weight.to(x.dtype), None, conv.stride, groups=conv.groups)
        if self.down == "avg":
            x = F.avg_pool2d(x, 2, ceil_mode=True)
        elif self.down == "max":
            x = F.max_pool2d(x, 2, ceil_mode=True)
        return F.leaky_relu(self.norm(x), LEAK, inplace=True)


class NetScale(nn.Module):
    """One scale including all coarser scales; its output has the size of its input."""

    def __init__(
        self, channels_in: int, widths: tuple[int, ...], params: NetParams, fits: int
    ) -> None:
        super().__init__()
        width, *coarser = widths
        lean = params.lean
        self.fits = fits
        self.upsample: Upsample = params.upsample
        self.skip = ConvBlock(channels_in, params.skip, 1, params, fits) if params.skip else None
        self.down1 = ConvBlock(channels_in, width, 3, params, fits, down=params.downsample)
        self.down2 = nn.Identity() if lean else ConvBlock(width, width, 3, params, fits)
        self.deeper = NetScale(width, tuple(coarser), params, fits) if coarser else None
        joined = params.skip + (coarser[0] if coarser else width)
        self.norm = nn.Identity() if lean else _norm(fits * joined)
        self.up1 = ConvBlock(joined, width, 3, params, fits)
        self.up2 = nn.Identity() if lean else ConvBlock(width, width, 1, params, fits)

    def forward(self, x: Tensor) -> Tensor:
        """Map (1, channels_in, Y, X) to (1, width, Y, X)."""
        y = self.down2(self.down1(x))
        if self.deeper is not None:
            y = self.deeper(y)
        y = _double(y, self.upsample)[:, :, : x.shape[2], : x.shape[3]]
        if self.skip is not None:
            y = _join(self.skip(x), y, self.fits)
        out: Tensor = self.up2(self.up1(self.norm(y)))
        return out


class SkipNet(nn.Module):
    """The whole network: scales, then a 1x1 convolution and a sigmoid.

    Parameters
    ----------
    params : NetParams
        Architecture.
    fits : int
        Number of networks computed side by side; in inputs and outputs, the channels of one
        network follow the channels of another.

    Raises
    ------
    RuntimeError
        From torch, if the image is too small for the depth (see ``params.deepest``).
    """

    def __init__(self, params: NetParams, fits: int = 1) -> None:
        super().__init__()
        self.reduction = params.reduction
        self.body = NetScale(params.input_channels, params.widths, params, fits)
        self.head = nn.Conv2d(fits * params.widths[0], fits, 1, groups=fits)

    def forward(self, z: Tensor) -> Tensor:
        """Map the random input (1, input_channels, Y, X) to an image (1, 1, Y, X) in [0, 1].

        With a reduction of 2, the image has twice the height and width of the input. All but the
        last convolution are computed in the format of the input, which may be bfloat16; weights
        and image remain float32.
        """
        x: Tensor = self.body(z)
        x = self.head(x.to(self.head.weight.dtype))
        if self.reduction == 2:
            x = _double(x, "bilinear")
        return torch.sigmoid(x)


def build(params: NetParams, seed: int) -> SkipNet:
    """Build a network on the CPU; its random weights depend on ``seed`` alone."""
    return initialised(lambda: SkipNet(params), seed)


def stack(networks: Sequence[SkipNet]) -> dict[str, Tensor]:
    """Weights with which ``SkipNet(params, fits=len(networks))`` computes all networks at once.

    Gradients flow back to the weights of each network without mixing.
    """
    named = zip(*(network.named_parameters() for network in networks), strict=True)
    return {of[0][0]: torch.cat([weight for _, weight in of]) for of in named}


def set_mean(network: SkipNet, mean: float) -> None:
    """Set the bias of the head so that its sigmoid is ``mean`` (in [0, 1])."""
    mean = min(max(mean, 1e-4), 1 - 1e-4)
    with torch.no_grad():
        network.head.bias.fill_(math.log(mean / (1 - mean)))  # type: ignore[union-attr]
