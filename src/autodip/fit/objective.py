"""What a fit minimises: ``term(operator(output), target)`` plus regularisers.

The network's output is the estimated image. An operator (:mod:`autodip.fit.operators`) maps it to
the expected measurement, a data term (:mod:`autodip.fit.terms`) compares this with the noisy image,
and regularisers (:mod:`autodip.fit.regularisers`) penalise the output itself. The default, the mean
squared difference without operator or regularisers, is the deep image prior (Ulyanov et al. 2018).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor

from autodip.fit.operators import Identity
from autodip.fit.terms import mean_square

DataTerm = Callable[[Tensor, Tensor], Tensor]
"""Maps a prediction and the noisy image, both (1, 1, Y, X) in [0, 1], to a scalar."""

Regulariser = Callable[[Tensor], Tensor]
"""Maps an output (1, 1, Y, X) in [0, 1] to a scalar that is added to the data term."""


class Operator(Protocol):
    """A differentiable model that maps an image to a measurement."""

    def __call__(self, image: Tensor) -> Tensor:
        """Map an image (1, 1, Y, X) to its noise-free measurement (1, 1, Y', X')."""
        ...

    def image_shape(self, measured: tuple[int, int]) -> tuple[int, int]:
        """(Y, X) of the image whose measurement has the shape ``measured``."""
        ...


@dataclass(frozen=True)
class Objective:
    """Objective function that a fit minimises.

    Parameters
    ----------
    term : DataTerm
    operator : Operator
    regularisers : tuple of Regulariser
        Each includes its weight.
    """

    term: DataTerm = mean_square
    operator: Operator = field(default_factory=Identity)
    regularisers: tuple[Regulariser, ...] = ()

    def data(self, output: Tensor, target: Tensor) -> Tensor:
        """Data term of an output; a scalar."""
        return self.term(self.operator(output), target)

    def total(self, output: Tensor, data: Tensor) -> Tensor:
        """Sum of the data term of an output and its regularisers; a scalar."""
        for regulariser in self.regularisers:
            data = data + regulariser(output)
        return data
