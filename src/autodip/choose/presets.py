"""Tables of parameters by microscope and specimen: reading, validation, looking up a row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from autodip.choose.adapt import Setting, settle
from autodip.choose.choice import Choice, Evidence, Explicit
from autodip.choose.describe import Description
from autodip.errors import ParameterError
from autodip.fit.params import FitParams, NetParams
from autodip.physics.noise import CERTAIN
from autodip.refine.refinement import RefineParams

_NEAREST = {
    ("microscope",): "the nearest calibration image of that microscope by LPIPS",
    ("specimen",): "the nearest calibration image of that specimen by mean gradient",
    (): "the nearest calibration image in a UMAP of the pixels",
}
"""What AUTO-DIP does where only this is known; it needs the calibration images."""


SCHEMA = 1
PRESETS = ("original", "published", "fast", "balanced", "best")
"""Names of the tables that come with the package, ``balanced`` being the default."""
BY_QUALITY = ("best", "balanced", "fast")
"""Our own presets, the best and most costly first."""


@dataclass(frozen=True)
class PresetRow:
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
    rows: tuple[PresetRow, ...]

    def find(self, microscope: str | None, specimen: str | None) -> PresetRow | None:
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
        PresetRow(
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


def choose(description: Description, table: Table, explicit: Explicit | None = None) -> Choice:
    """Choose the parameters of one image from a table of groups.

    The row of its microscope and specimen if the table has one, else the row of the part
    that is known. A network too deep for the image is made shallower.

    Raises
    ------
    ParameterError
        If an explicit value is not allowed, or its depth is too large for the image.
    ImageError
        If the image is too small for any network.
    """
    explicit = explicit or Explicit()
    row = _row(description, table)
    known = {"microscope": description.microscope, "specimen": description.specimen}
    setting, correlated = _setting(row, description)
    net, fit, refine, notes = settle(description, setting, explicit)
    evidence = Evidence(
        preset=table.name,
        table=f"{table.name} {table.version}",
        source=table.source,
        group={"microscope": row.microscope, "specimen": row.specimen},
        known=known,
        origin=dict(description.origin),
        notes=(*_group_notes(known, row, table), *correlated, *notes),
    )
    return Choice(net, fit, evidence, refine)


def _setting(row: PresetRow, description: Description) -> tuple[Setting, tuple[str, ...]]:
    """Setting of a row for an image, with notes: correlated noise ends the fit earlier."""
    pixels = row.pixels
    noise = description.noise
    if row.correlated_iterations and noise and min(noise.correlation) >= CERTAIN:
        fit: FitParams = row.fit.replace(iterations=row.correlated_iterations)
        note = "the noise is correlated between neighbours, which a fit learns early"
        return Setting(row.net, fit, row.refine, pixels), (note,)
    if pixels is not None and not row.smaller_stops_earlier:
        pixels = min(pixels, description.shape[0] * description.shape[1])
    return Setting(row.net, row.fit, row.refine, pixels), ()


def _row(description: Description, table: Table) -> PresetRow:
    """First row that fits, from the most specific to "nothing known"."""
    microscope = description.microscope if "microscope" in table.keys else None
    specimen = description.specimen if "specimen" in table.keys else None
    for group in ((microscope, specimen), (microscope, None), (None, specimen)):
        row = table.find(*group)
        if row is not None:
            return row
    row = table.find(None, None)
    assert row is not None  # every table has it
    return row


def _group_notes(known: dict[str, str | None], row: PresetRow, table: Table) -> list[str]:
    """Say what is missing for a better row."""
    missing = [key for key in table.keys if known[key] is None]
    notes = []
    if missing:
        part = tuple(key for key in table.keys if known[key] is not None)
        told = " and ".join(f"the {key}" for key in part) or "nothing"
        notes.append(
            f"{' and '.join(missing)} unknown: the row for {told} known is used; "
            f"say it with {' and '.join('--' + key for key in missing)}"
        )
        if table.name == "published":
            notes.append(f"AUTO-DIP takes {_NEAREST[part]} here; that needs a calibration base")
    elif any(getattr(row, key) != known[key] for key in table.keys):
        group = f"{known['microscope']} and {known['specimen']}"
        notes.append(f"no row for {group}: the nearest more general one is used")
    return notes
