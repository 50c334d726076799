"""A result and its sidecar, written together."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from autodip import io
from autodip.image.image import Image
from autodip.pipeline.options import Options
from autodip.pipeline.result import Result
from autodip.runs.selection import Selection
from autodip.runs.sidecar import RESTORED, ChannelRecord, PlaneRecord, Sidecar, beside
from autodip.util.files import replacing, sha256
from autodip.util.text import to_json, valid


def save(
    source: Path,
    target: Path,
    image: Image,
    result: Result,
    *,
    options: Options,
    selection: Selection,
    format: str | None = None,
) -> Sidecar:
    """Write a result and its sidecar, both or neither.

    Parameters
    ----------
    source, target : Path
        Input and output.
    image : Image
        Image that was denoised.
    result : Result
    options, selection : Options, Selection
        Options and selection that were specified.
    format : str, optional
        Output format, one of :data:`autodip.io.FORMATS`; by default OME-TIFF for vendors' files,
        and the format of the input for others.
    """
    content = _sidecar(source, target, image, result, options=options, selection=selection)
    vendors = source.suffix.lower() not in io.WRITABLE
    format = format or ("ome-tiff" if vendors else None)
    with replacing(beside(target), target) as (beside_part, target_part):
        denoised = image.replace(data=result.image)
        io.write(target_part, denoised, target.suffix, format=format)
        beside_part.write_text(to_json(content.to_dict()) + "\n", encoding="utf-8")
    return content


def _sidecar(
    source: Path,
    target: Path,
    image: Image,
    result: Result,
    *,
    options: Options,
    selection: Selection,
) -> Sidecar:
    import torch  # noqa: PLC0415  (already imported after a fit)

    return Sidecar(
        input={"file": _text(source.name), "sha256": sha256(source), **image_facts(image)},
        output={"file": _text(target.name), "dtype": result.image.dtype.name},
        notes=tuple(map(valid, image.notes)),
        selection=selection,
        options={name: getattr(options, name) for name in RESTORED},
        seed=result.seed,
        independent=result.independent,
        tiling=result.tiling,
        device=result.device,
        threads=torch.get_num_threads(),
        seconds=round(sum(plane.seconds for plane in result.planes), 3),
        peak_memory=result.peak_memory,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        channels=tuple(map(ChannelRecord.of, result.plans)),
        planes=tuple(map(PlaneRecord.of, result.planes)),
        versions=versions(),
    )


def image_facts(image: Image) -> dict[str, Any]:
    """Properties of an image that ``info`` and the sidecar state, JSON-ready."""
    return {
        "shape": list(image.data.shape),
        "axes": image.axes,
        "dtype": image.data.dtype.name,
        "pixel_size_um": dict(image.pixel_size),
        "time_step_s": image.time_step,
        "channel_names": list(image.channel_names),
        "channel_colours": list(image.channel_colours),
    }


def versions() -> dict[str, str]:
    """Software versions and processor on which a result may depend."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        **{name: version(name) for name in ("autodip", "torch", "numpy")},
    }


def _text(name: str) -> str:
    """File name as valid text; on Linux a name may be any bytes."""
    return os.fsencode(name).decode("utf-8", "replace")
