"""Describe, choose, fit, assess: from an array to its denoised array, without any path."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Generator, Iterator

import numpy as np

from autodip import cost, table
from autodip import device as devices
from autodip.assess import assess
from autodip.describe import describe
from autodip.errors import ParameterError
from autodip.image import Image, PlaneIndex
from autodip.params import Choice, Width
from autodip.records import ChannelPlan, Options, PlaneResult, Progress, Result
from autodip.scaling import Scale
from autodip.transfer import choose, fitting


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
) -> Result:
    """Denoise an image with a deep image prior whose parameters are chosen for it.

    Parameters
    ----------
    image : ndarray or Image
        Real numbers in any units; two dimensions are (Y, X).
    axes : str, optional
        Meaning of the dimensions, out of ``TCZYXS``; needed beyond two dimensions. Every
        (Y, X) plane is fitted on its own, with the parameters of its channel.
    microscope, specimen, preset, seed, device, iterations, depth, width, skip
        As in :class:`Options`.

    Returns
    -------
    Result

    Raises
    ------
    AutodipError
        ParameterError, ImageError, DeviceError, OutOfMemoryError or FitError; each says what to do.
    """
    options = Options(microscope, specimen, preset, seed, device, iterations, depth, width, skip)
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
        cost.check_memory(channel.choice.net, image.plane_shape, free)
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


def plan(
    image: np.ndarray | Image, options: Options, *, axes: str | None = None
) -> tuple[ChannelPlan, ...]:
    """Describe and choose for every channel; fits nothing.

    Each channel is described by its first plane that is not constant.

    Raises
    ------
    ParameterError
        If an option is not allowed.
    ImageError
        If a pixel is NaN or infinite, or the whole image is constant or too small.
    """
    image = as_image(image, axes)
    options = dataclasses.replace(options, device=devices.resolve(options.device))
    first = _describable_planes(image)
    if options.choices is not None and len(options.choices) not in (1, len(first)):
        raise ParameterError(
            f"{len(options.choices)} choices for {len(first)} channels; give one, or one for each"
        )
    return tuple(_plan_channel(image, options, number, plane) for number, plane in enumerate(first))


def as_image(image: np.ndarray | Image, axes: str | None = None) -> Image:
    """Take an array for an image of the given axes.

    Raises
    ------
    ParameterError
        If the array has not two dimensions and ``axes`` does not say what they are.
    """
    if isinstance(image, Image):
        return image if axes is None else image.replace(axes=axes.upper())
    array = np.asarray(image)
    if axes is None and array.ndim != 2:
        raise ParameterError(
            f"an array of shape {array.shape} does not say what its dimensions are; "
            'say it with axes, as axes="TYX" for frames or axes="ZYX" for depth'
        )
    return Image(array, "YX" if axes is None else axes.upper())


def _denoise_plane(
    plane: np.ndarray,
    index: PlaneIndex,
    channel: ChannelPlan,
    options: Options,
    position: tuple[int, int],
) -> Generator[Progress, None, tuple[np.ndarray, PlaneResult]]:
    """Fit one plane; a constant one is passed through."""
    from autodip.fit import fit  # noqa: PLC0415  (imports torch)

    if _constant(plane):
        return plane, PlaneResult(index, channel.description, np.empty((0, 2)), None, 0.0, 0)
    choice, start = channel.choice, time.perf_counter()
    scale, history, step = Scale.of(plane), [], None
    for step in fit(
        scale.apply(plane), choice.net, choice.fit, seed=options.seed, device=options.device
    ):
        history.append((step.iteration, step.loss))
        yield Progress(*position, step)
    assert step is not None  # every fit has an iteration
    denoised = scale.invert(step.output(), plane.dtype)
    seconds = time.perf_counter() - start
    known = channel.description
    described = dataclasses.replace(known, noise=describe(plane).noise)
    assessment = assess(plane, denoised, described.noise)
    record = PlaneResult(index, described, np.array(history), assessment, seconds, step.fallbacks)
    return denoised, record


def _plan_channel(image: Image, options: Options, number: int, plane: np.ndarray) -> ChannelPlan:
    description = describe(
        plane,
        microscope=options.microscope,
        specimen=options.specimen,
        hints=image.hints[number] if number < len(image.hints) else (),
    )
    choice: Choice
    if options.choices is None:
        choice = choose(description, table.load(options.preset), options.explicit)
    else:
        choice = options.choices[number if len(options.choices) > 1 else 0]
        fitting(choice.net, description.shape, fixed=True)
    price = cost.estimate(choice.net, choice.fit.iterations, description.shape, options.device)
    name = image.channel_names[number] if number < len(image.channel_names) else ""
    return ChannelPlan(name, description, choice, price)


def _describable_planes(image: Image) -> list[np.ndarray]:
    """Check all planes; the first of each channel, preferably one that is not constant."""
    first: dict[int, np.ndarray] = {}
    for index, plane in image.planes():
        channel = image.channel_of(index)
        if not _constant(plane):
            Scale.of(plane)  # raises where a pixel is NaN or infinite
            if channel not in first or _constant(first[channel]):
                first[channel] = plane
        first.setdefault(channel, plane)
    planes = [first[channel] for channel in sorted(first)]
    if all(_constant(plane) for plane in planes):
        Scale.of(planes[0])  # raises, as there is nothing to denoise
    return planes


def _constant(plane: np.ndarray) -> bool:
    return bool((plane == plane.flat[0]).all())
