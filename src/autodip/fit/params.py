"""Frozen, validated parameters: the network, the fit, and a choice with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from autodip.errors import ParameterError
from autodip.util.values import Value, check_float, check_int, check_option

Width: TypeAlias = "int | tuple[int, ...] | Literal['asc_to512']"
Downsample = Literal["stride", "avg", "max"]
Upsample = Literal["bilinear", "nearest"]
Precision = Literal["float32", "bfloat16"]

ASCENDING = "asc_to512"
MAX_DEPTH = 9
"""Deepest network: `asc_to512` has one channel at its finest scale beyond it."""


def deepest(shape: tuple[int, int], reduction: int = 1) -> int:
    """Largest depth that an image of ``shape`` (Y, X) pixels allows; 0 when none does.

    Every scale halves the image (rounding up), and reflection padding by one pixel
    needs two pixels at the coarsest scale. ``reduction`` is that of the network.
    """
    shortest = -(-min(shape) // reduction)
    return max(0, min(MAX_DEPTH, (shortest - 1).bit_length() - 1))


def parse_width(text: str) -> Width:
    """Read a width as the command line takes it: ``32``, ``8,16,32`` or ``asc_to512``."""
    if text.strip() == ASCENDING:
        return "asc_to512"
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ParameterError(
            f"width {text!r} is not known; give one number (32), one number for each scale "
            f"from the finest to the coarsest (8,16,32,64), or {ASCENDING}"
        ) from None
    return numbers[0] if len(numbers) == 1 else numbers


@dataclass(frozen=True)
class NetParams(Value):
    """Architecture of the encoder-decoder ("skip" network of Ulyanov et al. 2018).

    Parameters
    ----------
    depth : int
        Number of scales; each halves the image.
    width : int, tuple of int or "asc_to512"
        Channels of every scale, of each scale from the finest to the coarsest, or
        ``2**(10 - depth) ... 2**9``.
    skip : int
        Channels of the 1x1 skip branch of every scale; 0 leaves the branches out.
    downsample : "stride", "avg" or "max"
        Stride-2 convolution, or convolution followed by 2x2 pooling.
    upsample : "bilinear" or "nearest"
        Interpolation by 2 on the way up.
    input_channels : int
        Channels of the random input.
    lean : bool
        Leave out of every scale the second 3x3 convolution on the way down, the
        normalisation after the concatenation and the 1x1 convolution on the way up. For
        oversampled images, whose detail a thin network finds too, at half the arithmetic.
    reduction : 1 or 2
        2 computes everything at half the resolution and interpolates the image at the end.
        For oversampled images, which lose nothing by it, at a quarter of the arithmetic;
        a lean, half-resolution network takes about a fifth of the time of an iteration.

    Raises
    ------
    ParameterError
        If a value is not allowed, or the widths don't match the depth.
    """

    depth: int
    width: Width
    skip: int = 4
    downsample: Downsample = "stride"
    upsample: Upsample = "bilinear"
    input_channels: int = 32
    lean: bool = False
    reduction: int = 1

    def __post_init__(self) -> None:
        check_int("depth", self.depth, 1, MAX_DEPTH)
        check_int("skip", self.skip, 0)
        check_int("input_channels", self.input_channels, 1)
        check_option("downsample", self.downsample, get_args(Downsample))
        check_option("upsample", self.upsample, get_args(Upsample))
        if not isinstance(self.lean, bool):
            raise ParameterError(f"lean is {self.lean!r}; it is true or false")
        check_int("reduction", self.reduction, 1, 2)
        if isinstance(self.width, tuple):
            if len(self.width) != self.depth:
                raise ParameterError(
                    f"{len(self.width)} widths {self.width} for depth {self.depth}; give one "
                    f"width for each of the {self.depth} scales, or one number for all"
                )
            for width in self.width:
                check_int("width", width, 1)
        elif self.width != ASCENDING:
            check_int("width", self.width, 1)

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of each scale, from the finest to the coarsest."""
        if isinstance(self.width, tuple):
            return self.width
        if self.width == ASCENDING:
            return tuple(2**k for k in range(10 - self.depth, 10))
        return (int(self.width),) * self.depth

    def reduced(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Size of the random input, and of the finest scale, for an image of ``shape`` (Y, X)."""
        return -(-shape[0] // self.reduction), -(-shape[1] // self.reduction)

    def with_depth(self, depth: int) -> NetParams:
        """Return the same network with another depth; a list of widths is cut at its coarse end."""
        width = self.width[:depth] if isinstance(self.width, tuple) else self.width
        changed: NetParams = self.replace(depth=depth, width=width)
        return changed

    def __str__(self) -> str:
        """Short form as in the tables: ``8/asc_to512/4``, ``4/16-32-64-128/4 lean half``."""
        width = "-".join(map(str, self.width)) if isinstance(self.width, tuple) else self.width
        marks = " lean" * self.lean + " half" * (self.reduction == 2)
        return f"{self.depth}/{width}/{self.skip}{marks}"


@dataclass(frozen=True)
class FitParams(Value):
    """How the network is fitted to the one image; defaults are the reference's.

    Parameters
    ----------
    iterations : int
        Number of Adam steps; the stop of the fit.
    learning_rate : float
        Adam step size.
    input_scale : float
        The fixed random input is uniform in [0, input_scale).
    start_at_mean : bool
        Set the bias of the last layer so that the first output has the image's mean, which
        saves the iterations that the reference spends on finding it.
    average : float
        Factor of the exponential average over the outputs, in [0, 1); the result is the
        bias-corrected average. 0 keeps the last output alone, as the reference does.
    checkpoint_every : int
        Iterations between checkpoints.
    fallback_db : float
        If the PSNR to the noisy image fell by more than this since the last checkpoint,
        the weights of that checkpoint are restored (dB).
    precision : "float32" or "bfloat16"
        Format of the numbers inside the network. bfloat16 is faster on processors and
        accelerators that compute it (``device.computes_bfloat16``); others take float32.
        Weights, loss and Adam keep float32.
    noise_limit : float or None
        From half of the iterations on, the fit ends where the power of its residual falls to
        this multiple of the noise's (see :mod:`autodip.fit.stopping`); None runs all iterations.
    seeds : int
        Fits with so many seeds, counted on from the one given, whose results are averaged.
    """

    iterations: int
    learning_rate: float = 0.01
    input_scale: float = 0.1
    start_at_mean: bool = False
    average: float = 0.0
    checkpoint_every: int = 100
    fallback_db: float = 5.0
    precision: Precision = "float32"
    noise_limit: float | None = None
    seeds: int = 1

    def __post_init__(self) -> None:
        check_int("iterations", self.iterations, 1)
        check_int("checkpoint_every", self.checkpoint_every, 1)
        check_float("learning_rate", self.learning_rate, 0, 10, open_low=True)
        check_float("input_scale", self.input_scale, 0, 1e6, open_low=True)
        if not isinstance(self.start_at_mean, bool):
            raise ParameterError(f"start_at_mean is {self.start_at_mean!r}; it is true or false")
        check_float("average", self.average, 0, 0.9999)
        check_float("fallback_db", self.fallback_db, 0, 1000, open_low=True)
        check_option("precision", self.precision, get_args(Precision))
        if self.noise_limit is not None:
            check_float("noise_limit", self.noise_limit, 0, 100, open_low=True)
        check_int("seeds", self.seeds, 1, 64)
