"""``autodip base``: show, merge, extend and check calibration bases."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import click
import numpy as np

from autodip.bases import criteria, packing, store
from autodip.bases import grid as grids
from autodip.bases.criteria import CRITERIA, Pick
from autodip.bases.records import Config
from autodip.bases.store import Base
from autodip.calibration import Sweep
from autodip.choose import vocabulary
from autodip.cli.filling import fill
from autodip.cli.shared_options import shared_option
from autodip.compute import device
from autodip.datasets.layout import planes
from autodip.datasets.pair import Pair
from autodip.errors import ParameterError
from autodip.image.kind import Kind
from autodip.util.files import replacing

OWN = "own"
"""Name of the data set to which pairs belong that are added one by one."""

_COLUMNS = (
    "microscope",
    "specimen",
    "images",
    "fields",
    "network",
    "output",
    "iterations",
    "PSNR",
    "SSIM",
    "LPIPS",
    "TFLOP",
)

FOLDER = click.Path(path_type=Path)


@click.group()
def command() -> None:
    """Work with calibration bases, the folders that 'autodip calibrate' fills."""


@command.command()
@click.argument("path", metavar="DIR", type=FOLDER)
@click.option(
    "--criterion",
    type=click.Choice(CRITERIA),
    help="Criterion for the best setting; default: combined, or psnr if LPIPS was not measured.",
)
@click.option(
    "--figure",
    type=FOLDER,
    metavar="FILE.png",
    help="Draw PSNR and LPIPS as a function of the stop.",
)
def show(path: Path, criterion: str | None, figure: Path | None) -> None:
    """Show the groups of images in a base and their best settings."""
    base = store.load(path)
    chosen = criterion or criteria.default_criterion(base.runs)
    rows = criteria.group_rows(base, chosen)
    configs = {run.config for run in base.runs}
    click.echo(f"{base.name}  {base.created}")
    if base.description:
        click.echo(base.description)
    click.echo(f"{len(base.entries)} images, {len(configs)} settings, {len(base.runs)} runs")
    simulated = sum("simulated" in entry.source for entry in base.entries.values())
    if simulated:
        click.echo(f"{simulated} of the images {'is' if simulated == 1 else 'are'} simulated")
    if base.prior is not None:
        kinds = ", ".join(kind.words or "unknown images" for kind in base.prior.kinds)
        click.echo(f"own prior, tuned on {base.prior.words} ({kinds}): {base.prior.gain}")
    if rows:
        click.echo(f"\nbest by {chosen}\n{_table(base, rows)}")
    if figure is not None:
        _draw(base, figure)


def _table(base: Base, rows: Mapping[Kind, Pick]) -> str:
    """One line for each group."""
    calibrated = {run.image for run in base.runs}
    members = criteria.groups(base, calibrated)
    lines = [list(_COLUMNS)]
    for group, best in rows.items():
        images = members[group]
        lpips, flop = best.scores["lpips"], best.cost.get("flop")
        lines.append(
            [
                *(part or "any" for part in group.names),
                str(len(images)),
                str(len({base.entries[image].fov for image in images})),
                str(best.config.net),
                best.output,
                str(best.iteration),
                f"{best.scores['psnr']:.2f}",
                f"{best.scores['ssim']:.3f}",
                "–" if lpips is None else f"{lpips:.3f}",
                "–" if flop is None else f"{flop / 1e12:.3g}",
            ]
        )
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = {0, 1, 4, 5}
    return "\n".join(
        "  ".join(
            word.ljust(width) if number in texts else word.rjust(width)
            for number, (word, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _draw(base: Base, figure: Path) -> None:
    from autodip.report.surface import surface  # noqa: PLC0415  (PIL)

    if figure.suffix.lower() != ".png":
        raise ParameterError(
            f"--figure {figure}: the figure is a PNG; use a name such as {figure}.png"
        )
    sheet = surface(base)
    with replacing(figure, advice="choose another place with --figure") as (part,):
        sheet.save(part, "PNG")
    click.echo(f"\nfigure {figure}")


@command.command()
@click.argument("sources", metavar="BASE...", nargs=-1, required=True, type=FOLDER)
@click.option("--out", "-o", required=True, type=FOLDER, help="New folder for the merged base.")
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
) -> None:
    """Merge bases, or pack one, into a new base of a few files.

    If several bases contain a run of the same setting on the same image, the first one is used,
    and the number of runs that differ from it is reported. The same applies to their own priors.
    """
    how = packing.Packing(compress, not no_images, name, description)
    merged = packing.merge(sources, out, how)
    for line in merged.differing:
        click.echo(f"differs, the first was kept: {line}", err=True)
    click.echo(
        f"{out}: {len(merged.base.entries)} images, {len(merged.base.runs)} runs; "
        f"{merged.duplicates} duplicates dropped"
        + (f"; kept the first, {len(merged.differing)} differ" if merged.differing else "")
        + (f"; prior tuned on {merged.base.prior.words}" if merged.base.prior else "")
    )


@command.command()
@click.argument("path", metavar="DIR", type=FOLDER)
@click.argument("noisy", type=FOLDER)
@click.argument("truth", type=FOLDER)
@click.option("--microscope", metavar="NAME", help="Microscope: confocal, twophoton or widefield.")
@click.option("--specimen", metavar="NAME", help="Labelled structure: actin, mito, ...")
@click.option(
    "--grid",
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
) -> int:
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
        None if specimen is None else vocabulary.find_specimen(specimen) or specimen,
        noise_level="",
        fov=fov or truth.stem,
        data_range=255.0 if data_range is None and eight else data_range,
        stretched=stretched,
    )
    sweep = Sweep(device=device.resolve(device_name), keep_images=keep_images)
    return fill([pair], _grid(path, grid), path, sweep, quiet=quiet)


def _grid(path: Path, name: str | None) -> tuple[Config, ...]:
    """Settings of the named grid; without a name, those that all images of the base have."""
    if name is not None:
        return grids.load(name)
    runs = store.load(path).runs if (path / store.HEAD).exists() else ()
    if not runs:
        return grids.load("small")
    return tuple(dict.fromkeys(one.config for one in criteria.means(runs)))


@command.command()
@click.argument("path", metavar="DIR", type=FOLDER)
def validate(path: Path) -> int:
    """Check every file of a base.

    The exit code is 1 if a file is damaged.
    """
    problems = packing.validate(path)
    for problem in problems:
        click.echo(problem, err=True)
    if not problems:
        base = store.load(path)
        own = ", own prior" if base.prior else ""
        click.echo(f"{path}: valid, {len(base.entries)} images, {len(base.runs)} runs{own}")
    return 1 if problems else 0
