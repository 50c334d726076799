"""Training of the prior: clean images, simulated detectors, AdamW, averaged weights.

Every step is a function of the recipe and its number: samples are drawn from their own seeds, and
the state is saved with the step at which it was reached, so an interrupted training continues as
if it had not been interrupted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from safetensors import safe_open
from torch import Tensor, nn

from autodip.prior.architecture import PriorNet, conditions
from autodip.prior.clean import Clean
from autodip.prior.recipe import Training
from autodip.prior.samples import draw_sample, shares_of
from autodip.util.optional import require

_WARM_UP = 500
_STATE = "state.safetensors"


@dataclass(frozen=True)
class Progressed:
    """State of a training.

    Parameters
    ----------
    step, steps : int
    loss : float
        Running mean of the loss.
    """

    step: int
    steps: int
    loss: float


class _Batches(torch.utils.data.Dataset[tuple[Tensor, ...]]):
    """Batches by their number."""

    def __init__(self, pool: list[Clean], recipe: Training, first: int) -> None:
        self.pool, self.shares, self.recipe, self.first = pool, shares_of(pool), recipe, first

    def __len__(self) -> int:
        return self.recipe.steps - self.first

    def __getitem__(self, place: int) -> tuple[Tensor, ...]:
        recipe, step = self.recipe, self.first + place
        samples = [
            draw_sample(self.pool, self.shares, recipe.patch, (recipe.seed, step, number))
            for number in range(recipe.batch)
        ]
        told = np.random.default_rng((recipe.seed, step)).random(recipe.batch) < recipe.told
        return (
            torch.from_numpy(np.stack([s.noisy for s in samples]))[:, None],
            torch.from_numpy(np.stack([s.truth for s in samples]))[:, None],
            torch.from_numpy(np.stack([s.deviation for s in samples]))[:, None],
            torch.from_numpy(np.stack([s.correlation for s in samples])),
            torch.from_numpy(told),
        )


def loss_of(result: Tensor, truth: Tensor) -> Tensor:
    """Loss of a batch (N, 1, Y, X): root mean square errors at two scales, and absolute errors.

    The root for every sample, so that samples with much noise do not outweigh those with little;
    the error averaged over 4 x 4 pixels, so that no blobs remain of noise.
    """
    error = result - truth
    fine = torch.sqrt(error.square().mean((1, 2, 3)) + 1e-4)
    coarse = torch.sqrt(F.avg_pool2d(error, 4).square().mean((1, 2, 3)) + 1e-4)
    return fine.mean() + 0.5 * coarse.mean() + 0.2 * error.abs().mean()


def rate_at(step: int, recipe: Training) -> float:
    """Learning rate: rises during the warm-up, is constant, falls linearly to 0 at the end."""
    start = recipe.steps * (1 - recipe.decay)
    falling = min(1.0, (recipe.steps - step) / max(recipe.steps - start, 1))
    return recipe.rate * min(1.0, (step + 1) / _WARM_UP) * falling


def train(
    pool: list[Clean], recipe: Training, folder: Path, *, device: str = "cpu", save_every: int = 500
) -> Iterator[Progressed]:
    """Train, and save the state and the averaged weights now and then.

    Parameters
    ----------
    pool : list of Clean
    recipe : Training
    folder : Path
        For ``state.safetensors``, from which an interrupted training continues, and the averaged
        weights.
    device : str
        "cpu" or "cuda".
    save_every : int
        Number of steps between two saved states.

    Yields
    ------
    Progressed
        After every step.
    """
    trainer = _Trainer(recipe, folder, device)
    loader = torch.utils.data.DataLoader(
        _Batches(pool, recipe, trainer.step), batch_size=None, num_workers=1, prefetch_factor=8
    )
    for batch in loader:
        loss = trainer.take(batch)
        if trainer.step % save_every == 0 or trainer.step == recipe.steps:
            trainer.save()
        yield Progressed(trainer.step, recipe.steps, loss)


class _Trainer:
    """Network, optimiser and averaged weights."""

    def __init__(self, recipe: Training, folder: Path, device: str) -> None:
        self.recipe, self.folder, self.device = recipe, folder, device
        self.step, self.loss = 0, float("nan")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            net = PriorNet(recipe.widths)
        if recipe.start:
            with safe_open(folder / recipe.start, "pt") as file:
                net.load_state_dict({k: file.get_tensor(k).float() for k in file.keys()})
        self.net = net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = {k: v.clone() for k, v in self.net.state_dict().items()}
        self.optimiser = torch.optim.AdamW(
            self.net.parameters(), lr=recipe.rate, weight_decay=1e-4, fused=True
        )
        if (folder / _STATE).exists():
            self._load()

    def take(self, batch: tuple[Tensor, ...]) -> float:
        """Take one step; return the running mean of the loss."""
        noisy, truth, deviation, correlation, told = (part.to(self.device) for part in batch)
        given = conditions(deviation, correlation, tuple(noisy.shape)) * told[:, None, None, None]
        for group in self.optimiser.param_groups:
            group["lr"] = rate_at(self.step, self.recipe)
        with torch.autocast(self.device, torch.bfloat16):
            result = self.net(noisy, given)
        loss = loss_of(result.float(), truth)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        share = 1 - min(self.recipe.average, 1 - 10 / (self.step + 10))
        for key, value in self.net.state_dict().items():
            self.average[key].lerp_(value, share)
        new = float(loss.detach())
        self.loss = new if self.loss != self.loss else 0.99 * self.loss + 0.01 * new
        return self.loss

    def save(self) -> None:
        """Save the state; a kill while it is written leaves the previous one."""
        tensors = {f"net.{k}": v.contiguous() for k, v in self.net.state_dict().items()}
        tensors |= {f"average.{k}": v.contiguous() for k, v in self.average.items()}
        for number, moments in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{number}.{k}": v.contiguous() for k, v in moments.items()}
        notes = {"step": str(self.step), "loss": str(self.loss)}
        notes["recipe"] = json.dumps(self.recipe.to_dict())
        self.folder.mkdir(parents=True, exist_ok=True)
        writer = require("safetensors.torch", "prior")
        new = self.folder / f"{_STATE}.new"
        writer.save_file(tensors, new, notes)
        new.replace(self.folder / _STATE)
        if self.step % 2000 == 0 or self.step == self.recipe.steps:
            kept = {k: v.half().contiguous() for k, v in self.average.items()}
            notes["widths"] = json.dumps(self.recipe.widths)
            writer.save_file(kept, self.folder / f"weights-{self.step}.safetensors", notes)

    def _load(self) -> None:
        with safe_open(self.folder / _STATE, "pt", self.device) as file:
            notes = file.metadata()
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        self.step, self.loss = int(notes["step"]), float(notes["loss"])
        self.net.load_state_dict(_under("net.", tensors))
        self.average = _under("average.", tensors)
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in _under("optimiser.", tensors).items():
            number, name = key.split(".")
            state.setdefault(int(number), {})[name] = value
        groups: list[dict[str, Any]] = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": state, "param_groups": groups})


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
