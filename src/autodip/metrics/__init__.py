"""Image quality metrics of arrays; the data range is always an explicit argument.

>>> import numpy as np
>>> from autodip import metrics
>>> truth = np.tile(np.arange(0.0, 128), (128, 1))
>>> result = truth + np.where(np.arange(128) % 2, 1.0, -1.0)
>>> metrics.psnr(result, truth, data_range=255)
48.1...
>>> metrics.ssim(result, truth, data_range=255)
0.98...
>>> metrics.affine_psnr(2 * truth + 5, truth, data_range=255) > 200
True

Importing this package does not import torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autodip.metrics.affine import affine_psnr
    from autodip.metrics.distance import lpips
    from autodip.metrics.fidelity import psnr, ssim
    from autodip.metrics.multiscale import ms_ssim

_HOME = {
    "affine_psnr": "affine",
    "lpips": "distance",
    "ms_ssim": "multiscale",
    "psnr": "fidelity",
    "ssim": "fidelity",
}

__all__ = ["affine_psnr", "lpips", "ms_ssim", "psnr", "ssim"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"autodip.metrics.{_HOME[name]}"), name)
    raise AttributeError(f"module 'autodip.metrics' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
