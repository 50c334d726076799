"""Noise, grey levels and clipping of a detector, measured on one noisy image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autodip.errors import ImageError
from autodip.image.scaling import to_dtype
from autodip.physics import correlation as correlations
from autodip.physics import noise
from autodip.physics.estimate import estimate_noise
from autodip.util.values import Value

_FINEST = 2.0**-17
"""Smallest quantisation step, as a share of the range; finer ones stem from the number format."""

_NOISELESS = 1e-5
"""Noise standard deviation, as a share of the range, up to which an image counts as noise-free."""

_PILE, _TIMES = 10, 2
"""An image counts as clipped if at least ``_PILE`` pixels have an extreme value, and these are more
than ``_TIMES`` times the pixels with the adjacent value."""


@dataclass(frozen=True, kw_only=True)
class Camera(Value):
    """Noise, grey levels and clipping of a detector, in the units of its images.

    The noise variance is ``gain * (signal - offset) + read**2``, but never below ``floor``.

    Parameters
    ----------
    gain : float
        Grey values per detected photon, 0 or more.
    offset : float
        Grey value without light. The straight line of variance over brightness determines the
        offset and the read-out noise only jointly: if the line is negative at signal 0,
        ``offset`` is the signal at which it crosses 0, and ``read`` is 0; otherwise ``offset``
        is 0, and the remaining variance is read-out noise.
    read : float
        Standard deviation of the read-out noise, excluding quantisation noise.
    floor : float
        Smallest noise variance measured at any brightness, excluding quantisation noise.
    correlation : tuple of tuple of float, 5 x 5
        Autocorrelation of the noise for lags -2 ... 2 along Y and X; 1 at the centre. All other
        values are 0 if the correlation of neighbours is at most
        :data:`autodip.physics.noise.CORRELATED`.
    step : float
        Spacing of the grey levels; 0 if they do not lie on a regular grid.
    phase : float
        The grey levels are ``phase`` plus integer multiples of ``step``; 0 if ``step`` is 0.
    minimum, maximum : float or None
        Grey values at which the image is clipped; None if pixels do not accumulate there.
    dtype : str
        Data type of the pixels.
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

        The noise is estimated by :mod:`autodip.physics.estimate`, its autocorrelation by
        :mod:`autodip.physics.correlation`. The quantisation step is the greatest common divisor
        of the differences between grey values for integers, and the spacing of the regular grid
        on which all grey values lie, if there is one, for floats. The quantisation variance
        ``step**2 / 12`` is subtracted from the noise variance. The image counts as clipped if
        pixels accumulate at its smallest value, or at its largest value and that is shared by
        more than one pixel in 10,000.

        Raises
        ------
        ImageError
            If the noise could not be estimated, or the image has none.
        """
        found = estimate_noise(image)
        if found is None:
            raise ImageError(
                f"the noise of this image of shape {image.shape} could not be estimated; use an "
                "image of at least 64 x 64 pixels that are all finite and not all equal"
            )
        values, counts = np.unique(image, return_counts=True)
        if found.sigma <= _NOISELESS * (float(values[-1]) - float(values[0])):
            raise ImageError(
                f"no noise was found in this image (its standard deviation would be "
                f"{found.sigma:.2g}); use a noisy image, as recorded by the microscope"
            )
        step = _step(values)
        constant = found.constant - step**2 / 12
        offset = max(-constant / found.gain, 0.0) if found.gain > 0 else 0.0
        white = max(map(abs, found.correlation)) <= noise.CORRELATED
        data = image.astype(np.float64)
        measured = correlations.white() if white else correlations.autocorrelation(data)
        return cls(
            gain=found.gain,
            offset=offset,
            read=float(np.sqrt(max(constant, 0.0))),
            floor=max(found.floor - step**2 / 12, 0.0),
            correlation=tuple(tuple(map(float, row)) for row in measured),
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
        """Whether the noise of neighbouring pixels is uncorrelated."""
        return bool(np.array_equal(self.correlation, correlations.white()))

    @property
    def neighbours(self) -> tuple[float, float]:
        """Noise correlation of adjacent pixels along Y and along X."""
        return self.correlation[3][2], self.correlation[2][3]

    def variance(self, signal: np.ndarray) -> np.ndarray:
        """Noise variance at ``signal``, before quantisation and clipping."""
        line = self.gain * (signal - self.offset) + self.read**2
        return np.asarray(np.maximum(line, self.floor))

    def digitise(self, image: np.ndarray) -> np.ndarray:
        """Round to the grey levels, clip, and convert to the data type of the pixels."""
        if self.step:
            image = self.phase + self.step * np.rint((image - self.phase) / self.step)
        if self.minimum is not None or self.maximum is not None:
            image = np.clip(image, self.minimum, self.maximum)
        return to_dtype(image, np.dtype(self.dtype))


def _step(values: np.ndarray) -> float:
    """Spacing of the regular grid on which sorted values lie; 0 if there is none."""
    if values.dtype.kind in "iu":
        return float(np.gcd.reduce(np.diff(values.astype(np.int64))))
    values = values.astype(np.float64)
    gaps, span = np.diff(values), float(np.ptp(values))
    if gaps.min() < _FINEST * span:
        return 0.0
    # The total range divided by the total number of steps is hardly affected by rounding errors.
    step = span / float(np.rint(gaps / gaps.min()).sum())
    places = (values - values[0]) / step
    return step if float(np.abs(places - np.rint(places)).max()) < 0.1 else 0.0


def _piled(extreme: int, following: int) -> bool:
    """Whether the pixel counts at an extreme value and at the adjacent value indicate clipping."""
    return bool(extreme >= _PILE and extreme > _TIMES * following)
