"""Weights of learned priors: reading, checking, writing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from autodip.errors import FormatError
from autodip.prior.architecture import PriorNet
from autodip.prior.setting import digest_of, path_of
from autodip.util.files import replacing


def load_prior(weights: str, *, device: str = "cpu", sha256: str = "") -> PriorNet:
    """Load a prior.

    Parameters
    ----------
    weights : str
        "builtin", or the path of a safetensors file.
    device : str
    sha256 : str
        Hash that the file must have; empty for any.

    Raises
    ------
    FormatError
        If the file is missing, damaged, or has another hash.
    """
    found = digest_of(weights)
    if sha256 and found != sha256:
        raise FormatError(
            f"the weights {path_of(weights)} have the SHA-256 {found[:12]}..., but "
            f"{sha256[:12]}... were used; provide that file, or choose anew without --params"
        )
    return _loaded(path_of(weights), found, device)


@lru_cache(maxsize=4)
def _loaded(path: Path, digest: str, device: str) -> PriorNet:
    try:
        with safe_open(path, "pt") as file:
            notes = file.metadata() or {}
            tensors = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
        net = PriorNet(json.loads(notes["widths"]))
        net.load_state_dict(tensors)
    except (SafetensorError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise FormatError(f"{path} does not hold the weights of a prior: {error}") from error
    net.eval()
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    return net.to(device, memory_format=torch.channels_last)  # type: ignore[no-any-return,call-overload]


def save_prior(net: PriorNet, path: Path, notes: Mapping[str, str]) -> None:
    """Write the weights in half precision, with notes, all or nothing."""
    tensors: dict[str, Tensor] = {
        key: value.detach().half().cpu().contiguous() for key, value in net.state_dict().items()
    }
    content = save(tensors, {**notes, "widths": json.dumps(net.widths)})
    with replacing(path) as (new,):
        new.write_bytes(content)
