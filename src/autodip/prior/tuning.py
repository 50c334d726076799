"""Tuning of a prior on a laboratory's own images.

The weights start from a trained prior and learn from three kinds of data: images with a truth,
repeated captures of a field without a truth (Noise2Noise, Lehtinen et al., ICML 2018), and single
noisy images (see :mod:`autodip.prior.recorruption`). Simulated samples in every batch prevent that
the rest is forgotten. The result counts only if it is better than the start on held-out images.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass

import numpy as np
import torch
from torch import Tensor, nn

from autodip.prior.architecture import PriorNet, conditions
from autodip.prior.clean import draw_scenes
from autodip.prior.examples import draw_example, shares_of
from autodip.prior.held_out_score import Examination
from autodip.prior.lessons import Lesson, Patch, batch_of, draw_patch, mixed_loss, prepare
from autodip.prior.shots import OwnImage, divide, read_shots
from autodip.prior.training import average_into
from autodip.util.values import Value, check_float, check_int

_WARM_UP = 50
"""Steps during which the learning rate rises."""

_BETTER = 0.02
"""Smallest gain on the held-out images that counts, in dB."""

_SCENE_SIDE, _SCENE_PHOTONS = 256, 1000.0


@dataclass(frozen=True, kw_only=True)
class TuneParams(Value):
    """How a prior is tuned.

    Parameters
    ----------
    steps : int
        Number of steps; 0 or more.
    seed : int
    rate : float
        Learning rate of AdamW after 50 steps; it falls linearly to 0 in the second half.
    patch, batch : int
        Side length of a patch in pixels, a multiple of 16, and patches of a step.
    simulated : float
        Share of every batch that is simulated from drawn scenes.
    scenes : int
        Number of drawn scenes.
    told : float
        Share of the patches whose noise is told to the network.
    average : float
        Factor of the exponential moving average of the weights.
    checks : int
        Number of times that the averaged weights are scored on the held-out images.
    """

    steps: int = 1000
    seed: int = 0
    rate: float = 1e-4
    patch: int = 128
    batch: int = 8
    simulated: float = 0.25
    scenes: int = 32
    told: float = 0.7
    average: float = 0.99
    checks: int = 5

    def __post_init__(self) -> None:
        for name, least in {"steps": 1, "seed": 0, "patch": 16, "batch": 1, "scenes": 1}.items():
            check_int(name, getattr(self, name), least)
        check_int("checks", self.checks, 1)
        check_float("rate", self.rate, 0, 1, open_low=True)
        for name in ("simulated", "told", "average"):
            check_float(name, getattr(self, name), 0, 1)


@dataclass(frozen=True)
class TuneStep:
    """State of a tuning.

    Parameters
    ----------
    step, steps : int
    loss : float
        Running mean of the loss.
    before, now : float or None
        Mean PSNR on the held-out images in dB, of the weights to beat and of the averaged weights
        after this step; None for a step after which it was not measured.
    """

    step: int
    steps: int
    loss: float
    before: float
    now: float | None = None


@dataclass(frozen=True)
class Tuned:
    """Result of a tuning.

    Parameters
    ----------
    net : PriorNet or None
        Best weights on the held-out images; None if none were better than the start.
    before, after : float
        Mean PSNR on the held-out images in dB, of the weights to beat and of the best ones.
    counts : mapping of str to int
        Number of images of each kind of data.
    held_out : str
        What was held out.
    measures : tuple of str
        Kinds of data that were held out, on which the PSNR was measured or estimated.
    unused : tuple of str
        Images that could not be used, with the reasons.
    """

    net: PriorNet | None
    before: float
    after: float
    _: KW_ONLY
    counts: Mapping[str, int]
    held_out: str
    measures: tuple[str, ...]
    unused: tuple[str, ...] = ()


def tune(
    start: PriorNet,
    images: Sequence[OwnImage],
    params: TuneParams | None = None,
    *,
    rivals: Sequence[PriorNet] = (),
) -> Iterator[TuneStep | Tuned]:
    """Tune a prior; yields every step, then the result.

    Parameters
    ----------
    start : PriorNet
        Weights from which the tuning starts, on the device on which it runs.
    images : sequence of OwnImage
    params : TuneParams, optional
    rivals : sequence of PriorNet
        Other priors than which the result must be better.

    Raises
    ------
    ImageError
        If no image can be used, or the only ones are too small to hold a part of them out.
    """
    params = params or TuneParams()
    shots, unused = read_shots(images, params.seed)
    divided = divide(shots, params.seed)
    examination = Examination(start, divided.held_out, params.seed)
    before = max(float(np.mean(examination.decibels(net))) for net in (start, *rivals))
    generator = np.random.default_rng(params.seed)
    lessons = [prepare(start, shot, generator) for shot in divided.training]
    tuner = _Tuner(start, lessons, params)
    best, best_net = -np.inf, None
    for step in range(1, params.steps + 1):
        loss, now = tuner.take(step), None
        if step % max(params.steps // params.checks, 1) == 0 or step == params.steps:
            net = tuner.averaged()
            now = float(np.mean(examination.decibels(net)))
            if now > best:
                best, best_net = now, net
        yield TuneStep(step, params.steps, loss, before, now)
    yield Tuned(
        best_net if best > before + _BETTER else None,
        before,
        best,
        counts=Counter(shot.data for shot in shots),
        held_out=divided.words,
        measures=tuple(dict.fromkeys(shot.data for shot in examination.shots)),
        unused=tuple(unused),
    )


class _Tuner:
    """Network, optimiser and averaged weights."""

    def __init__(self, start: PriorNet, lessons: Sequence[Lesson], params: TuneParams) -> None:
        self.params, self.lessons, self.loss = params, lessons, float("nan")
        self.device = next(start.parameters()).device
        self.net = _copy(start, start.state_dict())
        self.average = {key: value.clone() for key, value in start.state_dict().items()}
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=params.rate, weight_decay=0)
        multiple = self.net.multiple
        smallest = min(min(lesson.stable.shape) for lesson in lessons)
        self.side = min(params.patch, smallest) // multiple * multiple
        self.pool = list(
            draw_scenes(params.scenes, _SCENE_SIDE, params.seed, weight=1.0, photons=_SCENE_PHOTONS)
        )
        self.shares = shares_of(self.pool)

    def take(self, step: int) -> float:
        """Take one step; return the running mean of the loss."""
        params = self.params
        generator = np.random.default_rng([params.seed, step])
        patches = self._patches(step, generator)
        told = torch.from_numpy(generator.random(params.batch) < params.told)
        parts = (part.to(self.device) for part in batch_of(patches))
        noisy, target, scale, deviation, lags = parts
        given = conditions(deviation, lags, tuple(noisy.shape))
        given = given * told.to(self.device)[:, None, None, None]
        for group in self.optimiser.param_groups:
            group["lr"] = params.rate * _share_at(step, params.steps)
        kind = self.device.type
        with torch.autocast(kind, torch.bfloat16, enabled=kind in ("cpu", "cuda")):
            result = self.net(noisy, given)
        loss = mixed_loss(result.float(), target, scale, [patch.data for patch in patches])
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        average_into(self.average, self.net, params.average, step)
        new = float(loss.detach())
        self.loss = new if np.isnan(self.loss) else 0.98 * self.loss + 0.02 * new
        return self.loss

    def _patches(self, step: int, generator: np.random.Generator) -> list[Patch]:
        """Patches of a step: own ones, and a fixed share of simulated ones."""
        params = self.params
        simulated = round(params.simulated * params.batch)
        places = generator.integers(len(self.lessons), size=params.batch - simulated)
        own = [draw_patch(self.lessons[place], self.side, generator) for place in places]
        samples = (
            draw_example(self.pool, self.shares, self.side, (params.seed, step, number))
            for number in range(simulated)
        )
        return [*own, *map(Patch.of, samples)]

    def averaged(self) -> PriorNet:
        """Network with the averaged weights."""
        net = _copy(self.net, self.average).eval()
        for parameter in net.parameters():
            parameter.requires_grad_(False)
        return net


def _copy(net: PriorNet, weights: Mapping[str, Tensor]) -> PriorNet:
    """Network of the same widths on the same device, with other weights."""
    copy = PriorNet(net.widths)
    copy.load_state_dict(dict(weights))
    device = next(net.parameters()).device
    return copy.to(device, memory_format=torch.channels_last)  # type: ignore[no-any-return,call-overload]


def _share_at(step: int, steps: int) -> float:
    """Learning rate relative to its largest value: rises, is constant, falls in the second half."""
    return min(1.0, step / _WARM_UP, 2 * (steps - step + 1) / steps)
