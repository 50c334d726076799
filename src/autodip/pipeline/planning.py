"""Describe and choose, for every channel of an image; fits nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from autodip.bases import builtin
from autodip.choose import descriptors, from_base, presets
from autodip.choose.adapt import fitting
from autodip.choose.choice import Choice
from autodip.choose.describe import Description, describe
from autodip.choose.presets import choose
from autodip.choose.samples import Sample
from autodip.compute import device as devices
from autodip.errors import ImageError, ParameterError
from autodip.image.channels import PerChannel
from autodip.image.image import Image, PlaneIndex
from autodip.image.scan import Survey, centre, look, survey
from autodip.image.windows import Tiling
from autodip.pipeline import memory, pricing
from autodip.pipeline.memory import Extent
from autodip.pipeline.options import Options
from autodip.pipeline.plan import ChannelPlan, ImagePlan

_LOOKED_AT = 1024
"""Pixels a side of the centre by which a large plane is compared with calibration images."""

_NEIGHBOURS = 3

_UNREFINED = "not refined: the noise of this image cannot be told"


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
    OutOfMemoryError
        If the fit does not fit into memory.
    """
    return plan_image(as_image(image, axes), options).channels


def plan_image(image: Image, options: Options, free: int | None = None) -> ImagePlan:
    """Do as :func:`plan`, and say how large planes are cut.

    A window is as large as memory allows, up to the size that is asked for. ``free`` are bytes
    that a fit may take on the device, where that is not one of this machine.
    """
    if free is None:
        options = dataclasses.replace(options, device=devices.resolve(options.device))
        free = memory.free_memory(options)
    for kind in ("microscope", "specimen"):
        said = PerChannel.of(getattr(options, kind), kind)
        said.check(image.channels, image.channel_names, kind)
    found = survey(image)
    first = _describable_planes(image, found)
    if options.choices is not None and len(options.choices) not in (1, len(first)):
        raise ParameterError(
            f"{len(options.choices)} choices for {len(first)} channels; give one, or one for each"
        )

    def choose_for(tiling: Tiling | None) -> tuple[ChannelPlan, ...]:
        where = Extent.of(image, tiling)
        if options.budget is not None and options.choices is None:
            return _plan_within(options.budget, image, options, first, where)
        return _plan_channels(image, options, first, where)

    tiling, channels = memory.fitting(image, options, free, choose_for)
    return ImagePlan(channels, found, tiling)


def _plan_channels(
    image: Image, options: Options, first: list[PlaneIndex], where: Extent
) -> tuple[ChannelPlan, ...]:
    return tuple(_plan_channel(image, options, index, where) for index in first)


def _plan_within(
    budget: float, image: Image, options: Options, first: list[PlaneIndex], where: Extent
) -> tuple[ChannelPlan, ...]:
    """Plans of the best of our presets whose predicted seconds, over all planes, fit."""
    for preset in presets.BY_QUALITY:
        plans = _plan_channels(image, dataclasses.replace(options, preset=preset), first, where)
        prices = [plan.seconds for plan in plans]
        seconds = sum(price for price in prices if price is not None)
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


def _plan_channel(image: Image, options: Options, index: PlaneIndex, where: Extent) -> ChannelPlan:
    number, plane = image.channel_of(index), look(image, index)
    described = describe(
        plane,
        microscope=PerChannel.of(options.microscope, "microscope").at(number, image.channel_names),
        specimen=PerChannel.of(options.specimen, "specimen").at(number, image.channel_names),
        hints=image.hints[number] if number < len(image.hints) else (),
    )
    description = dataclasses.replace(described, shape=where.shape)
    if options.choices is None:
        choice = _choose(description, _sample(image, index, plane, description), options)
        if choice.refine is not None and description.noise is None:
            choice = _with_note(choice.replace(refine=None), _UNREFINED)
        if where.tiling is not None:
            choice = _with_note(choice, where.note)
    else:
        choice = options.choices[number if len(options.choices) > 1 else 0]
        fitting(choice.net, description.shape, fixed=True)
    name = image.channel_names[number] if number < len(image.channel_names) else ""
    price = pricing.of(choice, where.shape, options.device)
    if not options.follows(choice):
        return ChannelPlan(name, description, choice, price, where.planes * where.windows)
    followers = (where.planes - where.runs) * where.windows
    warm = pricing.following(choice, where.shape, options.device) if followers else None
    return ChannelPlan(
        name, description, choice, price, where.runs * where.windows, warm, followers
    )


def _choose(description: Description, sample: Sample | None, options: Options) -> Choice:
    """Ask the base where it covers the image, else the preset, and look for similar images."""
    known = (description.microscope, description.specimen)
    uncovered = None
    if options.base is not None and sample is None:
        uncovered = "too small or too dark to be compared with a base: the preset decides"
    elif options.base is not None and sample is not None:
        base = builtin.load(Path(options.base))
        if from_base.covers(base, known):
            return from_base.choose_from_base(
                description,
                sample,
                base,
                strategy=options.strategy or from_base.GROUP,
                criterion=options.criterion,
                explicit=options.explicit,
            )
        kind = " and ".join(name for name in known if name)
        uncovered = f"the base {base.name} has no image of {kind}: the preset decides"
    choice = choose(description, presets.load(options.preset), options.explicit)
    if uncovered:
        choice = _with_note(choice, uncovered)
    if options.preset in presets.BY_QUALITY and sample is not None:
        choice = _with_neighbours(choice, sample)
    return choice


def _sample(
    image: Image, index: PlaneIndex, plane: np.ndarray, description: Description
) -> Sample | None:
    """What is compared with calibration images; None for a plane that cannot be described."""
    if constant(plane) or min(plane.shape) < descriptors.LEAST_SIDE:
        return None
    middle = centre(image, index, _LOOKED_AT)
    if constant(middle):
        middle = plane
    noise = description.noise if middle.shape == image.plane_shape else None
    return Sample(middle, descriptors.descriptors(middle, noise=noise))


def _with_neighbours(choice: Choice, sample: Sample) -> Choice:
    """Choice whose evidence tells the most similar calibration images of the package."""
    entries = builtin.entries()
    warning = from_base.unlike(sample.descriptors, entries)
    evidence = choice.evidence.replace(
        neighbours=from_base.near(sample, entries, _NEIGHBOURS), outside=warning is not None
    )
    changed: Choice = choice.replace(evidence=evidence)
    return changed if warning is None else _with_note(changed, warning)


def _describable_planes(image: Image, found: Survey) -> list[PlaneIndex]:
    """First plane of each channel, preferably one that is not constant."""
    first: dict[int, PlaneIndex] = {}
    for index in found.extremes:
        channel = image.channel_of(index)
        if channel not in first or (found.constant(first[channel]) and not found.constant(index)):
            first[channel] = index
    if all(found.constant(index) for index in found.extremes):
        low, _ = next(iter(found.extremes.values()))
        raise ImageError(f"all pixels are {low:g}: a constant image holds nothing to denoise")
    return [first[channel] for channel in sorted(first)]


def constant(plane: np.ndarray) -> bool:
    """Whether all pixels are equal."""
    return bool((plane == plane.flat[0]).all())
