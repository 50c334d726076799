"""``autodip calibrate``: fill a calibration base from a folder of noisy and true images."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from autodip import datasets
from autodip.bases import grid as grids
from autodip.calibration import Sweep, captures
from autodip.cli import signals
from autodip.cli.filling import fill
from autodip.cli.shared_options import limit_option, shared_option
from autodip.cli.workers import workers_of, workers_options
from autodip.compute import device
from autodip.datasets import own_pairs
from autodip.datasets.filters import FIELDS, select
from autodip.datasets.pair import Pair
from autodip.errors import ParameterError

ROLES = ("calibration", "test")


@click.command()
@click.argument("manifest_file", metavar="MANIFEST", type=click.Path(path_type=Path))
@click.option(
    "--base",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of the calibration base; created if it does not exist.",
)
@click.option(
    "--grid",
    default="small",
    show_default=True,
    metavar="NAME|FILE",
    help=f"Settings to run on every image: {', '.join(grids.NAMES)}, or a YAML file.",
)
@shared_option("device", "device_name")
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Seed of the random weights and input."
)
@click.option("--crop", type=int, default=0, metavar="N", help="Use only the central N x N pixels.")
@click.option(
    "--average",
    is_flag=True,
    help="Use only the entries without a true image; the mean of the other captures of the same "
    "field of view takes its place.",
)
@click.option(
    "--keep-images",
    is_flag=True,
    help="Store the pixels in the base, as some similarity measures need them.",
)
@click.option(
    "--halving",
    is_flag=True,
    help="Run all settings for a quarter of their iterations, then only the better half in full.",
)
@limit_option
@click.option(
    "--where",
    multiple=True,
    metavar="FIELD=VALUE",
    help=f"Use only images with this value; FIELD is one of {', '.join(FIELDS)}. Can be repeated.",
)
@click.option(
    "--role",
    type=click.Choice(ROLES),
    default="calibration",
    show_default=True,
    help="Use images with this role; calibration includes images without a role.",
)
@workers_options
@click.option(
    "--resume", is_flag=True, help="The default, kept for clarity: recorded runs are not repeated."
)
@click.option("--quiet", "-q", is_flag=True, help="Print only the summary.")
@signals.keeping("the recorded runs are kept in the base; the same command resumes")
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
    """Run a grid of settings on images with a known true image, and record the quality curves.

    MANIFEST is a folder with a manifest.json, or that file. If the command is run again, it
    resumes where it was stopped. Several processes may fill one base at the same time, also on
    several machines. 'autodip base show' lists the best setting for each group of images.
    """
    if scheduler is None:
        device_name = device.resolve(device_name)
    else:  # the workers may run in another folder
        manifest_file, base = manifest_file.absolute(), base.absolute()
    sweep = Sweep(
        device=device_name, seed=seed, crop=crop, keep_images=keep_images, halving=halving
    )
    configs = grids.load(grid)
    root = manifest_file.parent if manifest_file.name == own_pairs.FILE else manifest_file
    pairs = _of_role(captures.averaged(root) if average else datasets.pairs("shared", root), role)
    pairs = select(pairs, where, limit)
    if not quiet and not average:
        for line in datasets.missing("shared", root):
            click.echo(f"  missing   {line}", err=True)
    with workers_of(scheduler, workers) as cluster:
        return fill(pairs, configs, base, sweep, quiet=quiet, cluster=cluster)


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
