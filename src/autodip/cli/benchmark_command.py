"""``autodip benchmark``: comparison of methods on pairs of noisy and true images."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Sequence
from pathlib import Path

import click
from click.core import ParameterSource

from autodip import datasets
from autodip.benchmark import Cell, Conditions, Row, Store, Update, plan, registry, run
from autodip.benchmark.environment import environment
from autodip.cli import signals
from autodip.cli.plan_text import duration
from autodip.cli.shared_options import limit_option, shared_option
from autodip.cli.workers import workers_of, workers_options
from autodip.compute import device
from autodip.datasets.filters import FIELDS, select
from autodip.datasets.pair import Pair
from autodip.errors import ParameterError
from autodip.report import benchmark_table
from autodip.report.crops import crops
from autodip.util.files import check_writable, replacing
from autodip.util.text import to_json


@click.command()
@click.argument("dataset")
@click.option(
    "--root", required=True, type=click.Path(path_type=Path), help="Folder with the data set."
)
@click.option(
    "--out", "-o", required=True, type=click.Path(path_type=Path), help="Folder for the results."
)
@click.option(
    "--methods",
    default=",".join(registry.DEFAULT),
    show_default=True,
    metavar="A,B,...",
    help="Methods to compare, or 'all'; available are " + ", ".join(registry.METHODS) + ".",
)
@limit_option
@click.option(
    "--where",
    multiple=True,
    metavar="FIELD=VALUE",
    help=f"Use only images with this value; FIELD is one of {', '.join(FIELDS)}. Can be repeated. "
    "Default: role=test, if the data set distinguishes test images from calibration images.",
)
@click.option("--crop", type=int, default=0, metavar="N", help="Use only the central N x N pixels.")
@click.option(
    "--max-hours",
    type=float,
    metavar="H",
    help="Skip cells that are predicted to take more than H hours.",
)
@click.option(
    "--seeds",
    default="0",
    show_default=True,
    metavar="0,1,...",
    help="Random seeds; methods that depend on chance are run once for each of them.",
)
@shared_option("device", "device_name")
@workers_options
@click.option("--quiet", "-q", is_flag=True, help="Print only the table.")
@click.pass_context
@signals.keeping("the finished cells are kept in results.csv; the same command resumes")
def command(
    context: click.Context,
    dataset: str,
    root: Path,
    out: Path,
    methods: str,
    limit: int | None,
    where: tuple[str, ...],
    crop: int,
    max_hours: float | None,
    seeds: str,
    device_name: str,
    scheduler: str | None,
    workers: int | None,
    quiet: bool,
) -> int:
    """Run denoising methods on the images of DATASET and compare the results with the true images.

    DATASET is fmd, hagen, biosr, w2s, shah, or shared (any folder with a manifest.json).

    results.csv, table.md, crops.png, environment.json and the denoised images are written to the
    folder --out. table.md contains the methods and images of this command; results.csv also keeps
    the rows of earlier commands.

    Cells (image x method) run from the cheapest to the most expensive. If the command is run
    again, it resumes where it was stopped; finished cells are not repeated. With --workers, the
    workers share the cores of this machine, so that the run times are longer than without.
    """
    if scheduler is None:
        device_name = device.resolve(device_name)
    else:  # the workers may run in another folder
        root, out = root.absolute(), out.absolute()
    chosen = [registry.find(name) for name in _names(methods)]
    pairs = select(datasets.pairs(dataset, root), where, limit)
    options = Conditions(crop, _seeds(seeds), device_name, max_hours)
    check_writable(out)
    store = Store(out / "results.csv")
    finished = store.load()
    if not quiet:
        _say_start(dataset, root, pairs, store)
    with workers_of(scheduler, workers) as cluster:
        name = cluster.device(device_name) if cluster else device_name
        options = dataclasses.replace(options, device=name)
        planned = plan(pairs, chosen, options)
        updates = run(planned, options, finished=finished, images=out / "images", cluster=cluster)
        rows = [cell.finished(finished) or cell.row for cell in planned]
        try:
            for update in updates:
                if not update.starting:
                    rows[update.number - 1] = update.row
                if not (update.starting or update.kept or update.row.status == "not run"):
                    store.add([update.row])
                if not quiet:
                    _say(update)
        finally:
            text = _write(out, _said(context), planned, rows)
    click.echo(text, nl=False)
    return 1 if any(row.status == "failed" for row in rows) else 0


def _said(context: click.Context) -> str:
    """The command as it was given; options that were not specified are left out."""
    words = ["autodip", "benchmark"]
    for parameter in context.command.params:
        name = str(parameter.name)
        if context.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        value = context.params[name]
        values = value if isinstance(value, tuple) else (value,)
        for one in values:
            option = [] if isinstance(parameter, click.Argument) else [parameter.opts[0]]
            words += option if isinstance(one, bool) else [*option, str(one)]
    return shlex.join(words)


def _write(out: Path, command: str, planned: Sequence[Cell], rows: Sequence[Row]) -> str:
    """Write table, figure and environment for all finished cells; return the table."""
    made = environment()
    text = benchmark_table.table(rows, command, made)
    sheet = crops(planned, rows, out / "images")
    with replacing(out / "environment.json", out / "table.md") as parts:
        parts[0].write_text(to_json(made) + "\n", encoding="utf-8")
        parts[1].write_text(text, encoding="utf-8")
    if sheet is not None:
        with replacing(out / "crops.png") as (part,):
            sheet.save(part, "PNG")
    return text


def _say_start(dataset: str, root: Path, pairs: Sequence[Pair], store: Store) -> None:
    for line in datasets.missing(dataset, root):
        click.echo(f"  missing   {line}", err=True)
    for number in store.damaged:
        click.echo(f"  {store.path}, line {number}: not readable, ignored", err=True)
    click.echo(f"  reading {len(pairs)} pairs", err=True)


def _names(methods: str) -> list[str]:
    names = [name.strip() for name in methods.split(",") if name.strip()]
    if names == ["all"]:
        return list(registry.METHODS)
    if not names:
        raise ParameterError(
            f"--methods {methods!r} names no method; known are {', '.join(registry.METHODS)}"
        )
    return list(dict.fromkeys(names))


def _seeds(text: str) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        raise ParameterError(f"--seeds {text!r}; give whole numbers, such as 0,1,2") from None


def _say(update: Update) -> None:
    row = update.row
    cell = f"{row.image}  {row.method}"
    place = f"{update.number:4}/{update.total}"
    if update.starting:
        about = row.predicted_seconds or 0
        if about > 20:
            click.echo(f"{place}  {cell}  about {duration(about)}", err=True)
    elif row.status == "done" and not update.kept:
        lpips = "" if row.lpips is None else f"  {row.lpips:.3f}"
        figure = "" if row.psnr is None else f"{row.psnr:.2f} dB"
        click.echo(f"{place}  {cell}  {figure}{lpips}  {row.seconds:.1f} s", err=True)
    elif row.status == "failed":
        click.echo(f"{place}  {cell}  failed: {row.reason}", err=True)
