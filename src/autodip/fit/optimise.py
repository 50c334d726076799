"""Fits of one architecture to images of one shape, computed side by side.

Every fit has its own weights, optimiser, checkpoint and average. The weights are stacked for each
pass through the network, so that one convolution serves all fits. The fits do not interact, and
each proceeds as it would alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call

from autodip.compute.device import computes_bfloat16
from autodip.errors import FitError, ParameterError
from autodip.fit import network as networks
from autodip.fit.cuda_graph import Recording
from autodip.fit.objective import Objective
from autodip.fit.params import FitParams, NetParams, deepest

_INPUT_STREAM = 0x9E3779B9

MAX_RESTARTS = 5
"""Maximum number of restorations in a row, without a good checkpoint in between."""


def random_input(net: NetParams, params: FitParams, shape: tuple[int, ...], seed: int) -> Tensor:
    """Fixed input of the network: uniform noise in [0, input_scale).

    Its shape is (1, input_channels, Y, X) for an image of ``shape`` (Y, X); if the network has a
    reduction of 2, height and width are halved and rounded up.
    """
    # Not the random stream of the weights, which uses the seed itself.
    generator = torch.Generator().manual_seed(seed ^ _INPUT_STREAM)
    size = (1, net.input_channels, *net.reduced((shape[0], shape[1])))
    return torch.rand(size, generator=generator) * params.input_scale


def _layout(net: NetParams, device: str) -> torch.memory_format:
    """Memory format: channels last is faster on a CPU unless the finest scale is very thin."""
    wide = net.widths[0] >= 8
    cpu = torch.device(device).type == "cpu"
    return torch.channels_last if cpu and wide else torch.contiguous_format


class _Fit:
    """Weights, optimiser, average and checkpoint of one running fit."""

    def __init__(
        self,
        net: NetParams,
        params: FitParams,
        target: Tensor,
        *,
        seed: int,
        device: str,
        objective: Objective,
    ) -> None:
        self.params = params
        self.objective = objective
        self.seed = seed
        self.target = target
        network = networks.build(net, seed)
        if params.start_at_mean:
            networks.set_mean(network, float(target.mean()))
        layout = _layout(net, device)
        self.net = network.to(device=device, memory_format=layout)  # type: ignore[call-overload]
        self.optimizer = self._adam()
        self.checkpoint = self._weights()
        self.checkpoint_psnr = 0.0
        self.fallbacks = 0
        self.restarts = 0
        self.averaged = 0
        # Updated in place: a recorded iteration keeps writing to the memory used when recorded.
        self.loss = torch.zeros((), dtype=target.dtype, device=target.device)
        rows, columns = objective.operator.image_shape((target.shape[2], target.shape[3]))
        self.mean = target.new_zeros((1, 1, rows, columns))

    def take(self, output: Tensor) -> Tensor:
        """Objective of an output (1, 1, Y, X); also adds the output to the average."""
        data = self.objective.data(output, self.target)
        self.loss.copy_(data.detach())
        if self.params.average:
            self.mean.lerp_(output.detach(), 1 - self.params.average)
        else:
            self.mean.copy_(output.detach())
        return self.objective.total(output, data)

    def output(self) -> np.ndarray:
        """Bias-corrected average of the outputs, or the last one; float32 (Y, X) in [0, 1]."""
        correction = 1 - self.params.average**self.averaged
        image: np.ndarray = (self.mean / correction)[0, 0].float().cpu().numpy()
        return image

    def blown_up(self) -> bool:
        """Whether the fit has diverged since the last checkpoint; if not, set a new checkpoint."""
        loss = float(self.loss)
        psnr = -10 * math.log10(max(loss, 1e-20)) if math.isfinite(loss) else -math.inf
        if psnr < self.checkpoint_psnr - self.params.fallback_db:
            return True
        self.checkpoint, self.checkpoint_psnr, self.restarts = self._weights(), psnr, 0
        return False

    def restore(self) -> None:
        """Return to the checkpoint; if the loss is not finite, also reset Adam at half its rate."""
        self.fallbacks += 1
        self.restarts += 1
        if self.restarts > MAX_RESTARTS:
            raise FitError(
                f"the fit with seed {self.seed} diverged {self.restarts} times in a row at "
                f"learning rate {self.params.learning_rate:g}; use a lower learning rate or "
                "another seed"
            )
        with torch.no_grad():
            for weight, kept in zip(self.net.parameters(), self.checkpoint, strict=True):
                weight.copy_(kept)
            if not bool(torch.isfinite(self.loss)):
                self._calm()
            self.mean.zero_()
        self.averaged = 0

    def follow(self, target: Tensor, params: FitParams) -> None:
        """Continue with another image from the current weights; the average starts from scratch."""
        self.target.copy_(target)
        self.params = params
        self.mean.zero_()
        self.averaged = 0
        self.checkpoint, self.checkpoint_psnr = self._weights(), 0.0
        self.fallbacks = self.restarts = 0

    def _weights(self) -> list[Tensor]:
        return [weight.detach().clone() for weight in self.net.parameters()]

    def _adam(self) -> torch.optim.Adam:
        kind = self.target.device.type
        rate: float | Tensor = self.params.learning_rate
        if kind == "cuda":  # a plain number would be constant in a recorded iteration
            rate = torch.tensor(rate, device=self.target.device)
        return torch.optim.Adam(
            self.net.parameters(), lr=rate, fused=kind in ("cpu", "cuda"), capturable=kind == "cuda"
        )

    def _calm(self) -> None:
        """Halve the learning rate and reset the moments and the step count, in place."""
        for group in self.optimizer.param_groups:
            group["lr"] /= 2
        for state in self.optimizer.state.values():
            for value in state.values():
                value.zero_()


class FitBatch:
    """Several fits of one architecture, each with its image and seed.

    Parameters
    ----------
    images : sequence of ndarray, float, shape (Y, X)
        Noisy images scaled to [0, 1], all of one shape.
    net, params : NetParams, FitParams
    seeds : sequence of int
        One for each image.
    device : str
    objective : Objective, optional
        Function to minimise; by default the mean squared difference to the image.

    Raises
    ------
    ParameterError
        If an image is too small for the depth of the network, or the shapes differ.
    """

    def __init__(
        self,
        images: Sequence[np.ndarray],
        net: NetParams,
        params: FitParams,
        seeds: Sequence[int],
        device: str,
        *,
        objective: Objective | None = None,
    ) -> None:
        objective = objective or Objective()
        self.measured = images[0].shape
        shape = self.measured
        if len(shape) == 2:
            shape = objective.operator.image_shape((shape[0], shape[1]))
        if len(shape) != 2 or net.depth > deepest((shape[0], shape[1]), net.reduction):
            raise ParameterError(f"depth {net.depth} does not fit an image of shape {shape}")
        if any(image.shape != self.measured for image in images):
            shapes = sorted({image.shape for image in images})
            raise ParameterError(
                f"images of shapes {shapes}; simultaneous fits need a single shape"
            )
        self.shape = shape
        z = torch.cat([random_input(net, params, shape, seed) for seed in seeds], 1).to(device)
        targets = [torch.tensor(image, dtype=z.dtype)[None, None].to(device) for image in images]
        if params.precision == "bfloat16" and computes_bfloat16(device):
            z = z.to(torch.bfloat16)  # the network computes in the format of its input
        self.z = z.contiguous(memory_format=_layout(net, device))
        self.fits: Sequence[_Fit] = [
            _Fit(net, params, target, seed=seed, device=device, objective=objective)
            for target, seed in zip(targets, seeds, strict=True)
        ]
        with torch.device("meta"):  # run with the stacked weights; has none of its own
            self.net = networks.SkipNet(net, len(self.fits))
        self.recording = Recording(self) if self.z.device.type == "cuda" else None

    def follow(self, images: Sequence[np.ndarray], params: FitParams) -> None:
        """Continue with other images of the same shape, from the current weights.

        Raises
        ------
        ParameterError
            If their number or shape differs.
        """
        if [image.shape for image in images] != [self.measured] * len(self.fits):
            shapes = sorted({image.shape for image in images})
            raise ParameterError(
                f"{len(images)} images of shapes {shapes} cannot follow {len(self.fits)} of shape "
                f"{self.measured}; a series has images of one shape"
            )
        if self.recording is not None and params.average != self.fits[0].params.average:
            self.recording.forget()
        for one, image in zip(self.fits, images, strict=True):
            one.follow(torch.tensor(image, dtype=one.target.dtype)[None, None], params)

    def iterate(self, check: bool) -> None:
        """Run one step of Adam; with ``check``, update the checkpoints or return to them."""
        for one in self.fits:
            one.averaged += 1
        if self.recording is None:
            self._iterate(check)
            return
        with self.recording.stream():
            if check or not self.recording.replay():
                self._iterate(check)

    def _iterate(self, check: bool) -> None:
        losses = self.forward()
        blown = [check and one.blown_up() for one in self.fits]
        self.descend(losses, [not bad for bad in blown])
        inputs = self.z.chunk(len(self.fits), 1)
        for one, z, bad in zip(self.fits, inputs, blown, strict=True):
            if bad:
                one.restore()
                one.averaged = 1
                with torch.no_grad():
                    one.take(self._crop(one.net(z)))

    def forward(self) -> list[Tensor]:
        """Loss of every fit; also adds each output to its average."""
        if len(self.fits) == 1:
            output = self.fits[0].net(self.z)
        else:
            stacked = networks.stack([one.net for one in self.fits])
            output = functional_call(self.net, stacked, (self.z,))
        output = self._crop(output)
        return [one.take(output[:, k : k + 1]) for k, one in enumerate(self.fits)]

    def descend(self, losses: list[Tensor], going: Sequence[bool]) -> None:
        """Take a gradient step for each fit that is ``going``."""
        for one in self.fits:
            one.optimizer.zero_grad(set_to_none=True)
        parts = [loss for loss, goes in zip(losses, going, strict=True) if goes]
        if parts:
            torch.autograd.backward(parts)
        for one, goes in zip(self.fits, going, strict=True):
            if goes:
                one.optimizer.step()

    def _crop(self, output: Tensor) -> Tensor:
        return output[:, :, : self.shape[0], : self.shape[1]]
