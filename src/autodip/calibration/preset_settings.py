"""The setting that a preset chooses for each image, in place of a grid for all of them."""

from __future__ import annotations

from collections.abc import Iterable

from autodip.bases.records import Config
from autodip.choose import presets
from autodip.choose.describe import Description
from autodip.datasets.pair import Pair
from autodip.errors import ParameterError

NAMES = ("original", "published", "untrained")
"""Presets that fit a network. Their settings are the references of ``autodip study``."""

_EVERY, _EVERY_AVERAGED = 100, 20
"""Interval between the stops: that of the reference implementation, and that of our own grids."""


def settings(pairs: Iterable[Pair], preset: str) -> list[tuple[list[Pair], list[Config]]]:
    """Group the pairs by the setting that a preset chooses for their microscope and specimen.

    Returns
    -------
    list of (list of Pair, list of Config)
        The pairs, and their setting as a grid of one, for :func:`autodip.calibration.calibrate`.

    Raises
    ------
    ParameterError
        If the preset does not fit a network.
    """
    if preset not in NAMES:
        raise ParameterError(f"preset {preset!r} fits no network; {', '.join(NAMES)} do")
    table = presets.load(preset)
    parts: dict[Config, list[Pair]] = {}
    for pair in pairs:
        described = Description((0, 0), pair.microscope, pair.specimen, {}, None)
        chosen = presets.propose(described, table)
        every = _EVERY_AVERAGED if chosen.fit.average else _EVERY
        parts.setdefault(Config(chosen.net, chosen.fit, chosen.refine, every), []).append(pair)
    return [(members, [config]) for config, members in parts.items()]
