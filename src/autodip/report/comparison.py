"""The table and the figure of a benchmark."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Picture

from autodip import io
from autodip.baselines import METHODS
from autodip.benchmark import Cell, Row, image_path, load
from autodip.report.panel import strip

_FIGURES: Mapping[str, tuple[str, str]] = {
    "psnr": ("PSNR, dB", ".2f"),
    "ssim": ("SSIM", ".3f"),
    "ms_ssim": ("MS-SSIM", ".3f"),
    "lpips": ("LPIPS", ".3f"),
    "lpips_standard": ("LPIPS, standard", ".3f"),
    "whiteness": ("residual correlation", ".3f"),
    "seconds": ("seconds", ".3g"),
    "cpu_seconds": ("CPU seconds", ".3g"),
    "memory_mb": ("peak memory, MB", ".0f"),
}
"""Columns of the means: title and format."""

_PREFACE = """# Benchmark {dataset}{crop}

Made by

```console
$ {command}
```

on {date}: {processor}, {cores} cores, {memory_gb} GB{accelerator}; autodip {autodip},
torch {torch}.

PSNR and SSIM by the data set's range (255 for 8 bits, else the range of the truth); results are
rounded to the type of the noisy image, as a file would hold them. LPIPS is AlexNet v0.1 on [0, 1],
not rescaled, as in the AUTO-DIP paper; "standard" is rescaled to [-1, 1]. Seconds are those of the
method alone, memory is the peak of its process. Every method chose its settings from the noisy
image alone{oracle}.
"""


def table(rows: Sequence[Row], command: str, made: Mapping[str, Any]) -> str:
    """Markdown: means of each method, then PSNR / LPIPS and seconds by group.

    Parameters
    ----------
    rows : sequence of Row
        Of all cells, also of those that were not run.
    command : str
        What made it.
    made : mapping
        From :func:`autodip.benchmark.environment.environment`.
    """
    methods = [name for name in METHODS if any(row.method == name for row in rows)]
    crop = rows[0].crop if rows else 0
    parts = [
        _PREFACE.format(
            dataset=", ".join(sorted({row.dataset for row in rows})),
            crop=f", central {crop} × {crop} pixels" if crop else "",
            command=command,
            oracle=", the `oracle` rows from the truth: bounds, not methods"
            if any(name.startswith("oracle") for name in methods)
            else "",
            accelerator=f", {made['accelerator']}" if made["accelerator"] else "",
            autodip=made["versions"]["autodip"],
            torch=made["versions"]["torch"],
            **{k: made[k] for k in ("date", "processor", "cores", "memory_gb")},
        ),
        "## Means over the images\n",
        _means(methods, rows),
    ]
    common = _common(methods, rows)
    if common is not None:
        number = len({_image(row) for row in common})
        parts += [
            f"## Means over the {number} images that all of these have\n",
            _means([m for m in methods if any(r.method == m for r in common)], common),
        ]
    parts += [
        "## PSNR in dB / SSIM / LPIPS by group\n",
        _by_group(methods, rows, _quality),
        "## Seconds / peak memory in MB for an image, by group\n",
        _by_group(methods, rows, _cost),
    ]
    return "\n".join(parts) + _failures(rows)


def crops(
    planned: Sequence[Cell], rows: Sequence[Row], crop: int, images: Path
) -> Picture.Image | None:
    """One line for the first image of each group: the same detail from every method.

    Returns
    -------
    PIL image, or None where nothing is finished.
    """
    lines: dict[str, dict[str, np.ndarray]] = {}
    first: dict[str, Cell] = {}
    for cell, row in zip(planned, rows, strict=True):
        path = image_path(images, row, cell.seed)
        if row.status != "done" or not path.exists():
            continue
        chosen = first.setdefault(row.group, cell)
        if _image(chosen.row) == _image(row) and row.method not in lines.get(row.group, {}):
            lines.setdefault(row.group, {})[row.method] = io.read(path).data
    if not lines:
        return None
    methods = [name for name in METHODS if any(name in line for line in lines.values())]
    strips: list[Picture.Image] = []
    for group in sorted(lines):
        truth = load(first[group].pair, crop)[1].image
        titled = {METHODS[m].title: lines[group].get(m) for m in methods}
        strips.append(strip(group, {**titled, "truth": truth}, titles=not strips))
    sheet = Picture.new("L", (strips[0].width, sum(s.height for s in strips)), 250)
    top = 0
    for line in strips:
        sheet.paste(line, (0, top))
        top += line.height
    return sheet


def _means(methods: Sequence[str], rows: Sequence[Row]) -> str:
    total = len({_image(row) for row in rows})
    shown = [k for k in _FIGURES if any(getattr(row, k) is not None for row in rows)]
    lines = ["| method | images | " + " | ".join(_FIGURES[k][0] for k in shown) + " |"]
    lines.append("|---" * (len(shown) + 2) + "|")
    for method in methods:
        done = [row for row in rows if row.method == method and row.status == "done"]
        number = len({_image(row) for row in done})
        count = f"{number}" if number == total else f"{number} of {total}"
        cells = [_mean(done, k, _FIGURES[k][1]) for k in shown]
        lines.append(f"| {METHODS[method].title} | {count} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _common(methods: Sequence[str], rows: Sequence[Row]) -> list[Row] | None:
    """Rows of the images that every method with any result has; None if that is all, or none."""
    have = {m: {_image(r) for r in rows if r.method == m and r.status == "done"} for m in methods}
    have = {method: images for method, images in have.items() if images}
    shared = set.intersection(*have.values()) if have else set()
    everything = {_image(row) for row in rows}
    if not shared or all(images == everything for images in have.values()):
        return None
    return [row for row in rows if _image(row) in shared and row.method in have]


def _by_group(
    methods: Sequence[str], rows: Sequence[Row], figure: Callable[[Sequence[Row]], str]
) -> str:
    lines = ["| group | images | " + " | ".join(METHODS[m].title for m in methods) + " |"]
    lines.append("|---" * (len(methods) + 2) + "|")
    several = len({row.dataset for row in rows}) > 1
    for dataset, group in sorted({(row.dataset, row.group) for row in rows}):
        members = [row for row in rows if (row.dataset, row.group) == (dataset, group)]
        name = f"{dataset}: {group}" if several else group
        cells = [_cell([r for r in members if r.method == m], figure) for m in methods]
        number = len({_image(row) for row in members})
        lines.append(f"| {name} | {number} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(rows: Sequence[Row], figure: Callable[[Sequence[Row]], str]) -> str:
    done = [row for row in rows if row.status == "done"]
    if len(done) == len(rows):
        return figure(done)
    if done:
        return f"{figure(done)} ({len(done)} of {len(rows)})"
    if any(row.status == "failed" for row in rows):
        return "failed"
    seconds = [row.predicted_seconds for row in rows if row.predicted_seconds is not None]
    return f"not run, about {_hours(sum(seconds) / len(seconds))}" if seconds else "not run"


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.2g} h" if seconds >= 360 else f"{max(seconds, 1):.0f} s"


def _quality(rows: Sequence[Row]) -> str:
    figures = (("psnr", ".2f"), ("ssim", ".3f"), ("lpips", ".3f"))
    return " / ".join(_mean(rows, name, form) for name, form in figures)


def _cost(rows: Sequence[Row]) -> str:
    return f"{_mean(rows, 'seconds', '.3g')} / {_mean(rows, 'memory_mb', '.0f')}"


def _mean(rows: Sequence[Row], name: str, form: str) -> str:
    values = [getattr(row, name) for row in rows if getattr(row, name) is not None]
    return format(float(np.mean(values)), form) if values else "–"


def _failures(rows: Sequence[Row]) -> str:
    lines = list(_reasons(rows))
    return "\n## Failed\n\n" + "\n".join(lines) + "\n" if lines else ""


def _reasons(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        if row.status == "failed":
            yield f"- {row.image}, {row.method}: {row.reason}"


def _image(row: Row) -> tuple[str, str]:
    return row.dataset, row.image
