"""Tags that belong to single pages: descriptions, times and what an instrument adds to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autodip.io.tiff.tags import extra_tags

PageTags = tuple[Mapping[str, Any], ...]

_LARGEST = 2**26
"""Number of bytes of all tags above which they are not kept."""


def of(series: Any, flavour: str) -> tuple[PageTags, list[str]]:
    """Own tags of every page of an image, and notes; empty if only the first page has any.

    In an ImageJ TIFF they are part of the metadata of the first page.
    """
    count = len(series.pages)
    if flavour not in ("ome", "plain") or count < 2:
        return (), []
    found = tuple(_own(page.aspage()) for page in series.pages)
    if not any(found[1:]):
        return (), []
    size = sum(len(str(tags)) for tags in found)
    if len(series.levels) > 1 or series.keyframe.subifds or size > _LARGEST:
        return (), ["descriptions and other tags of single pages were left out"]
    return found, []


def _own(page: Any) -> dict[str, Any]:
    tags: dict[str, Any] = {}
    if page.description:
        tags["description"] = page.description.encode()
    time = page.tags.get("DateTime")
    if time is not None and isinstance(time.value, str):
        tags["datetime"] = time.value.encode()
    extra = extra_tags(page)
    return {**tags, "extratags": extra} if extra else tags


def cut(pages: PageTags, axes: str, shape: Sequence[int], axis: str, kept: range) -> PageTags:
    """Tags of the pages of an image restricted to ``kept`` along an axis."""
    order = [a for a in axes if a not in "YXS"]
    if not pages or axis not in order:
        return pages
    numbers = np.arange(len(pages)).reshape([shape[axes.index(a)] for a in order])
    return tuple(pages[n] for n in np.take(numbers, list(kept), order.index(axis)).ravel())
