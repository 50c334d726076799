"""The figure of a benchmark: the same detail of an image from every method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image as Picture

from autodip import io
from autodip.benchmark import Cell, Row, image_path
from autodip.benchmark.registry import METHODS
from autodip.datasets.pair import load
from autodip.errors import AutodipError
from autodip.metrics.affine import fit_affine
from autodip.pictures.panel import BACK, strip


def crops(cells: Sequence[Cell], rows: Sequence[Row], images: Path) -> Picture.Image | None:
    """Draw one row for the first image of each group at each noise level of each data set.

    Parameters
    ----------
    cells, rows : sequence of Cell, sequence of Row
        One row for each cell.
    images : Path
        Folder with the stored results.

    Returns
    -------
    PIL image, or None if no result is stored.
    """
    first: dict[tuple[str, ...], Cell] = {}
    lines: dict[tuple[str, ...], dict[str, np.ndarray]] = {}
    for cell, row in zip(cells, rows, strict=True):
        kept = image_path(images, row)
        if row.status != "done" or not kept.exists():
            continue
        group = (row.dataset, row.noise_level, row.group)
        chosen = first.setdefault(group, cell).row
        if chosen.image != row.image or row.method in lines.get(group, {}):
            continue
        try:
            lines.setdefault(group, {})[row.method] = io.read(kept).data
        except (AutodipError, OSError):
            continue  # a damaged picture; its scores are in the table
    methods = [name for name in METHODS if any(name in line for line in lines.values())]
    strips: list[Picture.Image] = []
    for place in sorted(lines):
        images_of = _comparable(first[place], lines[place])
        if images_of is not None:
            titled = {METHODS[m].title: images_of.get(m) for m in methods}
            titled["truth"] = images_of["truth"]
            strips.append(strip(place[-1], titled, titles=not strips))
    return _stack(strips) if strips else None


def _comparable(
    cell: Cell, results: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray | None] | None:
    """Results with their truth, on its intensity scale; None if the truth cannot be read."""
    try:
        _, truth = load(cell.pair, cell.row.crop)
    except (AutodipError, OSError):
        return None
    shown: dict[str, np.ndarray | None] = {}
    for method, result in results.items():
        line = fit_affine(result, truth.image) if truth.stretched else (1.0, 0.0)
        shown[method] = np.polyval(line, result.astype(float))
    return {**shown, "truth": truth.image}


def _stack(strips: Sequence[Picture.Image]) -> Picture.Image:
    sheet = Picture.new("L", (strips[0].width, sum(line.height for line in strips)), BACK)
    top = 0
    for line in strips:
        sheet.paste(line, (0, top))
        top += line.height
    return sheet
