"""Fits of one architecture to images of one shape, computed side by side.

Every fit has weights, an optimiser, a checkpoint and an average of its own. The weights are
stacked for each pass through the network, so that one convolution serves all fits; nothing
crosses from one to the next, and each goes the way it would go alone.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from torch.func import functional_call

from autodip.compute.device import computes_bfloat16
from autodip.errors import FitError, ParameterError
from autodip.fit import network as networks
from autodip.fit.params import FitParams, NetParams, deepest

_INPUT_STREAM = 0x9E3779B9
_WARM_UP = 5

MAX_RESTARTS = 5
"""Restorations without a good checkpoint in between before the fit is given up."""


def random_input(net: NetParams, params: FitParams, shape: tuple[int, ...], seed: int) -> Tensor:
    """Fixed input of the network: uniform in [0, input_scale).

    Its shape is (1, input_channels, Y, X) for an image of ``shape`` (Y, X), or half as high
    and wide, rounded up, where the network has a reduction of 2.
    """
    # Another stream than that of the weights, which start from the seed itself.
    generator = torch.Generator().manual_seed(seed ^ _INPUT_STREAM)
    size = (1, net.input_channels, *net.reduced((shape[0], shape[1])))
    return torch.rand(size, generator=generator) * params.input_scale


def _layout(net: NetParams, device: str) -> torch.memory_format:
    """Channels last pays on a CPU for all but the thinnest fine scales."""
    wide = net.widths[0] >= 8
    cpu = torch.device(device).type == "cpu"
    return torch.channels_last if cpu and wide else torch.contiguous_format


class _Fit:
    """Weights, optimiser, average and checkpoint of one running fit."""

    def __init__(
        self, net: NetParams, params: FitParams, target: Tensor, seed: int, device: str
    ) -> None:
        self.params = params
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
        # Written in place: a recorded iteration goes on writing where it was recorded.
        self.loss = torch.zeros((), dtype=target.dtype, device=target.device)
        self.mean = torch.zeros_like(target)

    def take(self, output: Tensor) -> Tensor:
        """Loss of an output (1, 1, Y, X), which enters the average."""
        loss = F.mse_loss(output, self.target)
        self.loss.copy_(loss.detach())
        if self.params.average:
            self.mean.lerp_(output.detach(), 1 - self.params.average)
        else:
            self.mean.copy_(output.detach())
        return loss

    def output(self) -> np.ndarray:
        """Bias-corrected average of the outputs, or the last one; float32 (Y, X) in [0, 1]."""
        correction = 1 - self.params.average**self.averaged
        image: np.ndarray = (self.mean / correction)[0, 0].float().cpu().numpy()
        return image

    def blown_up(self) -> bool:
        """Compare with the last checkpoint; where all is well, this becomes the checkpoint."""
        loss = float(self.loss)
        psnr = -10 * math.log10(max(loss, 1e-20)) if math.isfinite(loss) else -math.inf
        if psnr < self.checkpoint_psnr - self.params.fallback_db:
            return True
        self.checkpoint, self.checkpoint_psnr, self.restarts = self._weights(), psnr, 0
        return False

    def restore(self) -> None:
        """Return to the checkpoint; after an infinite loss also with a calmer, fresh Adam."""
        self.fallbacks += 1
        self.restarts += 1
        if self.restarts > MAX_RESTARTS:
            raise FitError(
                f"the fit with seed {self.seed} blew up {self.restarts} times in a row at learning "
                f"rate {self.params.learning_rate:g}; use a lower learning rate or another seed"
            )
        with torch.no_grad():
            for weight, kept in zip(self.net.parameters(), self.checkpoint, strict=True):
                weight.copy_(kept)
            if not bool(torch.isfinite(self.loss)):
                self._calm()
            self.mean.zero_()
        self.averaged = 0

    def follow(self, target: Tensor, params: FitParams) -> None:
        """Go on to another image from the weights as they are; the average begins anew."""
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
        if kind == "cuda":  # a number would be fixed in the recorded iteration
            rate = torch.tensor(rate, device=self.target.device)
        return torch.optim.Adam(
            self.net.parameters(), lr=rate, fused=kind in ("cpu", "cuda"), capturable=kind == "cuda"
        )

    def _calm(self) -> None:
        """Halve the learning rate and forget the moments and the count of steps, in place."""
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
    ) -> None:
        shape = images[0].shape
        if len(shape) != 2 or net.depth > deepest((shape[0], shape[1]), net.reduction):
            raise ParameterError(f"depth {net.depth} does not fit an image of shape {shape}")
        if any(image.shape != shape for image in images):
            shapes = sorted({image.shape for image in images})
            raise ParameterError(f"images of shapes {shapes}; fits at once need a single shape")
        self.shape = shape
        z = torch.cat([random_input(net, params, shape, seed) for seed in seeds], 1).to(device)
        targets = [torch.tensor(image, dtype=z.dtype)[None, None].to(device) for image in images]
        if params.precision == "bfloat16" and computes_bfloat16(device):
            z = z.to(torch.bfloat16)  # in whose format the network computes
        self.z = z.contiguous(memory_format=_layout(net, device))
        self.fits = [
            _Fit(net, params, target, seed, device)
            for target, seed in zip(targets, seeds, strict=True)
        ]
        with torch.device("meta"):  # takes the stacked weights; has none of its own
            self.net = networks.SkipNet(net, len(self.fits))
        self.recording = _Recording(self) if self.z.device.type == "cuda" else None

    def follow(self, images: Sequence[np.ndarray], params: FitParams) -> None:
        """Go on to other images of the same shape, from the weights as they are.

        Raises
        ------
        ParameterError
            If their number or shape is another.
        """
        if [image.shape for image in images] != [self.shape] * len(self.fits):
            shapes = sorted({image.shape for image in images})
            raise ParameterError(
                f"{len(images)} images of shapes {shapes} cannot follow {len(self.fits)} of shape "
                f"{self.shape}; a series has images of one shape"
            )
        if self.recording is not None and params.average != self.fits[0].params.average:
            self.recording.forget()
        for one, image in zip(self.fits, images, strict=True):
            one.follow(torch.tensor(image, dtype=one.target.dtype)[None, None], params)

    def iterate(self, check: bool) -> None:
        """One step of Adam; with ``check``, keep checkpoints or return to the last ones."""
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
        """Loss of every fit; its output enters its average."""
        if len(self.fits) == 1:
            output = self.fits[0].net(self.z)
        else:
            stacked = networks.stack([one.net for one in self.fits])
            output = functional_call(self.net, stacked, (self.z,))
        output = self._crop(output)
        return [one.take(output[:, k : k + 1]) for k, one in enumerate(self.fits)]

    def descend(self, losses: list[Tensor], going: Sequence[bool]) -> None:
        """Step down the gradient with those of the fits that are ``going``."""
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


class _Recording:
    """The iteration as a CUDA graph: one launch in place of a thousand small ones.

    Everything runs on a stream of its own, first as it is, then recorded. Whatever the
    iteration writes lies where it lay when it was recorded.
    """

    def __init__(self, batch: FitBatch) -> None:
        self.batch = batch
        self.side = torch.cuda.Stream(batch.z.device)  # type: ignore[no-untyped-call]
        self.graph: torch.cuda.CUDAGraph | None = None
        self.before = _WARM_UP

    @contextlib.contextmanager
    def stream(self):  # type: ignore[no-untyped-def]
        """Work on the stream, after what was ordered before, and let what follows wait."""
        ordinary = torch.cuda.current_stream(self.batch.z.device)
        self.side.wait_stream(ordinary)
        with torch.cuda.stream(self.side):
            yield
        ordinary.wait_stream(self.side)

    def replay(self) -> bool:
        """Repeat the recorded iteration; False where it is to be computed as it is."""
        if self.before > 0:
            self.before -= 1
            return False
        if self.graph is None:
            self.graph = self._record()
        self.graph.replay()
        return True

    def forget(self) -> None:
        """Record anew, as a number that the recording holds has changed."""
        self.graph, self.before = None, _WARM_UP

    def _record(self) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self.side):
            self.batch.descend(self.batch.forward(), [True] * len(self.batch.fits))
        return graph
