"""``autodip base``: show, merge, extend and check calibration bases."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click
import numpy as np

from autodip.bases import criteria, packing, store
from autodip.bases import grid as grids
from autodip.bases.records import Config
from autodip.calibration import Sweep
from autodip.choose import vocabulary
from autodip.cli import base_show_command
from autodip.cli.commands import Commands
from autodip.cli.filling import fill
from autodip.cli.given import BASE, GRID, MICROSCOPE, OWN_BASE, PATH, SPECIMEN
from autodip.cli.replies import Reply
from autodip.cli.shared_options import shared_option
from autodip.compute import device
from autodip.datasets.layout import planes
from autodip.datasets.pair import Pair
from autodip.errors import ParameterError

OWN = "own"
"""Name of the data set to which pairs belong that are added one by one."""


@click.group(cls=Commands)
def command() -> None:
    """Work with calibration bases, the folders that 'autodip calibrate' fills."""


@command.command(
    examples=(
        "autodip base merge my-base yours -o ours",
        "autodip base merge builtin -o packed --gzip --no-images",
    )
)
@click.argument("sources", metavar="BASE...", nargs=-1, required=True, type=BASE)
@click.option("--out", "-o", required=True, type=OWN_BASE, help="New folder for the merged base.")
@click.option("--gzip", "compress", is_flag=True, help="Compress the runs with gzip.")
@click.option("--no-images", is_flag=True, help="Do not copy the pixels of images.")
@click.option("--name", default="", help="Name of the new base; default: that of its folder.")
@click.option("--description", default="", help="Description; default: those of the merged bases.")
def merge(
    sources: tuple[Path, ...],
    out: Path,
    compress: bool,
    no_images: bool,
    name: str,
    description: str,
) -> Reply:
    """Merge bases, or pack one, into a new base of a few files.

    BASE is the folder of a base, or builtin.

    If several bases contain a run of the same setting on the same image, the first one is used,
    and the number of runs that differ from it is reported. The same applies to their own priors.
    """
    how = packing.Packing(compress, not no_images, name, description)
    merged = packing.merge(sources, out, how)
    for line in merged.differing:
        click.echo(f"differs, the first was kept: {line}", err=True)
    text = (
        f"{out}: {len(merged.base.entries)} images, {len(merged.base.runs)} runs; "
        f"{merged.duplicates} duplicates dropped"
        + (f"; kept the first, {len(merged.differing)} differ" if merged.differing else "")
        + (f"; prior tuned on {merged.base.prior.words}" if merged.base.prior else "")
    )
    content = {
        "base": str(out),
        "images": len(merged.base.entries),
        "runs": len(merged.base.runs),
        "duplicates": merged.duplicates,
        "differing": list(merged.differing),
    }
    return Reply(content, text)


@command.command(
    examples=(
        "autodip base add my-base noisy.tif truth.tif --grid tiny",
        "autodip base add my-base noisy.tif truth.tif --specimen mito --keep-images",
    ),
    computes=True,
)
@click.argument("path", metavar="BASE", type=OWN_BASE)
@click.argument("noisy", type=PATH)
@click.argument("truth", type=PATH)
@click.option(
    "--microscope",
    type=MICROSCOPE,
    metavar="NAME",
    help="Microscope: confocal, twophoton, widefield, or another name.",
)
@click.option(
    "--specimen",
    type=SPECIMEN,
    metavar="NAME",
    help="Labelled structure: actin, mito, nucleus, or another name.",
)
@click.option(
    "--grid",
    type=GRID,
    metavar="NAME|FILE",
    help="Settings to run; default: those that all images in the base have, or the grid small if "
    "the base is new.",
)
@click.option("--fov", metavar="NAME", help="Field of view; default: the file name of TRUTH.")
@click.option(
    "--data-range",
    type=float,
    help="Intensity range for the metrics; default: 255 for 8-bit images, else that of TRUTH.",
)
@click.option(
    "--stretched",
    is_flag=True,
    help="The intensities of the two images were scaled separately: compare them after a linear "
    "fit.",
)
@click.option(
    "--keep-images",
    is_flag=True,
    help="Store the pixels in the base, as some similarity measures need them.",
)
@shared_option("device", "device_name")
@click.option("--quiet", "-q", is_flag=True, help="Print only the summary.")
def add(
    path: Path,
    noisy: Path,
    truth: Path,
    microscope: str | None,
    specimen: str | None,
    grid: str | None,
    fov: str | None,
    data_range: float | None,
    stretched: bool,
    keep_images: bool,
    device_name: str,
    quiet: bool,
) -> Reply:
    """Calibrate one pair of your own, and add it to a base.

    NOISY and TRUTH are the files of the noisy and the true image, with one grey plane each. The
    true image is a long exposure, or the mean of many captures of the same field of view. The
    base is created if it does not exist.
    """
    if data_range is not None and not data_range > 0:
        raise ParameterError(f"--data-range {data_range:g}; it must be above 0")
    images = planes(noisy, truth)
    eight = images[1].dtype == np.uint8
    pair = Pair(
        OWN,
        noisy.stem,
        partial(planes, noisy, truth),
        vocabulary.microscope(microscope),
        vocabulary.specimen(specimen),
        noise_level="",
        fov=fov or truth.stem,
        data_range=255.0 if data_range is None and eight else data_range,
        stretched=stretched,
    )
    sweep = Sweep(device=device.resolve(device_name), keep_images=keep_images)
    return fill([([pair], _grid(path, grid))], path, sweep, quiet=quiet)


def _grid(path: Path, name: str | None) -> tuple[Config, ...]:
    """Settings of the named grid; without a name, those that all images of the base have."""
    if name is not None:
        return grids.load(name)
    runs = store.load(path).runs if (path / store.HEAD).exists() else ()
    if not runs:
        return grids.load("small")
    return tuple(dict.fromkeys(one.config for one in criteria.means(runs)))


@command.command(examples=("autodip base validate builtin", "autodip base validate my-base"))
@click.argument("path", metavar="BASE", type=BASE)
def validate(path: Path) -> Reply:
    """Check every file of a base.

    BASE is the folder of a base, or builtin. The exit code is 1 if a file is damaged.
    """
    problems = packing.validate(path)
    content = {"base": str(path), "problems": problems}
    if problems:
        for problem in problems:
            click.echo(f"autodip: {problem}", err=True)
        return Reply(content, error=f"{path}: {len(problems)} problems")
    base = store.load(path)
    own = ", own prior" if base.prior else ""
    text = f"{path}: valid, {len(base.entries)} images, {len(base.runs)} runs{own}"
    return Reply({**content, "images": len(base.entries), "runs": len(base.runs)}, text)


command.add_command(base_show_command.command, "show")
