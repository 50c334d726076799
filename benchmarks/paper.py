"""Tables of ``docs/results/paper.md``: AUTO-DIP as published, beside its baselines and autodip.

    python -m benchmarks.paper

Writes the generated blocks of the page from rows of ``autodip benchmark``: ``original`` and
``published`` on a GPU or, in their absence, of ``benchmarks/half_precision.py``; all else from the
page of the field.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from autodip.benchmark import Row
from autodip.benchmark.registry import METHODS
from autodip.choose import presets
from autodip.choose.describe import Description
from autodip.fit import counting
from benchmarks.pages import RESULTS, fill, rows_of, table

PAGE, FOLDER = RESULTS / "paper.md", RESULTS / "paper"
ROWS, HALF = FOLDER / "results.csv", FOLDER / "bfloat16.csv"
OTHERS = (RESULTS / "fmd-test" / "results.csv", RESULTS / "field" / "results.csv")
FITS = ("original", "published")
BESIDE = ("noisy", "blur", "sparse", *FITS, "untrained", "balanced")
SHAPE = (512, 512)
PAPER = {
    "noisy": (27.22, 0.364),
    "sparse": (27.43, 0.199),
    "original": (28.97, 0.264),
    "published": (32.38, 0.119),
}
"""PSNR in dB and LPIPS over the 48 captures, as in arXiv 2601.12055."""


@dataclass(frozen=True)
class Cells:
    """Rows of capture 1 by group and method; those of ``half`` were fitted in bfloat16."""

    rows: dict[tuple[str, str], Row]
    half: dict[tuple[str, str], Row]

    @classmethod
    def read(cls) -> Cells:
        """Read the rows: those of a GPU, and in their absence those in bfloat16."""
        both = _by_cell(rows_of(*OTHERS)), _by_cell(rows_of(HALF))
        exact = {**both[0], **_by_cell(r for r in rows_of(ROWS) if r.method in FITS)}
        return cls({**both[1], **exact}, both[1])

    @property
    def groups(self) -> list[str]:
        """Groups in alphabetical order."""
        return sorted({group for group, method in self.rows if method == "noisy"})

    def both(self) -> list[str]:
        """Groups that have both fits."""
        return [g for g in self.groups if all((g, name) in self.rows for name in FITS)]

    def is_half(self, group: str, method: str) -> bool:
        """Whether the row of a cell was fitted in bfloat16."""
        cell = (group, method)
        return cell in self.half and self.rows[cell] == self.half[cell]

    def differences(self, one: str, other: str, name: str) -> list[float]:
        """Score of a method minus that of another, for the groups that have both fits."""
        return [
            getattr(self.rows[group, one], name) - getattr(self.rows[group, other], name)
            for group in self.both()
        ]


def _by_cell(rows: Iterable[Row]) -> dict[tuple[str, str], Row]:
    return {
        (row.group, row.method): row for row in rows if row.image.endswith("_1") and not row.crop
    }


def blocks() -> dict[str, str]:
    """Generated blocks of the page."""
    cells = Cells.read()
    return {
        "scores": scores(cells),
        "missing": missing(cells),
        "gain": gain(cells),
        "noisiest": noisiest(cells),
        "loses": loses(cells),
        "cost": cost(cells),
        "bfloat16": half_precision(cells),
    }


def scores(cells: Cells) -> str:
    """PSNR, SSIM and LPIPS by group, and means over the groups that have both fits."""
    lines = []
    for group in cells.groups:
        marks = ["\\*" if cells.is_half(group, name) else "" for name in BESIDE]
        own = [cells.rows.get((group, name)) for name in BESIDE]
        texts = [_quality([row]) if row else "not computed" for row in own]
        lines.append([group, *(text + mark for text, mark in zip(texts, marks, strict=True))])
    both = cells.both()
    means = [_quality([cells.rows[group, name] for group in both]) for name in BESIDE]
    lines.append([f"**mean of the {len(both)} with both fits**", *means])
    return table(["group", *(METHODS[name].title for name in BESIDE)], lines)


def _quality(rows: Sequence[Row]) -> str:
    psnr, ssim, lpips = (
        float(np.mean([getattr(row, name) for row in rows])) for name in ("psnr", "ssim", "lpips")
    )
    return f"{psnr:.2f} / {ssim:.3f} / {lpips:.3f}"


def missing(cells: Cells) -> str:
    """Cells that were not computed, and the hours that they take on two cores."""
    lines = []
    for group in cells.groups:
        for name in FITS:
            if (group, name) not in cells.rows:
                seconds = _price(group, name).seconds or 0
                lines.append([group, METHODS[name].title, f"{seconds / 3600:.1f}"])
    if not lines:
        return "No cell is missing."
    return table(["group", "method", "hours on two cores, float32"], lines)


def _described(group: str) -> Description:
    microscope, _, specimen = group.partition(" ")
    return Description(SHAPE, microscope, specimen, {}, None)


def _price(group: str, preset: str) -> counting.Cost:
    choice = presets.choose(_described(group), presets.load(preset))
    return counting.estimate(choice.net, choice.fit.iterations, SHAPE)


def gain(cells: Cells) -> str:
    """Gain of one method over another: here, and in the paper."""
    lines = []
    for one, other in (("published", "original"), ("original", "noisy"), ("published", "sparse")):
        psnr, lpips = (cells.differences(one, other, name) for name in ("psnr", "lpips"))
        in_paper = [a - b for a, b in zip(PAPER[one], PAPER[other], strict=True)]
        lines.append(
            [
                f"`{one}` over `{other}`",
                f"{in_paper[0]:+.2f} dB, {in_paper[1]:+.3f}",
                f"{_spread(psnr, '+.2f')} dB, {_spread(lpips, '+.3f')}",
                f"{min(psnr):+.2f} to {max(psnr):+.2f} dB",
            ]
        )
    for one, other in (("balanced", "published"), ("untrained", "published")):
        psnr, lpips = (cells.differences(one, other, name) for name in ("psnr", "lpips"))
        here = f"{_spread(psnr, '+.2f')} dB, {_spread(lpips, '+.3f')}"
        lines.append(
            [f"`{one}` over `{other}`", "–", here, f"{min(psnr):+.2f} to {max(psnr):+.2f} dB"]
        )
    head = ["gain", "paper, 48 captures", f"here, {len(cells.both())} captures", "range here"]
    return table(head, lines)


def _spread(values: Sequence[float], form: str) -> str:
    return f"{np.mean(values):{form}} ± {np.std(values, ddof=1):{form.lstrip('+')}}"


def noisiest(cells: Cells) -> str:
    """Gain over the noisy image, the noisiest group first."""

    def noise(group: str) -> float:
        return cells.rows[group, "noisy"].psnr or 0.0

    compared = ("blur", *FITS, "untrained", "balanced")
    lines = []
    for group in sorted(cells.groups, key=noise):
        row = [group, f"{noise(group):.2f}"]
        for name in compared:
            own = cells.rows.get((group, name))
            row.append("–" if own is None else f"{(own.psnr or 0) - noise(group):+.2f}")
        lines.append(row)
    head = ["group", "PSNR of the noisy image, dB", *(METHODS[name].title for name in compared)]
    return table(head, lines)


def loses(cells: Cells) -> str:
    """Number of groups in which a fit is worse than something simpler."""
    lines = []
    for name in FITS:
        have = [group for group in cells.groups if (group, name) in cells.rows]
        for other in ("noisy", "blur", "sparse"):
            worse = {
                score: [
                    g for g in have if _is_worse(cells.rows[g, name], cells.rows[g, other], score)
                ]
                for score in ("psnr", "lpips")
            }
            lines.append(
                [
                    f"`{name}` against `{other}`",
                    *(f"{len(groups)} of {len(have)}" for groups in worse.values()),
                    ", ".join(worse["psnr"]) or "–",
                ]
            )
    return table(["", "lower PSNR", "higher LPIPS", "groups with a lower PSNR"], lines)


def _is_worse(row: Row, other: Row, name: str) -> bool:
    sign = 1 if name == "psnr" else -1
    return bool(sign * getattr(row, name) < sign * getattr(other, name))


def cost(cells: Cells) -> str:
    """Iterations, operations and seconds of both fits by group, and their ratios."""
    lines, ratios = [], []
    for group in cells.groups:
        choices = [presets.choose(_described(group), presets.load(name)) for name in FITS]
        flop = [_price(group, name).flop for name in FITS]
        rows = [cells.rows.get((group, name)) for name in FITS]
        on_gpu = [row for row in rows if row is not None and "NVIDIA" in row.machine]
        ratio = (on_gpu[0].seconds or 0) / (on_gpu[1].seconds or 1) if len(on_gpu) == 2 else None
        iterations = [choice.fit.iterations for choice in choices]
        ratios.append((iterations[0] / iterations[1], flop[0] / flop[1], ratio))
        lines.append(
            [
                group,
                str(choices[1].net),
                str(iterations[1]),
                f"{flop[1] / 1e15:.3f}",
                *(f"{row.seconds:.0f}" if row in on_gpu and row else "–" for row in rows),
                *("–" if value is None else f"{value:.3g}" for value in ratios[-1]),
            ]
        )
    columns: list[list[float]] = [
        [v for v in c if v is not None] for c in zip(*ratios, strict=True)
    ]
    for words, function in (("median", np.median), ("geometric mean", _geometric)):
        lines.append([f"**{words}**", *[""] * 5, *(f"{function(c):.3g}" for c in columns)])
    head = ["group", "network", "iterations", "PFLOP", "`original`, s", "`published`, s"]
    return table([*head, "ratio of iterations", "of operations", "of seconds"], lines)


def _geometric(values: Sequence[float]) -> float:
    return float(np.exp(np.mean(np.log(values))))


def half_precision(cells: Cells) -> str:
    """Fits in bfloat16 on a CPU beside the same on a GPU."""
    gpu = _by_cell(rows_of(ROWS))
    lines = []
    for cell, row in sorted(cells.half.items()):
        theirs = gpu.get(cell)
        hours = f"{(row.seconds or 0) / 60:.0f}"
        lines.append(
            [cell[0], f"`{cell[1]}`", _quality([row]), _quality([theirs]) if theirs else "–", hours]
        )
    if not lines:
        return "No fit in bfloat16 has been recorded."
    head = ["group", "fit", "bfloat16, CPU", "TensorFloat-32, GPU", "minutes on the CPU"]
    return table(head, lines)


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    fill(PAGE, blocks())
