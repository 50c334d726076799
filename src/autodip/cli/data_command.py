"""``autodip data``: download public data sets, and list the pairs in a folder."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from autodip import datasets
from autodip.cli import signals
from autodip.cli.commands import Commands
from autodip.cli.given import DATASET, Offered
from autodip.cli.replies import Reply, wants_json
from autodip.datasets import sources
from autodip.datasets.fetch import fetch as steps
from autodip.datasets.pair import Pair


@click.group(cls=Commands)
def command() -> None:
    """Download and list public data sets of noisy and true images."""


@command.command(
    examples=("autodip data fetch fmd --only 'test_mix*'", "autodip data fetch w2s -o data/w2s")
)
@click.argument("name", type=Offered(sources.names))
@click.option(
    "--out", "-o", type=click.Path(path_type=Path), help="Folder for the files; default: ./NAME."
)
@click.option(
    "--only",
    multiple=True,
    metavar="PATTERN",
    help="Download only files whose name matches, e.g. 'test_mix*'. Can be repeated.",
)
@click.option("--no-unpack", is_flag=True, help="Do not unpack archives.")
@click.option("--quiet", "-q", is_flag=True, help="Print errors only.")
@signals.keeping("what has arrived is kept; the same command resumes")
def fetch(
    name: str, out: Path | None, only: tuple[str, ...], no_unpack: bool, quiet: bool
) -> Reply:
    """Download a data set from the site of its authors.

    NAME is fmd, hagen, biosr or w2s. For shah, which has no direct link, the command states where
    to get it.

    If a download was interrupted, run the same command again to resume it. Files are checked
    against the published checksums; if there are none, this is reported. Archives are unpacked,
    but not deleted.
    """
    source = sources.load(name)
    folder = Path(name) if out is None else out
    if not quiet:
        click.echo(f"{source.title}\n  page     {source.landing}", err=True)
        click.echo(f"  licence  {source.licence or 'not stated, see the page'}", err=True)
        click.echo(f"  cite     {source.citation}", err=True)
    with _bars(quiet) as bars:
        tasks: dict[tuple[str, str], Any] = {}
        for step in steps(source, folder, only=only, extract=not no_unpack):
            if step.state in ("complete", "unpacked"):
                if not quiet:
                    note = f": {step.note}" if step.note else ""
                    bars.console.print(
                        f"  {step.file} {step.state}{note}", highlight=False, markup=False
                    )
                continue
            key = (step.file, step.state)
            if key not in tasks:
                for task in tasks.values():
                    bars.update(task, visible=False)
                tasks[key] = bars.add_task(f"{step.file} {step.state}", total=None)
            bars.update(tasks[key], completed=step.done, total=step.total)
    if not quiet:
        click.echo(f"to list the pairs: autodip data list {name} --root {folder}", err=True)
    return Reply({"name": name, "out": str(folder), "files": sorted({file for file, _ in tasks})})


def _bars(quiet: bool) -> Progress:
    """Progress bars on standard error, if that is a terminal."""
    console = Console(stderr=True, soft_wrap=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    )


@command.command(
    "list",
    examples=(
        "autodip data list shared --root my-pairs",
        "autodip data list fmd --root fmd --json",
    ),
)
@click.argument("name", type=DATASET)
@click.option(
    "--root", required=True, type=click.Path(path_type=Path), help="Folder with the data set."
)
def list_(name: str, root: Path) -> Reply:
    """Count the pairs of a data set, and list what is missing.

    NAME is fmd, hagen, biosr, w2s, shah, or shared (any folder with a manifest.json).
    """
    pairs, missing = datasets.pairs(name, root), datasets.missing(name, root)
    rows = _counts(pairs)
    if not wants_json():
        for sentence in missing:
            click.echo(f"missing: {sentence}", err=True)
    content = {
        "name": name,
        "root": str(root),
        "pairs": len(pairs),
        "groups": rows,
        "missing": missing,
    }
    table = _table([{key: key for key in rows[0]}, *rows])
    return Reply(content, f"{table}\n{len(pairs)} pairs")


def _counts(pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    """Numbers of pairs and fields of view for each group, noise level and role."""
    counts: Counter[tuple[str, ...]] = Counter()
    fovs: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for pair in pairs:
        key = (pair.dataset, pair.group, pair.noise_level, pair.role)
        counts[key] += 1
        fovs[key].add(pair.fov)
    names = ("dataset", "group", "noise_level", "role")
    return [
        {**dict(zip(names, key, strict=True)), "pairs": count, "fields": len(fovs[key])}
        for key, count in counts.items()
    ]


def _table(rows: list[dict[str, Any]]) -> str:
    """Table with numbers aligned to the right."""
    widths = {key: max(len(str(row[key])) for row in rows) for key in rows[0]}
    numbers = {"pairs", "fields"}
    return "\n".join(
        "  ".join(
            str(value).rjust(widths[key]) if key in numbers else str(value).ljust(widths[key])
            for key, value in row.items()
        )
        for row in rows
    )
