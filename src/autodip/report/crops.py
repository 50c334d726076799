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
from autodip.pictures.panel import BACK, Tile, strip


def crops(cells: Sequence[Cell], rows: Sequence[Row], images: Path) -> Picture.Image | None:
    """Draw one row for the first image of each group at each noise level of each data set.

    Every tile states the PSNR over the whole image; the first has a scale bar.

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
    lines: dict[tuple[str, ...], dict[str, Tile]] = {}
    for cell, row in zip(cells, rows, strict=True):
        kept = image_path(images, row)
        if row.status != "done" or not kept.exists():
            continue
        group = (row.dataset, row.noise_level, row.group)
        chosen = first.setdefault(group, cell).row
        if chosen.image != row.image or row.method in lines.get(group, {}):
            continue
        try:
            lines.setdefault(group, {})[row.method] = Tile(io.read(kept).data, _note(row))
        except (AutodipError, OSError):
            continue  # a damaged picture; its scores are in the table
    methods = [name for name in METHODS if any(name in line for line in lines.values())]
    strips: list[Picture.Image] = []
    for place in sorted(lines):
        images_of = _comparable(first[place], lines[place])
        if images_of is not None:
            titled = {METHODS[m].title: images_of.get(m) for m in methods}
            titled["truth"] = images_of["truth"]
            pixel = _pixel_size(first[place])
            strips.append(strip(place[-1], titled, titles=not strips, pixel=pixel))
    return _stack(strips) if strips else None


def _note(row: Row) -> str:
    """PSNR of a result, for its tile."""
    return "" if row.psnr is None else f"{row.psnr:.2f} dB"


def _pixel_size(cell: Cell) -> float | None:
    """Size of a pixel in µm, from the file of the noisy image; None if it does not state one."""
    if cell.pair.file is None:
        return None
    try:
        return io.read(cell.pair.file).pixel_size.get("X")
    except (AutodipError, OSError):
        return None


def _comparable(cell: Cell, results: Mapping[str, Tile]) -> dict[str, Tile | None] | None:
    """Results with their truth, on its intensity scale; None if the truth cannot be read."""
    try:
        _, truth = load(cell.pair, cell.row.crop)
    except (AutodipError, OSError):
        return None
    shown: dict[str, Tile | None] = {}
    for method, tile in results.items():
        line = fit_affine(tile.image, truth.image) if truth.stretched else (1.0, 0.0)
        shown[method] = Tile(np.polyval(line, tile.image.astype(float)), tile.note)
    return {**shown, "truth": Tile(truth.image)}


def _stack(strips: Sequence[Picture.Image]) -> Picture.Image:
    sheet = Picture.new("L", (strips[0].width, sum(line.height for line in strips)), BACK)
    top = 0
    for line in strips:
        sheet.paste(line, (0, top))
        top += line.height
    return sheet
