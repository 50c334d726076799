"""``autodip prior study``: what own pairs are worth, measured on held-out fields of view."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from autodip import datasets
from autodip.cli import signals
from autodip.cli.commands import Described
from autodip.cli.dataset_options import where_option
from autodip.cli.pairs_given import pairs_argument
from autodip.cli.replies import Reply
from autodip.cli.shared_options import shared_option
from autodip.compute import device
from autodip.datasets import pair_lists
from autodip.datasets.filters import select
from autodip.datasets.pair_lists import PairList
from autodip.errors import ParameterError
from autodip.util.files import check_writable

_COLUMNS = ("pairs", "kept", "images", "PSNR", "gain", "worst", "LPIPS")


@click.command(
    cls=Described,
    examples=(
        "autodip prior study my-pairs -o my-study",
        "autodip prior study --noisy noisy --truth truth -o my-study --steps 300",
    ),
    computes=True,
)
@pairs_argument
@click.option(
    "--out", "-o", required=True, type=click.Path(path_type=Path), help="Folder for the results."
)
@click.option(
    "--steps",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="Number of steps of each tuning.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed.")
@shared_option("device", "device_name")
@where_option
@click.option("--quiet", "-q", is_flag=True, help="Print only the table.")
@signals.keeping("finished priors and rows are kept in the folder --out; the same command resumes")
def command(
    pairs: Path | PairList,
    out: Path,
    steps: int,
    seed: int,
    device_name: str,
    where: tuple[str, ...],
    quiet: bool,
) -> Reply:
    """Tune the built-in prior on 1, 3 and 10 pairs, and compare the results.

    PAIRS is a list of pairs as for 'autodip calibrate'; pairs of role test are left out. A quarter
    of the fields of view is held out, on which each prior is scored.

    rows.csv (one row for each prior and image) and the tuned priors are written to the folder
    --out. If the command is run again, it resumes where it was stopped.
    """
    from autodip.prior.tuning import TuneParams  # noqa: PLC0415  (imports torch)
    from autodip.study.own_pairs_worth import WorthRow, WorthStudy, summarised  # noqa: PLC0415

    found = [pair for pair in datasets.pairs("shared", pairs) if pair.role != "test"]
    if not found:
        raise ParameterError(
            f"{pair_lists.read(pairs).where}: all pairs have the role test, which is left out"
        )
    chosen = select(found, where, None)
    check_writable(out)
    params = TuneParams(steps=steps, seed=seed)
    study = WorthStudy(chosen, out, params, device.resolve(device_name))
    for count, event in study.run():
        if quiet:
            continue
        if isinstance(event, WorthRow):
            click.echo(f"{count:4} pairs  {event.name}  {event.psnr:.2f} dB", err=True)
        elif event.now is not None:
            click.echo(
                f"{count:4} pairs  {event.step}/{event.steps}  held out {event.now:.2f} dB, "
                f"before {event.before:.2f}",
                err=True,
            )
    lines = summarised(study.rows)
    return Reply({"out": str(out), "rows": lines}, _table(lines))


def _table(lines: Sequence[dict[str, Any]]) -> str:
    rows = [list(_COLUMNS)]
    for line in lines:
        count, lpips = line["pairs"], line["lpips"]
        rows.append(
            [
                str(count) if count else "built-in",
                "–" if not count else "yes" if line["kept"] else "no",
                str(line["images"]),
                f"{line['psnr']:.2f}",
                f"{line['gain']:+.2f}",
                f"{line['worst']:+.2f}",
                "–" if lpips is None else f"{lpips:.3f}",
            ]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(word.rjust(width) for word, width in zip(row, widths, strict=True))
        for row in rows
    )
