"""The device on which a fit runs, and its free memory."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

from autodip.errors import DeviceError, ParameterError

_CGROUP = Path("/sys/fs/cgroup")


def resolve(name: str = "auto") -> str:
    """Name of the torch device to use.

    Parameters
    ----------
    name : str
        ``auto`` (CUDA, else Apple's MPS, else the CPU), ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Raises
    ------
    ParameterError
        If the name is none of these.
    DeviceError
        If this machine, or this build of torch, does not have the device.
    """
    import torch  # noqa: PLC0415  (takes a second; --help does without it)

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    there = ["cpu", *(f"cuda:{n}" for n in range(count))]
    if torch.backends.mps.is_available():
        there.append("mps")
    if name == "auto":
        return "cuda:0" if count else "mps" if "mps" in there else "cpu"
    kind, colon, number = name.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (colon and (kind != "cuda" or not number.isdecimal())):
        raise ParameterError(
            f"device {name!r} is not known; allowed are auto, cpu, cuda, cuda:N and mps"
        )
    full = "cuda:0" if name == "cuda" else name
    if full not in there:
        raise DeviceError(f"device {name!r} is not available; this machine has {', '.join(there)}")
    return full


def computes_bfloat16(device: str) -> bool:
    """Whether the device has bfloat16 instructions that speed up convolutions."""
    import torch  # noqa: PLC0415

    kind = torch.device(device).type
    if kind == "cuda":
        return torch.cuda.is_available() and torch.cuda.get_device_capability(device) >= (8, 0)
    # No public function of torch reports this for a CPU; without this one, assume it has none.
    has_tiles = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    return kind == "cpu" and bool(has_tiles())


def multiplies_bfloat16(device: str) -> bool:
    """Whether the device has bfloat16 instructions of any kind, on a CPU AMX or AVX-512 BF16.

    AVX-512 BF16 alone speeds up convolutions between many channels, as of the learned prior, but
    not the small networks of a fit; for these see :func:`computes_bfloat16`.
    """
    import torch  # noqa: PLC0415

    has_products = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    on_cpu = torch.device(device).type == "cpu" and bool(has_products())
    return on_cpu or computes_bfloat16(device)


def free_memory(device: str) -> int:
    """Bytes still available to a fit on the device, within the limit of a container."""
    if device.startswith("cuda"):
        import torch  # noqa: PLC0415

        return int(torch.cuda.mem_get_info(device)[0])
    free = int(psutil.virtual_memory().available)
    limit = _read_number(_CGROUP / "memory.max")
    used = _read_number(_CGROUP / "memory.current")
    return free if limit is None or used is None else min(free, max(0, limit - used))


def card(device: str) -> str:
    """Identity of a CUDA device; its name may differ between processes. Empty for other devices."""
    if not device.startswith("cuda"):
        return ""
    import torch  # noqa: PLC0415

    return str(torch.cuda.get_device_properties(device).uuid)


def held_memory() -> int:
    """Resident memory of this process, in bytes."""
    return int(psutil.Process().memory_info().rss)


def peak_memory() -> int | None:
    """Peak resident memory of this process, in bytes; None if the system does not report it."""
    try:
        import resource  # noqa: PLC0415  (not on Windows)
    except ImportError:
        return getattr(psutil.Process().memory_info(), "peak_wset", None)
    unit = 1 if sys.platform == "darwin" else 1024
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * unit


def _read_number(path: Path) -> int | None:
    """Number in a control-group file; None if the file does not exist or sets no limit."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
