"""Frozen, validated parameters of the network and of the fit."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Literal, TypeAlias, get_args

from autodip.errors import ParameterError
from autodip.util.values import Value, check_float, check_int, check_option

Width: TypeAlias = "int | tuple[int, ...] | Literal['asc_to512']"
Downsample = Literal["stride", "avg", "max"]
Upsample = Literal["bilinear", "nearest"]
Precision = Literal["float32", "bfloat16"]

ASCENDING = "asc_to512"
MAX_DEPTH = 9
"""Largest depth; one more scale would leave `asc_to512` a single channel at the finest scale."""


def deepest(shape: tuple[int, int], reduction: int = 1) -> int:
    """Largest depth that an image of ``shape`` (Y, X) pixels allows; 0 if no depth fits.

    Every scale halves the image (rounding up), and reflection padding by one pixel needs two
    pixels at the coarsest scale. ``reduction`` is as in :class:`NetParams`.
    """
    shortest = -(-min(shape) // reduction)
    return max(0, min(MAX_DEPTH, (shortest - 1).bit_length() - 1))


def parse_width(text: str) -> Width:
    """Parse a width as given on the command line: ``32``, ``8,16,32`` or ``asc_to512``."""
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
        Number of channels: one number for every scale, one for each scale from the finest to the
        coarsest, or "asc_to512" for ``2**(10 - depth) ... 2**9``.
    skip : int
        Number of channels of the 1x1 skip branch of every scale; 0 omits the branches.
    downsample : "stride", "avg" or "max"
        Stride-2 convolution, or convolution followed by 2x2 pooling.
    upsample : "bilinear" or "nearest"
        Interpolation used for up-sampling by 2.
    input_channels : int
        Number of channels of the random input.
    lean : bool
        Omit from every scale the second 3x3 convolution on the way down, the normalisation after
        the concatenation and the 1x1 convolution on the way up. This halves the arithmetic and
        suits oversampled images, whose detail a thin network reproduces too.
    reduction : 1 or 2
        2 computes everything at half the resolution and interpolates the image at the end. This
        needs a quarter of the arithmetic and suits oversampled images, which lose nothing by it.
        An iteration of a lean, half-resolution network takes about a fifth of the time.

    Raises
    ------
    ParameterError
        If a value is not allowed, or the number of widths differs from the depth.

    Examples
    --------
    >>> import autodip
    >>> autodip.NetParams(depth=3, width="asc_to512").widths
    (128, 256, 512)
    """

    depth: int
    width: Width
    skip: int = 4
    _: KW_ONLY
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
            raise ParameterError(f"lean is {self.lean!r}; it must be true or false")
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
        return self.replace(depth=depth, width=width)

    def __str__(self) -> str:
        """Short form as in the tables: ``8/asc_to512/4``, ``4/16-32-64-128/4 lean half``."""
        width = "-".join(map(str, self.width)) if isinstance(self.width, tuple) else self.width
        marks = " lean" * self.lean + " half" * (self.reduction == 2)
        return f"{self.depth}/{width}/{self.skip}{marks}"


@dataclass(frozen=True)
class FitParams(Value):
    """How the network is fitted to an image; the defaults are those of the reference.

    Parameters
    ----------
    iterations : int
        Number of Adam steps, after which the fit stops.
    learning_rate : float
        Adam step size.
    input_scale : float
        The fixed random input is uniform in [0, input_scale).
    start_at_mean : bool
        Set the bias of the last layer so that the first output has the mean of the image, which
        saves the iterations that the reference needs to find it.
    average : float
        Decay factor of the exponential moving average of the outputs, in [0, 1); the result is
        the bias-corrected average. 0 returns the last output alone, as the reference does.
    checkpoint_every : int
        Number of iterations between checkpoints.
    fallback_db : float
        Drop of the PSNR to the noisy image since the last checkpoint, in dB, beyond which the
        weights of that checkpoint are restored.
    precision : "float32" or "bfloat16"
        Number format inside the network. bfloat16 is faster on processors and accelerators that
        support it (``device.computes_bfloat16``); others use float32. Weights, loss and Adam
        remain float32.
    noise_limit : float or None
        From half of the iterations on, the fit stops as soon as the residual power falls to this
        multiple of the noise power (see :mod:`autodip.fit.stopping`); None runs all iterations.
    seeds : int
        Number of fits whose results are averaged; their seeds are consecutive, starting from the
        specified one.

    Examples
    --------
    >>> import autodip
    >>> autodip.FitParams(300).replace(average=0.99).average
    0.99
    """

    iterations: int
    _: KW_ONLY
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
            raise ParameterError(
                f"start_at_mean is {self.start_at_mean!r}; it must be true or false"
            )
        check_float("average", self.average, 0, 0.9999)
        check_float("fallback_db", self.fallback_db, 0, 1000, open_low=True)
        check_option("precision", self.precision, get_args(Precision))
        if self.noise_limit is not None:
            check_float("noise_limit", self.noise_limit, 0, 100, open_low=True)
        check_int("seeds", self.seeds, 1, 64)
