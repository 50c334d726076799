"""What a choice of parameters depends on, in words."""

from __future__ import annotations

from autodip.choose import presets
from autodip.choose.choice import Choice
from autodip.choose.from_base import Strategy

_NAMES = "microscope and specimen"


def depends_on(choice: Choice) -> tuple[str, ...]:
    """Sentences on what a choice depends on, and on what it does not.

    Returns
    -------
    tuple of str
        One or two sentences, each beginning in lower case and without a full stop.
    """
    strategy = choice.evidence.strategy
    if strategy is not None:
        return _of_base(choice, Strategy.parse(strategy))
    if choice.prior is not None:
        own = choice.prior.weights != "builtin"
        what = "prior of this base" if own else f"preset {choice.evidence.preset}"
        return (
            f"the {what} treats every image alike; what is removed depends on the noise that is "
            "observed in its pixels",
            f"{_NAMES} change nothing for the {what}",
        )
    return _of_preset(choice)


def _of_base(choice: Choice, strategy: Strategy) -> tuple[str, ...]:
    """Sentences for a calibration base."""
    of_group = f"{_NAMES}, which select a group of calibration images"
    if strategy.measure is None:
        found = [f"the choice depends on {of_group}; of the pixels, only their number matters"]
    elif strategy.grouped:
        found = [f"the choice depends on {of_group}, and on the pixels, which select the nearest"]
    else:
        found = [
            "the choice depends on the pixels, which select the nearest calibration image",
            f"{_NAMES} change nothing for this strategy",
        ]
    if choice.prior is not None:
        found.insert(0, "the prior of the base is applied; the choice is for planes it cannot do")
    return tuple(found)


def _of_preset(choice: Choice) -> tuple[str, ...]:
    """Sentences for a fit with the parameters of a preset."""
    name = choice.evidence.preset
    table = presets.load(name)
    row = table.find(choice.evidence.group)
    parts = ["microscope", "specimen"] if table.keys else []
    parts += ["size of the image"] if row is not None and row.pixels else []
    if row is not None and row.correlated_iterations:
        parts.append("correlation of the noise between neighbours")
    found = [
        f"the choice depends on {_listed(parts)}"
        if parts
        else f"the preset {name} uses the same parameters for every image"
    ]
    if not table.keys:
        found.append(f"{_NAMES} change nothing for the preset {name}")
    return tuple(found)


def _listed(parts: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
