"""The machine and the versions with which a set of results was obtained."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import psutil

from autodip.compute import processor

_LIBRARIES = ("autodip", "numpy", "scipy", "scikit-image", "torch", "bm3d", "pytorch-msssim")


def environment() -> dict[str, Any]:
    """Processor, memory (1e9 bytes), accelerator, versions and date; JSON-ready.

    The accelerator is None without CUDA; the version of a package is None if it is not installed.
    """
    import torch  # noqa: PLC0415  (takes a second)

    cuda = torch.cuda.is_available()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": psutil.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "accelerator": torch.cuda.get_device_name() if cuda else None,
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in _LIBRARIES},
    }


def machine(device: str = "cpu") -> str:
    """Short description of the machine, with its accelerator if that is the device."""
    words = [_processor(), f"{psutil.cpu_count()} cores"]
    words.append(f"{psutil.virtual_memory().total / 1e9:.0f} GB")
    if device.startswith("cuda"):
        import torch  # noqa: PLC0415  (takes a second)

        words.append(torch.cuda.get_device_name(device))
    return ", ".join(words)


def _processor() -> str:
    """Name of the processor, and which of the vector units that speed up a fit it has."""
    units = [unit for unit in ("avx2", "avx512f", "amx_bf16") if unit in processor.flags()]
    return " ".join([processor.name(), *units])


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
