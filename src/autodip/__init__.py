"""Denoise one fluorescence image with a deep image prior whose parameters are chosen for it.

>>> import autodip
>>> result = autodip.denoise(array, microscope="confocal", specimen="nucleus")
>>> result.image, result.choice, result.assessment

Importing this package does not import torch; the first fit does.
"""

from __future__ import annotations

import os
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autodip.choose.choice import Choice
    from autodip.errors import AutodipError
    from autodip.fit.params import FitParams, NetParams
    from autodip.image.image import Image
    from autodip.io import read, write
    from autodip.pipeline.denoise import denoise, denoise_steps
    from autodip.pipeline.options import Options
    from autodip.pipeline.planning import plan
    from autodip.pipeline.result import Progress, Result

__version__ = version("autodip")

# GNU OpenMP lets a thread that waits for the others spin for long, which makes a fit ten times
# slower where another program is using the cores. It reads this when torch is loaded, which no
# import of this package does.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")

_HOME = {
    "AutodipError": "errors",
    "Choice": "choose.choice",
    "FitParams": "fit.params",
    "Image": "image.image",
    "NetParams": "fit.params",
    "Options": "pipeline.options",
    "Progress": "pipeline.result",
    "Result": "pipeline.result",
    "denoise": "pipeline.denoise",
    "denoise_steps": "pipeline.denoise",
    "plan": "pipeline.planning",
    "read": "io",
    "write": "io",
}

__all__ = [
    "AutodipError",
    "Choice",
    "FitParams",
    "Image",
    "NetParams",
    "Options",
    "Progress",
    "Result",
    "__version__",
    "denoise",
    "denoise_steps",
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
