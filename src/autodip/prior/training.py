"""Training of the prior: clean images, simulated detectors, AdamW, averaged weights.

Every step is a function of the recipe and its number: examples are drawn from their own seeds, and
the state is saved with the step at which it was reached, so an interrupted training continues as
if it had not been interrupted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from autodip.compute.device import multiplies_bfloat16
from autodip.prior.architecture import conditions
from autodip.prior.clean import Clean
from autodip.prior.examples import draw_example, shares_of
from autodip.prior.recipe import Training
from autodip.prior.state import first_net, load_state, moments_of, save_state, save_weights, under

_WARM_UP = 500
"""Steps during which the learning rate rises."""

_KEPT_EVERY = 2000
"""Steps between two files of averaged weights, if the state is saved then."""


@dataclass(frozen=True)
class Progressed:
    """A training after a step.

    Parameters
    ----------
    step, steps : int
        Steps taken, and all steps of the recipe.
    loss : float
        Running mean of the loss.
    rate : float
        Learning rate of the step.
    average : mapping of str to Tensor
        Averaged weights by name; the next step changes them.
    """

    step: int
    steps: int
    _: KW_ONLY
    loss: float
    rate: float
    average: Mapping[str, Tensor]


class _Batches(Dataset[tuple[Tensor, ...]]):
    """Batches by their number, from the step ``first`` of the recipe."""

    def __init__(self, pool: list[Clean], recipe: Training, first: int) -> None:
        self.pool, self.shares, self.recipe, self.first = pool, shares_of(pool), recipe, first

    def __len__(self) -> int:
        return self.recipe.steps - self.first

    def __getitem__(self, place: int) -> tuple[Tensor, ...]:
        recipe, step = self.recipe, self.first + place
        examples = [
            draw_example(self.pool, self.shares, recipe.patch, (recipe.seed, step, number))
            for number in range(recipe.batch)
        ]
        told = np.random.default_rng((recipe.seed, step)).random(recipe.batch) < recipe.told
        return (
            torch.from_numpy(np.stack([e.noisy for e in examples]))[:, None],
            torch.from_numpy(np.stack([e.truth for e in examples]))[:, None],
            torch.from_numpy(np.stack([e.deviation for e in examples]))[:, None],
            torch.from_numpy(np.stack([e.correlation for e in examples])),
            torch.from_numpy(told),
        )


def loss_of(result: Tensor, truth: Tensor) -> Tensor:
    """Loss of a batch (N, 1, Y, X): root mean square errors at two scales, and absolute errors.

    The root is taken for every example, so that examples with much noise do not outweigh those
    with little. The error is also averaged over 4 x 4 pixels, so that no blobs remain of noise.
    """
    error = result - truth
    fine = torch.sqrt(error.square().mean((1, 2, 3)) + 1e-4)
    coarse = torch.sqrt(F.avg_pool2d(error, 4).square().mean((1, 2, 3)) + 1e-4)
    return fine.mean() + 0.5 * coarse.mean() + 0.2 * error.abs().mean()


def average_into(average: Mapping[str, Tensor], net: nn.Module, factor: float, step: int) -> None:
    """Move averaged weights towards those of a network, further in the first steps.

    Parameters
    ----------
    average : mapping of str to Tensor
        Changed in place.
    net : Module
    factor : float
        Factor of the exponential moving average.
    step : int
        Steps taken so far, from 1.
    """
    share = 1 - min(factor, 1 - 10 / (step + 10))
    for key, value in net.state_dict().items():
        average[key].lerp_(value, share)


def rate_at(step: int, recipe: Training) -> float:
    """Learning rate: rises during the warm-up, is constant, falls linearly to 0 at the end.

    Parameters
    ----------
    step : int
        Number of the step, from 0.
    recipe : Training
    """
    start = recipe.steps * (1 - recipe.decay)
    falling = min(1.0, (recipe.steps - step) / max(recipe.steps - start, 1))
    return recipe.rate * min(1.0, (step + 1) / _WARM_UP) * falling


def train(
    pool: list[Clean],
    recipe: Training,
    folder: Path,
    *,
    device: str = "cpu",
    save_every: int = 500,
    workers: int = 1,
) -> Iterator[Progressed]:
    """Train, and save the state and the averaged weights now and then.

    Parameters
    ----------
    pool : list of Clean
        Clean images, as from ``recipe.pool``.
    recipe : Training
    folder : Path
        For ``state.safetensors``, from which an interrupted training continues, and the averaged
        weights.
    device : str
        Name of the torch device.
    save_every : int
        Number of steps between two saved states.
    workers : int
        Processes that draw examples; 0 for this one. The result does not depend on it.

    Yields
    ------
    Progressed
        After every step.

    Raises
    ------
    FormatError
        If the state in the folder cannot be read.
    ParameterError
        If the state in the folder was saved with another recipe.
    OutputError
        If a file cannot be written.
    """
    trainer = _Trainer(recipe, folder, device)
    loader = DataLoader(
        _Batches(pool, recipe, trainer.step),
        batch_size=None,
        num_workers=workers,
        prefetch_factor=8 if workers else None,
        pin_memory=trainer.on_gpu,
    )
    for batch in loader:
        rate = rate_at(trainer.step, recipe)
        trainer.take(batch, rate)
        if trainer.step % save_every == 0 or trainer.step == recipe.steps:
            trainer.save()
        yield Progressed(
            trainer.step, recipe.steps, loss=trainer.loss, rate=rate, average=trainer.average
        )


class _Trainer:
    """Network, optimiser and averaged weights, continued from the state in the folder."""

    def __init__(self, recipe: Training, folder: Path, device: str) -> None:
        self.recipe, self.folder, self.device = recipe, folder, device
        self.step, self.loss = 0, float("nan")
        self.on_gpu = torch.device(device).type == "cuda"
        self.half = multiplies_bfloat16(device)
        net = first_net(recipe, folder)
        self.net = net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = {k: v.clone() for k, v in self.net.state_dict().items()}
        self.optimiser = torch.optim.AdamW(
            self.net.parameters(), lr=recipe.rate, weight_decay=1e-4, fused=True
        )
        state = load_state(folder, recipe, device)
        if state is not None:
            self._continue(*state)

    def _continue(self, tensors: dict[str, Tensor], step: int, loss: float) -> None:
        self.step, self.loss = step, loss
        self.net.load_state_dict(under("net.", tensors))
        self.average = under("average.", tensors)
        moments = moments_of(under("optimiser.", tensors), self.net.parameters())
        groups: list[dict[str, Any]] = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": moments, "param_groups": groups})

    def take(self, batch: tuple[Tensor, ...], rate: float) -> None:
        """Take one step with this learning rate."""
        noisy, truth, deviation, correlation, told = (
            part.to(self.device, non_blocking=self.on_gpu) for part in batch
        )
        given = conditions(deviation, correlation, tuple(noisy.shape)) * told[:, None, None, None]
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        kind = torch.device(self.device).type
        with torch.autocast(kind, torch.bfloat16, enabled=self.half):
            result = self.net(noisy, given)
        loss = loss_of(result.float(), truth)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        self._follow(float(loss.detach()))

    def _follow(self, loss: float) -> None:
        """Average the weights and the loss."""
        average_into(self.average, self.net, self.recipe.average, self.step)
        self.loss = loss if np.isnan(self.loss) else 0.99 * self.loss + 0.01 * loss

    def save(self) -> None:
        """Save the state and, at some steps, the averaged weights."""
        tensors = {f"net.{k}": v for k, v in self.net.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.items()}
        for number, moments in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{number}.{k}": v for k, v in moments.items()}
        save_state(self.folder, self.recipe, tensors, self.step, self.loss)
        if self.step % _KEPT_EVERY == 0 or self.step == self.recipe.steps:
            save_weights(self.folder, self.recipe, self.average, self.step, self.loss)
