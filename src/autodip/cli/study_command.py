"""``autodip study``: comparison of the transfer strategies on held-out images."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from autodip.bases.criteria import CRITERIA, default_criterion
from autodip.bases.store import load
from autodip.choose.from_base import GROUP
from autodip.choose.measures import MEASURES
from autodip.cli import signals
from autodip.cli.commands import Described, Known
from autodip.cli.given import BASE, MEASURES_OF
from autodip.cli.replies import Reply
from autodip.errors import ParameterError
from autodip.study import OUTPUTS, Design, Judged, prepare, to_csv
from autodip.util.closest import not_known
from autodip.util.files import check_writable, replacing


@click.command(
    cls=Described,
    examples=(
        "autodip study my-base -o my-study",
        "autodip study builtin -o study --measures none --criterion psnr",
    ),
    computes=True,
)
@click.argument("base", type=BASE)
@click.option(
    "--out", "-o", required=True, type=click.Path(path_type=Path), help="Folder for the results."
)
@click.option(
    "--validation",
    type=BASE,
    metavar="BASE2",
    help="Evaluate on the images of this base, calibrated with the same grid, with settings chosen "
    "from BASE.",
)
@click.option(
    "--criterion",
    type=Known(CRITERIA),
    help="Criterion for the best setting; default: combined, or psnr if LPIPS was not measured.",
)
@click.option(
    "--output",
    type=Known(OUTPUTS),
    default="any",
    show_default=True,
    help="Outputs of a fit that may be picked.",
)
@click.option(
    "--measures",
    type=MEASURES_OF,
    default=",".join(MEASURES),
    show_default=True,
    metavar="A,B,...",
    help="Measures of similarity to compare; 'none' for the groups only.",
)
@click.option(
    "--neighbours",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="K",
    help="Average the curves of the K nearest images.",
)
@click.option("--quiet", "-q", is_flag=True, help="Print only the table.")
@signals.keeping("nothing was written; run the same command again")
def command(
    base: Path,
    out: Path,
    validation: Path | None,
    criterion: str | None,
    output: str,
    measures: str,
    neighbours: int,
    quiet: bool,
) -> Reply:
    """Compare strategies for choosing parameters from the calibration base BASE, without fitting.

    BASE is the folder of a base, or builtin.

    Without --validation, the parameters for each image of BASE are chosen from the images of other
    fields of view. table.md, rows.csv (one row for each image and strategy) and figure.png are
    written to the folder --out.
    """
    strategies = _strategies(measures)
    known = load(base)
    chosen = criterion or default_criterion(known.runs)
    options = Design(chosen, output, neighbours, strategies)
    study = prepare(known, load(validation) if validation else None, options)
    check_writable(out)
    rows: list[Judged] = []
    for row in study.rows():
        rows.append(row)
        count = len({one.image for one in rows})
        if not quiet and len(rows) > 1 and rows[-2].image != row.image:
            click.echo(f"{count:4}/{len(study.judged)}  {row.name}", err=True)
    said = _said(base, out, validation, options, measures)
    text = _write(out, rows, said, options, study.notes)
    return Reply({"out": str(out), "rows": [vars(row) for row in rows]}, text.rstrip("\n"))


def _strategies(measures: str) -> tuple[str, ...]:
    """Strategies that use these measures, over all images and within the group."""
    names = [name.strip() for name in measures.split(",") if name.strip()]
    if names == ["none"]:
        return (GROUP,)
    wrong = [name for name in names if name not in MEASURES]
    if wrong or not names:
        first = wrong[0] if wrong else ""
        raise ParameterError(
            f"--measures {measures!r}: {not_known('measure', first, MEASURES)}, or none"
        )
    names = list(dict.fromkeys(names))
    return (GROUP, *names, *(f"{GROUP}+{name}" for name in names))


def _said(base: Path, out: Path, validation: Path | None, options: Design, measures: str) -> str:
    """The full command, but without measures if they have their default value."""
    words = ["autodip", "study", str(base), "--out", str(out)]
    words += ["--validation", str(validation)] if validation else []
    words += ["--criterion", options.criterion, "--output", options.output]
    words += ["--neighbours", str(options.neighbours)]
    words += ["--measures", measures] if measures != ",".join(MEASURES) else []
    return shlex.join(words)


def _write(
    out: Path, rows: list[Judged], said: str, options: Design, notes: tuple[str, ...]
) -> str:
    """Write the table, the rows and the figure; return the table."""
    from autodip.report.losses import losses  # noqa: PLC0415  (PIL, needed only at the end)
    from autodip.report.study_table import table  # noqa: PLC0415

    text = table(rows, said, options, notes)
    with replacing(out / "rows.csv", out / "table.md") as parts:
        parts[0].write_text(to_csv(rows), encoding="utf-8")
        parts[1].write_text(text, encoding="utf-8")
    figure = losses(rows)
    if figure is not None:
        with replacing(out / "figure.png") as (part,):
            figure.save(part, "PNG")
    return text
