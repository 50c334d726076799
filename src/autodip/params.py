"""Frozen, validated parameters: the network, the fit, and a choice with its evidence."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from autodip.errors import ParameterError

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


class _Strict:
    """Round trip to plain dictionaries that refuses unknown keys."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-ready dictionary."""
        return {
            f.name: _plain(getattr(self, f.name))
            for f in dataclasses.fields(self)  # type: ignore[arg-type]
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Any:
        """Inverse of :meth:`to_dict`; an unknown or missing key is a ParameterError."""
        fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
        unknown = sorted(set(values) - set(fields))
        if unknown:
            raise ParameterError(
                f"{cls.__name__}: unknown {', '.join(map(repr, unknown))}; "
                f"known are {', '.join(fields)}"
            )
        missing = [
            name
            for name, f in fields.items()
            if name not in values
            and f.default is dataclasses.MISSING
            and f.default_factory is dataclasses.MISSING
        ]
        if missing:
            raise ParameterError(f"{cls.__name__}: {', '.join(missing)} missing")
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})

    def replace(self, **changes: Any) -> Any:
        """Copy with some values changed, validated again."""
        return type(self).from_dict({**self._shallow(), **changes})

    def _shallow(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}  # type: ignore[arg-type]


def _plain(value: Any) -> Any:
    if isinstance(value, _Strict):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return value


def _check_int(name: str, value: Any, low: int, high: int | None = None) -> None:
    limit = f"from {low} to {high}" if high is not None else f"of {low} or more"
    ok = isinstance(value, int) and not isinstance(value, bool) and value >= low
    if not ok or (high is not None and value > high):
        raise ParameterError(f"{name} is {value!r}; it must be a whole number {limit}")


def _check_float(name: str, value: Any, low: float, high: float, open_low: bool = False) -> None:
    ok = isinstance(value, int | float) and not isinstance(value, bool)
    if not ok or not low <= value <= high or (open_low and value == low):
        raise ParameterError(
            f"{name} is {value!r}; it must be a number {'above' if open_low else 'from'} "
            f"{low:g} {'up ' if open_low else ''}to {high:g}"
        )


