"""The plan of an image in four steps: describe, choose, price, fit into memory.

No network is fitted. Each channel is described once, by its first plane that is not constant, and
its noise is estimated once. The proposed parameters are then adapted to planes or windows of
several sizes, until one of them fits into memory.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autodip.bases import builtin
from autodip.choose import descriptors, from_base, presets
from autodip.choose.adapt import Proposal, fitting
from autodip.choose.choice import Choice, Explicit
from autodip.choose.describe import Description, describe
from autodip.choose.propose import Search, propose
from autodip.choose.samples import Sample
from autodip.errors import ImageError, ParameterError
from autodip.image.from_array import as_image
from autodip.image.image import Image, PlaneIndex
from autodip.image.scaling import is_constant
from autodip.image.scan import Survey, centre, look, survey
from autodip.physics.artefacts import artefacts
from autodip.pipeline import memory, pricing
from autodip.pipeline.machine import Machine
from autodip.pipeline.memory import Extent
from autodip.pipeline.options import Options
from autodip.pipeline.plan import ChannelPlan, Plan
from autodip.pipeline.precision import is_coarse, result_dtype
from autodip.pipeline.repair import RepairedImage

_LOOKED_AT = 1024
"""Side, in pixels, of the centre by which a large plane is compared with calibration images."""

_NOT_LEARNED = "the learned prior needs the noise of the image, which could not be estimated"
_UNREFINED = "not refined: the noise of this image could not be estimated"


def plan(
    image: np.ndarray | Image, options: Options | None = None, *, axes: str | None = None
) -> Plan:
    """Describe every channel of an image and choose its parameters, without fitting a network.

    Parameters
    ----------
    image : ndarray or Image
        Real-valued pixels in any units; two dimensions are (Y, X).
    options : Options, optional
    axes : str, optional
        As in :class:`Options`, whose value it replaces.

    Returns
    -------
    Plan
        A sequence with the plan of each channel.

    Raises
    ------
    ParameterError
        If an option is not allowed.
    ImageError
        If no pixel is a finite number, or the whole image is constant or too small.
    OutOfMemoryError
        If the computation does not fit into memory.
    """
    options = options or Options()
    machine = Machine.here(options.device, options.max_memory)
    repaired = RepairedImage.of(as_image(image, axes or options.axes))
    return plan_image(repaired, options, machine)


def plan_image(image: RepairedImage, options: Options, machine: Machine) -> Plan:
    """Like :func:`plan`, for the machine that will compute."""
    for name in ("microscope", "specimen"):
        options.per_channel(name).check(image.channels, image.channel_names, name)
    scan = survey(image)
    channels = _describe(image, scan, options)
    noises = {channel.index: channel.description.noise for channel in channels}
    coarse = any(channel.coarse for channel in channels)
    dtype, remark = result_dtype(image, coarse, options.dtype)
    offers = _choose(channels, options)
    for tiling in memory.cuts(image.plane_shape, options.tile):
        extent = Extent.of(image, tiling)
        plans = _price(channels, offers, extent, options, machine)
        need = memory.needed(image, plans, tiling)
        if need <= machine.free:
            return Plan(
                channels=plans,
                scan=scan,
                tiling=tiling,
                device=machine.device,
                seed=options.seed,
                dtype=dtype,
                independent=options.independent,
                uncertainty=options.uncertainty,
                at_once=memory.at_once(plans, machine),
                noises=noises,
                notes=(
                    *image.remarks(options.keep_outliers),
                    *remark,
                    *(note for channel in channels for note in channel.notes),
                ),
            )
    limited = options.max_memory is not None
    raise memory.too_much(plans, extent.shape, need, machine.free, limited)


@dataclass(frozen=True, kw_only=True)
class _Channel:
    """What is known of a channel.

    Parameters
    ----------
    name : str
    index : PlaneIndex
        Plane by which the channel is described.
    description : Description
    sample : Sample or None
        What is compared with calibration images; None if the plane is too small or constant.
    notes : tuple of str
        Artefacts of the plane.
    coarse : bool
        Whether its grey values are too far apart for the result.
    """

    name: str
    index: PlaneIndex
    description: Description
    sample: Sample | None
    notes: tuple[str, ...]
    coarse: bool


def _describe(image: Image, scan: Survey, options: Options) -> list[_Channel]:
    """Step 1: describe every channel by one plane."""
    channels = []
    for index in _describable_planes(image, scan):
        number, plane = image.channel_of(index), look(image, index)
        description = describe(
            plane,
            microscope=options.per_channel("microscope").at(number, image.channel_names),
            specimen=options.per_channel("specimen").at(number, image.channel_names),
            hints=image.hints[number] if number < len(image.hints) else (),
            repaired=True,
        ).replace(shape=image.plane_shape)
        name = image.channel_names[number] if number < len(image.channel_names) else ""
        sample = None if options.choices else _sample(image, index, plane, description)
        seen = artefacts(centre(image, index, _LOOKED_AT), description.noise)
        which = f"channel {name or number}: " if image.channels > 1 else ""
        notes = tuple(which + note for note in seen)
        coarse = image.data.dtype.kind in "iu" and is_coarse(plane, description.noise)
        channels.append(
            _Channel(
                name=name,
                index=index,
                description=description,
                sample=sample,
                notes=notes,
                coarse=coarse,
            )
        )
    return channels


def _describable_planes(image: Image, scan: Survey) -> list[PlaneIndex]:
    """First plane of each channel, preferably one that is not constant."""
    first: dict[int, PlaneIndex] = {}
    for index in scan.extremes:
        channel = image.channel_of(index)
        if channel not in first or (scan.constant(first[channel]) and not scan.constant(index)):
            first[channel] = index
    if all(scan.constant(index) for index in scan.extremes):
        low, _ = next(iter(scan.extremes.values()))
        raise ImageError(f"all pixels are {low:g}: a constant image holds nothing to denoise")
    return [first[channel] for channel in sorted(first)]


def _sample(
    image: Image, index: PlaneIndex, plane: np.ndarray, description: Description
) -> Sample | None:
    """Sample to be compared with calibration images; None for a plane that cannot be described."""
    if is_constant(plane) or min(plane.shape) < descriptors.LEAST_SIDE:
        return None
    middle = centre(image, index, _LOOKED_AT)
    if is_constant(middle):
        middle = plane
    return Sample(middle, descriptors.descriptors(middle, noise=description.noise))


@dataclass(frozen=True)
class _Offer:
    """Proposals for all channels.

    Parameters
    ----------
    proposals : sequence of Proposal or Choice
        One for each channel; a Choice is used unchanged.
    preset : str
    """

    proposals: Sequence[Proposal | Choice]
    preset: str


def _choose(channels: Sequence[_Channel], options: Options) -> list[_Offer]:
    """Step 2: proposals of the base or preset; with a budget, of each preset, the best first."""
    if options.choices is not None:
        given = options.choices
        if len(given) not in (1, len(channels)):
            raise ParameterError(
                f"{len(given)} choices for {len(channels)} channels; specify one, or one for each"
            )
        return [_Offer(given if len(given) > 1 else [given[0]] * len(channels), options.preset)]
    search = None
    if options.base is not None:
        base = builtin.load(options.base)
        search = Search(base, options.strategy or from_base.GROUP, options.criterion)
    names = [options.preset] if options.budget is None else presets.BY_QUALITY
    fitted = bool(options.explicit.items())
    return [
        _Offer(
            [propose(one.description, one.sample, name, search, fitted=fitted) for one in channels],
            name,
        )
        for name in names
    ]


def _price(
    channels: Sequence[_Channel],
    offers: Sequence[_Offer],
    extent: Extent,
    options: Options,
    machine: Machine,
) -> tuple[ChannelPlan, ...]:
    """Step 3: adapt the parameters to planes or windows, and select what the budget allows."""
    budget = options.budget if options.choices is None else None
    for offer in offers:
        plans = tuple(
            _price_channel(channel, proposal, extent, options, machine.device)
            for channel, proposal in zip(channels, offer.proposals, strict=True)
        )
        if budget is None:
            return plans
        prices = [plan.seconds for plan in plans]
        seconds = sum(price for price in prices if price is not None)
        if None in prices:
            note = f"{offer.preset}: no run time is predicted for {machine.device}"
        else:
            note = f"{offer.preset} takes about {seconds:.0f} s of {budget:g} s allowed"
        if None in prices or seconds <= budget:
            return tuple(_noted(plan, note) for plan in plans)
    raise ParameterError(
        f"a budget of {budget:g} s is too small: {offer.preset}, the cheapest, takes about "
        f"{seconds:.0f} s for this image on two cores; allow more, or set --iterations"
    )


def _price_channel(
    channel: _Channel, proposal: Proposal | Choice, extent: Extent, options: Options, device: str
) -> ChannelPlan:
    if isinstance(proposal, Choice):
        choice = proposal
        fitting(choice.net, extent.shape, fixed=True)
    else:
        choice = _fitted(proposal, channel.description, extent, options.explicit)
    chained = not options.independent and (choice.prior is not None or choice.fit.average > 0)
    runs = extent.runs if chained else extent.planes
    followers = (extent.planes - runs) * extent.windows
    return ChannelPlan(
        name=channel.name,
        description=channel.description,
        choice=choice,
        cost=pricing.of(choice, extent.shape, device),
        fits=runs * extent.windows,
        chained=chained,
        following=pricing.following(choice, extent.shape, device) if followers else None,
        followers=followers,
    )


def _fitted(
    proposal: Proposal, description: Description, extent: Extent, explicit: Explicit
) -> Choice:
    if proposal.prior is not None and description.noise is None and not explicit.items():
        proposal = dataclasses.replace(proposal, prior=None).remarked(_NOT_LEARNED)
    choice = proposal.fitted_to(extent.shape, explicit)
    if choice.refine is not None and description.noise is None:
        choice = choice.replace(refine=None).noted(_UNREFINED)
    if choice.prior is not None:
        choice = choice.replace(prior=choice.prior.identified())
    return choice if extent.tiling is None else choice.noted(extent.note)


def _noted(plan: ChannelPlan, note: str) -> ChannelPlan:
    return dataclasses.replace(plan, choice=plan.choice.noted(note))
