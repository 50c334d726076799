"""A choice of parameters, the values that win over it, and its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autodip.fit.params import FitParams, NetParams, Width
from autodip.refine.refinement import RefineParams
from autodip.util.values import Value


@dataclass(frozen=True)
class Evidence(Value):
    """Why a choice was made.

    Parameters
    ----------
    preset : str
        Name of the preset asked for.
    table : str
        Name and version of the table of parameters.
    source : str
        Where the figures of that table come from.
    group : mapping
        Row used: its ``microscope`` and ``specimen``, None standing for "any".
    known : mapping
        What was known of the image: ``microscope`` and ``specimen``, None where unknown.
    origin : mapping
        For each of the two, where it was learnt: "given", the metadata field, or "unknown".
    notes : tuple of str
        What the user should know: fallbacks, reduced depth, explicit values.
    neighbours : tuple of mapping
        Calibration images that decided, the nearest first: ``name``, ``distance``,
        ``microscope``, ``specimen``; empty where none was looked for.
    outside : bool
        Whether the image is unlike all calibration images.
    """

    preset: str
    table: str
    source: str
    group: Mapping[str, str | None]
    known: Mapping[str, str | None]
    origin: Mapping[str, str]
    notes: tuple[str, ...] = ()
    neighbours: tuple[Mapping[str, Any], ...] = ()
    outside: bool = False


@dataclass(frozen=True)
class Choice(Value):
    """Parameters chosen for one image (or one channel of it), with the evidence.

    ``refine`` is None where the result of the fit is kept as it is.
    """

    net: NetParams
    fit: FitParams
    evidence: Evidence = field(repr=False)
    refine: RefineParams | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Choice:
        """Inverse of ``to_dict``; nested parts may be dictionaries or values."""
        parts = dict(values)
        kinds: dict[str, type[Value]] = {
            "net": NetParams,
            "fit": FitParams,
            "refine": RefineParams,
            "evidence": Evidence,
        }
        for name, kind in kinds.items():
            if isinstance(parts.get(name), Mapping):
                parts[name] = kind.from_dict(parts[name])
        choice: Choice = super().from_dict(parts)
        return choice


@dataclass(frozen=True)
class Explicit:
    """Values the user sets; each wins over the choice."""

    iterations: int | None = None
    depth: int | None = None
    width: Width | None = None
    skip: int | None = None
    refine: bool | None = None

    def items(self) -> list[tuple[str, Any]]:
        """Names and values of those that are set."""
        return [(k, v) for k, v in vars(self).items() if v is not None]
