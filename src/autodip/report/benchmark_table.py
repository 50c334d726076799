"""The table of a benchmark."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autodip.benchmark import Row
from autodip.benchmark.registry import METHODS

_FIGURES: Mapping[str, tuple[str, str]] = {
    "psnr": ("PSNR, dB", ".2f"),
    "ssim": ("SSIM", ".3f"),
    "ms_ssim": ("MS-SSIM", ".3f"),
    "lpips": ("LPIPS", ".3f"),
    "lpips_standard": ("LPIPS, standard", ".3f"),
    "whiteness": ("residual correlation", ".3f"),
    "seconds": ("seconds", "short"),
    "cpu_seconds": ("CPU seconds", "short"),
    "memory_mb": ("peak memory, MB", ".0f"),
    "gpu_memory_mb": ("peak accelerator memory, MB", ".0f"),
}
"""Columns of the means: title and format."""

_PREFACE = """# Benchmark {dataset}{crop}

Made by

```console
$ {command}
```

with autodip {autodip} and torch {torch}; cells were run on
{machines} ({dates}).

PSNR and SSIM by the data set's range (255 for 8 bits, else the range of the truth); results are
rounded to the type of the noisy image, as a file would hold them. LPIPS is AlexNet v0.1 on [0, 1],
not rescaled, as in the AUTO-DIP paper; "standard" is rescaled to [-1, 1]. Residual correlation is
that of what was removed with its neighbours, beyond that of the noise. Seconds are those of the
method alone by the clock, CPU seconds are summed over the cores, memory is the peak of its process.
Every method chose its settings from the noisy image alone; the presets of autodip also know its
microscope and specimen{oracle}.
A mean over fewer images than the row has says so, as "(3 of 4)".
"""


def table(rows: Sequence[Row], command: str, made: Mapping[str, Any]) -> str:
    """Markdown: for each data set and noise level the means of each method, then its groups.

    Parameters
    ----------
    rows : sequence of Row
        Of all cells, also of those that were not run.
    command : str
        What made it.
    made : mapping
        From :func:`autodip.benchmark.environment.environment`.
    """
    sets = sorted({(row.dataset, row.noise_level) for row in rows})
    parts = [_preface(rows, command, made)]
    for dataset, level in sets:
        members = [row for row in rows if (row.dataset, row.noise_level) == (dataset, level)]
        parts += _set(f" ({dataset}, {level})" if len(sets) > 1 else "", members)
    return "\n".join(parts) + _failures(rows)


def _preface(rows: Sequence[Row], command: str, made: Mapping[str, Any]) -> str:
    crop = rows[0].crop if rows else 0
    oracle = any(row.method.startswith("oracle") for row in rows)
    dates = sorted({row.date for row in rows if row.date})
    return _PREFACE.format(
        dataset=", ".join(sorted({row.dataset for row in rows})),
        crop=f", central {crop} × {crop} pixels" if crop else "",
        command=command,
        oracle=", the `oracle` rows the truth: they are bounds, not methods" if oracle else "",
        autodip=made["versions"]["autodip"],
        torch=made["versions"]["torch"],
        machines="; ".join(sorted({row.machine for row in rows if row.machine})) or "no machine",
        dates=" to ".join(dict.fromkeys([*dates[:1], *dates[-1:]])) or "no date",
    )


def _set(name: str, rows: Sequence[Row]) -> Iterator[str]:
    """Sections of one data set at one noise level."""
    methods = [method for method in METHODS if any(row.method == method for row in rows)]
    yield f"## Means over the images{name}\n"
    yield _means(methods, rows)
    common = _common(methods, rows)
    if common is not None:
        have = [method for method in methods if any(row.method == method for row in common)]
        yield f"## Means over those images that all of these have ({_images(common)}){name}\n"
        yield _means(have, common)
    yield f"## PSNR in dB / SSIM / LPIPS by group{name}\n"
    yield _by_group(methods, rows, _quality)
    yield f"## Seconds / peak memory in MB for an image, by group{name}\n"
    yield _by_group(methods, rows, _cost)


def _means(methods: Sequence[str], rows: Sequence[Row]) -> str:
    total = _images(rows)
    shown = [k for k in _FIGURES if any(getattr(row, k) is not None for row in rows)]
    lines = ["| method | images | " + " | ".join(_FIGURES[k][0] for k in shown) + " |"]
    lines.append("|---" * (len(shown) + 2) + "|")
    for method in methods:
        done = [row for row in rows if row.method == method and row.status == "done"]
        number = _images(done)
        count = f"{number}" if number == total else f"{number} of {total}"
        cells = [_mean(done, k, _FIGURES[k][1]) for k in shown]
        lines.append(f"| {METHODS[method].title} | {count} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _common(methods: Sequence[str], rows: Sequence[Row]) -> list[Row] | None:
    """Rows of the images that every method with any result has; None if that is all, or none."""
    have = {m: {r.image for r in rows if r.method == m and r.status == "done"} for m in methods}
    have = {method: images for method, images in have.items() if images}
    shared = set.intersection(*have.values()) if have else set()
    if not shared or all(len(images) == _images(rows) for images in have.values()):
        return None
    return [row for row in rows if row.image in shared and row.method in have]


def _by_group(
    methods: Sequence[str], rows: Sequence[Row], figure: Callable[[Sequence[Row]], str]
) -> str:
    lines = ["| group | images | " + " | ".join(METHODS[m].title for m in methods) + " |"]
    lines.append("|---" * (len(methods) + 2) + "|")
    for group in sorted({row.group for row in rows}):
        members = [row for row in rows if row.group == group]
        cells = [_cell([r for r in members if r.method == m], figure) for m in methods]
        name = group.replace("|", "\\|")
        lines.append(f"| {name} | {_images(members)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(rows: Sequence[Row], figure: Callable[[Sequence[Row]], str]) -> str:
    done = [row for row in rows if row.status == "done"]
    if done:
        missing = _images(rows) - _images(done)
        return figure(done) + (f" ({_images(done)} of {_images(rows)})" if missing else "")
    if any(row.status == "failed" for row in rows):
        return "failed"
    seconds = [row.predicted_seconds for row in rows if row.predicted_seconds is not None]
    return f"not run, about {_hours(sum(seconds) / len(seconds))}" if seconds else "not run"


def _hours(seconds: float) -> str:
    if seconds < 360:
        return f"{max(seconds, 1):.0f} s"
    hours = seconds / 3600
    return f"{hours:.0f} h" if hours >= 10 else f"{hours:.1f} h"


def _quality(rows: Sequence[Row]) -> str:
    figures = (("psnr", ".2f"), ("ssim", ".3f"), ("lpips", ".3f"))
    return " / ".join(_mean(rows, name, form) for name, form in figures)


def _cost(rows: Sequence[Row]) -> str:
    return f"{_mean(rows, 'seconds', 'short')} / {_mean(rows, 'memory_mb', '.0f')}"


def _mean(rows: Sequence[Row], name: str, form: str) -> str:
    """Mean over the seeds of each image, then over the images; how many, if not all have it."""
    values: dict[str, list[float]] = {}
    for row in rows:
        if getattr(row, name) is not None:
            values.setdefault(row.image, []).append(getattr(row, name))
    if not values:
        return "–"
    mean = float(np.mean([np.mean(of_image) for of_image in values.values()]))
    text = _short(mean) if form == "short" else format(mean, form)
    return text if len(values) == _images(rows) else f"{text} ({len(values)} of {_images(rows)})"


def _short(value: float) -> str:
    """Three digits, without an exponent."""
    if value < 0.01:
        return "<0.01"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _images(rows: Sequence[Row]) -> int:
    return len({row.image for row in rows})


def _failures(rows: Sequence[Row]) -> str:
    lines = [
        f"- {row.image}, {row.method}: {' '.join(row.reason.split())}"
        for row in rows
        if row.status == "failed"
    ]
    return "\n## Failed\n\n" + "\n".join(lines) + "\n" if lines else ""
