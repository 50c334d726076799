"""The table of a study."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from autodip.choose.from_base import GROUP
from autodip.choose.measures import MEASURES
from autodip.study import FIXED, OPTIMUM, Design, Judged, Summary, mean_loss, summarise
from autodip.study.judged import NOT_IN_GRID
from autodip.study.statistics import Spread

_PREFACE = """# Study of the transfer: {criterion}, {outputs}

Made by

```console
$ {command}
```

{images} of {fields} are judged. Each is judged by its own recorded curve, at
the setting and the stop that others chose; no field of view chooses for itself. `{optimum}` is the
image's own best setting and stop by the criterion {criterion!r}: a bound, no method. `{fixed}` is
the one setting and stop that is best over all calibration images. `group` goes by microscope and
specimen, a measure by {nearest} of all, `group+` a measure by {nearest}
of the group. The original DIP, the published table and the presets keep their own output and are
read where their setting was recorded, at their full iterations, without a stop by the noise.

± is the standard deviation over images, "loss" the mean difference from the optimum of the same
image, "same" for how many images the setting of their optimum was picked, at any stop. p values are
two-sided by Wilcoxon's signed-rank test, paired, one value for each field of view, and not
corrected for their number.
"""

_GROUPS = """## Loss by group

Mean loss against the optimum, PSNR in dB / LPIPS, of the images of each microscope and specimen.
"Asked" is what the strategy `group` took: a wider group where the base has none of both.
{outside}
"""

_FEW = 3
"""Measures up to which the losses of all are shown by group."""

_CHOSEN = ("lpips", "descriptor")
"""Those that are shown where more were compared."""

_PAPER = """## In the AUTO-DIP paper, on other images

The paper's own figures (arXiv 2601.12055), for its validation set of 55 images and its grid. They
are of **another set of images** and cannot be compared with those above line by line.

| strategy | PSNR, dB | LPIPS |
|---|---|---|
| each image's optimum | 35.56 | – |
| group | 34.99 | 0.098 |
| original DIP | 31.90 | – |
"""


def table(rows: Sequence[Judged], command: str, options: Design, notes: Sequence[str] = ()) -> str:
    """Markdown: figures of each strategy, and beside them those of the paper.

    Parameters
    ----------
    rows : sequence of Judged
    command : str
        What made it.
    options : Design
    notes : sequence of str
        What there is to choose from, and what was left out.
    """
    summaries = summarise(rows)
    text = _PREFACE.format(
        criterion=options.criterion,
        outputs="any output" if options.output == "any" else f"{options.output} outputs",
        command=command,
        images=_counted(len({row.image for row in rows}), "image"),
        fields=_counted(len({row.fov for row in rows}), "field of view", "fields of view"),
        optimum=OPTIMUM,
        fixed=FIXED,
        nearest=f"the nearest {options.neighbours}" if options.neighbours > 1 else "the nearest",
    )
    parts = [text, *([_listed(notes)] if notes else []), _figures(summaries)]
    reasons = list(_reasons(summaries))
    if reasons:
        parts.append("## Without figures\n\n" + _listed(reasons))
    return "\n".join([*parts, _by_group(rows, _main(summaries)), _PAPER])


def _counted(number: int, one: str, many: str = "") -> str:
    """Number and noun."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def _figures(summaries: Sequence[Summary]) -> str:
    titles = (
        "strategy",
        "images",
        "PSNR, dB",
        "loss",
        "SSIM",
        "loss",
        "LPIPS",
        "loss",
        "same",
        "p against fixed (PSNR / LPIPS)",
        "p against group",
    )
    return _markdown(
        titles,
        (
            (
                one.strategy,
                _count(one),
                _mean(one.psnr, ".2f"),
                _loss(one.psnr, "z.2f"),
                _mean(one.ssim, ".3f"),
                _loss(one.ssim, "z.3f"),
                _mean(one.lpips, ".3f"),
                _loss(one.lpips, "z.3f"),
                str(one.same) if one.images and one.strategy != OPTIMUM else "–",
                f"{_chance(one.psnr, 'fixed')} / {_chance(one.lpips, 'fixed')}",
                f"{_chance(one.psnr, 'group')} / {_chance(one.lpips, 'group')}",
            )
            for one in summaries
        ),
    )


def _markdown(titles: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [f"| {' | '.join(one.replace('|', '/') for one in line)} |\n" for line in lines]
    return f"| {' | '.join(titles)} |\n{'|---' * len(titles)}|\n{''.join(rows)}"


def _main(summaries: Sequence[Summary]) -> list[str]:
    """Strategies that are shown by group: of many measures a few, and what has figures."""
    names = [one.strategy for one in summaries if one.images and one.strategy != OPTIMUM]
    measures = {name.removeprefix(f"{GROUP}+") for name in names} & set(MEASURES)
    left = measures - set(_CHOSEN) if len(measures) > _FEW else set()
    return [name for name in names if name.removeprefix(f"{GROUP}+") not in left]


def _by_group(rows: Sequence[Judged], strategies: Sequence[str]) -> str:
    """Losses of some strategies in each group, and inside and outside of what the base covers."""
    parts: dict[str, list[Judged]] = {}
    for row in rows:
        title = " ".join(part or "unknown" for part in (row.microscope, row.specimen))
        parts.setdefault(title, []).append(row)
    parts = dict(sorted(parts.items()))
    outside = [row for row in rows if row.outside]
    if outside:
        parts["*unlike all*"] = outside
        parts["*the others*"] = [row for row in rows if not row.outside]
    lines = (
        [
            title,
            _asked(part),
            str(len({row.image for row in part})),
            *(_cell(part, one) for one in strategies),
        ]
        for title, part in parts.items()
        if part
    )
    table = _markdown(("group", "asked", "images", *strategies), lines)
    return _GROUPS.format(outside=_outside(rows)) + "\n" + table


def _asked(rows: Sequence[Judged]) -> str:
    """Groups that were asked, where they are few."""
    groups = dict.fromkeys(row.group for row in rows if row.strategy == GROUP)
    return ", ".join(groups) if len(groups) <= _FEW else "–"


def _cell(rows: Sequence[Judged], strategy: str) -> str:
    values = (mean_loss(rows, strategy, "psnr"), mean_loss(rows, strategy, "lpips"))
    forms = ("z.2f", "z.3f")
    texts = ["–" if v is None else f"{v:{form}}" for v, form in zip(values, forms, strict=True)]
    return " / ".join(texts)


def _outside(rows: Sequence[Judged]) -> str:
    """How many images are unlike all that choose."""
    told = {row.image: row.outside for row in rows if row.outside is not None}
    if not told:
        return (
            "Whether images are unlike all that choose cannot be told with fewer than five fields\n"
            "of view."
        )
    flagged = sum(told.values())
    return (
        f"{flagged} of {_counted(len(told), 'image')} ({100 * flagged / len(told):.0f} %) "
        f"{'is' if flagged == 1 else 'are'} unlike all that choose for them, as `autodip denoise`\n"
        "would say (column `outside` of rows.csv)."
    )


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
            some = f", {one.missing} of {one.images + one.missing} images" if one.images else ""
            yield f"{one.strategy}{some}: {'; '.join(one.reasons)}"


def _listed(lines: Sequence[str]) -> str:
    return "".join(f"- {line}\n" for line in lines)
