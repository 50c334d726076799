"""What a detector makes of light, measured on one noisy image of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from autodip.errors import ImageError
from autodip.image.scaling import to_dtype
from autodip.physics import noise

_FINEST = 2.0**-17
"""Quantisation step, as a share of the range, below which it is the number format's."""

_NOISELESS = 1e-5
"""Noise, as a share of the range, that is none."""

_PILE, _TIMES = 10, 2
"""Pixels at an extreme value, and times those at the value next to it, that tell clipping."""


@dataclass(frozen=True)
class Camera:
    """What a detector makes of light: noise, grey levels, clipping; in units of its images.

    The variance of the noise is ``gain * (signal - offset) + read**2``, and ``floor`` at least.

    Parameters
    ----------
    gain : float
        Grey values per detected photon, 0 or more.
    offset : float
        Grey value without light. A line of variance over brightness tells it and the read-out
        noise together only: where its variance at signal 0 is negative, ``offset`` is where it
        is 0; else ``offset`` is 0, and the rest is read-out noise.
    read : float
        Standard deviation of the read-out noise, without that of the quantisation.
    floor : float
        Smallest variance measured at any brightness, without that of the quantisation.
    correlation : tuple of tuple of float, 5 x 5
        Autocorrelation of the noise for lags -2 ... 2 along Y and X; 1 at the centre, and 0
        elsewhere where neighbours are hardly correlated.
    step : float
        Distance of the grey levels; 0 where none is told.
    phase : float
        Grey level from which the steps count.
    minimum, maximum : float or None
        Values at which the image is clipped; None where no pixels pile up there.
    dtype : str
        Type of the pixels.
    """

    gain: float
    offset: float
    read: float
    floor: float
    correlation: tuple[tuple[float, ...], ...]
    step: float
    phase: float
    minimum: float | None
    maximum: float | None
    dtype: str

    @classmethod
    def measure(cls, image: np.ndarray) -> Camera:
        """Measure the detector on one noisy image, shape (Y, X), in its own units and type.

        Noise and correlation are those of :mod:`autodip.physics.noise`. The quantisation step is
        the smallest difference of two values (for integers the one that divides all), where all
        values lie on such a grid; its variance of ``step**2 / 12`` is taken off the noise's.
        The image is clipped where pixels pile up at its largest or smallest value.

        Raises
        ------
        ImageError
            If the noise cannot be told, or there is none.
        """
        found = noise.estimate(image)
        if found is None:
            raise ImageError(
                f"the noise of this image of {image.shape} pixels cannot be told; give one of "
                "64 x 64 pixels or more that are finite numbers and not all equal"
            )
        values, counts = np.unique(image, return_counts=True)
        if found.sigma <= _NOISELESS * (float(values[-1]) - float(values[0])):
            raise ImageError(
                f"no noise was found in this image (its standard deviation would be "
                f"{found.sigma:.2g}); give a noisy one, as the microscope takes it"
            )
        step = _step(values)
        constant = found.constant - step**2 / 12
        offset = max(-constant / found.gain, 0.0) if found.gain > 0 else 0.0
        white = max(map(abs, found.correlation)) <= noise.CORRELATED
        lags = noise.white() if white else noise.autocorrelation(image.astype(np.float64))
        return cls(
            gain=found.gain,
            offset=offset,
            read=float(np.sqrt(max(constant, 0.0))),
            floor=max(found.floor - step**2 / 12, 0.0),
            correlation=tuple(tuple(map(float, row)) for row in lags),
            step=step,
            phase=float(values[0]) % step if step else 0.0,
            minimum=float(values[0]) if _piled(counts[0], counts[1]) else None,
            maximum=(
                float(values[-1]) if found.saturated and _piled(counts[-1], counts[-2]) else None
            ),
            dtype=image.dtype.name,
        )

    @property
    def white(self) -> bool:
        """Whether neighbours have independent noise."""
        return bool(np.array_equal(self.correlation, noise.white()))

    @property
    def neighbours(self) -> tuple[float, float]:
        """Correlation of the noise of neighbours along Y and along X."""
        return self.correlation[3][2], self.correlation[2][3]

    def variance(self, signal: np.ndarray) -> np.ndarray:
        """Variance of the noise at ``signal``, before quantisation and clipping."""
        line = self.gain * (signal - self.offset) + self.read**2
        return np.asarray(np.maximum(line, self.floor))

    def digitise(self, image: np.ndarray) -> np.ndarray:
        """Round to the grey levels, clip, and cast to the type of the pixels."""
        if self.step:
            image = self.phase + self.step * np.rint((image - self.phase) / self.step)
        if self.minimum is not None or self.maximum is not None:
            image = np.clip(image, self.minimum, self.maximum)
        return to_dtype(image, np.dtype(self.dtype))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-ready dictionary."""
        return {**asdict(self), "correlation": [list(row) for row in self.correlation]}


def _step(values: np.ndarray) -> float:
    """Distance of the grid that sorted values lie on; 0 where they don't."""
    if values.dtype.kind in "iu":
        return float(np.gcd.reduce(np.diff(values.astype(np.int64))))
    values = values.astype(np.float64)
    gaps, span = np.diff(values), float(np.ptp(values))
    if gaps.min() < _FINEST * span:
        return 0.0
    # Counting the steps over the whole range leaves little of the rounding of single values.
    step = span / float(np.rint(gaps / gaps.min()).sum())
    places = (values - values[0]) / step
    return step if float(np.abs(places - np.rint(places)).max()) < 0.1 else 0.0


def _piled(extreme: int, following: int) -> bool:
    """Whether so many pixels at an extreme value, and at the next one, tell clipping."""
    return bool(extreme >= _PILE and extreme > _TIMES * following)
