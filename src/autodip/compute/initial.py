"""Random initial weights of a network, drawn from a separate generator."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def initialised(make: Callable[[], Network], seed: int) -> Network:
    """Build a network on the CPU whose initial weights depend on ``seed`` alone.

    The weights have the distributions of ``torch.nn``'s own constructors (He et al. 2015, with
    ``a = sqrt(5)``; batch normalisation starts as the identity) and are drawn in the order of
    ``network.modules()``. The global random state of torch is neither read nor changed, so that
    threads that build networks at the same time do not disturb each other.

    Parameters
    ----------
    make : callable
        Function that builds a network of convolutions and batch normalisations; called on the
        "meta" device, where no weights are drawn.
    seed : int
        Seed of the random generator.

    Returns
    -------
    Module
        Network that ``make`` returns, with float32 weights.

    Raises
    ------
    TypeError
        If any other kind of layer in the network has weights.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.device("meta"):
        network = make()
    network.to_empty(device="cpu")
    with torch.no_grad():
        for module in network.modules():
            _draw(module, generator)
    return network


def _draw(module: nn.Module, generator: torch.Generator) -> None:
    """Draw the weights of one layer, excluding those of the layers inside it."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5), generator=generator)
        if module.bias is not None:
            bound = 1 / math.sqrt(module.weight[0].numel())
            nn.init.uniform_(module.bias, -bound, bound, generator=generator)
    elif isinstance(module, nn.BatchNorm2d):
        module.reset_parameters()
    elif any(True for _ in module.parameters(recurse=False)):
        raise TypeError(f"no initial weights are known for the layer {type(module).__name__}")
