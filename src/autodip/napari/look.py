"""What is shown about a layer before it is denoised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from autodip.choose import vocabulary
from autodip.errors import ParameterError
from autodip.image.image import Image
from autodip.napari.background import Tell
from autodip.napari.entries import OTHER
from autodip.napari.layer_image import LayerFacts, LayerImage

_TEXTS = 200
"""Number of texts of a layer's metadata that are searched for a microscope or a specimen."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What is known about a layer before it is denoised.

    Parameters
    ----------
    axes : str or None
        Order of its dimensions; None if nothing states it.
    microscopes, specimens, labels : tuple of str
        Names for each channel, and the names of the channels.
    reason : str
        What is missing, and what to do; empty if nothing is.
    """

    axes: str | None
    microscopes: tuple[str, ...] = ("",)
    specimens: tuple[str, ...] = ("",)
    labels: tuple[str, ...] = ("",)
    reason: str = ""


def look_at(facts: LayerFacts, axes: str | None, tell: Tell) -> Look:
    """Look at a layer and its file; without news."""
    try:
        image = LayerImage.glimpse(facts, axes).image
    except ParameterError as error:
        return Look(axes=None, reason=str(error))
    microscopes, specimens = names_of(image, facts)
    return Look(
        axes=image.axes,
        microscopes=tuple(microscopes),
        specimens=tuple(specimens),
        labels=tuple(channel_labels(image, facts)),
    )


def names_of(image: Image, facts: LayerFacts) -> tuple[list[str], list[str]]:
    """Microscope and specimen of each channel, from the metadata of the file, else of the layer.

    A name is "other" if nothing states it.
    """
    texts = list(_texts(facts.metadata))[:_TEXTS]
    listed = facts.metadata.get("channel_names")
    given = [str(one) for one in listed] if isinstance(listed, list | tuple) else []
    channels = [*image.channel_names, *given[len(image.channel_names) :]]
    microscopes: list[str] = []
    specimens: list[str] = []
    for number in range(image.channels):
        hints = image.hints[number] if number < len(image.hints) else ()
        own = channels[number : number + 1] or ([] if image.channels > 1 else [facts.name])
        for kind, find, names in (
            ("microscope", vocabulary.find_microscope, microscopes),
            ("specimen", vocabulary.find_specimen, specimens),
        ):
            known = [hint.text for hint in hints if hint.kind == kind]
            shared = texts if kind == "microscope" or image.channels == 1 else []
            found = (find(text) for text in [*known, *own, *shared])
            names.append(next((name for name in found if name), OTHER))
    return microscopes, specimens


def channel_labels(image: Image, facts: LayerFacts) -> list[str]:
    """Names of the channels for display; their numbers where there are none."""
    listed = facts.metadata.get("channel_names")
    names = list(image.channel_names) or (list(listed) if isinstance(listed, list | tuple) else [])
    return [
        str(names[number]) if number < len(names) and names[number] else f"channel {number}"
        for number in range(image.channels)
    ]


def _texts(metadata: Any, depth: int = 4) -> Iterator[str]:
    """Texts in the metadata of a layer."""
    if isinstance(metadata, str):
        yield metadata
    elif isinstance(metadata, Mapping) and depth:
        for value in metadata.values():
            yield from _texts(value, depth - 1)
    elif isinstance(metadata, list | tuple) and depth:
        for value in metadata:
            yield from _texts(value, depth - 1)
