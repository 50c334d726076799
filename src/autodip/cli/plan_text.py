"""Plans and outcomes as text."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence

from autodip.choose.choice import Choice
from autodip.choose.in_words import depends_on
from autodip.pipeline.plan import ChannelPlan
from autodip.runs.job import Job, Outcome
from autodip.runs.notes import notes

_INDENT = " " * 14
"""Blanks before the later lines of a value."""


def fitted(line: str) -> str:
    """Line of a plan, broken to the width of the terminal; unbroken if it goes elsewhere."""
    if not sys.stdout.isatty() or not line.startswith("  "):
        return line
    return textwrap.fill(
        line,
        shutil.get_terminal_size().columns,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def plan_lines(plans: Sequence[ChannelPlan]) -> Iterator[str]:
    """Lines that show what is chosen for each channel, why, and what it costs."""
    for number, plan in enumerate(plans):
        choice, evidence = plan.choice, plan.choice.evidence
        if len(plans) > 1:
            yield f"  channel {number} {plan.name}".rstrip()
        for key in ("microscope", "specimen"):
            value = getattr(evidence.known, key) or "unknown"
            origin = evidence.origin[key]
            yield f"  {key:11} {value}" + (f"  ({origin})" if origin != "unknown" else "")
        group = " / ".join(
            getattr(evidence.group, k) or f"any {k}" for k in ("microscope", "specimen")
        )
        yield f"  row         {group} of {evidence.table}"
        yield f"  source      {evidence.source}"
        for sentence in depends_on(choice):
            yield f"  choice      {sentence}"
        yield from _prior_lines(choice) if choice.prior else _fit_lines(plan)
        yield f"  cost        {_cost(plan)}"
        if plan.followers:
            how = "are given the noise of the first" if choice.prior else "start from the last fit"
            yield f"  following   {plan.followers} planes {how}"
        for near in evidence.neighbours:
            yield f"  near        {near['name']}  (distance {near['distance']:.3g})"
        for note in evidence.notes:
            yield f"  note        {note}"


def _prior_lines(choice: Choice) -> Iterator[str]:
    prior = choice.prior
    assert prior is not None  # asked by the caller
    yield f"  prior       {prior.weights}, SHA-256 {prior.sha256[:12]}"
    copies = f", mean over {prior.orientations} orientations" if prior.orientations > 1 else ""
    yield f"  passes      {prior.passes}{copies}"


def _fit_lines(plan: ChannelPlan) -> Iterator[str]:
    choice = plan.choice
    average = f", average {choice.fit.average:g}" if choice.fit.average else ""
    yield (
        f"  network     depth {choice.net.depth}, width {_width(choice)}, "
        f"skip {choice.net.skip}: {plan.cost.parameters:,} weights"
    )
    yield f"  fit         {choice.fit.iterations} iterations{average}"
    if choice.refine is not None:
        passes = len(choice.refine.strengths)
        yield f"  refinement  local Wiener filters, {passes} passes over similar patches"


def outcome_lines(job: Job, outcome: Outcome, *, verbose: bool) -> Iterator[str]:
    """Lines that show the outcome of a job; if ``verbose``, also the choice and its evidence."""
    files = f"{job.source} -> {job.target}"
    if outcome.status == "planned":
        yield files
        for note in outcome.record["notes"]:
            yield f"  note: {note}"
        yield from plan_lines(outcome.plans)
    elif outcome.status == "skipped":
        yield f"{files}: exists, left as it is"
    elif outcome.earlier:
        yield f"{files}: done before the interruption"
    else:
        content = outcome.sidecar
        assert content is not None  # the job is done
        choice = content.channels[0].choice
        how = f"{choice.net}, {choice.fit.iterations} iterations"
        if choice.prior is not None:
            how = f"learned prior, {choice.prior.passes} passes"
        what = f"{how}, {content.seconds:.1f} s"
        yield f"{files}  ({what})"
        for note in notes(content.channels, content.planes, content.notes):
            yield f"  note: {note}"
        if verbose:
            yield from plan_lines(outcome.plans)


def _width(choice: Choice) -> str:
    width = choice.net.width
    return ",".join(map(str, width)) if isinstance(width, tuple) else str(width)


def _cost(plan: ChannelPlan) -> str:
    cost = plan.cost
    about = "less than 1 s" if (plan.seconds or 0) < 1 else f"about {duration(plan.seconds or 0)}"
    seconds = f", {about} on two cores" if plan.seconds else ""
    runs = "fits" if plan.choice.prior is None else "planes or windows"
    each = f" for each of {plan.fits} {runs}" if plan.fits > 1 else ""
    return f"{_flop(cost.flop)}, {cost.memory / 1e9:.2g} GB of memory{each}{seconds}"


def _flop(flop: float) -> str:
    for unit, size in (("PFLOP", 1e15), ("TFLOP", 1e12), ("GFLOP", 1e9)):
        if flop >= size:
            return f"{flop / size:.3g} {unit}"
    return f"{flop:.0f} FLOP"


def duration(seconds: float) -> str:
    """Approximate duration as text: 40 s, 5 min, 3 h, 2 days."""
    for unit, size, most in (("s", 1, 120), ("min", 60, 120), ("h", 3600, 48)):
        if seconds < most * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86400:.0f} days"
