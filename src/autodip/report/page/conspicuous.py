"""Outputs that differ from the others of their folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autodip.report.page.card import Card

LEAST = 5
"""Number of outputs from which on they are compared with each other."""

FAR = 3.5
"""Robust deviation from which on an output is marked (Iglewicz and Hoaglin 1993)."""

_NORMAL = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""


@dataclass(frozen=True)
class Quantity:
    """A number by which outputs are compared.

    Parameters
    ----------
    title : str
        Head of its column.
    meaning : str
    form : str
        Format of a value.
    spread : float
        Deviation below which a difference does not matter: at least this standard deviation is
        assumed.
    """

    title: str
    meaning: str
    form: str
    spread: float


QUANTITIES: Mapping[str, Quantity] = {
    "noise": Quantity(
        "noise", "noise at median brightness, relative to the range of the result", ".3f", 0.005
    ),
    "removed": Quantity(
        "removed / noise", "what was removed, relative to the expected noise", ".2f", 0.03
    ),
    "whiteness": Quantity(
        "whiteness", "correlation of what was removed in excess of that of the noise", ".3f", 0.01
    ),
    "psnr": Quantity("PSNR, dB", "predicted PSNR, see the page of the output", ".0f", 1.0),
    "flux": Quantity(
        "flux, %",
        "change of the mean brightness, relative to the range of the result",
        "+z.2f",
        0.05,
    ),
    "familiarity": Quantity(
        "unfamiliar",
        "distance from the training images; above 1 the image is unlike all of them",
        ".2f",
        0.1,
    ),
    "unsupported": Quantity(
        "unsupported",
        "places that hold structure which the noisy image does not support",
        "d",
        1.0,
    ),
    "lost": Quantity("lost", "places that lack structure which the noisy image supports", "d", 1.0),
}
"""Columns of an index that are compared, by the name of the field of a card."""


_ANY = {
    "unsupported": "of structure that the noisy image does not support",
    "lost": "without structure that the noisy image supports",
}
"""Quantities that mark an output if they are above 0, whatever those of the others are."""


def conspicuous(cards: Sequence[Card]) -> list[list[str]]:
    """Reasons why each output is marked; an empty list for those that are not.

    An output is marked if one of its numbers is further than 3.5 robust standard deviations (1.4826
    times the median absolute deviation) from the median of all, if the image is unlike all training
    images, or if result and noisy image do not have the same structure. With fewer than five
    outputs they are not compared.
    """
    reasons: list[list[str]] = [[] for _ in cards]
    for name, quantity in QUANTITIES.items():
        values = [getattr(card, name) for card in cards]
        known = np.array([value for value in values if value is not None])
        for number, value in enumerate(values):
            if value is None:
                continue
            if name == "familiarity" and value > 1:
                reasons[number].append("unlike all training images")
            elif name in _ANY:
                if value:
                    reasons[number].append(f"{value} place{'s' * (value != 1)} {_ANY[name]}")
            elif len(known) >= LEAST:
                far = _deviation(value, known, quantity.spread)
                if abs(far) > FAR:
                    side = "above" if far > 0 else "below"
                    reasons[number].append(
                        f"{quantity.title.split(',')[0]} {format(value, quantity.form)} is far "
                        f"{side} the median {format(float(np.median(known)), quantity.form)}"
                    )
    return reasons


def _deviation(value: float, known: np.ndarray, least: float) -> float:
    """Distance from the median in robust standard deviations."""
    middle = float(np.median(known))
    spread = max(_NORMAL * float(np.median(np.abs(known - middle))), least)
    return (value - middle) / spread
