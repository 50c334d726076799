"""``autodip benchmark``: methods side by side on pairs of noisy and true images."""

from __future__ import annotations

import dataclasses
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from click.core import ParameterSource

from autodip import datasets
from autodip.benchmark import Cell, Conditions, Row, Store, Update, plan, registry, run
from autodip.benchmark.environment import environment
from autodip.cli.plan_text import duration
from autodip.cli.workers import workers_of, workers_options
from autodip.compute import device
from autodip.datasets.pair import Pair
from autodip.errors import ParameterError
from autodip.report import benchmark_table
from autodip.report.crops import crops
from autodip.util.files import check_writable, replacing
from autodip.util.text import to_json

FIELDS = (
    "dataset",
    "role",
    "microscope",
    "specimen",
    "noise_level",
    "fov",
    "capture",
    "group",
    "name",
)
"""What ``--where`` can ask for."""


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
    help="Any of: " + ", ".join(registry.METHODS) + "; or all.",
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
    help=f"Only images like this; FIELD is one of {', '.join(FIELDS)}. Default: role=test for a "
    "data set that tells test from calibration images.",
)
@click.option("--crop", type=int, default=0, metavar="N", help="Only the central N x N pixels.")
@click.option("--max-hours", type=float, metavar="H", help="Skip cells predicted to take longer.")
@click.option("--seeds", default="0", show_default=True, metavar="0,1,...")
@click.option("--device", "device_name", default="auto", show_default=True, help="cpu, cuda[:N].")
@workers_options
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but the table.")
@click.pass_context
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
    """Run methods on all images of DATASET and compare the results with the truth.

    DATASET is fmd, hagen, biosr, w2s, shah, or shared (any folder with a manifest.json). The
    folder --out gets results.csv, table.md, crops.png, environment.json and the results as
    images. Started again, the command goes on where it was stopped; what is finished is not
    run again. Cells (image x method) run from the cheapest to the dearest. The table holds what
    this command asks for; results.csv keeps everything. Workers on one machine share its cores:
    their seconds are not those of a cell alone.
    """
    if scheduler is None:
        device_name = device.resolve(device_name)
    else:  # the workers need not have this folder as theirs
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
    """The command as it was given, without options that were left at their default."""
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
    """Table, figure and environment, from whatever is finished; returns the table."""
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
        click.echo(f"  {store.path}, line {number}: not readable, left out", err=True)
    click.echo(f"  reading {len(pairs)} pairs", err=True)


def _names(methods: str) -> list[str]:
    names = [name.strip() for name in methods.split(",") if name.strip()]
    if names == ["all"]:
        return list(registry.METHODS)
    if not names:
        raise ParameterError(
            f"--methods {methods!r} names none; known are {', '.join(registry.METHODS)}"
        )
    return list(dict.fromkeys(names))


def _seeds(text: str) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        raise ParameterError(f"--seeds {text!r}; give whole numbers, as 0,1,2") from None


def select(pairs: Sequence[Pair], where: tuple[str, ...], limit: int | None) -> list[Pair]:
    """Pairs that are asked for; by default not those that settings were chosen on."""
    wanted = [_condition(text) for text in where]
    if not any(name == "role" for name, _ in wanted) and any(p.role == "test" for p in pairs):
        wanted.append(("role", "test"))
    chosen = [p for p in pairs if all(str(getattr(p, n) or "") == v for n, v in wanted)]
    if not chosen:
        asked = " ".join(f"{name}={value}" for name, value in wanted)
        seen = "; ".join(f"{name}: {_values(pairs, name)}" for name, _ in wanted)
        raise ParameterError(f"no image has {asked}; the {len(pairs)} there have {seen}")
    seen_of: Counter[tuple[str, ...]] = Counter()
    result = []
    for pair in chosen:
        place = (pair.dataset, pair.noise_level, pair.group)
        seen_of[place] += 1
        if limit is None or seen_of[place] <= limit:
            result.append(pair)
    return result


def _condition(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or name not in FIELDS:
        raise ParameterError(
            f"--where {text!r}; give FIELD=VALUE, FIELD one of {', '.join(FIELDS)}"
        )
    return name, value


def _values(pairs: Iterable[Pair], name: str) -> str:
    values = sorted({str(getattr(pair, name) or "") or "nothing" for pair in pairs})
    return ", ".join(values[:20]) + (", ..." if len(values) > 20 else "")


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
