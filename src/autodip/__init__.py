"""Denoise a fluorescence image, with what other images have taught a network or a fit to it alone.

>>> import autodip
>>> noisy, truth = autodip.sample(size=64)
>>> autodip.write("cells.tif", noisy)
>>> result = autodip.denoise("cells.tif")
>>> result.save("denoised.tif").name
'denoised.tif'

Importing this package does not import torch; the first fit does.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import autodip.compute.threads  # noqa: F401  (keeps OpenMP from spinning, so before torch)

if TYPE_CHECKING:
    from autodip import metrics
    from autodip.api.denoised import Result
    from autodip.api.denoising import denoise, denoise_steps, plan
    from autodip.api.export import write
    from autodip.api.trial import sample
    from autodip.bases.store import Base
    from autodip.calibration.stages import calibrate
    from autodip.choose.choice import Choice
    from autodip.errors import AutodipError
    from autodip.fit.params import FitParams, NetParams
    from autodip.image.image import Image
    from autodip.io import read
    from autodip.physics.estimate import estimate_noise
    from autodip.physics.noise import Noise
    from autodip.pipeline.options import Options
    from autodip.pipeline.plan import Plan
    from autodip.pipeline.result import Progress
    from autodip.refine.refinement import RefineParams

__version__ = version("autodip")

_HOME = {
    "AutodipError": "errors",
    "Base": "bases.store",
    "Choice": "choose.choice",
    "FitParams": "fit.params",
    "Image": "image.image",
    "NetParams": "fit.params",
    "Noise": "physics.noise",
    "Options": "pipeline.options",
    "Plan": "pipeline.plan",
    "Progress": "pipeline.result",
    "RefineParams": "refine.refinement",
    "Result": "api.denoised",
    "calibrate": "calibration.stages",
    "denoise": "api.denoising",
    "denoise_steps": "api.denoising",
    "estimate_noise": "physics.estimate",
    "plan": "api.denoising",
    "read": "io",
    "sample": "api.trial",
    "write": "api.export",
}

__all__ = [
    "AutodipError",
    "Base",
    "Choice",
    "FitParams",
    "Image",
    "NetParams",
    "Noise",
    "Options",
    "Plan",
    "Progress",
    "RefineParams",
    "Result",
    "__version__",
    "calibrate",
    "denoise",
    "denoise_steps",
    "estimate_noise",
    "metrics",
    "plan",
    "read",
    "sample",
    "write",
]


def __getattr__(name: str) -> Any:
    if name == "metrics":
        return import_module("autodip.metrics")
    if name in _HOME:
        return getattr(import_module(f"autodip.{_HOME[name]}"), name)
    raise AttributeError(f"module 'autodip' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
