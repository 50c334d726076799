"""Operators: differentiable models that map an image to a measurement.

With an operator in the objective, the fit estimates the image that underlies the measurement: with
:class:`Blur` it deconvolves, with :class:`Downsample` it reconstructs an image with more pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from autodip.errors import ParameterError


@dataclass(frozen=True)
class Identity:
    """The measurement is the image itself."""

    def __call__(self, image: Tensor) -> Tensor:
        """Return the image (1, 1, Y, X) as it is."""
        return image

    def image_shape(self, measured: tuple[int, int]) -> tuple[int, int]:
        """(Y, X) of the image whose measurement has the shape ``measured``."""
        return measured


class Blur:
    """Convolution with a point spread function; the border is reflected.

    Parameters
    ----------
    psf : ndarray, shape (odd, odd)
        Point spread function on the pixel grid of the image, centred in the array; it is
        normalised to sum 1. See :func:`autodip.physics.optics.psf`.

    Raises
    ------
    ParameterError
        If the array is not two-dimensional with odd side lengths, or its sum is not positive.
    """

    def __init__(self, psf: np.ndarray) -> None:
        if psf.ndim != 2 or not all(length % 2 for length in psf.shape) or not psf.sum() > 0:
            raise ParameterError(
                f"a point spread function of shape {psf.shape} and sum {psf.sum():g}; it needs two "
                "odd side lengths and a positive sum"
            )
        self._psf = torch.tensor(psf / psf.sum())[None, None].flip(2, 3)

    def __call__(self, image: Tensor) -> Tensor:
        """Map an image (1, 1, Y, X) to its blurred measurement of the same shape."""
        if self._psf.dtype != image.dtype or self._psf.device != image.device:
            self._psf = self._psf.to(image)
        rows, columns = (length // 2 for length in self._psf.shape[2:])
        padded = F.pad(image, (columns, columns, rows, rows), mode="reflect")
        return F.conv2d(padded, self._psf)

    def image_shape(self, measured: tuple[int, int]) -> tuple[int, int]:
        """(Y, X) of the image whose measurement has the shape ``measured``."""
        return measured


@dataclass(frozen=True)
class Downsample:
    """Mean over blocks of ``factor`` x ``factor`` pixels, as recorded by larger camera pixels."""

    factor: int

    def __post_init__(self) -> None:
        if self.factor < 1:
            raise ParameterError(f"factor is {self.factor}; it must be 1 or more")

    def __call__(self, image: Tensor) -> Tensor:
        """Map an image (1, 1, Y, X) to its measurement (1, 1, Y // factor, X // factor)."""
        return F.avg_pool2d(image, self.factor)

    def image_shape(self, measured: tuple[int, int]) -> tuple[int, int]:
        """(Y, X) of the image whose measurement has the shape ``measured``."""
        return measured[0] * self.factor, measured[1] * self.factor
