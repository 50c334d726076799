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

ASCENDING = "asc_to512"
MAX_DEPTH = 9
"""Deepest network: `asc_to512` has one channel at its finest scale beyond it."""


def deepest(shape: tuple[int, int]) -> int:
    """Largest depth that an image of ``shape`` (Y, X) pixels allows; 0 when none does.

    Every scale halves the image (rounding up), and reflection padding by one pixel
    needs two pixels at the coarsest scale.
    """
    return max(0, min(MAX_DEPTH, (min(shape) - 1).bit_length() - 1))


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

    def __post_init__(self) -> None:
        _check_int("depth", self.depth, 1, MAX_DEPTH)
        _check_int("skip", self.skip, 0)
        _check_int("input_channels", self.input_channels, 1)
        _check_option("downsample", self.downsample, get_args(Downsample))
        _check_option("upsample", self.upsample, get_args(Upsample))
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

    def with_depth(self, depth: int) -> NetParams:
        """Return the same network with another depth; a list of widths is cut at its coarse end."""
        width = self.width[:depth] if isinstance(self.width, tuple) else self.width
        changed: NetParams = self.replace(depth=depth, width=width)
        return changed

    def __str__(self) -> str:
        """Short form as in the tables: ``8/asc_to512/4``."""
        width = "-".join(map(str, self.width)) if isinstance(self.width, tuple) else self.width
        return f"{self.depth}/{width}/{self.skip}"


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
    """

    iterations: int
    learning_rate: float = 0.01
    input_scale: float = 0.1
    start_at_mean: bool = False
    average: float = 0.0
    checkpoint_every: int = 100
    fallback_db: float = 5.0

    def __post_init__(self) -> None:
        _check_int("iterations", self.iterations, 1)
        _check_int("checkpoint_every", self.checkpoint_every, 1)
        _check_float("learning_rate", self.learning_rate, 0, 10, open_low=True)
        _check_float("input_scale", self.input_scale, 0, 1e6, open_low=True)
        if not isinstance(self.start_at_mean, bool):
            raise ParameterError(f"start_at_mean is {self.start_at_mean!r}; it is true or false")
        _check_float("average", self.average, 0, 0.9999)
        _check_float("fallback_db", self.fallback_db, 0, 1000, open_low=True)


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
    """

    preset: str
    table: str
    source: str
    group: Mapping[str, str | None]
    known: Mapping[str, str | None]
    origin: Mapping[str, str]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Choice(_Strict):
    """Parameters chosen for one image (or one channel of it), with the evidence."""

    net: NetParams
    fit: FitParams
    evidence: Evidence = field(repr=False)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Choice:
        """Inverse of ``to_dict``; nested parts may be dictionaries or values."""
        parts = dict(values)
        for name, kind in (("net", NetParams), ("fit", FitParams), ("evidence", Evidence)):
            if isinstance(parts.get(name), Mapping):
                parts[name] = kind.from_dict(parts[name])
        choice: Choice = super().from_dict(parts)
        return choice
