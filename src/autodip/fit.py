"""The fit: an untrained network learns to reproduce one noisy image and is stopped early."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from autodip import net as networks
from autodip.errors import FitError, ParameterError
from autodip.params import FitParams, NetParams, deepest

_INPUT_STREAM = 0x9E3779B9

MAX_RESTARTS = 5
"""Restorations without a good checkpoint in between before the fit is given up."""


@dataclass(frozen=True)
class Step:
    """State of a fit after an iteration.

    Parameters
    ----------
    iteration, iterations : int
        Iterations done, and iterations in all.
    loss : float
        Mean squared error to the noisy image (scaled to [0, 1]) at this iteration.
    fallbacks : int
        How often an earlier checkpoint was restored so far.
    output : callable
        Returns the result as of this step: float32 (Y, X) in [0, 1]. Valid only until
        the next step is taken; costs a copy from the device.
    """

    iteration: int
    iterations: int
    loss: float
    fallbacks: int
    output: Callable[[], np.ndarray] = field(repr=False, compare=False)


def fit(
    image: np.ndarray,
    net: NetParams,
    params: FitParams,
    *,
    seed: int = 0,
    device: str = "cpu",
    every: int | None = None,
) -> Iterator[Step]:
    """Fit a deep image prior to one image (Ulyanov et al. 2018), step by step.

    Minimises the mean squared error between ``f_w(z)`` and the image over the weights w
    with Adam; z is uniform noise, fixed. Closing the generator stops the fit.

    Parameters
    ----------
    image : ndarray, float, shape (Y, X)
        Noisy image scaled to [0, 1].
    net, params : NetParams, FitParams
        Architecture, and how it is fitted.
    seed : int
        Decides weights and input; the same seed repeats the fit on the same device.
    device : str
        Name of a torch device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    every : int, optional
        Iterations between the steps that are yielded; the default, 1 on the CPU and 25
        elsewhere, keeps an accelerator from waiting for the host. The last is always yielded.

    Yields
    ------
    Step

    Raises
    ------
    ParameterError
        If the image is too small for the depth of the network.
    FitError
        If the loss becomes infinite again and again.
    """
    state = _Fit(image, net, params, seed, device)
    every = every or (1 if torch.device(device).type == "cpu" else 25)
    for iteration in range(1, params.iterations + 1):
        last = iteration == params.iterations
        state.iterate(check=last or iteration % params.checkpoint_every == 0)
        if last or iteration % every == 0:
            loss = float(state.loss)
            yield Step(iteration, params.iterations, loss, state.fallbacks, state.output)


def random_input(net: NetParams, params: FitParams, shape: tuple[int, ...], seed: int) -> Tensor:
    """Fixed input of the network: (1, input_channels, Y, X), uniform in [0, input_scale)."""
    # Another stream than that of the weights, which start from the seed itself.
    generator = torch.Generator().manual_seed(seed ^ _INPUT_STREAM)
    return torch.rand((1, net.input_channels, *shape), generator=generator) * params.input_scale


def _layout(net: NetParams, device: str) -> torch.memory_format:
    """Channels last pays on a CPU for wide fine scales; batch norm of thin ones loses by it."""
    wide = net.widths[0] >= 16
    cpu = torch.device(device).type == "cpu"
    return torch.channels_last if cpu and wide else torch.contiguous_format


class _Fit:
    """Weights, optimiser, average and checkpoint of one running fit."""

    def __init__(
        self, image: np.ndarray, net: NetParams, params: FitParams, seed: int, device: str
    ) -> None:
        if image.ndim != 2 or net.depth > deepest((image.shape[0], image.shape[1])):
            raise ParameterError(f"depth {net.depth} does not fit an image of shape {image.shape}")
        self.params = params
        z = random_input(net, params, image.shape, seed)
        layout = _layout(net, device)
        self.z = z.to(device).contiguous(memory_format=layout)
        self.target = torch.tensor(image, dtype=z.dtype)[None, None].to(device)
        network = networks.build(net, seed)
        if params.start_at_mean:
            networks.set_mean(network, float(image.mean()))
        self.net = network.to(device=device, memory_format=layout)  # type: ignore[call-overload]
        self.learning_rate = params.learning_rate
        self.optimizer = self._adam()
        self.checkpoint = self._weights()
        self.checkpoint_psnr = 0.0
        self.fallbacks = 0
        self.restarts = 0
        self.loss = torch.zeros(())
        self.averaged = 0
        self.mean = torch.zeros_like(self.target)

    def iterate(self, check: bool) -> None:
        """One step of Adam; with ``check``, keep a checkpoint or return to the last one."""
        self.optimizer.zero_grad(set_to_none=True)
        output = self.net(self.z)
        loss = F.mse_loss(output, self.target)
        self.loss = loss.detach()
        self._average(output.detach())
        if check and self._blown_up():
            self._restore()
            return
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()

    def output(self) -> np.ndarray:
        """Bias-corrected average of the outputs, or the last one; float32 (Y, X) in [0, 1]."""
        correction = 1 - self.params.average**self.averaged
        image: np.ndarray = (self.mean / correction)[0, 0].float().cpu().numpy()
        return image

    def _average(self, output: Tensor) -> None:
        self.averaged += 1
        if self.params.average:
            self.mean.lerp_(output, 1 - self.params.average)
        else:
            self.mean = output

    def _forget_average(self) -> None:
        self.averaged = 0
        self.mean = torch.zeros_like(self.target)

    def _blown_up(self) -> bool:
        """Compare with the last checkpoint; where all is well, this becomes the checkpoint."""
        loss = float(self.loss)
        psnr = -10 * math.log10(max(loss, 1e-20)) if math.isfinite(loss) else -math.inf
        if psnr < self.checkpoint_psnr - self.params.fallback_db:
            return True
        self.checkpoint, self.checkpoint_psnr, self.restarts = self._weights(), psnr, 0
        return False

    def _restore(self) -> None:
        """Return to the checkpoint; after an infinite loss also with a calmer, fresh Adam."""
        self.fallbacks += 1
        self.restarts += 1
        if self.restarts > MAX_RESTARTS:
            raise FitError(
                f"the fit blew up {self.restarts} times in a row at learning rate "
                f"{self.params.learning_rate:g}; use a lower learning rate or another seed"
            )
        with torch.no_grad():
            for weight, kept in zip(self.net.parameters(), self.checkpoint, strict=True):
                weight.copy_(kept)
            if not bool(torch.isfinite(self.loss)):
                self.learning_rate /= 2
                self.optimizer = self._adam()
            self._forget_average()
            output = self.net(self.z)
            self.loss = F.mse_loss(output, self.target)
            self._average(output)

    def _weights(self) -> list[Tensor]:
        return [weight.detach().clone() for weight in self.net.parameters()]

    def _adam(self) -> torch.optim.Adam:
        fused = self.target.device.type in ("cpu", "cuda")
        return torch.optim.Adam(self.net.parameters(), lr=self.learning_rate, fused=fused)
