"""What a fit costs: weights, arithmetic, memory and, on a CPU, seconds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from autodip.errors import OutOfMemoryError
from autodip.params import NetParams

# Two cores of a server CPU of 2023 (AVX-512), least relative error over seven networks from
# 3 GFLOP to 1.8 TFLOP an iteration, each predicted within a quarter: operations, and bytes of
# the tensors kept for the backward pass, per second.
_CPU_FLOPS = 230e9
_CPU_BYTES = 0.92e9


@dataclass(frozen=True)
class Cost:
    """Cost of a fit.

    Parameters
    ----------
    parameters : int
        Weights of the network.
    iterations : int
    flop : float
        Floating-point operations of the whole fit (convolutions, forward and backward).
    memory : int
        Bytes needed beside what the process already holds.
    seconds : float or None
        Rough time on two cores of a current server CPU; None for another device.
    """

    parameters: int
    iterations: int
    flop: float
    memory: int
    seconds: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-ready dictionary."""
        return asdict(self)


def estimate(net: NetParams, iterations: int, shape: tuple[int, int], device: str = "cpu") -> Cost:
    """Cost of a fit to an image of ``shape`` (Y, X); nothing is computed, only counted."""
    parameters, flop, saved = _count(net, shape)
    seconds = iterations * (flop / _CPU_FLOPS + saved / _CPU_BYTES) if device == "cpu" else None
    # Weights, gradients, two moments of Adam, checkpoint; workspace of the backward pass.
    memory = int(20 * parameters + 1.2 * saved + 64e6)
    return Cost(parameters, iterations, float(flop) * iterations, memory, seconds)


@lru_cache(maxsize=64)
def _count(net: NetParams, shape: tuple[int, int]) -> tuple[int, int, int]:
    """Weights, operations of one iteration, bytes kept for the backward pass."""
    import torch  # noqa: PLC0415  (a second; the command line asks for help without it)
    from torch.utils.flop_counter import FlopCounterMode  # noqa: PLC0415

    from autodip import net as networks  # noqa: PLC0415

    with torch.device("meta"):
        network = networks.SkipNet(net)
        z = torch.empty(1, net.input_channels, *shape)
    storages: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        storages[storage._cdata] = storage.nbytes()
        kept.append(storage)
        return tensor

    kept: list[torch.UntypedStorage] = []
    with (
        FlopCounterMode(display=False) as counter,
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
    ):
        network(z).sum().backward()
    parameters = sum(p.numel() for p in network.parameters())
    return parameters, counter.get_total_flops(), sum(storages.values())


def check_memory(net: NetParams, shape: tuple[int, int], free: int) -> None:
    """Raise OutOfMemoryError, naming a setting that fits, if a fit needs more than is free."""
    need = estimate(net, 1, shape).memory
    if need <= free:
        return
    smaller = (w for w in (128, 64, 32, 16, 8, 4) if w < max(net.widths))
    width = next((w for w in smaller if estimate(_of(net, w), 1, shape).memory <= free), None)
    way = f"--width {width} needs {_gb(_of(net, width), shape)}" if width else "crop the image"
    raise OutOfMemoryError(
        f"network {net} on {shape[0]} x {shape[1]} pixels needs about {need / 1e9:.1f} GB, "
        f"but {free / 1e9:.1f} GB are free; {way}, or use a machine with more memory"
    )


def _of(net: NetParams, width: int) -> NetParams:
    changed: NetParams = net.replace(width=width)
    return changed


def _gb(net: NetParams, shape: tuple[int, int]) -> str:
    return f"{estimate(net, 1, shape).memory / 1e9:.1f} GB"
