"""The figure of a calibration base: quality against iterations, for each group of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw

from autodip.bases.criteria import Pick, group_rows, groups, means
from autodip.bases.records import Config, Run
from autodip.bases.store import Base
from autodip.errors import ParameterError
from autodip.image.kind import Kind
from autodip.pictures.chart import (
    GREY,
    INK,
    PALETTE,
    PAPER,
    SCALE,
    Axes,
    Colour,
    Line,
    Mark,
    chart,
    font,
    reduced,
)

WIDTH = 1400
"""Width of the figure, in pixels."""

_MARGIN, _LINE, _TITLE, _PANEL = 20, 24, 48, 280
_SHOWN = 30
"""Percentile of the scores at which a vertical axis ends on the side of the worse ones."""

_OUTPUTS = {
    "last": "last output",
    "average": "averaged output",
    "refined": "refined output",
}

_SCORES = {
    "psnr": ("PSNR", "PSNR / dB", 1, "{:.2f} dB", 1.0),
    "lpips": ("LPIPS", "LPIPS", -1, "{:.3f}", 0.02),
    "ssim": ("SSIM", "SSIM", 1, "{:.3f}", 0.02),
}
"""Name, name with unit, sign for which more is better, format and least range of each score."""


@dataclass(frozen=True)
class _Group:
    """A group of images: its title, the curves of the networks, and the chosen setting."""

    title: str
    curves: Mapping[Config, Sequence[Pick]]
    best: Pick


def surface(base: Base, criterion: str) -> Picture.Image:
    """Draw PSNR (dB) and LPIPS against the number of iterations, one row for each group.

    A line is the mean of one network over the images of the group; SSIM takes the place of LPIPS
    if that was not measured. A circle marks the setting that is chosen for the group.

    Parameters
    ----------
    base : Base
    criterion : str
        As for :func:`autodip.bases.criteria.pick`.

    Raises
    ------
    ParameterError
        If there are no runs, or the criterion is not known.
    """
    shown = _groups(base, criterion)
    if not shown:
        raise ParameterError(
            "the base has no calibrated image, so there is nothing to draw; fill it with autodip "
            "calibrate"
        )
    colours = _colours(shown)
    head = _heading(base, criterion, colours)
    panel = (WIDTH - 2 * _MARGIN) // 2
    row = _TITLE + _PANEL
    sheet = Picture.new(
        "RGB", (WIDTH * SCALE, head.height + (len(shown) * row + _MARGIN) * SCALE), PAPER
    )
    sheet.paste(head, (0, 0))
    draw = ImageDraw.Draw(sheet)
    for number, group in enumerate(shown):
        top = head.height + number * row * SCALE
        at = (_MARGIN * SCALE, top + 18 * SCALE)
        draw.text(at, group.title, fill=INK, font=font(18), stroke_width=1)
        measured = all(one.scores["lpips"] is not None for one in _points(group))
        for column, name in enumerate(("psnr", "lpips" if measured else "ssim")):
            drawn = _drawn(group, name, colours, (panel, _PANEL))
            sheet.paste(drawn, ((_MARGIN + column * panel) * SCALE, top + _TITLE * SCALE))
    return reduced(sheet)


def _groups(base: Base, criterion: str) -> list[_Group]:
    """The group of all images, if there are several, and the most specific groups."""
    runs: dict[str, list[Run]] = {}
    for run in base.runs:
        runs.setdefault(run.image, []).append(run)
    members = groups(base, runs)
    best = group_rows(base, criterion)
    kinds = {base.entries[image].kind for image in runs}
    wanted = [kind for kind in best if kind in kinds]
    if Kind() in best and (len(wanted) > 1 or not wanted):
        wanted = [Kind(), *(kind for kind in wanted if kind != Kind())]
    found = []
    for kind in wanted:
        images = members[kind]
        curves: dict[Config, list[Pick]] = {}
        for one in means([run for image in images for run in runs[image]]):
            if one.output == best[kind].output:
                curves.setdefault(one.config, []).append(one)
        ordered = {c: sorted(picks, key=lambda one: one.iteration) for c, picks in curves.items()}
        found.append(_Group(_title(base, kind, images, best[kind]), ordered, best[kind]))
    return found


def _title(base: Base, kind: Kind, images: Sequence[str], best: Pick) -> str:
    fields = len({base.entries[image].fov for image in images})
    name = " / ".join(
        word or f"any {key}"
        for key, word in zip(("microscope", "specimen"), kind.names, strict=True)
    )
    count = f"{len(images)} image{'s' * (len(images) != 1)} of {fields} field{'s' * (fields != 1)}"
    return f"{'All images' if kind == Kind() else name}  ({count} of view; {_OUTPUTS[best.output]})"


def _points(group: _Group) -> list[Pick]:
    return [one for curve in group.curves.values() for one in curve]


def _colours(shown: Sequence[_Group]) -> dict[Config, Colour]:
    """Colours of the networks that were chosen most often, or are the best; the others are grey."""
    chosen = [group.best.config for group in shown]
    every = sorted(
        {config for group in shown for config in group.curves},
        key=lambda config: (-chosen.count(config), -_best_psnr(shown, config)),
    )
    return {c: PALETTE[k] if k < len(PALETTE) else GREY for k, c in enumerate(every)}


def _best_psnr(shown: Sequence[_Group], config: Config) -> float:
    scores = [one.scores["psnr"] for group in shown for one in group.curves.get(config, ())]
    return max(score for score in scores if score is not None)


def _drawn(
    group: _Group, name: str, colours: Mapping[Config, Colour], size: tuple[int, int]
) -> Picture.Image:
    """Chart of one score."""
    title, axis, sign, form, least = _SCORES[name]
    lines = [
        Line(
            [(one.iteration, value) for one in curve if (value := one.scores[name]) is not None],
            colours[config],
            3 if config == group.best.config else 2,
        )
        for config, curve in sorted(group.curves.items(), key=lambda item: _order(item, colours))
    ]
    value = group.best.scores[name] or 0.0
    text = f"chosen: {group.best.iteration} iterations, {form.format(value)}"
    mark = Mark((group.best.iteration, value), colours[group.best.config], text)
    values = sign * np.array([y for line in lines for _, y in line.points] + [value])
    low, high = float(np.percentile(values, _SHOWN)), float(values.max())
    low = min(low, sign * value, high - least)
    pad = (high - low) * 0.12
    ends = sorted((sign * (low - 2 * pad), sign * (high + pad)))
    better = "higher is better" if sign > 0 else "lower is better"
    longest = max(x for line in lines for x, _ in line.points)
    axes = Axes(
        title=f"{title} ({better})",
        across="iterations at which the fit is stopped",
        up=axis,
        x=(0, longest * 1.02),
        y=(ends[0], ends[1]),
    )
    return chart(size, axes, lines, [mark])


def _order(item: tuple[Config, Sequence[Pick]], colours: Mapping[Config, Colour]) -> bool:
    """Grey lines are drawn first, below the others."""
    return colours[item[0]] != GREY


def _network(config: Config) -> str:
    """Network in words."""
    net = config.net
    width = "-".join(map(str, net.width)) if isinstance(net.width, tuple) else net.width
    words = [f"depth {net.depth}", f"width {width}", f"skip {net.skip}"]
    words += ["lean"] if net.lean else []
    words += [f"1/{net.reduction} of the resolution"] if net.reduction > 1 else []
    return ", ".join(words)


def _heading(base: Base, criterion: str, colours: Mapping[Config, Colour]) -> Picture.Image:
    """Title, what the marks mean, and the colours of the networks."""
    named = [config for config, colour in colours.items() if colour != GREY]
    others = len(colours) - len(named)
    legend = [(_network(config), colours[config]) for config in named]
    if others:
        legend.append((f"{others} other networks", GREY))
    words = (
        "A line is the mean of one network over the images of the group. The circle is the setting "
        f"that is chosen by '{criterion}'.",
        "Scores compare the output with the true image. Values much worse than the best are cut "
        "off at the edge of a chart.",
    )
    rows = (len(legend) + 1) // 2
    height = _MARGIN + 34 + (len(words) + rows) * _LINE + 16
    head = Picture.new("RGB", (WIDTH * SCALE, height * SCALE), PAPER)
    draw = ImageDraw.Draw(head)
    left, top = _MARGIN * SCALE, _MARGIN * SCALE
    title = f"Calibration base {base.name}: quality against the number of iterations"
    draw.text((left, top), title, fill=INK, font=font(22), stroke_width=1)
    top += 34 * SCALE
    for line in words:
        draw.text((left, top), line, fill=INK, font=font(15))
        top += _LINE * SCALE
    top += 6 * SCALE
    half = (WIDTH // 2) * SCALE
    for number, (name, colour) in enumerate(legend):
        x = left + (number % 2) * half
        y = top + (number // 2) * _LINE * SCALE
        middle = y + 9 * SCALE
        draw.line((x, middle, x + 34 * SCALE, middle), fill=colour, width=4 * SCALE)
        draw.text((x + 44 * SCALE, y), name, fill=INK, font=font(15))
    return head
