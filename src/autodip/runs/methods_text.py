"""A paragraph for the methods section of a paper, from the sidecar of a result."""

from __future__ import annotations

from collections.abc import Iterator

from autodip.runs.plane_records import ChannelRecord
from autodip.runs.sidecar import Sidecar


def paragraph(content: Sidecar) -> str:
    """Sentences on how a result was computed, with the parameters that were used."""
    return " ".join(_sentences(content))


def _sentences(content: Sidecar) -> Iterator[str]:
    release = (content.versions or {}).get("autodip", "")
    several = len(content.channels) > 1
    yield f"Images were denoised with autodip{f' {release}' if release else ''}."
    for number, channel in enumerate(content.channels):
        of = f" of channel {channel.name or number}" if several else ""
        yield from _of_channel(channel, of)
    if content.selection.average:
        yield "The mean of the frames was denoised."
    elif len(content.planes) > len(content.channels) and content.independent:
        yield "Every plane was denoised independently."
    if content.tiling is not None:
        yield (
            f"Planes were computed in overlapping windows of {content.tiling.side} pixels and "
            "blended."
        )
    if content.repairs:
        yield (
            "Pixels without a measurement were left unchanged, and hot and dead pixels were "
            "replaced."
        )
    yield (
        f"Intensities are in the units of the input ({content.input['dtype']}; written as "
        f"{content.output['dtype']}). The random seed was {content.seed}" + _versions(content) + "."
    )


def _versions(content: Sidecar) -> str:
    torch = (content.versions or {}).get("torch")
    where = "a GPU" if content.device.startswith("cuda") else "the CPU"
    with_torch = f" with PyTorch {torch}" if torch else ""
    return f", and the computation ran on {where}{with_torch}"


def _of_channel(channel: ChannelRecord, of: str) -> Iterator[str]:
    choice, evidence = channel.choice, channel.choice.evidence
    noise = channel.description.noise
    if noise is not None:
        yield (
            f"The noise{of} was estimated from the image: a standard deviation of "
            f"{noise.sigma:.3g} at median brightness, and a gain of {noise.gain:.3g} grey values "
            "per photoelectron."
        )
    if choice.prior is not None:
        own = "" if choice.prior.weights == "builtin" else ", tuned on own images"
        copies = choice.prior.orientations
        mean = f", averaged over {copies} orientations" if copies > 1 else ""
        yield (
            f"The learned prior{own} (weights with SHA-256 {choice.prior.sha256[:12]}) was "
            f"applied{of} in {choice.prior.passes} passes{mean} (preset {evidence.preset})."
        )
        return
    net, fit = choice.net, choice.fit
    width = ", ".join(map(str, net.width)) if isinstance(net.width, tuple) else net.width
    yield (
        f"A deep image prior (depth {net.depth}, width {width}, skip {net.skip}) was fitted{of} "
        f"for {fit.iterations} iterations with a learning rate of {fit.learning_rate:g}"
        + (", and its outputs were averaged exponentially" if fit.average else "")
        + "."
    )
    if evidence.strategy is not None:
        yield (
            f"These parameters were taken from the calibration base {evidence.table} "
            f"({evidence.source}, strategy {evidence.strategy})."
        )
    else:
        yield f"These parameters are those of {evidence.table} for {_group(channel)}."
    if choice.refine is not None:
        yield "The result was refined with local Wiener filters over similar patches."


def _group(channel: ChannelRecord) -> str:
    return channel.choice.evidence.group.words or "all images"
