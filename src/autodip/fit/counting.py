"""Cost of a fit: weights, arithmetic, memory and, on a CPU, seconds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from autodip.compute.device import computes_bfloat16
from autodip.errors import OutOfMemoryError
from autodip.fit.params import NetParams, Precision
from autodip.util.values import Value

# Operations per second, and bytes per second of the tensors stored for the backward pass (counted
# as float32), on two cores of a server CPU of 2023 (AVX-512, AMX). They were determined with seven
# networks from 2 to 115 GFLOP per iteration; all are predicted within 30 %
# (benchmarks/cost_model.py).
_CPU_RATES: dict[Precision, tuple[float, float]] = {
    "float32": (180e9, 1.5e9),
    "bfloat16": (2000e9, 2.0e9),
}
_SCALE_SECONDS = 0.004
"""Overhead of each scale in each iteration, however small the image."""


@dataclass(frozen=True)
class Cost(Value):
    """Cost of a fit.

    Parameters
    ----------
    parameters : int
        Number of weights of the network.
    iterations : int
    flop : float
        Floating-point operations of the whole fit (convolutions, forward and backward).
    memory : int
        Bytes needed in addition to what the process already holds.
    seconds : float or None
        Rough time on two cores of a current server CPU; None for another device.
    """

    parameters: int
    iterations: int
    flop: float
    memory: int
    seconds: float | None


def estimate(
    net: NetParams,
    iterations: int,
    shape: tuple[int, int],
    device: str = "cpu",
    *,
    precision: Precision = "float32",
    seeds: int = 1,
) -> Cost:
    """Estimate the cost of a fit to an image of ``shape`` (Y, X) without running it.

    ``precision`` and ``seeds`` are as in :class:`~autodip.fit.params.FitParams`. Memory is counted
    for float32, the format used by a processor without bfloat16.
    """
    parameters, flop, saved = _count(net, shape)
    seconds = None
    if device == "cpu":
        rates = _CPU_RATES[precision if computes_bfloat16(device) else "float32"]
        once = flop / rates[0] + saved / rates[1] + _SCALE_SECONDS * net.depth
        seconds = seeds * iterations * once
    # Weights, gradients, two moments of Adam, checkpoint; workspace of the backward pass.
    memory = int(seeds * (20 * parameters + 1.2 * saved) + 64e6)
    return Cost(parameters, iterations, float(flop) * iterations * seeds, memory, seconds)


@lru_cache(maxsize=64)
def _count(net: NetParams, shape: tuple[int, int]) -> tuple[int, int, int]:
    """Number of weights, operations of one iteration, bytes stored for the backward pass."""
    import torch  # noqa: PLC0415  (takes a second; --help does without it)
    from torch.utils.flop_counter import FlopCounterMode  # noqa: PLC0415

    from autodip.fit import network as networks  # noqa: PLC0415

    with torch.device("meta"):
        network = networks.SkipNet(net)
        z = torch.empty(1, net.input_channels, *net.reduced(shape))
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


def check_memory(net: NetParams, shape: tuple[int, int], free: int, seeds: int = 1) -> None:
    """Raise OutOfMemoryError, suggesting what would fit, if a fit needs more than is free."""
    need = estimate(net, 1, shape, seeds=seeds).memory
    if need <= free:
        return
    smaller = (w for w in (128, 64, 32, 16, 8, 4) if w < max(net.widths))
    width = next(
        (w for w in smaller if estimate(_of(net, w), 1, shape, seeds=seeds).memory <= free), None
    )
    way = (
        f"--width {width} needs {_gb(_of(net, width), shape, seeds)}" if width else "crop the image"
    )
    raise OutOfMemoryError(
        f"network {net} on {shape[0]} x {shape[1]} pixels needs about {need / 1e9:.1f} GB, "
        f"but {free / 1e9:.1f} GB are free; {way}, or use a machine with more memory"
    )


def _of(net: NetParams, width: int) -> NetParams:
    return net.replace(width=width)


def _gb(net: NetParams, shape: tuple[int, int], seeds: int) -> str:
    return f"{estimate(net, 1, shape, seeds=seeds).memory / 1e9:.1f} GB"
