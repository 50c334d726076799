"""A result and its sidecar, written together."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from autodip import io
from autodip.bases.builtin import NAME as BUILTIN
from autodip.image.image import Image
from autodip.pipeline.error_summary import SD
from autodip.pipeline.options import Options
from autodip.pipeline.result import Computed
from autodip.runs import map_files
from autodip.runs.plane_records import ChannelRecord, PlaneRecord, RepairRecord
from autodip.runs.selection import Selection
from autodip.runs.sidecar import RESTORED, Sidecar, beside
from autodip.util.files import replacing, size
from autodip.util.paths import check_space, relative
from autodip.util.text import name_text, to_json, valid

_COMPRESSION = 4
"""Compression that is expected at most, where free space is checked."""


def save(
    source: Path,
    target: Path,
    image: Image,
    result: Computed,
    *,
    sha256: str,
    options: Options,
    selection: Selection,
    format: str | None = None,
) -> Sidecar:
    """Write a result, its sidecar and, if there is one, its map: all or none.

    A map that an earlier run wrote of the output is deleted if the result has none.

    Parameters
    ----------
    source, target : Path
        Input and output.
    image : Image
        Image that was denoised.
    result : Computed
    sha256 : str
        Hash of the input as it was read.
    options, selection : Options, Selection
        Options and selection that were specified.
    format : str, optional
        Output format, one of :data:`autodip.io.FORMATS`; by default OME-TIFF for vendors' files,
        and the format of the input for others.
    """
    path = name_text(str(relative(source, target.parent)))
    content = sidecar_of(
        image,
        result,
        input={"file": name_text(source.name), "path": path, "sha256": sha256},
        output={"file": name_text(target.name)},
        options=options,
        selection=selection,
    )
    if options.base is not None and options.base != BUILTIN:
        base = name_text(str(relative(Path(options.base), target.parent)))
        content = content.replace(base=base)
    with replacing(beside(target), *files_of(target, result)) as (beside_part, *parts):
        written = write_pixels(parts, target, image, result, _format(source, format))
        content = content.replace(output={**content.output, **written})
        beside_part.write_text(to_json(content.to_dict()) + "\n", encoding="utf-8")
        map_files.clear(target, result)
    return content


def files_of(target: Path, result: Computed) -> list[Path]:
    """Files with the pixels of a result: its map, if there is one, and the output, the last."""
    return [*([map_files.path_of(target)] if SD in result.maps else []), target]


def write_pixels(
    parts: Sequence[Path], target: Path, image: Image, result: Computed, format: str | None
) -> dict[str, Any]:
    """Write a result and its map as files ``parts``, in the order of :func:`files_of`.

    Returns
    -------
    dict
        What the sidecar states about these files.
    """
    *map_parts, part = parts
    io.write(part, image.replace(data=result.image), target.suffix, format=format)
    written: dict[str, Any] = {"bytes": size(part)}
    for map_part in map_parts:
        map_files.write(map_part, target, image, result.maps[SD], format=format)
        written |= map_files.entry(target, map_part)
    return written


def check(
    source: Path,
    target: Path,
    image: Image,
    folder: Path,
    *,
    dtype: np.dtype,
    format: str | None = None,
    uncertainty: bool = False,
) -> None:
    """Raise an error if a result could not be written, before there is one.

    Parameters
    ----------
    source, target, image, format
        As for :func:`save`.
    folder : Path
        Folder for intermediate results; what it holds already does not need space again.
    dtype : dtype
        Data type of the result.
    uncertainty : bool
        Whether there will be a map.

    Raises
    ------
    FormatError
        If the format cannot store the data type or the axes.
    OutputError
        If there is too little free space.
    """
    format = _format(source, format)
    compressed = io.check(target, image, target.suffix, format=format, dtype=dtype)
    pixels = image.data.size * dtype.itemsize
    errors = map_files.check(target, image, format) if uncertainty else 0
    needed = pixels // (_COMPRESSION if compressed else 1) + errors
    if not isinstance(image.data, np.ndarray) or isinstance(image.data, np.memmap):
        needed += max(0, pixels + errors - (size(folder) or 0))  # the result is mapped
    check_space(target.parent, needed)


def _format(source: Path, format: str | None) -> str | None:
    """Output format: the one specified, OME-TIFF for vendors' files, else None."""
    vendors = source.suffix.lower() not in io.WRITABLE
    return format or ("ome-tiff" if vendors else None)


def sidecar_of(
    image: Image,
    result: Computed,
    *,
    input: Mapping[str, Any] | None = None,
    output: Mapping[str, Any] | None = None,
    options: Options | None = None,
    selection: Selection | None = None,
) -> Sidecar:
    """Make the sidecar of a result; by default of one that was computed from an array.

    Parameters
    ----------
    image : Image
        Image that was denoised.
    result : Computed
    input, output : mapping, optional
        What is known of their files; the properties of the images are added.
    options, selection : Options, Selection, optional
        Options and selection that were specified.
    """
    return Sidecar(
        input={**(input or {}), **image_facts(image)},
        output={**(output or {}), "dtype": result.image.dtype.name},
        notes=tuple(map(valid, (*image.notes, *result.notes))),
        selection=selection or Selection(),
        options={name: getattr(options or Options(), name) for name in RESTORED},
        seed=result.seed,
        independent=result.independent,
        tiling=result.tiling,
        device=result.device,
        threads=result.threads,
        seconds=round(sum(plane.seconds for plane in result.planes), 3),
        peak_memory=result.peak_memory,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        channels=tuple(map(ChannelRecord.of, result.plans)),
        planes=tuple(map(PlaneRecord.of, result.planes)),
        repairs=tuple(RepairRecord.of(index, one) for index, one in result.repairs.items()),
        versions=versions(),
        processor=result.processor,
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
    """Software versions and architecture on which a result may depend."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        **{name: version(name) for name in ("autodip", "torch", "numpy")},
    }
