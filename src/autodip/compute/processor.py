"""The kind of processor, on which the last bits of a result depend."""

from __future__ import annotations

import platform
from pathlib import Path

from autodip.compute.device import computes_bfloat16, multiplies_bfloat16

_INFORMATION = Path("/proc/cpuinfo")


def kind(device: str) -> dict[str, str]:
    """What the bits of a result depend on besides the number of threads.

    Parameters
    ----------
    device : str
        Name of the torch device that computes.

    Returns
    -------
    dict of str to str
        ``processor``, its name; ``instructions``, the vector instructions that torch uses;
        ``bfloat16``, what is computed with 16-bit floats ("prior and fits", "prior" or "nothing");
        and ``accelerator``, the name of a CUDA device.
    """
    import torch  # noqa: PLC0415  (takes a second)

    half = "prior and fits" if computes_bfloat16(device) else "prior"
    found = {
        "processor": name(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "bfloat16": half if multiplies_bfloat16(device) else "nothing",
    }
    if device.startswith("cuda"):
        found["accelerator"] = torch.cuda.get_device_name(device)
    return found


def name() -> str:
    """Name of the processor."""
    return _entries().get("model name") or platform.processor() or platform.machine()


def flags() -> tuple[str, ...]:
    """Instructions that the processor has, as Linux names them; empty on other systems."""
    return tuple(_entries().get("flags", "").split())


def _entries() -> dict[str, str]:
    if not _INFORMATION.exists():
        return {}
    pairs = (line.partition(":") for line in _INFORMATION.read_text().splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}
