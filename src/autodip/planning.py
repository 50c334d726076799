"""Describe and choose, for every channel of an image; fits nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from autodip import cost, features, lookup, table
from autodip import device as devices
from autodip.bases import builtin
from autodip.describe import Description, describe
from autodip.errors import ParameterError
from autodip.image import Image
from autodip.params import Choice
from autodip.records import ChannelPlan, Options
from autodip.sample import Sample
from autodip.scaling import Scale
from autodip.transfer import choose, fitting

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


def _plan_channel(image: Image, options: Options, number: int, plane: np.ndarray) -> ChannelPlan:
    description = describe(
        plane,
        microscope=options.microscope,
        specimen=options.specimen,
        hints=image.hints[number] if number < len(image.hints) else (),
    )
    if options.choices is None:
        choice = _choose(description, plane, options)
        if choice.refine is not None and description.noise is None:
            choice = _with_note(choice.replace(refine=None), _UNREFINED)
    else:
        choice = options.choices[number if len(options.choices) > 1 else 0]
        fitting(choice.net, description.shape, fixed=True)
    price = cost.of(choice, description.shape, options.device)
    name = image.channel_names[number] if number < len(image.channel_names) else ""
    return ChannelPlan(name, description, choice, price)


def _choose(description: Description, plane: np.ndarray, options: Options) -> Choice:
    """Ask the base where it covers the image, else the preset, and look for similar images."""
    known = (description.microscope, description.specimen)
    sample = _sample(description, plane)
    uncovered = None
    if options.base is not None and sample is None:
        uncovered = "too small or too dark to be compared with a base: the preset decides"
    elif options.base is not None and sample is not None:
        base = builtin.load(Path(options.base))
        if lookup.covers(base, known):
            return lookup.choose_from_base(
                description,
                sample,
                base,
                strategy=options.strategy or lookup.GROUP,
                criterion=options.criterion,
                explicit=options.explicit,
            )
        kind = " and ".join(name for name in known if name)
        uncovered = f"the base {base.name} has no image of {kind}: the preset decides"
    choice = choose(description, table.load(options.preset), options.explicit)
    if uncovered:
        choice = _with_note(choice, uncovered)
    if options.preset in table.BY_QUALITY and sample is not None:
        choice = _with_neighbours(choice, sample)
    return choice


def _sample(description: Description, plane: np.ndarray) -> Sample | None:
    """What is compared with calibration images; None for a plane that cannot be described."""
    if constant(plane) or min(plane.shape) < features.LEAST_SIDE:
        return None
    rows, columns = ((max(0, (n - _LOOKED_AT) // 2)) for n in plane.shape)
    centre = plane[rows : rows + _LOOKED_AT, columns : columns + _LOOKED_AT]
    if constant(centre):
        centre = plane
    noise = description.noise if centre.shape == plane.shape else None
    return Sample(centre, features.descriptors(centre, noise=noise))


def _with_neighbours(choice: Choice, sample: Sample) -> Choice:
    """Choice whose evidence tells the most similar calibration images of the package."""
    entries = builtin.entries()
    warning = lookup.unlike(sample.descriptors, entries)
    evidence = choice.evidence.replace(
        neighbours=lookup.near(sample, entries, _NEIGHBOURS), outside=warning is not None
    )
    changed: Choice = choice.replace(evidence=evidence)
    return changed if warning is None else _with_note(changed, warning)


def _describable_planes(image: Image) -> list[np.ndarray]:
    """Check all planes; the first of each channel, preferably one that is not constant."""
    first: dict[int, np.ndarray] = {}
    for index, plane in image.planes():
        channel = image.channel_of(index)
        if not constant(plane):
            Scale.of(plane)  # raises where a pixel is NaN or infinite
            if channel not in first or constant(first[channel]):
                first[channel] = plane
        first.setdefault(channel, plane)
    planes = [first[channel] for channel in sorted(first)]
    if all(constant(plane) for plane in planes):
        Scale.of(planes[0])  # raises, as there is nothing to denoise
    return planes


def constant(plane: np.ndarray) -> bool:
    """Whether all pixels are equal."""
    return bool((plane == plane.flat[0]).all())
