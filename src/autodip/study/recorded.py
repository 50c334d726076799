"""Recorded curves: the configurations that bases have in common, and access to single points."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence

from autodip.bases.records import Output, Point, Run
from autodip.bases.store import Base
from autodip.errors import ParameterError

Curves = Mapping[str, Mapping[str, Run]]
"""Runs by the identifier of the image and the key of the configuration."""


def recorded(base: Base) -> Curves:
    """Curves of all images that have at least one.

    Raises
    ------
    ParameterError
        If no image has a curve.
    """
    found: dict[str, dict[str, Run]] = {}
    for run in base.runs:
        if run.points:
            found.setdefault(run.image, {})[run.config.key] = run
    if not found:
        raise ParameterError("the base holds no calibrated image; fill it with autodip calibrate")
    return found


def grid(curves: Curves, outputs: Sequence[Output]) -> tuple[tuple[str, ...], list[str]]:
    """Keys of the configurations that were run on all images and have any of the outputs.

    Returns
    -------
    tuple of str, list of str
        The keys, and a note on the configurations that were run on some images only, if any.

    Raises
    ------
    ParameterError
        If there is no such configuration.
    """
    counts = Counter(key for runs in curves.values() for key in runs)
    named = {key: str(run.config.net) for runs in curves.values() for key, run in runs.items()}
    partial = [f"{named[key]} ({key})" for key in counts if counts[key] < len(curves)]
    shared = [key for key in counts if counts[key] == len(curves)]
    if not shared:
        raise ParameterError(
            f"no setting was run on all {len(curves)} images of the base; each of "
            f"{', '.join(partial)} is missing for some; continue with autodip calibrate --resume"
        )
    one = next(iter(curves.values()))
    kept = tuple(key for key in shared if only(one[key], outputs).points)
    if not kept:
        raise ParameterError(
            f"the base has no outputs {', '.join(outputs)}; choose another --output, or "
            "calibrate with them"
        )
    left = [f"not run on all calibration images, and not to be chosen: {', '.join(partial)}"]
    return kept, left if partial else []


def check(base: Base, curves: Curves, keys: Sequence[str]) -> None:
    """Check that every configuration was run on every image that is to be judged.

    Raises
    ------
    ParameterError
        If any are missing; the message lists them.
    """
    parts = []
    for key in keys:
        lacking = [image for image, runs in curves.items() if key not in runs]
        if lacking:
            name = base.entries[lacking[0]].name
            parts.append(f"{key} on {len(lacking)} of {len(curves)} images (e.g. {name})")
    if parts:
        raise ParameterError(
            f"the images to be judged lack settings of the base: {'; '.join(parts)}; calibrate "
            "both with the same grid"
        )


def only(run: Run, outputs: Sequence[Output]) -> Run:
    """Copy of a run that has only the points of some outputs."""
    return dataclasses.replace(run, points=tuple(p for p in run.points if p.output in outputs))


def nearest(run: Run, output: Output, iteration: int) -> Point | None:
    """Point of an output at the stop nearest to an iteration; None if there is no such output."""
    points = [point for point in run.points if point.output == output]
    return min(points, key=lambda point: abs(point.iteration - iteration), default=None)
