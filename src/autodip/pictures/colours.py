"""Numbers drawn in colours, and the bar that shows which number has which colour."""

from __future__ import annotations

import numpy as np

_INFERNO = bytes.fromhex(
    "000004 040312 0b0724 150b37 210c4a 2f0a5b 3d0965 4a0c6b 57106e 64156e 71196e "
    "7d1e6d 8a226a 972766 a32c61 b0315b bc3754 c73e4c d24644 db503b e45a31 eb6628 "
    "f1731d f68013 f98e09 fb9d07 fcac11 fbbc21 f9cb35 f5db4c f2ea69 f3f68a fcffa4"
)
"""The colour map inferno of Smith and van der Walt (CC0) at 33 even steps, RGB."""

_UNKNOWN = 128
"""Grey in which NaN is drawn, which is no colour of the map."""


def coloured(image: np.ndarray, low: float, high: float) -> np.ndarray:
    """Map pixels from ``low`` to ``high`` to colours from black over red to light yellow.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
        NaN becomes grey.
    low, high : float
        Numbers that have the first and the last colour.

    Returns
    -------
    ndarray, uint8, shape (Y, X, 3)
    """
    steps = np.frombuffer(_INFERNO, np.uint8).reshape(-1, 3).astype(float)
    share = np.clip((image.astype(float) - low) / (high - low), 0, 1)
    place = np.linspace(0, 1, len(steps))
    drawn = np.stack([np.interp(share, place, channel) for channel in steps.T], axis=-1)
    drawn[np.isnan(share)] = _UNKNOWN
    return drawn.round().astype(np.uint8)


def colour_bar(width: int, height: int) -> np.ndarray:
    """All colours from the first to the last, uint8, shape (height, width, 3)."""
    return np.repeat(coloured(np.linspace(0, 1, width)[None], 0, 1), height, axis=0)
