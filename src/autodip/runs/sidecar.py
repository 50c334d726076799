"""The JSON file beside every output: what was done, why, and how to repeat it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from autodip import io
from autodip.choose.choice import Choice
from autodip.errors import ParameterError
from autodip.image.image import Image
from autodip.pipeline.options import Options
from autodip.pipeline.plan import ChannelPlan
from autodip.pipeline.result import PlaneResult, Result
from autodip.util.files import replacing
from autodip.util.text import to_json

SIDECAR_SUFFIX = ".autodip.json"


SCHEMA = 1
SELECTION = ("axes", "frames", "channel", "scene", "average")
"""Options that choose a part of the image."""


def save(
    source: Path, target: Path, image: Image, result: Result, selection: Mapping[str, Any]
) -> dict[str, Any]:
    """Write a result and its sidecar, both or neither; returns the sidecar's content.

    ``selection`` holds the axes, frames, channel and scene that were asked for, None where none
    were, and the format to write.
    """
    content = _build(source, target, image, result, selection)
    with replacing(beside(target), target) as (beside_part, target_part):
        denoised = image.replace(data=result.image)
        io.write(target_part, denoised, target.suffix, format=_format(source, selection))
        beside_part.write_text(to_json(content) + "\n", encoding="utf-8")
    return content


def _format(source: Path, selection: Mapping[str, Any]) -> str | None:
    """Format to write: that asked for, OME-TIFF for vendors' files, else the input's."""
    vendors = source.suffix.lower() not in io.WRITABLE
    asked: str | None = selection.get("format")
    return asked or ("ome-tiff" if vendors else None)


def beside(target: Path) -> Path:
    """Place of the sidecar of an output."""
    return target.with_name(target.name + SIDECAR_SUFFIX)


def _build(
    source: Path, target: Path, image: Image, result: Result, selection: Mapping[str, Any]
) -> dict[str, Any]:
    """Content of the sidecar."""
    import torch  # noqa: PLC0415  (already there after a fit)

    return {
        "schema": SCHEMA,
        "input": {"file": _text(source.name), "sha256": sha256(source), **image_facts(image)},
        "output": {"file": _text(target.name), "dtype": result.image.dtype.name},
        "selection": {name: selection.get(name) for name in SELECTION},
        "seed": result.seed,
        "independent": result.independent,
        "tiling": dataclasses.asdict(result.tiling) if result.tiling else None,
        "device": result.device,
        "threads": torch.get_num_threads(),
        "seconds": round(sum(plane.seconds for plane in result.planes), 3),
        "peak_memory": result.peak_memory,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "channels": [channel_dict(plan) for plan in result.plans],
        "planes": [_plane_dict(plane) for plane in result.planes],
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Versions and processor that a result may depend on."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        **{name: version(name) for name in ("autodip", "torch", "numpy")},
    }


def recorded(target: Path) -> dict[str, Any] | None:
    """Content of the sidecar of an output; None where there is none of this version."""
    try:
        content = json.loads(beside(target).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and content.get("schema") == SCHEMA else None


def channel_dict(plan: ChannelPlan) -> dict[str, Any]:
    """Description, choice and cost of one channel, JSON-ready."""
    return {
        "name": plan.name,
        "description": plan.description.to_dict(),
        "choice": plan.choice.to_dict(),
        "cost_per_plane": plan.cost.to_dict(),
        "fits": plan.fits,
        "cost_following": plan.following.to_dict() if plan.following else None,
        "followers": plan.followers,
        "seconds": plan.seconds,
    }


def read(path: Path) -> tuple[Options, dict[str, Any], int]:
    """Options that repeat the run of a sidecar, the part of the image, the number of threads.

    Raises
    ------
    ParameterError
        If the file is missing, no JSON, of another schema, or damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ParameterError(f"{path}: not a readable sidecar ({error})") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise ParameterError(
            f"{path}: not a sidecar of this version; give the file that ends in "
            f"{SIDECAR_SUFFIX} and stands beside a denoised image"
        )
    try:
        choices = tuple(Choice.from_dict(channel["choice"]) for channel in content["channels"])
        selection = {name: content["selection"].get(name) for name in SELECTION}
        threads = int(content["threads"])
        tiling = content.get("tiling")
        options = Options(
            preset=choices[0].evidence.preset,
            seed=content["seed"],
            device=str(content["device"]),
            dtype=_asked(content),
            independent=bool(content.get("independent", True)),
            tile=tiling["side"] if tiling else 0,
            choices=choices,
        )
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ParameterError(f"{path}: a damaged sidecar ({error})") from error
    return options, selection, max(1, threads)


def _asked(content: Mapping[str, Any]) -> str | None:
    """Type of the result, if it is another than that of the input."""
    written = content["output"].get("dtype")
    return None if written in (None, content["input"]["dtype"]) else str(written)


def _plane_dict(plane: PlaneResult) -> dict[str, Any]:
    noise, assessment = plane.description.noise, plane.assessment
    return {
        "index": dict(plane.index),
        **({} if plane.window is None else {"window": plane.window.to_dict()}),
        "iterations": int(plane.history[-1, 0]) if len(plane.history) else 0,
        "loss": float(plane.history[-1, 1]) if len(plane.history) else None,
        "fallbacks": plane.fallbacks,
        "refined": plane.refined,
        "follows": plane.follows,
        "seconds": round(plane.seconds, 3),
        "noise": noise.to_dict() if noise else None,
        "assessment": assessment.to_dict() if assessment else None,
        "note": "" if assessment else "constant plane, passed through",
    }


def _text(name: str) -> str:
    """File name as valid text; on Linux it may be any bytes."""
    return os.fsencode(name).decode("utf-8", "replace")


def sha256(path: Path) -> str:
    """Hash of a file; of a folder (OME-Zarr) that of the names and hashes of its files."""
    if path.is_dir():
        digest = hashlib.sha256()
        for part in sorted(p for p in path.rglob("*") if p.is_file()):
            digest.update(f"{part.relative_to(path).as_posix()} {sha256(part)}\n".encode())
        return digest.hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def image_facts(image: Image) -> dict[str, Any]:
    """What ``info`` and the sidecar say of an image, JSON-ready."""
    return {
        "shape": list(image.data.shape),
        "axes": image.axes,
        "dtype": image.data.dtype.name,
        "pixel_size_um": dict(image.pixel_size),
        "time_step_s": image.time_step,
        "channel_names": list(image.channel_names),
        "channel_colours": list(image.channel_colours),
    }
