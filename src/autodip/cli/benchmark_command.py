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
from autodip.cli.commands import Described, Known
from autodip.cli.dataset_options import crop_option, limit_option, where_option
from autodip.cli.given import DATASET, METHODS, PATH
from autodip.cli.pairs_given import LIST_HELP, folder_options, folders_listed
from autodip.cli.plan_text import duration
from autodip.cli.replies import Reply
from autodip.cli.shared_options import shared_option
from autodip.cli.workers import workers_of, workers_options
from autodip.compute import device
from autodip.datasets.filters import select
from autodip.datasets.pair import Pair
from autodip.datasets.pair_lists import PairList
from autodip.errors import ParameterError
from autodip.report import benchmark_table
from autodip.report.crops import crops
from autodip.util.files import check_writable, replacing
from autodip.util.text import to_json


@click.command(
    cls=Described,
    examples=(
        "autodip benchmark fmd --root fmd -o fmd-results --where noise_level=raw",
        "autodip benchmark shared --root my-pairs -o results --methods noisy,fast",
        "autodip benchmark shared --noisy noisy --truth truth -o results --crop 64",
    ),
    computes=True,
)
@click.argument("dataset", type=DATASET)
@click.option(
    "--root", type=PATH, metavar="DIR", help=f"Folder with the data set; for shared {LIST_HELP}."
)
@folder_options
@click.option(
    "--out", "-o", required=True, type=click.Path(path_type=Path), help="Folder for the results."
)
@click.option(
    "--methods",
    default=",".join(registry.DEFAULT),
    show_default=True,
    type=METHODS,
    metavar="A,B,...",
    help="Methods to compare, or 'all'; available are " + ", ".join(registry.METHODS) + ".",
)
@limit_option
@where_option
@crop_option
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
@click.option(
    "--reference",
    default="balanced",
    show_default=True,
    type=Known(registry.METHODS),
    help="Method from which table.md lists the differences of all others, image by image.",
)
@shared_option("device", "device_name")
@workers_options
@click.option("--quiet", "-q", is_flag=True, help="Print only the table.")
@click.pass_context
@signals.keeping("the finished cells are kept in results.csv; the same command resumes")
def command(
    context: click.Context,
    dataset: str,
    root: Path | None,
    noisy_folder: Path | None,
    truth_folder: Path | None,
    out: Path,
    methods: str,
    limit: int | None,
    where: tuple[str, ...],
    crop: int,
    max_hours: float | None,
    seeds: str,
    reference: str,
    device_name: str,
    scheduler: str | None,
    workers: int | None,
    quiet: bool,
) -> Reply:
    """Run denoising methods on the images of DATASET and compare the results with the true images.

    DATASET is fmd, hagen, biosr, w2s, shah, or shared (pairs of your own). If a data set
    distinguishes test images from calibration images, only those with role=test are used.

    results.csv, table.md, crops.png, environment.json and the denoised images are written to the
    folder --out. table.md contains the methods and images of this command; results.csv also keeps
    the rows of earlier commands.

    Cells (image x method) run from the cheapest to the most expensive. If the command is run
    again, it resumes where it was stopped; finished cells are not repeated. With --workers, the
    workers share the cores of this machine, so that the run times are longer than without.
    """
    source = _source(dataset, root, noisy_folder, truth_folder)
    if scheduler is None:
        device_name = device.resolve(device_name)
    else:  # the workers may run in another folder
        source, out = source.absolute(), out.absolute()
    chosen = [registry.find(name) for name in _names(methods)]
    pairs = select(datasets.pairs(dataset, source), where, limit)
    options = Conditions(crop, _seeds(seeds), device_name, max_hours)
    check_writable(out)
    store = Store(out / "results.csv")
    finished = store.load()
    if not quiet:
        _say_start(datasets.missing(dataset, source), pairs, store)
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
            text = benchmark_table.table(rows, _said(context), environment(), reference)
            _write(out, text, planned, rows)
    failed = sum(row.status == "failed" for row in rows)
    content = {"out": str(out), "rows": [dataclasses.asdict(row) for row in rows]}
    error = f"{failed} of {len(rows)} cells failed" if failed else ""
    return Reply(content, text.rstrip("\n"), error)


def _said(context: click.Context) -> str:
    """The command as it was given; options that were not specified are left out."""
    words = ["autodip", "benchmark"]
    for parameter in context.command.params:
        name = str(parameter.name)
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if not given or name not in context.params:
            continue
        value = context.params[name]
        values = value if isinstance(value, tuple) else (value,)
        for one in values:
            option = [] if isinstance(parameter, click.Argument) else [parameter.opts[0]]
            words += option if isinstance(one, bool) else [*option, str(one)]
    return shlex.join(words)


def _write(out: Path, text: str, planned: Sequence[Cell], rows: Sequence[Row]) -> None:
    """Write table, figure and environment for all finished cells."""
    sheet = crops(planned, rows, out / "images")
    with replacing(out / "environment.json", out / "table.md") as parts:
        parts[0].write_text(to_json(environment()) + "\n", encoding="utf-8")
        parts[1].write_text(text, encoding="utf-8")
    if sheet is not None:
        with replacing(out / "crops.png") as (part,):
            sheet.save(part, "PNG")


def _source(
    dataset: str, root: Path | None, noisy: Path | None, truth: Path | None
) -> Path | PairList:
    """Where the pairs are."""
    folders = folders_listed(noisy, truth)
    if (root is None) == (folders is None):
        raise click.UsageError(
            "give the folder of the data set with --root"
            + (", or two folders with --noisy and --truth" if dataset == "shared" else "")
        )
    return root or folders  # type: ignore[return-value]


def _say_start(missing: Sequence[str], pairs: Sequence[Pair], store: Store) -> None:
    for line in missing:
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
