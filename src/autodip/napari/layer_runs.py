"""Runs on a layer: the whole, or a preview of a crop."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from autodip.errors import ParameterError
from autodip.image.image import Image
from autodip.napari import repeat
from autodip.napari.account import Account
from autodip.napari.background import Tell
from autodip.napari.entries import Entries
from autodip.napari.layer_image import LayerFacts, LayerImage
from autodip.napari.live import EVERY, LiveEngine, LivePixels
from autodip.napari.tally import Tally, time_left
from autodip.pipeline.result import Computed
from autodip.pipeline.workspace import Workplace
from autodip.report.page.one_page import page_of_result
from autodip.runs.plane_records import ChannelRecord
from autodip.runs.saving import sidecar_of, versions

PREVIEW = 256
"""Largest side of a preview, in pixels."""


@dataclass(frozen=True)
class Region:
    """Part of one plane of a layer: a range of positions along each of its dimensions."""

    ranges: tuple[slice, ...]

    @classmethod
    def around(cls, point: Sequence[float], shape: Sequence[int], axes: str) -> Region:
        """Region of at most :data:`PREVIEW` pixels a side around a point of a layer.

        ``axes`` may lack axes of length 1.
        """
        ranges = []
        for at, length, axis in zip(point, shape, aligned(axes, shape), strict=True):
            side = min(PREVIEW, length) if axis in "YX" else 1
            start = int(np.clip(round(at) - side // 2, 0, length - side))
            ranges.append(slice(start, start + side))
        return cls(tuple(ranges))

    @property
    def corner(self) -> tuple[int, ...]:
        """Position of the first pixel."""
        return tuple(one.start for one in self.ranges)


@dataclass(frozen=True, kw_only=True)
class DenoisedLayer:
    """Outcome of a run on a layer.

    Parameters
    ----------
    noisy, pixels : ndarray
        Pixels of the layer, and the result, of the same shape.
    maps : mapping of str to ndarray
        Additional results by name.
    account : Account
    provenance : mapping, JSON-ready
        For the metadata of a layer.
    page : callable
        Makes the page about the result, as HTML.
    """

    noisy: np.ndarray = field(repr=False)
    pixels: np.ndarray = field(repr=False)
    maps: Mapping[str, np.ndarray] = field(repr=False)
    account: Account
    provenance: Mapping[str, Any] = field(repr=False)
    page: Callable[[], str] = field(repr=False)


@dataclass(frozen=True)
class Repeats:
    """A run as a command and as Python.

    Parameters
    ----------
    command, python : str
        Empty if the layer is not a file.
    reason : str
        Why it is not, and what to do; else empty.
    """

    command: str = ""
    python: str = ""
    _: KW_ONLY
    reason: str = ""

    @classmethod
    def of(cls, subject: LayerImage, entries: Entries) -> Repeats:
        """Command and Python for a layer, as far as it shows the pixels of its file."""
        if subject.path is None:
            return cls(reason=subject.reason)
        path = Path(subject.path).absolute()
        return cls(
            repeat.command_of(path, subject.selection, entries),
            repeat.python_of(path, subject.selection, entries),
        )


def denoise_layer(facts: LayerFacts, entries: Entries, tell: Tell) -> DenoisedLayer:
    """Denoise all of a layer; tells :class:`Tally` and :class:`LivePixels` as news."""
    subject = LayerImage.of(facts, entries.axes)
    entries = _checked(entries, subject.image)
    shape = facts.data.shape
    result = _run(subject.image, entries, partial(_reshaped, tell, shape))
    command = Repeats.of(subject, entries).command
    return _outcome(subject.image, result, entries, command=command, facts=facts, shape=shape)


def _reshaped(tell: Tell, shape: tuple[int, ...], news: Any) -> None:
    """Tell news, with pixels in the shape of the layer."""
    if isinstance(news, LivePixels):
        news = dataclasses.replace(news, pixels=news.pixels.reshape(shape))
    tell(news)


def preview_layer(
    facts: LayerFacts, entries: Entries, axes: str, region: Region, tell: Tell
) -> DenoisedLayer:
    """Denoise a region of one plane of a layer with dimensions ``axes``."""
    cropped = np.asarray(facts.data[region.ranges])
    every = aligned(axes, facts.data.shape)
    channel = region.corner[every.index("C")] if "C" in every else 0
    entries = entries.of_channel(channel)
    sides = [cropped.shape[every.index(axis)] for axis in every if axis in "YX"]
    image = Image(cropped.reshape(sides), "".join(axis for axis in every if axis in "YX"))
    result = _run(image, entries, tell)
    return _outcome(image, result, entries, command="", facts=facts, shape=cropped.shape)


def aligned(axes: str, shape: Sequence[int]) -> str:
    """Axes with one letter for each dimension of a layer; "-" for those of length 1 they lack."""
    if len(axes) == len(shape):
        return axes
    left = iter(axes)
    return "".join(next(left) if length > 1 else "-" for length in shape)


def repeats_of(facts: LayerFacts, entries: Entries, tell: Tell) -> Repeats:
    """The run of a layer as a command and as Python."""
    subject = LayerImage.of(facts, entries.axes)
    return Repeats.of(subject, _checked(entries, subject.image))


def _checked(entries: Entries, image: Image) -> Entries:
    """Entries for an image; raises a ParameterError if they are for other channels."""
    for values in (entries.microscopes, entries.specimens):
        if len(values) not in (1, image.channels):
            raise ParameterError(
                f"{len(values)} channels were entered, but this layer has {image.channels}; select "
                "the layer again"
            )
    return entries


def _run(image: Image, entries: Entries, tell: Tell) -> Computed:
    from autodip.pipeline.denoise import denoise_steps  # noqa: PLC0415  (imports torch)

    tell(Tally())
    shown = 0.0
    live = LiveEngine(image, tell)
    for progress in denoise_steps(image, entries.options(), workplace=Workplace(engine=live)):
        if progress.result is not None:
            return progress.result
        now = time.monotonic()
        if now - shown < EVERY / 2:
            continue
        shown = now
        fraction = live.fraction(progress)
        elapsed = now - (live.started or now)
        left = time_left(fraction, elapsed, live.predicted(progress))
        tell(Tally.of(progress, fraction=fraction, left=left, part=live.part))
    raise AssertionError("a run ends with its result")


def _outcome(
    image: Image,
    result: Computed,
    entries: Entries,
    *,
    command: str,
    facts: LayerFacts,
    shape: tuple[int, ...],
) -> DenoisedLayer:
    account = Account.of(image, result)
    return DenoisedLayer(
        noisy=image.data.reshape(shape),
        pixels=result.image.reshape(shape),
        maps={name: pixels.reshape(shape) for name, pixels in result.maps.items()},
        account=account,
        provenance={
            "source": facts.name,
            "options": entries.keywords(),
            "command": command,
            "notes": list(account.notes),
            "done": list(account.done),
            "plan": [ChannelRecord.of(plan).to_dict() for plan in result.plans],
            "seed": result.seed,
            "device": result.device,
            "seconds": round(sum(plane.seconds for plane in result.planes), 3),
            "versions": versions(),
        },
        page=partial(_page, image, result, facts.name),
    )


def _page(image: Image, result: Computed, name: str) -> str:
    """Page about a result, under the name of its layer."""
    return page_of_result(image, result, sidecar_of(image, result, input={"file": name}))
