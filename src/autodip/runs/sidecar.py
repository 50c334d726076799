"""The sidecar of an output: how it was computed, for which reasons, and how to repeat it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autodip.choose.choice import Choice
from autodip.choose.describe import Description
from autodip.choose.presets import PRESETS
from autodip.errors import ParameterError
from autodip.fit.counting import Cost
from autodip.image.image import PlaneIndex
from autodip.image.windows import Tiling, Window
from autodip.physics.noise import Noise
from autodip.pipeline.assess import Assessment
from autodip.pipeline.options import SPECS, Options
from autodip.pipeline.plan import ChannelPlan
from autodip.pipeline.repair import Repair
from autodip.pipeline.result import PlaneResult
from autodip.prior.observation import Observation
from autodip.runs.selection import Selection
from autodip.util.paths import check_source
from autodip.util.text import to_json
from autodip.util.values import Value, check_float, check_types

SCHEMA = 2
"""Version of the content; schema 1 can be read as well."""

_LISTED = 1000
"""Number of hot and dead pixels of a plane that are listed."""

SIDECAR_SUFFIX = ".autodip.json"

RESTORED = tuple(name for name, spec in SPECS.items() if not spec.chooses and name != "max_memory")
"""Options that a repeated run takes from the sidecar.

The other options are contained in the recorded choices. The exception is ``max_memory``, which is
not repeated, because the recorded tiling is used regardless of the available memory.
"""


@dataclass(frozen=True, kw_only=True)
class ChannelRecord(Value):
    """Record of what was done with one channel.

    Parameters
    ----------
    name, description, choice, fits, followers, seconds
        As in :class:`autodip.pipeline.plan.ChannelPlan`.
    cost_per_plane, cost_following : Cost, Cost or None
        ``cost`` and ``following`` of that class.
    """

    name: str = ""
    description: Description
    choice: Choice
    cost_per_plane: Cost
    fits: int = 1
    cost_following: Cost | None = None
    followers: int = 0
    seconds: float | None = None

    @classmethod
    def of(cls, plan: ChannelPlan) -> ChannelRecord:
        """Create the record from a plan."""
        return cls(
            name=plan.name,
            description=plan.description,
            choice=plan.choice,
            cost_per_plane=plan.cost,
            fits=plan.fits,
            cost_following=plan.following,
            followers=plan.followers,
            seconds=plan.seconds,
        )


@dataclass(frozen=True, kw_only=True)
class PlaneRecord(Value):
    """Record of what was done with one plane, or with one window of it.

    Parameters
    ----------
    index : mapping of str to int
        Position of the plane along the axes other than Y and X.
    window : Window or None
        None for the whole plane.
    iterations : int
        Number of iterations of the fit, or of passes of the learned prior; 0 for a constant
        plane.
    loss : float or None
        Mean squared error on the [0, 1] scale at the last iteration; None for a constant plane.
    fallbacks, refined, follows, noise, assessment, observed, reason
        As in :class:`autodip.pipeline.result.PlaneResult`.
    seconds : float
        Run time.
    note : str
        Remark on a constant plane; empty for other planes.
    """

    index: Mapping[str, int]
    window: Window | None = None
    iterations: int = 0
    loss: float | None = None
    fallbacks: int = 0
    refined: bool = False
    follows: bool = False
    seconds: float = 0.0
    noise: Noise | None = None
    assessment: Assessment | None = None
    observed: Observation | None = None
    reason: str = ""
    note: str = ""

    @classmethod
    def of(cls, plane: PlaneResult) -> PlaneRecord:
        """Create the record from the result of a plane."""
        fitted = len(plane.history) > 0
        return cls(
            index=dict(plane.index),
            window=plane.window,
            iterations=int(plane.history[-1, 0]) if fitted else 0,
            loss=float(plane.history[-1, 1]) if fitted else None,
            fallbacks=plane.fallbacks,
            refined=plane.refined,
            follows=plane.follows,
            seconds=round(plane.seconds, 3),
            noise=plane.description.noise,
            assessment=plane.assessment,
            observed=plane.observed,
            reason=plane.reason,
            note="" if plane.assessment else "constant plane, passed through",
        )

    @property
    def channel(self) -> int:
        """Number of the channel of the plane, from 0."""
        return self.index.get("C", self.index.get("S", 0))


@dataclass(frozen=True, kw_only=True)
class RepairRecord(Value):
    """Record of the defects of one plane.

    Parameters
    ----------
    index : mapping of str to int
        Position of the plane along the axes other than Y and X.
    empty : float
        Share of the pixels that hold no measurement and were returned unchanged.
    outliers : int
        Number of hot and dead pixels.
    places : tuple of (int, int)
        Row and column of each, at most 1000.
    rows, columns : float or None
        Standard deviation of the offsets subtracted from rows and columns, in units of the image;
        None if there were none.
    """

    index: Mapping[str, int]
    empty: float = 0.0
    outliers: int = 0
    places: tuple[tuple[int, ...], ...] = ()
    rows: float | None = None
    columns: float | None = None

    @classmethod
    def of(cls, index: PlaneIndex, repair: Repair) -> RepairRecord:
        """Create the record from the repair of a plane."""
        found = repair.defects
        rows, columns = repair.row_offsets, repair.column_offsets
        return cls(
            index=dict(index),
            empty=float(found.empty.mean()),
            outliers=len(found.outliers),
            places=tuple((int(y), int(x)) for y, x in found.outliers[:_LISTED]),
            rows=None if rows is None else float(rows.std()),
            columns=None if columns is None else float(columns.std()),
        )


@dataclass(frozen=True, kw_only=True)
class Sidecar(Value):
    """Content of a sidecar.

    Parameters
    ----------
    schema : int
    input, output : mapping
        Name, hash and properties of the input; name and data type of the output.
    notes : tuple of str
        What the user should know about the input, from its reader and from the examination of
        its pixels.
    selection : Selection
    options : mapping
        Options that were specified, except ``max_memory`` and those that only decide on the
        choice; see :data:`RESTORED`.
    seed, independent, tiling, device, peak_memory
        As in :class:`autodip.pipeline.result.Result`.
    threads : int
        Number of threads that torch used.
    seconds : float
        Run time, summed over the planes.
    finished : str
        Time of completion, UTC, ISO 8601.
    channels : tuple of ChannelRecord
    planes : tuple of PlaneRecord
    repairs : tuple of RepairRecord
        Planes with defects.
    versions : mapping of str to str, or None
        Software and processor on which the result may depend; see
        :func:`autodip.runs.saving.versions`.
    """

    schema: int = SCHEMA
    input: Mapping[str, Any]
    output: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    selection: Selection
    options: Mapping[str, Any]
    seed: int
    independent: bool = True
    tiling: Tiling | None = None
    device: str
    threads: int
    seconds: float = 0.0
    peak_memory: int | None = None
    finished: str = ""
    channels: tuple[ChannelRecord, ...]
    planes: tuple[PlaneRecord, ...] = ()
    repairs: tuple[RepairRecord, ...] = ()
    versions: Mapping[str, str] | None = None

    @classmethod
    def parse(cls, content: Any) -> Sidecar:
        """Create from the content of a file of this schema or an older one.

        Raises
        ------
        ParameterError
            If the content has another schema, or is damaged.
        """
        schema = content.get("schema") if isinstance(content, dict) else None
        if schema not in (1, SCHEMA):
            raise ParameterError(
                "not a sidecar of this version; give the file that ends in "
                f"{SIDECAR_SUFFIX} and lies next to a denoised image"
            )
        try:
            found = cls.from_dict(_upgraded(content) if schema == 1 else content)
            check_types(found)
            for channel in found.channels:
                for near in channel.choice.evidence.neighbours:
                    check_float(f"distance of {near['name']}", near["distance"], 0, math.inf)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise ParameterError(f"a damaged sidecar ({error})") from error
        return found

    def repeated(self) -> Options:
        """Options that repeat the run.

        Raises
        ------
        ParameterError
            If the values do not describe a run.
        """
        given = {name: value for name, value in self.options.items() if name in RESTORED}
        choices = tuple(channel.choice for channel in self.channels)
        if not choices or self.threads < 1:
            raise ParameterError(
                f"a damaged sidecar (it has {len(choices)} channels and {self.threads} threads)"
            )
        tile = self.tiling.side if self.tiling else 0
        settled = {"device": self.device, "tile": tile, "preset": choices[0].evidence.preset}
        return Options(**{**given, **settled}, choices=choices)


def _upgraded(content: Mapping[str, Any]) -> dict[str, Any]:
    """Convert content of schema 1 to the current schema."""
    output, own = content["output"], content["input"]["dtype"]
    written = output.get("dtype")
    options = {
        "seed": content["seed"],
        "independent": bool(content.get("independent", True)),
        "dtype": None if written in (None, own) else str(written),
    }
    defaults = Selection().to_dict()
    selection = {name: content["selection"].get(name) or defaults[name] for name in defaults}
    channels = [{**one, "choice": _with_strategy(one["choice"])} for one in content["channels"]]
    changed = {"selection": selection, "channels": channels, "options": options, "schema": SCHEMA}
    return {**content, **changed}


def _with_strategy(choice: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a choice of schema 1, which had the strategy of a base in place of the preset."""
    evidence = choice["evidence"]
    if evidence["preset"] in PRESETS:
        return dict(choice)
    default = Options().preset
    return {**choice, "evidence": {**evidence, "preset": default, "strategy": evidence["preset"]}}


def beside(target: Path) -> Path:
    """Path of the sidecar of an output."""
    return target.with_name(target.name + SIDECAR_SUFFIX)


def recorded(target: Path) -> Sidecar | None:
    """Sidecar of an output; None if it does not exist or cannot be read."""
    try:
        return Sidecar.parse(json.loads(beside(target).read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return None


def read(path: Path) -> Sidecar:
    """Read a sidecar.

    Raises
    ------
    ParameterError
        If the file is missing, not JSON, of another schema, or damaged.
    """
    try:
        check_source(path)
        content = json.loads(path.read_text(encoding="utf-8"))
        to_json(content)  # raises if a number is not finite
    except (OSError, ValueError, RecursionError) as error:
        raise ParameterError(f"{path}: not a readable sidecar ({error})") from error
    try:
        found = Sidecar.parse(content)
        found.repeated()
        return found
    except ParameterError as error:
        raise ParameterError(f"{path}: {error}") from error
