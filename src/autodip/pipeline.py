"""Describe, choose, fit, assess: from an array to its denoised array, without any path."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from autodip import cost
from autodip import device as devices
from autodip.assess import assess
from autodip.describe import describe
from autodip.image import Image, PlaneIndex
from autodip.params import Width
from autodip.planning import as_image, constant, plan
from autodip.records import ChannelPlan, Options, PlaneResult, Progress, Result
from autodip.scaling import to_dtype
from autodip.stopping import Discrepancy

if TYPE_CHECKING:
    from autodip.course import Course


def denoise(
    image: np.ndarray | Image,
    *,
    axes: str | None = None,
    microscope: str | None = None,
    specimen: str | None = None,
    preset: str = "balanced",
    seed: int = 0,
    device: str = "auto",
    iterations: int | None = None,
    depth: int | None = None,
    width: Width | str | None = None,
    skip: int | None = None,
    refine: bool | None = None,
    budget: float | None = None,
    base: Path | str | None = None,
    strategy: str | None = None,
    criterion: str | None = None,
    dtype: str | None = None,
    independent: bool = False,
) -> Result:
    """Denoise an image with a deep image prior whose parameters are chosen for it.

    Parameters
    ----------
    image : ndarray or Image
        Real numbers in any units; two dimensions are (Y, X).
    axes : str, optional
        Meaning of the dimensions, out of ``TCZYXS``; needed beyond two dimensions. Every
        (Y, X) plane is fitted with the parameters of its channel; see ``independent``.
    microscope, specimen, preset, seed, device, iterations, depth, width, skip, refine, budget
        As in :class:`Options`.
    base, strategy, criterion, dtype, independent
        As in :class:`Options`.

    Returns
    -------
    Result

    Raises
    ------
    AutodipError
        ParameterError, ImageError, DeviceError, OutOfMemoryError or FitError; each says what to do.
    """
    options = Options(
        microscope,
        specimen,
        preset,
        seed,
        device,
        iterations,
        depth,
        width,
        skip,
        refine,
        budget,
        base,
        strategy,
        criterion,
        dtype,
        independent,
    )
    *_, last = denoise_steps(image, options, axes=axes)
    assert last.result is not None  # the last step has it
    return last.result


def denoise_steps(
    image: np.ndarray | Image, options: Options | None = None, *, axes: str | None = None
) -> Iterator[Progress]:
    """Do as :func:`denoise`, yielding after every step; the last one has the result.

    Leaving the loop, or closing the generator, cancels the run.
    """
    options = options or Options()
    options = dataclasses.replace(options, device=devices.resolve(options.device))
    image = as_image(image, axes)
    plans = plan(image, options)
    for channel in plans:
        free = devices.free_memory(options.device)
        cost.check_memory(channel.choice.net, image.plane_shape, free, channel.choice.fit.seeds)
    output = image.data.astype(options.dtype or image.data.dtype)
    target = image.yx_last(output)
    total = sum(1 for _ in image.planes())
    done: list[PlaneResult] = []
    courses = _courses(image, plans, options)
    for index, plane in image.planes():
        number = image.channel_of(index)
        denoised, record = yield from _denoise_plane(
            plane, index, plans[number], courses[number], options, (len(done), total)
        )
        target[tuple(position for _, position in index)] = denoised
        done.append(record)
    result = Result(output, plans, tuple(done), options.device, options.seed, options.independent)
    yield Progress(total, total, None, result)


def _courses(image: Image, plans: Sequence[ChannelPlan], options: Options) -> list[Course]:
    """One course of planes for each channel; planes of a film or stack follow one another."""
    from autodip.course import Course, joint  # noqa: PLC0415  (imports torch)

    courses = []
    for number, channel in enumerate(plans):
        scale = None
        if options.follows(channel.choice):
            planes = (p for index, p in image.planes() if image.channel_of(index) == number)
            scale = joint(plane for plane in planes if not constant(plane))
        courses.append(Course(channel.choice, options.seed, options.device, scale))
    return courses


def _denoise_plane(
    plane: np.ndarray,
    index: PlaneIndex,
    channel: ChannelPlan,
    course: Course,
    options: Options,
    position: tuple[int, int],
) -> Generator[Progress, None, tuple[np.ndarray, PlaneResult]]:
    """Fit one plane; a constant one is passed through."""
    from autodip.refine import refine  # noqa: PLC0415  (imports torch)

    if constant(plane):
        return plane, PlaneResult(index, channel.description, np.empty((0, 2)), None, 0.0, 0)
    choice, start = channel.choice, time.perf_counter()
    history, step, stop = [], None, None
    noise = describe(plane).noise
    described = dataclasses.replace(channel.description, noise=noise)
    if choice.fit.noise_limit is not None and noise is not None:
        data = plane.astype(np.float64)
        stop = Discrepancy(data, noise, choice.fit.iterations, choice.fit.noise_limit)
    for step in course.steps(plane, noise):
        history.append((step.iteration, step.loss))
        yield Progress(*position, step)
        if stop is not None and stop.due(step.iteration):
            result = course.scale.invert(step.output(), np.dtype(np.float64))
            if stop.reached(result):
                break
    assert step is not None  # every fit has an iteration
    fitted = course.scale.invert(step.output(), np.dtype(np.float64))
    refined = choice.refine is not None and noise is not None
    if choice.refine is not None and noise is not None:
        place = options.device if options.device.startswith("cuda") else "cpu"
        fitted = refine(plane, fitted, noise, choice.refine, device=place)
    course.keep(fitted)
    denoised = to_dtype(fitted, np.dtype(options.dtype or plane.dtype))
    seconds = time.perf_counter() - start
    assessment = assess(plane, denoised, noise)
    record = PlaneResult(
        index,
        described,
        np.array(history),
        assessment,
        seconds,
        step.fallbacks,
        refined,
        course.follows,
    )
    return denoised, record
