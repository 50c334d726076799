"""Pixels, keywords and type of the layers that the widget adds, from those of the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autodip.napari.layer_runs import DenoisedLayer
from autodip.pipeline.error_summary import SD

LayerTuple = tuple[np.ndarray, dict[str, Any], str]

KEY = "autodip"
"""Key of the metadata of a layer under which there is how it was made."""

_PLACE = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
_LOOK = ("contrast_limits", "colormap", "gamma", "blending")

_SPREAD = 4.0
"""Half width of the contrast limits of a difference, in standard deviations."""

_BRIGHTEST = 99.5
"""Percentile of a map that has the last colour."""

Keywords = Mapping[str, Any]
"""Keywords of a layer, as napari's ``as_layer_data_tuple`` returns them."""


def denoised(outcome: DenoisedLayer, source: Keywords) -> LayerTuple:
    """Layer of a result, which lies over its source and looks like it."""
    return _layer(outcome.pixels, source, "denoised", _LOOK, outcome.provenance)


def interrupted(pixels: np.ndarray, source: Keywords, done: str) -> LayerTuple:
    """Layer of what was computed before an interruption; ``done`` states how much it is."""
    made = {"source": source["name"], "interrupted": done}
    return _layer(pixels, source, f"interrupted: {done}", _LOOK, made)


def preview(outcome: DenoisedLayer, source: Keywords, translate: Sequence[float]) -> LayerTuple:
    """Layer of a preview of a crop, whose first pixel lies at ``translate``."""
    found = _layer(outcome.pixels, source, "preview", _LOOK, outcome.provenance)
    found[1]["translate"] = list(translate)
    return found


def removed(outcome: DenoisedLayer, result: Keywords) -> LayerTuple:
    """Layer of the noisy image minus the result, with 0 in the middle of the greys."""
    difference = outcome.noisy.astype(np.float32) - outcome.pixels.astype(np.float32)
    found = _layer(difference, result, "removed", (), outcome.provenance)
    finite = difference[np.isfinite(difference)]
    width = _SPREAD * float(finite.std()) if finite.size else 0.0
    found[1].update(contrast_limits=[-(width or 1.0), width or 1.0], colormap="gray")
    return found


def named_map(name: str, outcome: DenoisedLayer, result: Keywords) -> LayerTuple:
    """Layer of another output of the method, such as the standard errors."""
    pixels = outcome.maps[name]
    found = _layer(pixels, result, title_of(name), (), outcome.provenance)
    known = pixels[np.isfinite(pixels)]
    high = float(np.percentile(known, _BRIGHTEST)) if known.size else 0.0
    found[1].update(contrast_limits=[0.0, high or 1.0], colormap="inferno")
    return found


def title_of(name: str) -> str:
    """What a map is, with its units."""
    return "standard error, grey values" if name == SD else name


def _layer(
    pixels: np.ndarray,
    like: Keywords,
    what: str,
    look: Sequence[str],
    provenance: Mapping[str, Any],
) -> LayerTuple:
    own = {name: like[name] for name in (*_PLACE, *look) if name in like}
    metadata = {**like.get("metadata", {}), KEY: dict(provenance)}
    return (
        pixels,
        {**own, "name": f"{provenance['source']} ({what})", "metadata": metadata},
        "image",
    )
