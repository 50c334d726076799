"""The fit of one plane, from noisy pixels to the result in the same units.

``autodip denoise`` and ``autodip calibrate`` both use it, so that calibrated scores describe the
results that users get.
"""

from __future__ import annotations

import numpy as np

from autodip.fit.loop import Step
from autodip.fit.params import FitParams
from autodip.fit.stopping import Discrepancy
from autodip.image.scaling import Scale, to_dtype
from autodip.physics.noise import CERTAIN, Noise
from autodip.refine.combine import refine
from autodip.refine.refinement import RefineParams


class Session:
    """The fit of one plane: its scale, noise, stopping criterion and result.

    Parameters
    ----------
    plane : ndarray, shape (Y, X)
        Noisy pixels, in any units.
    scale : Scale
        Maps these units to [0, 1].
    noise : Noise or None
        Noise of the plane; None if it could not be estimated, in which case there is no early
        stop and no refinement.
    params : FitParams
    refinement : RefineParams or None
        None leaves the result of the fit unrefined.
    device : str
        Name of the torch device of the fit.
    dtype : dtype, optional
        Data type of the result; by default that of the plane.

    Attributes
    ----------
    history : list of (int, float)
        Iteration and loss of every step so far.
    fallbacks : int
        Number of times the fit returned to a checkpoint.
    result : ndarray, float64, shape (Y, X), or None
        Result of the fit in units of the plane; None until the fit has ended.
    """

    def __init__(
        self,
        plane: np.ndarray,
        scale: Scale,
        noise: Noise | None,
        params: FitParams,
        refinement: RefineParams | None,
        *,
        device: str = "cpu",
        dtype: np.dtype | None = None,
    ) -> None:
        self.plane, self.scale, self.noise, self.refinement = plane, scale, noise, refinement
        self.history: list[tuple[int, float]] = []
        self.fallbacks = 0
        self.result: np.ndarray | None = None
        self._dtype = plane.dtype if dtype is None else dtype
        self._device = device if device.startswith("cuda") else "cpu"
        self._stop: Discrepancy | None = None
        # Where it is correlated, the power of the noise is too uncertain to stop by.
        certain = noise is not None and min(noise.correlation) < CERTAIN
        if params.noise_limit is not None and noise is not None and certain:
            data = plane.astype(np.float64)
            self._stop = Discrepancy(data, noise, params.iterations, params.noise_limit)

    @property
    def scaled(self) -> np.ndarray:
        """The plane on the [0, 1] scale, float64."""
        return self.scale.apply(self.plane)

    @property
    def refines(self) -> bool:
        """Whether the result of the fit will be refined; not if there is no noise."""
        noisy = self.noise is not None and not self.noise.absent
        return self.refinement is not None and noisy

    def ends(self, step: Step) -> bool:
        """Record a step, and return whether the fit ends with it."""
        self.history.append((step.iteration, step.loss))
        self.fallbacks = step.fallbacks
        last = step.iteration == step.iterations
        due = self._stop is not None and self._stop.due(step.iteration)
        if not (last or due):
            return False
        result = self.in_units(step.output())
        reached = due and self._stop is not None and self._stop.reached(result)
        if last or reached:
            self.result = result
        return last or reached

    def in_units(self, output: np.ndarray) -> np.ndarray:
        """Convert an output (Y, X) on the [0, 1] scale to float64 in units of the plane."""
        return self.scale.invert(output, np.dtype(np.float64))

    def refined(self, result: np.ndarray) -> np.ndarray:
        """Refine a result (Y, X) in units of the plane; unchanged without refinement or noise."""
        if not self.refines:
            return result
        assert self.refinement is not None  # else it would not be refined
        assert self.noise is not None
        return refine(self.plane, result, self.noise, self.refinement, device=self._device)

    def rounded(self, result: np.ndarray) -> np.ndarray:
        """Convert a result (Y, X) in units of the plane to the data type of the result."""
        return to_dtype(result, self._dtype)
