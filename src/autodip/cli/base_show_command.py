"""``autodip base show``: the groups of a base, their best settings, and a figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from autodip.bases import criteria, store
from autodip.bases.criteria import CRITERIA, Pick
from autodip.bases.store import Base
from autodip.cli.commands import Described, Known
from autodip.cli.given import BASE, PATH
from autodip.cli.replies import Reply
from autodip.errors import ParameterError
from autodip.image.kind import Kind
from autodip.util.files import replacing

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


@click.command(
    cls=Described,
    examples=("autodip base show builtin", "autodip base show my-base --figure curves.png"),
)
@click.argument("path", metavar="BASE", type=BASE)
@click.option(
    "--criterion",
    type=Known(CRITERIA),
    help="Criterion for the best setting; default: combined, or psnr if LPIPS was not measured.",
)
@click.option(
    "--figure",
    "--out",
    "-o",
    "figure",
    type=PATH,
    metavar="FILE.png",
    help="Draw the quality of each group against the number of iterations.",
)
def command(path: Path, criterion: str | None, figure: Path | None) -> Reply:
    """Show the groups of images in a base and their best settings.

    BASE is the folder of a base, or builtin.
    """
    base = store.load(path)
    chosen = criterion or criteria.default_criterion(base.runs)
    rows = criteria.group_rows(base, chosen)
    drawn = figure is not None and _draw(base, chosen, figure)
    text = "\n".join(_lines(base, chosen, rows)) + (f"\n\nfigure {figure}" if drawn else "")
    return Reply(_content(base, chosen, rows, figure), text)


def _content(
    base: Base, criterion: str, rows: Mapping[Kind, Pick], figure: Path | None
) -> dict[str, Any]:
    """What is shown, JSON-ready."""
    return {
        "base": str(base.path),
        "name": base.name,
        "created": base.created,
        "description": base.description,
        "images": len(base.entries),
        "settings": len({run.config for run in base.runs}),
        "runs": len(base.runs),
        "prior": None if base.prior is None else base.prior.to_dict(),
        "criterion": criterion,
        "groups": [
            {
                **group.to_dict(),
                "network": best.config.net.to_dict(),
                "output": best.output,
                "iterations": best.iteration,
                **best.scores,
                **best.cost,
            }
            for group, best in rows.items()
        ],
        "figure": None if figure is None else str(figure),
    }


def _lines(base: Base, criterion: str, rows: Mapping[Kind, Pick]) -> Iterator[str]:
    configs = {run.config for run in base.runs}
    yield f"{base.name}  {base.created}"
    if base.description:
        yield base.description
    yield f"{len(base.entries)} images, {len(configs)} settings, {len(base.runs)} runs"
    simulated = sum("simulated" in entry.source for entry in base.entries.values())
    if simulated:
        yield f"{simulated} of the images {'is' if simulated == 1 else 'are'} simulated"
    if base.prior is not None:
        kinds = ", ".join(kind.words or "unknown images" for kind in base.prior.kinds)
        yield f"own prior, tuned on {base.prior.words} ({kinds}): {base.prior.gain}"
    if rows:
        yield f"\nbest by {criterion}\n{_table(base, rows)}"


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


def _draw(base: Base, criterion: str, figure: Path) -> bool:
    from autodip.report.surface import surface  # noqa: PLC0415  (PIL)

    if figure.suffix.lower() != ".png":
        raise ParameterError(
            f"--figure {figure}: the figure is a PNG; use a name such as {figure}.png"
        )
    sheet = surface(base, criterion)
    with replacing(figure, advice="choose another place with --figure") as (part,):
        sheet.save(part, "PNG")
    return True
