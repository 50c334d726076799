"""Sample images of the plugin, made by the simulation of ``autodip demo``."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate, simulate_film

_SIDE, _FRAMES = 256, 6
"""Side of the images in pixels, and number of frames of the film."""

LayerData = tuple[np.ndarray, dict[str, Any], str]
"""Pixels, keywords and type of a layer."""


def still() -> list[LayerData]:
    """Mitochondria in a confocal microscope, shape (256, 256): the image of ``autodip demo``."""
    noisy, _ = simulate("mito", _optics(), size=_SIDE)
    return [_layer(noisy, "mitochondria", "yx", specimen="mito")]


def film() -> list[LayerData]:
    """Film of mitochondria that drift, shape (6, 256, 256)."""
    frames, _ = simulate_film("mito", _optics(), frames=_FRAMES, size=_SIDE)
    return [_layer(frames, "mitochondria film", "tyx", specimen="mito")]


def channels() -> list[LayerData]:
    """Nuclei and actin, two channels of shape (256, 256)."""
    planes = [simulate(name, _optics(), size=_SIDE, seed=2)[0] for name in ("nucleus", "actin")]
    names = ["DAPI", "Phalloidin"]
    return [_layer(np.stack(planes), "nuclei and actin", "cyx", channel_names=names)]


def _optics() -> Optics:
    return Optics(microscope="confocal")


def _layer(pixels: np.ndarray, name: str, axes: str, **metadata: Any) -> LayerData:
    """Layer of an image with its pixel size, and with contrast limits from dark to bright."""
    optics = _optics()
    low, high = (float(value) for value in np.percentile(pixels, (1, 99.8)))
    keywords = {
        "name": name,
        "scale": [optics.pixel_size if axis in "yx" else 1.0 for axis in axes],
        "units": ["um" if axis in "yx" else "pixel" for axis in axes],
        "axis_labels": list(axes),
        "contrast_limits": [low, high],
        "metadata": {"microscope": optics.microscope, **metadata},
    }
    return pixels, keywords, "image"
