"""Tables of parameters by microscope and specimen: reading, validation, looking up a row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from autodip.errors import ParameterError
from autodip.params import FitParams, NetParams, RefineParams

SCHEMA = 1
PRESETS = ("original", "published", "fast", "balanced", "best")
"""Names of the tables that come with the package, ``balanced`` being the default."""
BY_QUALITY = ("best", "balanced", "fast")
"""Our own presets, the best and most costly first."""


@dataclass(frozen=True)
class Row:
    """Parameters for one group of images.

    Parameters
    ----------
    microscope, specimen : str or None
        The group; None stands for any.
    net, fit : NetParams, FitParams
    pixels : int or None
        Size of the images at which the number of iterations was measured; it is scaled to
        other sizes. None where it holds for all sizes.
    smaller_stops_earlier : bool
        Whether a smaller image is given fewer iterations; not where the number was set by
        cost and more of them would still have been better.
    refine : RefineParams or None
        How the result of the fit is refined; None where it is kept as it is.
    correlated_iterations : int or None
        Iterations for images whose noise is correlated between neighbours, which is learnt
        earlier, the earlier the smaller the image; None where there is no other number.
    """

    microscope: str | None
    specimen: str | None
    net: NetParams
    fit: FitParams
    pixels: int | None = None
    smaller_stops_earlier: bool = True
    refine: RefineParams | None = None
    correlated_iterations: int | None = None


@dataclass(frozen=True)
class Table:
    """A named, versioned table with the source of its figures."""

    name: str
    version: str
    source: str
    rows: tuple[Row, ...]

    def find(self, microscope: str | None, specimen: str | None) -> Row | None:
        """Row of exactly this group, or None."""
        for row in self.rows:
            if (row.microscope, row.specimen) == (microscope, specimen):
                return row
        return None

    @property
    def keys(self) -> tuple[str, ...]:
        """Which of microscope and specimen the table distinguishes."""
        return tuple(
            key
            for key in ("microscope", "specimen")
            if any(getattr(row, key) is not None for row in self.rows)
        )


def parse(content: Mapping[str, Any]) -> Table:
    """Validate the content of a table file.

    Raises
    ------
    ParameterError
        If the schema, a key or a value is not allowed, two rows describe the same group, or
        the row for "nothing known" is missing.
    """
    if content.get("schema") != SCHEMA:
        raise ParameterError(
            f"table of schema {content.get('schema')!r}; this version reads schema {SCHEMA}"
        )
    unknown = sorted(set(content) - {"schema", "name", "version", "source", "rows"})
    if unknown:
        raise ParameterError(f"table: unknown {', '.join(unknown)}")
    rows = tuple(
        Row(
            row["microscope"],
            row["specimen"],
            NetParams.from_dict(row["net"]),
            FitParams.from_dict(row["fit"]),
            row.get("pixels"),
            row.get("smaller_stops_earlier", True),
            RefineParams.from_dict(row["refine"]) if row.get("refine") is not None else None,
            row.get("correlated_iterations"),
        )
        for row in content["rows"]
    )
    groups = [(row.microscope, row.specimen) for row in rows]
    if len(set(groups)) != len(groups) or (None, None) not in groups:
        raise ParameterError(
            f"table {content['name']!r}: each group needs one row, and one row must hold for "
            f"images of which nothing is known; groups are {groups}"
        )
    return Table(content["name"], content["version"], content["source"], rows)


@cache
def load(preset: str) -> Table:
    """Table of a preset that comes with the package.

    Raises
    ------
    ParameterError
        If there is no preset of that name.
    """
    if preset not in PRESETS:
        raise ParameterError(f"preset {preset!r} is not known; known are {', '.join(PRESETS)}")
    file = resources.files("autodip") / "data" / f"{preset}.json"
    return parse(json.loads(file.read_text(encoding="utf-8")))
