"""The detectors that the prior is trained for, as a random distribution."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodip.physics.detection import Detector

_CORRELATED = 0.45
"""Share of detectors whose noise is correlated between pixels."""

_RARE = 0.05
"""Share of detectors with hot pixels, of those with row noise, and of 8-bit detectors that
compress; half as many have jitter."""


def draw_detector(
    generator: np.random.Generator, peak: float, *, correlated: float = _CORRELATED
) -> Detector:
    """Draw a detector at random.

    Parameters
    ----------
    generator : numpy.random.Generator
    peak : float
        Photons in the brightest pixels of the scene, to which read-out noise, offset and the
        range of the grey levels are related.
    correlated : float
        Probability that the noise of neighbouring pixels is correlated, 0 to 1.

    Returns
    -------
    Detector
        With photon noise, often with excess noise, read-out noise and an offset. Correlated
        noise is caused by the interpolation of a colour filter (half of the cases), by smoothing
        or by enlarging, or does not depend on structure.
    """
    draw = generator.uniform
    signal: dict[str, Any] = {
        "excess": 1.0 if draw() < 0.6 else draw(1.1, 2.2),
        "read": _one_of(generator, 0.0, draw(0, 1.5), draw(0.2, 1.0), draw(0, 0.12) * peak),
        "offset": _one_of(generator, 0.0, draw(-0.03, 0.03) * peak, draw(0, 0.5) * peak),
    }
    kind = _correlation(generator) if draw() < correlated else {}
    return Detector(**signal, **kind, **_faults(generator, peak), **_levels(generator, peak))


def _one_of(generator: np.random.Generator, *values: float) -> float:
    return float(values[generator.integers(len(values))])


def _correlation(generator: np.random.Generator) -> dict[str, Any]:
    """Interpolation of a colour filter, smoothing, resizing, or coloured noise."""
    draw, kind = generator.uniform, generator.random()
    resized: dict[str, Any] = {
        "scale": float(draw(0.4, 1.0)),
        "resampling": str(generator.choice(["linear", "cubic", "area", "nearest"])),
    }
    if kind < 0.5:
        mosaic: dict[str, Any] = {"mosaic": str(generator.choice(["green", "red", "blue", "grey"]))}
        return {**mosaic, **resized} if draw() < 0.65 else mosaic
    if kind < 0.75:
        along = draw(0.3, 1.2)
        across = along if draw() < 0.5 else _one_of(generator, 0.0, draw(0.3, 1.2))
        smooth: dict[str, Any] = {"smooth": (float(across), float(along))}
        return {**smooth, **resized} if draw() < 0.2 else smooth
    if kind < 0.9:
        larger = {**resized, "scale": float(draw(1.1, 2.5))}
        return {**larger, "resampling": str(generator.choice(["linear", "cubic"]))}
    return {"coloured": float(draw(0.35, 1.3))}


def _faults(generator: np.random.Generator, peak: float) -> dict[str, Any]:
    """Rare faults: hot pixels, noise of rows and columns, displaced lines."""
    draw = generator.uniform
    found: dict[str, Any] = {}
    if draw() < _RARE:
        found["hot"] = float(np.exp(draw(np.log(1e-4), np.log(3e-3))))
    if draw() < _RARE:
        found["rows"] = float(draw(0.1, 0.6) * np.sqrt(peak * draw(0.05, 0.5)))
    if draw() < _RARE / 2:
        found["jitter"] = float(draw(0.1, 0.6))
    return found


def _levels(generator: np.random.Generator, peak: float) -> dict[str, Any]:
    """Quantisation and clipping to 8, 12 or 16 bits."""
    draw = generator.uniform
    if draw() < 0.15:
        return {"black": bool(draw() < 0.5)}
    white = peak * draw(0.9, 2.0)
    bits = generator.choice([8, 8, 12, 16])
    levels: dict[str, Any] = {"white": float(white), "step": float(white / (2**bits - 1))}
    if bits == 8 and draw() < _RARE:
        levels["jpeg"] = int(draw(70, 96))
    return levels
