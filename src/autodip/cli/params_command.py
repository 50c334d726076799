"""``autodip params``: the choice, its evidence and its cost."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click

from autodip.choose.in_words import depends_on
from autodip.cli.commands import Described
from autodip.cli.plan_text import fitted, plan_lines
from autodip.cli.replies import say_results, wants_json
from autodip.cli.shared_options import choice_options, said_of
from autodip.errors import AutodipError
from autodip.runs.inputs import find_inputs
from autodip.runs.plane_records import ChannelRecord
from autodip.runs.request import Request
from autodip.util.text import named


@click.command(
    cls=Described,
    subject="What to denoise",
    examples=(
        "autodip params cells.tif",
        "autodip params cells.tif --preset published --microscope 2P --specimen mito",
    ),
    computes=True,
)
@click.argument("inputs", nargs=-1, required=True, type=click.Path(path_type=Path, readable=False))
@choice_options
def command(inputs: tuple[Path, ...], **given: Any) -> int:
    """Show which parameters would be chosen for INPUTS, why, and their cost, without fitting.

    INPUTS are image files, folders, or patterns such as 'data/**/*.tif'.
    """
    from autodip.pipeline.planning import plan  # noqa: PLC0415  (keeps help fast)

    request = Request.of(given, said_of(given), given["config"]).on(None)
    files, failed = find_inputs(inputs)
    records = []
    for path in files:
        try:
            with tempfile.TemporaryDirectory(prefix="autodip-") as scratch:
                image = request.selection.open(path, Path(scratch))
                plans = plan(image, request.options)
        except AutodipError as error:
            failed[path] = named(path, error)
            continue
        records.append(
            {
                "input": str(path),
                "notes": [*image.notes, *plans.notes],
                "channels": [
                    {**ChannelRecord.of(one).to_dict(), "depends_on": list(depends_on(one.choice))}
                    for one in plans
                ],
            }
        )
        if not wants_json():
            click.echo(str(path))
            for note in (*image.notes, *plans.notes):
                click.echo(fitted(f"  note: {note}"))
            for line in plan_lines(plans):
                click.echo(fitted(line))
    for message in failed.values():
        click.echo(f"autodip: {message}", err=True)
    if wants_json():
        say_results(records, failed)
    return 1 if failed else 0
