"""``autodip calibrate``: fill a calibration base from a folder of noisy and true images."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from autodip import datasets
from autodip.bases import grid as grids
from autodip.calibration import Sweep, captures, preset_settings
from autodip.cli import signals
from autodip.cli.commands import Described, Known
from autodip.cli.dataset_options import crop_option, limit_option, where_option
from autodip.cli.filling import fill
from autodip.cli.given import GRID_OR_PRESET, OWN_BASE
from autodip.cli.pairs_given import kind_options, pairs_argument, stated
from autodip.cli.replies import Reply
from autodip.cli.shared_options import shared_option
from autodip.cli.workers import workers_of, workers_options
from autodip.compute import device
from autodip.datasets.filters import select
from autodip.datasets.pair import Pair
from autodip.datasets.pair_lists import PairList
from autodip.errors import ParameterError

ROLES = ("calibration", "test")


@click.command(
    cls=Described,
    examples=(
        "autodip calibrate my-pairs --base my-base",
        "autodip calibrate --noisy noisy --truth truth -o my-base --microscope confocal",
        "autodip calibrate pairs.csv -o my-base --grid tiny --specimen tubulin",
    ),
    computes=True,
)
@pairs_argument
@click.option(
    "--base",
    "--out",
    "-o",
    "filled",
    required=True,
    metavar="BASE",
    type=OWN_BASE,
    help="Folder of the calibration base; created if it does not exist.",
)
@kind_options
@click.option(
    "--grid",
    type=GRID_OR_PRESET,
    default="small",
    show_default=True,
    metavar="NAME|FILE",
    help=f"Settings to run on every image: {', '.join(grids.NAMES)}, or a YAML file; or "
    f"{', '.join(preset_settings.NAMES)}: the one that this preset chooses for each image.",
)
@shared_option("device", "device_name")
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Seed of the random weights and input."
)
@crop_option
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
@where_option
@click.option(
    "--role",
    type=Known(ROLES),
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
    pairs: Path | PairList,
    filled: Path,
    microscope: str | None,
    specimen: str | None,
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
) -> Reply:
    """Run a grid of settings on images with a known true image, and record the quality curves.

    PAIRS is a folder with a manifest.json, that file, or a CSV file; 'file' and 'truth' are the
    only columns or keys that are needed.

    If the command is run again, it resumes where it was stopped. Several processes may fill one
    base at the same time, also on several machines. 'autodip base show' lists the best setting for
    each group of images.
    """
    listed = stated(pairs, microscope, specimen)
    if scheduler is None:
        device_name = device.resolve(device_name)
    else:  # the workers may run in another folder
        listed, filled = listed.absolute(), filled.absolute()
    sweep = Sweep(
        device=device_name, seed=seed, crop=crop, keep_images=keep_images, halving=halving
    )
    by_preset = grid in preset_settings.NAMES
    configs = () if by_preset else grids.load(grid)
    found = captures.averaged(listed) if average else datasets.pairs("shared", listed)
    chosen = select(_of_role(found, role), where, limit)
    if not quiet and not average:
        for line in datasets.missing("shared", listed):
            click.echo(f"  missing   {line}", err=True)
    parts = preset_settings.settings(chosen, grid) if by_preset else [(chosen, configs)]
    with workers_of(scheduler, workers) as cluster:
        return fill(parts, filled, sweep, quiet=quiet, cluster=cluster)


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
