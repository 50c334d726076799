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
from autodip.scaling import Scale, to_dtype
from autodip.stopping import Discrepancy
from autodip.transfer import choose, fitting

_UNREFINED = "not refined: the noise of this image cannot be told"


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
    if options.budget is not None and options.choices is None:
        return _plan_within(options.budget, image, options, first)
    return _plan_channels(image, options, first)


def _plan_channels(
    image: Image, options: Options, first: list[np.ndarray]
) -> tuple[ChannelPlan, ...]:
    return tuple(_plan_channel(image, options, number, plane) for number, plane in enumerate(first))


def _plan_within(
    budget: float, image: Image, options: Options, first: list[np.ndarray]
) -> tuple[ChannelPlan, ...]:
    """Plans of the best of our presets whose predicted seconds, over all planes, fit."""
    planes = sum(1 for _ in image.planes()) // len(first)
    for preset in table.BY_QUALITY:
        plans = _plan_channels(image, dataclasses.replace(options, preset=preset), first)
        prices = [plan.cost.seconds for plan in plans]
        seconds = planes * sum(price for price in prices if price is not None)
        if None in prices:
            return _noted(plans, f"{preset}: no seconds are predicted for {options.device}")
        if seconds <= budget:
            return _noted(plans, f"{preset} takes about {seconds:.0f} s of {budget:g} s allowed")
    raise ParameterError(
        f"a budget of {budget:g} s is too small: {preset}, the cheapest, takes about "
        f"{seconds:.0f} s for this image on two cores; allow more, or set --iterations"
    )


def _noted(plans: tuple[ChannelPlan, ...], note: str) -> tuple[ChannelPlan, ...]:
    """Plans with one more note in the evidence of each."""
    return tuple(dataclasses.replace(plan, choice=_with_note(plan.choice, note)) for plan in plans)


def _with_note(choice: Choice, note: str) -> Choice:
    """Choice with one more note in its evidence."""
    evidence = choice.evidence.replace(notes=(*choice.evidence.notes, note))
    changed: Choice = choice.replace(evidence=evidence)
    return changed


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
    from autodip.fit import fit_many, mean_of  # noqa: PLC0415  (imports torch)
    from autodip.refine import refine  # noqa: PLC0415

    if _constant(plane):
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
        if choice.refine is not None and description.noise is None:
            choice = _with_note(choice.replace(refine=None), _UNREFINED)
    else:
        choice = options.choices[number if len(options.choices) > 1 else 0]
        fitting(choice.net, description.shape, fixed=True)
    price = cost.of(choice, description.shape, options.device)
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
