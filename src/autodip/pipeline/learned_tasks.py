"""Tasks computed by a learned prior."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Sequence

import numpy as np

from autodip.fit.loop import Step
from autodip.image.scaling import is_constant, to_dtype
from autodip.physics.estimate import estimate_noise
from autodip.physics.noise import Noise
from autodip.pipeline.assess import assess
from autodip.pipeline.error_maps import ErrorMap
from autodip.pipeline.parts import Finished, Task
from autodip.pipeline.result import PlaneResult
from autodip.prior.apply import Pass, apply_prior, expected_error
from autodip.prior.architecture import PriorNet
from autodip.prior.learned import load_prior
from autodip.prior.observation import Observation
from autodip.prior.rare_photons import apply_binned, side_of_bins
from autodip.prior.setting import PriorParams

LEAST_SIDE = 16
"""Smallest side of a plane to which a prior is applied, in pixels."""


def with_noise(task: Task) -> Task:
    """Copy of a task of one plane, with its pixels in memory and its noise estimated."""
    task = task.loaded()
    noise = task.noises[0] if 0 in task.noises else estimate_noise(task.planes[0], repaired=True)
    return dataclasses.replace(task, noises={0: noise})


def hindrance(task: Task) -> str | None:
    """Why the learned prior cannot be applied to a task from :func:`with_noise`; None if it can."""
    (plane,) = task.planes
    if is_constant(plane):
        return ""
    if min(plane.shape) < LEAST_SIDE:
        return f"it has fewer than {LEAST_SIDE} pixels along an axis"
    noise = task.noises[0]
    if noise is None:
        return "its noise could not be estimated"
    return "no noise was found in it" if noise.absent else None


def apply_to_tasks(
    tasks: Sequence[Task], observed: Observation | None = None
) -> Iterator[Step | Finished]:
    """Apply the learned prior to tasks of one plane each; yields every pass, then the results.

    Parameters
    ----------
    tasks : sequence of Task
        From :func:`with_noise`, with the same choice, device and shape, and without a
        :func:`hindrance`; computed at once.
    observed : Observation, optional
        Noise observed in the plane before, which is told at once; by default it is observed.
    """
    sides = [side_of_bins(one.planes[0], noise) for one in tasks if (noise := one.noises[0])]
    if len(tasks) > 1 and max(sides) > 1:
        for one in tasks:
            yield from apply_to_tasks([one], observed)
        return
    if observed is not None and observed.bins != sides[0]:
        observed = None
    start = time.perf_counter()
    task = tasks[0]
    params = task.choice.prior
    assert params is not None  # the choice led here
    net = load_prior(params.weights, device=task.device, sha256=params.sha256)
    images = [one.planes[0].astype(np.float64) for one in tasks]
    known = [noise for one in tasks if (noise := one.noises[0]) is not None]
    curves: list[list[tuple[int, float]]] = [[] for _ in tasks]
    for done in _passes(net, images, known, params=params, side=sides[0], observed=observed):
        for curve, image, result in zip(curves, images, done.images, strict=True):
            difference = task.scale.apply(image) - task.scale.apply(result)
            curve.append((done.number, float(np.mean(difference**2))))
        yield _step(done, task, curves[0][-1][1])
    seconds = (time.perf_counter() - start) / len(tasks)
    for number, one in enumerate(tasks):
        pixels = to_dtype(done.images[number], one.dtype)
        errors = ErrorMap.of(one, 0, done.images[number], known[number])
        record = PlaneResult(
            index=one.part.indices[0],
            description=one.description.replace(noise=known[number]),
            history=np.array(curves[number]),
            assessment=assess(images[number], pixels, known[number]),
            seconds=seconds,
            fallbacks=0,
            window=one.part.window,
            follows=observed is not None,
            observed=done.observed[number],
            errors=errors.summary,
            squared_error=expected_error(
                images[number], done.images[number], done.observed[number]
            ),
        )
        yield Finished(one.part.number, 0, pixels, record, errors.maps)


def _passes(
    net: PriorNet,
    images: Sequence[np.ndarray],
    noises: Sequence[Noise],
    *,
    params: PriorParams,
    side: int,
    observed: Observation | None,
) -> Iterator[Pass]:
    """Passes over images; a single one may be binned."""
    options = {"passes": params.passes, "orientations": params.orientations}
    if side > 1:
        return apply_binned(net, images[0], noises[0], side, observed=observed, **options)
    known = None if observed is None else [observed] * len(images)
    return apply_prior(net, images, noises, observed=known, grain=params.grain, **options)


def _step(done: Pass, task: Task, loss: float) -> Step:
    """A pass as a step of a run, with the result of the first image on the [0, 1] scale."""
    image = done.images[0]
    return Step(done.number, done.passes, loss, 0, lambda: task.scale.apply(image))
