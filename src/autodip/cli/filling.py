"""Filling of a calibration base, with a printed line for each run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from autodip.bases import store
from autodip.bases.records import Config
from autodip.calibration import Attempt, Sweep, calibrate
from autodip.cli.replies import Reply
from autodip.compute.cluster import Cluster
from autodip.datasets.pair import Pair


def fill(
    parts: Sequence[tuple[Sequence[Pair], Sequence[Config]]],
    base: Path,
    sweep: Sweep,
    *,
    quiet: bool = False,
    cluster: Cluster | None = None,
) -> Reply:
    """Run grids, each on its images, print a line for each run, and return the summary."""
    counts: Counter[str] = Counter()
    for pairs, configs in parts:
        if not quiet:
            click.echo(f"  {len(pairs)} images, {len(configs)} settings, {sweep.device}", err=True)
        for row in calibrate(pairs, configs, base, sweep, cluster=cluster):
            counts[row.status] += 1
            if not quiet or row.status == "failed":
                _say(row)
    filled = store.load(base)
    said = ", ".join(f"{number} {status}" for status, number in counts.items())
    content = {
        "base": str(base),
        "images": len(filled.entries),
        "runs": len(filled.runs),
        "this_call": dict(counts),
    }
    text = f"{base}: {len(filled.entries)} images, {len(filled.runs)} runs ({said})"
    failed = counts["failed"]
    return Reply(content, text, f"{failed} of {counts.total()} runs failed" if failed else "")


def _say(row: Attempt) -> None:
    setting = "" if row.config is None else f"  {row.config.net} {row.config.fit.iterations}"
    line = f"{row.number:4}/{row.total}  {row.name}{setting}"
    best = row.best
    if row.status in ("done", "kept") and best is not None and row.run is not None:
        lpips = "" if best.lpips is None else f"  {best.lpips:.3f}"
        spent = f"{row.run.points[-1].seconds:.1f} s" if row.status == "done" else "recorded before"
        line += f"  {best.psnr:.2f} dB{lpips} {best.output} at {best.iteration}  {spent}"
    else:
        line += f"  {row.status}: {row.reason}"
    click.echo(line, err=True)
