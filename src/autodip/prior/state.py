"""Files of a training: the state from which it continues, and the averaged weights."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from autodip.errors import FormatError, ParameterError
from autodip.prior.architecture import PriorNet
from autodip.prior.learned import load_prior, save_prior
from autodip.prior.recipe import Training
from autodip.util.files import replacing

STATE = "state.safetensors"
"""File name of the state; its metadata are ``step``, ``loss`` and ``recipe``."""


def reached(folder: Path, recipe: Training) -> int:
    """Step at which the state in a folder was saved; 0 if there is none.

    Raises
    ------
    FormatError
        If the state cannot be read.
    ParameterError
        If it was saved with another recipe.
    """
    if not (folder / STATE).exists():
        return 0
    return int(_notes(folder / STATE, recipe)["step"])


def _notes(path: Path, recipe: Training) -> dict[str, str]:
    """Metadata of a state of this recipe."""
    try:
        with safe_open(path, "pt") as file:
            notes: dict[str, str] = file.metadata() or {}
        saved = Training.from_dict(json.loads(notes["recipe"]))
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise FormatError(
            f"{path} is not the state of a training ({error}); delete it to start anew, or use "
            "another --out"
        ) from error
    before, now = saved.to_dict(), recipe.to_dict()
    changed = [f"{k} {before[k]!r}, now {now[k]!r}" for k in now if before[k] != now[k]]
    if changed:
        raise ParameterError(
            f"{path} was saved with another recipe: {'; '.join(changed)}. Use the recipe that it "
            "was started with, or another --out"
        )
    return notes


def load_state(
    folder: Path, recipe: Training, device: str
) -> tuple[dict[str, Tensor], int, float] | None:
    """Tensors, step and mean loss of the state in a folder; None if there is none.

    Raises
    ------
    FormatError, ParameterError
        As :func:`reached`.
    """
    path = folder / STATE
    if not path.exists():
        return None
    notes = _notes(path, recipe)
    with safe_open(path, "pt", device) as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    return tensors, int(notes["step"]), float(notes["loss"])


def save_state(
    folder: Path, recipe: Training, tensors: Mapping[str, Tensor], step: int, loss: float
) -> None:
    """Save a state; if this is interrupted, the previous one remains."""
    notes = _described(recipe, step, loss)
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / STATE, advice="choose another folder with --out") as (part,):
        save_file({key: value.contiguous() for key, value in tensors.items()}, part, notes)


def save_weights(
    folder: Path, recipe: Training, average: Mapping[str, Tensor], step: int, loss: float
) -> None:
    """Save averaged weights as float16, in a file with the number of the step in its name."""
    notes = _described(recipe, step, loss)
    save_prior(averaged_net(recipe, average), weights_file(folder, step), notes)


def _described(recipe: Training, step: int, loss: float) -> dict[str, str]:
    """Metadata of a state, and of averaged weights."""
    return {"step": str(step), "loss": str(loss), "recipe": json.dumps(recipe.to_dict())}


def weights_file(folder: Path, step: int) -> Path:
    """Path of the averaged weights after a step."""
    return folder / f"weights-{step}.safetensors"


def under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors whose names begin with a prefix, without it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def moments_of(
    tensors: Mapping[str, Tensor], parameters: Iterable[Tensor]
) -> dict[int, dict[str, Tensor]]:
    """State of an optimiser by the number of the parameter, from names ``number.moment``.

    The moments get the memory layout of their parameters: fused optimisers on a CPU combine the
    elements in the order in which they lie in memory.
    """
    moments: dict[int, dict[str, Tensor]] = {}
    for number, parameter in enumerate(parameters):
        for name, value in under(f"{number}.", tensors).items():
            like = torch.empty_like(parameter) if value.shape == parameter.shape else value
            moments.setdefault(number, {})[name] = like.detach().copy_(value)
    return moments


def first_net(recipe: Training, folder: Path) -> PriorNet:
    """Network before the first step, from the seed or from the weights that the recipe names.

    Raises
    ------
    FormatError
        If the weights cannot be read.
    ParameterError
        If they are those of another network.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        net = PriorNet(recipe.widths)
    if recipe.start:
        start = load_prior(str(folder / recipe.start))
        if start.widths != net.widths:
            raise ParameterError(
                f"{folder / recipe.start} has the widths {start.widths}, the recipe {net.widths}; "
                "use weights of the same network"
            )
        net.load_state_dict(start.state_dict())
    return net


def averaged_net(recipe: Training, average: Mapping[str, Tensor]) -> PriorNet:
    """Network with averaged weights, on the CPU, for evaluation."""
    net = PriorNet(recipe.widths).eval()
    net.load_state_dict({key: value.float().cpu() for key, value in average.items()})
    return net
