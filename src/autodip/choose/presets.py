"""Tables of parameters by microscope and specimen: reading, validation and row lookup."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from functools import cache
from importlib import resources
from typing import Any

from autodip.choose.adapt import Proposal
from autodip.choose.choice import Choice, Evidence, Explicit
from autodip.choose.describe import Description
from autodip.errors import ParameterError
from autodip.fit.params import FitParams, NetParams
from autodip.image.kind import Kind
from autodip.physics.noise import CERTAIN
from autodip.prior.setting import PriorParams
from autodip.refine.refinement import RefineParams
from autodip.util.closest import not_known

_NEAREST = {
    ("microscope",): "the nearest calibration image of that microscope by LPIPS",
    ("specimen",): "the nearest calibration image of that specimen by mean gradient",
    (): "the nearest calibration image in a UMAP of the pixels",
}
"""What AUTO-DIP uses if only these are known; it needs the calibration images."""


SCHEMA = 1
PRESETS = ("original", "published", "fast", "balanced", "best", "untrained")
"""Names of the tables included in the package; ``balanced`` is the default."""
BY_QUALITY = ("best", "balanced", "fast")
"""Presets calibrated for this package, the best and most costly first."""
CALIBRATED = (*BY_QUALITY, "untrained")
"""Presets whose fits were calibrated on the base included in the package."""


@dataclass(frozen=True)
class PresetRow:
    """Parameters for one group of images.

    Parameters
    ----------
    kind : Kind
        Group of images; None in one of its fields means "any".
    net, fit : NetParams, FitParams
    pixels : int or None
        Number of pixels of the images on which the iterations were measured, from which they are
        scaled to other sizes. None if the iterations hold for images of any size.
    smaller_stops_earlier : bool
        Scale iterations down for images smaller than the calibration images. False where the
        count was limited by run time rather than by overfitting.
    refine : RefineParams or None
        How the result of the fit is refined; None if it is not refined.
    correlated_iterations : int or None
        Number of iterations for images whose noise is correlated between neighbours; such noise
        is fitted earlier, and the earlier the smaller the image. None if ``fit`` applies to these
        images too.
    prior : PriorParams or None
        Learned prior that is applied instead of the fit; None if the images are fitted.
    """

    kind: Kind
    net: NetParams
    fit: FitParams
    _: KW_ONLY
    pixels: int | None = None
    smaller_stops_earlier: bool = True
    refine: RefineParams | None = None
    correlated_iterations: int | None = None
    prior: PriorParams | None = None


@dataclass(frozen=True)
class Table:
    """A named, versioned table with the source of its values."""

    name: str
    version: str
    source: str
    rows: tuple[PresetRow, ...]

    def find(self, group: Kind) -> PresetRow | None:
        """Row of exactly this group; None if the table has no such row."""
        return next((row for row in self.rows if row.kind == group), None)

    @property
    def keys(self) -> tuple[str, ...]:
        """Which of microscope and specimen the table distinguishes."""
        everywhere = set.intersection(*(set(row.kind.missing) for row in self.rows))
        return tuple(key for key in ("microscope", "specimen") if key not in everywhere)


def parse(content: Mapping[str, Any]) -> Table:
    """Parse and validate the content of a table file.

    Raises
    ------
    ParameterError
        If the schema, a key or a value is not allowed, if two rows describe the same group, or
        if there is no row for images of which nothing is known.
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
            Kind(row["microscope"], row["specimen"]),
            NetParams.from_dict(row["net"]),
            FitParams.from_dict(row["fit"]),
            pixels=row.get("pixels"),
            smaller_stops_earlier=row.get("smaller_stops_earlier", True),
            refine=RefineParams.from_dict(row["refine"]) if row.get("refine") is not None else None,
            correlated_iterations=row.get("correlated_iterations"),
            prior=PriorParams.from_dict(row["prior"]) if row.get("prior") is not None else None,
        )
        for row in content["rows"]
    )
    groups = [row.kind for row in rows]
    if len(set(groups)) != len(groups) or Kind() not in groups:
        raise ParameterError(
            f"table {content['name']!r}: each group needs one row, and one row must apply to "
            f"images of which nothing is known; groups are {[group.names for group in groups]}"
        )
    return Table(content["name"], content["version"], content["source"], rows)


@cache
def load(preset: str) -> Table:
    """Load the table of a preset included in the package.

    Raises
    ------
    ParameterError
        If there is no preset of that name.
    """
    if preset not in PRESETS:
        raise ParameterError(not_known("preset", preset, PRESETS))
    file = resources.files("autodip") / "data" / f"{preset}.json"
    return parse(json.loads(file.read_text(encoding="utf-8")))


def propose(description: Description, table: Table) -> Proposal:
    """Propose the parameters of one image from a table of groups.

    The row is the first that the table has for the microscope and specimen of the image, its
    microscope, its specimen, or all images.
    """
    known = description.kind
    row = _row(known, table)
    fit, pixels, notes = row.fit, row.pixels, _group_notes(known, row, table)
    earlier = row.smaller_stops_earlier
    noise = description.noise
    if row.correlated_iterations and noise and min(noise.correlation) >= CERTAIN:
        fit, earlier = fit.replace(iterations=row.correlated_iterations), True
        if row.prior is None:
            notes.append(
                "the noise is correlated between neighbours, and a network fits such noise early"
            )
    evidence = Evidence(
        preset=table.name,
        table=f"{table.name} {table.version}",
        source=table.source,
        group=row.kind,
        known=known,
        origin=dict(description.origin),
        notes=tuple(notes),
    )
    return Proposal(
        row.net,
        fit,
        row.refine,
        evidence,
        pixels=pixels,
        smaller_stops_earlier=earlier,
        prior=row.prior,
    )


def choose(description: Description, table: Table, explicit: Explicit | None = None) -> Choice:
    """Choose the parameters of one image of ``description.shape`` from a table of groups.

    Raises
    ------
    ParameterError
        If an explicit value is not allowed, or an explicit depth is too large for the image.
    ImageError
        If the image is too small for any network.
    """
    return propose(description, table).fitted_to(description.shape, explicit)


def _row(known: Kind, table: Table) -> PresetRow:
    """First matching row, from the most specific group to "any"."""
    kind = Kind(**{key: getattr(known, key) for key in table.keys})
    rows = (table.find(group) for group in kind.fallbacks())
    return next(row for row in rows if row is not None)  # every table has a row for "any"


def _group_notes(known: Kind, row: PresetRow, table: Table) -> list[str]:
    """Notes on what is missing for a more specific row."""
    missing = [key for key in table.keys if key in known.missing]
    notes = []
    if missing:
        stated = [key for key in table.keys if key not in missing]
        part = tuple(key for key in stated if getattr(row.kind, key) == getattr(known, key))
        used = " and ".join(f"the known {key}" for key in part) or "all images"
        without = "".join(f", no row for {getattr(known, k)}" for k in stated if k not in part)
        notes.append(
            f"{' and '.join(missing)} unknown{without}: the row for {used} is used; "
            f"specify with {' and '.join('--' + key for key in missing)}"
        )
        if table.name == "published":
            notes.append(f"AUTO-DIP uses {_NEAREST[part]}, which needs a calibration base")
    elif any(getattr(row.kind, key) != getattr(known, key) for key in table.keys):
        used = f"the row for {row.kind.words}" if row.kind.words else "the row for all images"
        notes.append(f"no row for {known.words}: {used} is used instead")
    return notes
