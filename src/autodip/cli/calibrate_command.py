"""``autodip calibrate``: fill a calibration base from a folder of noisy and true images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from autodip import datasets
from autodip.bases import grid as grids
from autodip.bases import store
from autodip.bases.records import Config
from autodip.calibration import Attempt, Sweep, captures
from autodip.calibration import calibrate as rows_of
from autodip.cli.benchmark_command import FIELDS, select
from autodip.cli.workers import workers_of, workers_options
from autodip.compute import device
from autodip.compute.cluster import Cluster
from autodip.datasets import own_pairs
from autodip.datasets.pair import Pair
from autodip.errors import ParameterError

ROLES = ("calibration", "test")


@click.command()
@click.argument("manifest_file", metavar="MANIFEST", type=click.Path(path_type=Path))
@click.option(
    "--base", required=True, type=click.Path(path_type=Path), help="Folder of the base; made new."
)
@click.option(
    "--grid",
    default="small",
    show_default=True,
    metavar="NAME|FILE",
    help=f"What is run on every image: {', '.join(grids.NAMES)}, or a file .yaml.",
)
@click.option("--device", "device_name", default="auto", show_default=True, help="cpu, cuda[:N].")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--crop", type=int, default=0, metavar="N", help="Only the central N x N pixels.")
@click.option(
    "--average",
    is_flag=True,
    help="Take entries without a truth; it is the mean of the other captures of the field.",
)
@click.option("--keep-images", is_flag=True, help="Keep the pixels, to compare images by them.")
@click.option(
    "--halving",
    is_flag=True,
    help="Run all to a quarter of their iterations, the better half of them to the end.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    help="At most so many images of each group at each noise level.",
)
@click.option(
    "--where",
    multiple=True,
    metavar="FIELD=VALUE",
    help=f"Only images like this; FIELD is one of {', '.join(FIELDS)}.",
)
@click.option(
    "--role",
    type=click.Choice(ROLES),
    default="calibration",
    show_default=True,
    help="Images of this role; with calibration also those of none.",
)
@workers_options
@click.option("--resume", is_flag=True, help="The default: what is recorded is not run again.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but the summary.")
def command(
    manifest_file: Path,
    base: Path,
    grid: str,
    device_name: str,
    seed: int,
    crop: int,
    average: bool,
    keep_images: bool,
    halving: bool,
    limit: int | None,
    where: tuple[str, ...],
    role: str,
    scheduler: str | None,
    workers: int | None,
    resume: bool,
    quiet: bool,
) -> int:
    """Run a grid of settings on images whose truth is known, and record all curves.

    MANIFEST is a folder with a manifest.json, or that file. Started again, the command goes on
    where it was stopped; several may fill one base at the same time, also from several machines.
    'autodip base show' says what is best for which images.
    """
    if scheduler is None:
        device_name = device.resolve(device_name)
    else:  # the workers need not have this folder as theirs
        manifest_file, base = manifest_file.absolute(), base.absolute()
    options = Sweep(device_name, seed, crop, keep_images, True, halving)
    configs = grids.load(grid)
    root = manifest_file.parent if manifest_file.name == own_pairs.FILE else manifest_file
    pairs = _of_role(captures.averaged(root) if average else datasets.pairs("shared", root), role)
    pairs = select(pairs, where, limit)
    if not quiet and not average:
        for line in datasets.missing("shared", root):
            click.echo(f"  missing   {line}", err=True)
    with workers_of(scheduler, workers) as cluster:
        return fill(pairs, configs, base, options, quiet, cluster)


def fill(
    pairs: Sequence[Pair],
    configs: Sequence[Config],
    base: Path,
    options: Sweep,
    quiet: bool,
    cluster: Cluster | None = None,
) -> int:
    """Run a grid with a line for each run, sum up, and return the exit code."""
    if not quiet:
        click.echo(f"  {len(pairs)} images, {len(configs)} settings, {options.device}", err=True)
    counts: Counter[str] = Counter()
    for row in rows_of(pairs, configs, base, **vars(options), cluster=cluster):
        counts[row.status] += 1
        if not quiet or row.status == "failed":
            _say(row)
    filled = store.load(base)
    said = ", ".join(f"{number} {status}" for status, number in counts.items())
    click.echo(f"{base}: {len(filled.entries)} images, {len(filled.runs)} runs ({said})")
    return 1 if counts["failed"] else 0


def _of_role(pairs: Iterable[Pair], role: str) -> list[Pair]:
    pairs = list(pairs)
    roles = (role, "") if role == "calibration" else (role,)
    chosen = [pair for pair in pairs if pair.role in roles]
    if not chosen:
        seen = ", ".join(sorted({pair.role or "none" for pair in pairs}))
        raise ParameterError(
            f"no image has the role {role}; the {len(pairs)} there have {seen}; choose another "
            "--role"
        )
    return chosen


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
