"""Grey values for display: contrast limits, and pixels between them as 8 bits."""

from __future__ import annotations

import numpy as np

DARKEST, BRIGHTEST = 0.1, 99.9
"""Percentiles between which the automatic contrast is linear."""


def limits(
    image: np.ndarray, darkest: float = DARKEST, brightest: float = BRIGHTEST
) -> tuple[float, float]:
    """Contrast limits of an image: two percentiles of its finite pixels, in its units.

    The upper limit is above the lower one, also for a constant image. An image without finite
    pixels has the limits 0 and 1.
    """
    finite = image[np.isfinite(image)].astype(float)
    if not finite.size:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(finite, (darkest, brightest)))
    return low, max(high, float(np.nextafter(low, np.inf)))


def grey(image: np.ndarray, low: float, high: float) -> np.ndarray:
    """Map pixels linearly from ``low`` to ``high`` to 0 to 255, uint8; NaN becomes 0."""
    scaled = np.nan_to_num((image.astype(float) - low) / (high - low), posinf=1, neginf=0)
    return np.asarray((255 * np.clip(scaled, 0, 1)).round(), np.uint8)
