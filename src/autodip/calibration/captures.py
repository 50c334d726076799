"""Pairs without a true image: their truth is the mean of the other captures of the field."""

from __future__ import annotations

import dataclasses
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from autodip.datasets import own_pairs
from autodip.datasets.layout import plane
from autodip.datasets.pair import Pair
from autodip.errors import FormatError, ImageError

FEWEST = 4
"""Captures of a field below which the mean of the others is no truth."""


def averaged(root: Path) -> list[Pair]:
    """List the captures of a manifest whose ``truth`` is absent, null or empty.

    Captures of one field share set, microscope, specimen, channel, noise level and ``fov``. The
    truth of each is the mean of all others, so that its own noise is not in it.

    Parameters
    ----------
    root : Path
        Folder with the manifest.

    Returns
    -------
    list of Pair
        Captures of fields that have :data:`FEWEST` or more; files that are missing are left out.

    Raises
    ------
    FormatError
        If the manifest cannot be read, an entry of it is wrong, or no field has enough captures.
    """
    path = root / own_pairs.FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FormatError(f"{path}: not readable as JSON ({error})") from error
    alone = [e for e in content if isinstance(e, dict) and not e.get("truth")]
    entries = [_with_truth(entry, path) for entry in alone]
    fields: dict[tuple[object, ...], list[tuple[Path, Pair]]] = {}
    names = own_pairs.names_of(entries, path)
    for entry, name in zip(entries, names, strict=True):
        file = root / entry["file"]
        if file.is_file():
            pair = own_pairs.pair_of(root, entry, name)
            field = (pair.dataset, pair.group, pair.specimen, pair.noise_level, pair.fov)
            fields.setdefault(field, []).append((file, pair))
    enough = {field: found for field, found in fields.items() if len(found) >= FEWEST}
    if not enough:
        most = max(map(len, fields.values()), default=0)
        raise FormatError(
            f"{path}: {len(entries)} entries have no truth, and at most {most} of them show one "
            f"field; to average, {FEWEST} captures of a field are needed"
        )
    return [_pair(found, number) for found in enough.values() for number in range(len(found))]


def _with_truth(entry: dict[str, Any], path: Path) -> dict[str, Any]:
    """Entry that counts as complete: its range is that of its own file."""
    completed = {**entry, "truth": entry.get("file")}
    problem = own_pairs.problem_of(completed)
    if problem:
        raise FormatError(f"{path}: the entry of {entry.get('file')!r} {problem}")
    return completed


def _pair(found: list[tuple[Path, Pair]], number: int) -> Pair:
    file, pair = found[number]
    others = tuple(other for n, (other, _) in enumerate(found) if n != number)
    return dataclasses.replace(pair, read=partial(_read, file, others))


def _read(noisy: Path, others: tuple[Path, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Noisy image, and the mean of others, float64; both (Y, X)."""
    image = plane(noisy)
    total = np.zeros(image.shape)
    for path in others:
        other = plane(path)
        if other.shape != image.shape:
            raise ImageError(
                f"{path} has the shape {other.shape}, another capture of its field {image.shape}; "
                "captures of a field have one shape"
            )
        total += other
    return image, total / len(others)
