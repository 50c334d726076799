"""Denoise a fluorescence image with a deep image prior whose parameters are chosen for it.

>>> import autodip
>>> image = autodip.read("cells.tif")
>>> result = autodip.denoise(image, microscope="confocal", specimen="nucleus")
>>> autodip.write("denoised.tif", image.replace(data=result.image))

Importing this package does not import torch; the first fit does.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import autodip.compute.threads  # noqa: F401  (keeps OpenMP from spinning, so before torch)

if TYPE_CHECKING:
    from autodip.bases.store import Base
    from autodip.calibration.stages import calibrate
    from autodip.choose.choice import Choice
    from autodip.errors import AutodipError
    from autodip.fit.params import FitParams, NetParams
    from autodip.image.image import Image
    from autodip.io import read, write
    from autodip.physics.estimate import estimate_noise
    from autodip.physics.noise import Noise
    from autodip.pipeline.denoise import denoise, denoise_steps
    from autodip.pipeline.options import Options
    from autodip.pipeline.plan import Plan
    from autodip.pipeline.planning import plan
    from autodip.pipeline.result import Progress, Result
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
    "Result": "pipeline.result",
    "calibrate": "calibration.stages",
    "denoise": "pipeline.denoise",
    "denoise_steps": "pipeline.denoise",
    "estimate_noise": "physics.estimate",
    "plan": "pipeline.planning",
    "read": "io",
    "write": "io",
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
    "plan",
    "read",
    "write",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"autodip.{_HOME[name]}"), name)
    raise AttributeError(f"module 'autodip' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
