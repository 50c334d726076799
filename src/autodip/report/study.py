"""The table of a study."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from autodip.study import FIXED, OPTIMUM, Options, Row, Summary, summarise
from autodip.study.rows import NOT_IN_GRID
from autodip.study.statistics import Spread

_PREFACE = """# Study of the transfer: {criterion}, {outputs}

Made by

```console
$ {command}
```

{images} images of {fields} fields of view. Each is judged by its own recorded curve, at the setting
and the stop that others chose; no field of view chooses for itself. `{optimum}` is the image's own
best setting and stop by the criterion {criterion!r}: a bound, no method. `{fixed}` is the one
setting and stop that is best over all calibration images. `group` goes by microscope and specimen,
a measure by the nearest {neighbours} of all images, `group+` a measure by the nearest of the group.
"Loss" is that against the optimum. p values are two-sided by Wilcoxon's signed-rank test, paired,
one value for each field of view, and not corrected for their number. The original DIP, the
published table and the presets keep their own output and are read where their setting was
recorded, at their full iterations, without a stop by the noise.
"""

_PAPER = """## In the AUTO-DIP paper, on other images

The paper's own figures (arXiv 2601.12055), for its validation set of 55 images and its grid. They
are of **another set of images** and cannot be compared with those above line by line.

| strategy | PSNR, dB | LPIPS |
|---|---|---|
| each image's optimum | 35.56 | – |
| group | 34.99 | 0.098 |
| original DIP | 31.90 | – |
"""


def table(rows: Sequence[Row], command: str, options: Options, notes: Sequence[str] = ()) -> str:
    """Markdown: figures of each strategy, and beside them those of the paper.

    Parameters
    ----------
    rows : sequence of Row
    command : str
        What made it.
    options : Options
    notes : sequence of str
        What was left out.
    """
    summaries = summarise(rows)
    text = _PREFACE.format(
        criterion=options.criterion,
        outputs="any output" if options.output == "any" else f"{options.output} outputs",
        command=command,
        images=len({row.image for row in rows}),
        fields=len({row.fov for row in rows}),
        optimum=OPTIMUM,
        fixed=FIXED,
        neighbours=options.neighbours,
    )
    parts = [text, *([_listed(notes)] if notes else []), _figures(summaries)]
    reasons = list(_reasons(summaries))
    if reasons:
        parts.append("## Without figures\n\n" + _listed(reasons))
    return "\n".join([*parts, _PAPER])


def _figures(summaries: Sequence[Summary]) -> str:
    titles = (
        "strategy",
        "images",
        "PSNR, dB",
        "loss",
        "LPIPS",
        "loss",
        "p (PSNR / LPIPS) against fixed",
        "against group",
    )
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for one in summaries:
        cells = [
            one.strategy,
            _count(one),
            _mean(one.psnr, ".2f"),
            _loss(one.psnr, ".2f"),
            _mean(one.lpips, ".3f"),
            _loss(one.lpips, ".3f"),
            f"{_chance(one.psnr, 'fixed')} / {_chance(one.lpips, 'fixed')}",
            f"{_chance(one.psnr, 'group')} / {_chance(one.lpips, 'group')}",
        ]
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _count(one: Summary) -> str:
    if one.reasons == (NOT_IN_GRID,) and not one.images:
        return NOT_IN_GRID
    return str(one.images)


def _mean(spread: Spread | None, form: str) -> str:
    if spread is None:
        return "–"
    deviation = "" if spread.deviation is None else f" ± {spread.deviation:{form}}"
    return f"{spread.mean:{form}}{deviation}"


def _loss(spread: Spread | None, form: str) -> str:
    return "–" if spread is None or spread.loss is None else f"{spread.loss:{form}}"


def _chance(spread: Spread | None, rival: str) -> str:
    value = spread.against.get(rival) if spread else None
    if value is None:
        return "–"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _reasons(summaries: Sequence[Summary]) -> Iterator[str]:
    """Why a strategy has figures for some images only, or for none."""
    for one in summaries:
        if one.reasons and (one.images or one.reasons != (NOT_IN_GRID,)):
            some = ", some images" if one.images else ""
            yield f"{one.strategy}{some}: {'; '.join(one.reasons)}"


def _listed(lines: Sequence[str]) -> str:
    return "".join(f"- {line}\n" for line in lines)