def _check_option(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ParameterError(f"{name} is {value!r}; allowed are {', '.join(allowed)}")


@dataclass(frozen=True)
class NetParams(_Strict):
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
        _check_int("depth", self.depth, 1, MAX_DEPTH)
        _check_int("skip", self.skip, 0)
        _check_int("input_channels", self.input_channels, 1)
        _check_option("downsample", self.downsample, get_args(Downsample))
        _check_option("upsample", self.upsample, get_args(Upsample))
        if not isinstance(self.lean, bool):
            raise ParameterError(f"lean is {self.lean!r}; it is true or false")
        _check_int("reduction", self.reduction, 1, 2)
        if isinstance(self.width, tuple):
            if len(self.width) != self.depth:
                raise ParameterError(
                    f"{len(self.width)} widths {self.width} for depth {self.depth}; give one "
                    f"width for each of the {self.depth} scales, or one number for all"
                )
            for width in self.width:
                _check_int("width", width, 1)
        elif self.width != ASCENDING:
            _check_int("width", self.width, 1)

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
class FitParams(_Strict):
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
        this multiple of the noise's (see :mod:`autodip.stopping`); None runs all iterations.
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
        _check_int("iterations", self.iterations, 1)
        _check_int("checkpoint_every", self.checkpoint_every, 1)
        _check_float("learning_rate", self.learning_rate, 0, 10, open_low=True)
        _check_float("input_scale", self.input_scale, 0, 1e6, open_low=True)
        if not isinstance(self.start_at_mean, bool):
            raise ParameterError(f"start_at_mean is {self.start_at_mean!r}; it is true or false")
        _check_float("average", self.average, 0, 0.9999)
        _check_float("fallback_db", self.fallback_db, 0, 1000, open_low=True)
        _check_option("precision", self.precision, get_args(Precision))
        if self.noise_limit is not None:
            _check_float("noise_limit", self.noise_limit, 0, 100, open_low=True)
        _check_int("seeds", self.seeds, 1, 64)


@dataclass(frozen=True)
class RefineParams(_Strict):
    """How the result of a fit is refined (see :mod:`autodip.refine`).

    Parameters
    ----------
    excess : float
        Local power of the residual, in units of the noise's, above which structure is
        returned; 1 or more.
    strengths : tuple of float
        One pass over groups of similar patches for each; the variance of the noise is
        multiplied by it. Above 1 smooths more, below 1 keeps more.
    mean_share : float
        Share of the noisy patches in the mean of a group where noise is white; 0 to 1.
    keep : float
        Share of what was removed that stays in the result where noise is white; 0 to 1. A little
        grain looks more like the truth than none (LPIPS), and costs little PSNR.
    trust : float
        How far the fit itself is trusted where noise is correlated and the residual of the fit is
        locally nothing but noise; 0 to 1. There the refinement finds no structure to return, only
        noise of the same coarseness.
    patch, step : int
        Size of the square patches and distance of the reference patches, in pixels.
    window : int
        Similar patches are looked for up to so many pixels away.
    similar : int
        Patches in a group.
    """

    excess: float = 1.1
    strengths: tuple[float, ...] = (1.2, 0.8)
    mean_share: float = 0.5
    keep: float = 0.05
    trust: float = 0.5
    patch: int = 6
    step: int = 3
    window: int = 10
    similar: int = 48

    def __post_init__(self) -> None:
        _check_float("excess", self.excess, 1, 100)
        _check_float("mean_share", self.mean_share, 0, 1)
        _check_float("keep", self.keep, 0, 1)
        _check_float("trust", self.trust, 0, 1)
        if not isinstance(self.strengths, tuple):
            raise ParameterError(f"strengths is {self.strengths!r}; it must be a list of numbers")
        for strength in self.strengths:
            _check_float("strengths", strength, 0, 100, open_low=True)
        _check_int("patch", self.patch, 2, 16)
        _check_int("step", self.step, 1, self.patch)
        _check_int("window", self.window, 1, 50)
        _check_int("similar", self.similar, 2, (2 * self.window + 1) ** 2)


@dataclass(frozen=True)
class Evidence(_Strict):
    """Why a choice was made.

    Parameters
    ----------
    preset : str
        Name of the preset asked for.
    table : str
        Name and version of the table of parameters.
    source : str
        Where the figures of that table come from.
    group : mapping
        Row used: its ``microscope`` and ``specimen``, None standing for "any".
    known : mapping
        What was known of the image: ``microscope`` and ``specimen``, None where unknown.
    origin : mapping
        For each of the two, where it was learnt: "given", the metadata field, or "unknown".
    notes : tuple of str
        What the user should know: fallbacks, reduced depth, explicit values.
    neighbours : tuple of mapping
        Calibration images that decided, the nearest first: ``name``, ``distance``,
        ``microscope``, ``specimen``; empty where none was looked for.
    outside : bool
        Whether the image is unlike all calibration images.
    """

    preset: str
    table: str
    source: str
    group: Mapping[str, str | None]
    known: Mapping[str, str | None]
    origin: Mapping[str, str]
    notes: tuple[str, ...] = ()
    neighbours: tuple[Mapping[str, Any], ...] = ()
    outside: bool = False


@dataclass(frozen=True)
class Choice(_Strict):
    """Parameters chosen for one image (or one channel of it), with the evidence.

    ``refine`` is None where the result of the fit is kept as it is.
    """

    net: NetParams
    fit: FitParams
    evidence: Evidence = field(repr=False)
    refine: RefineParams | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Choice:
        """Inverse of ``to_dict``; nested parts may be dictionaries or values."""
        parts = dict(values)
        kinds: dict[str, type[_Strict]] = {
            "net": NetParams,
            "fit": FitParams,
            "refine": RefineParams,
            "evidence": Evidence,
        }
        for name, kind in kinds.items():
            if isinstance(parts.get(name), Mapping):
                parts[name] = kind.from_dict(parts[name])
        choice: Choice = super().from_dict(parts)
        return choice
