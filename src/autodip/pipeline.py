"""Describe, choose, fit, assess: from an array to its denoised array, without any path."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np

from autodip import cost
from autodip import device as devices
from autodip.assess import assess
from autodip.describe import describe
from autodip.image import Image, PlaneIndex
from autodip.params import Width
from autodip.planning import as_image, constant, plan
from autodip.records import ChannelPlan, Options, PlaneResult, Progress, Result
from autodip.scaling import Scale, to_dtype
from autodip.stopping import Discrepancy


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
) -> Result:
    """Denoise an image with a deep image prior whose parameters are chosen for it.

    Parameters
    ----------
    image : ndarray or Image
        Real numbers in any units; two dimensions are (Y, X).
    axes : str, optional
        Meaning of the dimensions, out of ``TCZYXS``; needed beyond two dimensions. Every
        (Y, X) plane is fitted on its own, with the parameters of its channel.
    microscope, specimen, preset, seed, device, iterations, depth, width, skip, refine, budget
        As in :class:`Options`.
    base, strategy, criterion
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
    output = image.data.copy()
    target = image.yx_last(output)
    total = sum(1 for _ in image.planes())
    done: list[PlaneResult] = []
    for index, plane in image.planes():
        channel = plans[image.channel_of(index)]
        denoised, record = yield from _denoise_plane(
            plane, index, channel, options, (len(done), total)
        )
        target[tuple(position for _, position in index)] = denoised
        done.append(record)
    result = Result(output, plans, tuple(done), options.device, options.seed)
    yield Progress(total, total, None, result)


def _denoise_plane(
    plane: np.ndarray,
    index: PlaneIndex,
    channel: ChannelPlan,
    options: Options,
    position: tuple[int, int],
) -> Generator[Progress, None, tuple[np.ndarray, PlaneResult]]:
    """Fit one plane; a constant one is passed through."""
    from autodip.fit import fit_many, mean_of  # noqa: PLC0415  (imports torch)
    from autodip.refine import refine  # noqa: PLC0415

    if constant(plane):
        return plane, PlaneResult(index, channel.description, np.empty((0, 2)), None, 0.0, 0)
    choice, start = channel.choice, time.perf_counter()
    scale, history, step = Scale.of(plane), [], None
    described = dataclasses.replace(channel.description, noise=describe(plane).noise)
    stop = None
    if choice.fit.noise_limit is not None and described.noise is not None:
        data = plane.astype(np.float64)
        stop = Discrepancy(data, described.noise, choice.fit.iterations, choice.fit.noise_limit)
    seeds = [(options.seed + number) % 2**32 for number in range(choice.fit.seeds)]
    for steps in fit_many(
        [scale.apply(plane)], choice.net, choice.fit, seeds=seeds, device=options.device
    ):
        step = mean_of(steps)
        history.append((step.iteration, step.loss))
        yield Progress(*position, step)
        if stop is not None and stop.due(step.iteration):
            result = scale.invert(step.output(), np.dtype(np.float64))
            if stop.reached(result):
                break
    assert step is not None  # every fit has an iteration
    fitted = scale.invert(step.output(), np.dtype(np.float64))
    refined = choice.refine is not None and described.noise is not None
    if choice.refine is not None and described.noise is not None:
        place = options.device if options.device.startswith("cuda") else "cpu"
        fitted = refine(plane, fitted, described.noise, choice.refine, device=place)
    denoised = to_dtype(fitted, plane.dtype)
    seconds = time.perf_counter() - start
    assessment = assess(plane, denoised, described.noise)
    record = PlaneResult(
        index, described, np.array(history), assessment, seconds, step.fallbacks, refined
    )
    return denoised, record
