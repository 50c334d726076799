"""The sidecar of an output: how it was computed, for which reasons, and how to repeat it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autodip.choose.presets import PRESETS
from autodip.errors import FormatError, ParameterError
from autodip.image.windows import Tiling
from autodip.pipeline.options import SPECS, Options
from autodip.runs.plane_records import ChannelRecord, PlaneRecord, RepairRecord
from autodip.runs.selection import Selection
from autodip.util.paths import check_source
from autodip.util.text import to_json
from autodip.util.values import Value, check_float, check_types

SCHEMA = 2
"""Version of the content; schema 1 can be read as well."""

SIDECAR_SUFFIX = ".autodip.json"

RESTORED = tuple(name for name, spec in SPECS.items() if not spec.chooses and name != "max_memory")
"""Options that a repeated run takes from the sidecar.

The other options are contained in the recorded choices. The exception is ``max_memory``, which is
not repeated, because the recorded tiling is used regardless of the available memory.
"""


@dataclass(frozen=True, kw_only=True)
class Sidecar(Value):
    """Content of a sidecar.

    Parameters
    ----------
    schema : int
    input, output : mapping
        Name, path relative to the folder of the output, hash and properties of the input; name
        and data type of the output.
    base : str or None
        Folder of the calibration base that was searched, relative to that of the output; None if
        there was none, or it was the built-in one.
    notes : tuple of str
        What the user should know about the input, from its reader and from the examination of
        its pixels.
    selection : Selection
    options : mapping
        Options that were specified, except ``max_memory`` and those that only decide on the
        choice; see :data:`RESTORED`.
    seed, independent, tiling, device, peak_memory
        As in :class:`autodip.pipeline.result.Computed`.
    threads : int
        Number of threads that computed, here or in each worker.
    seconds : float
        Run time, summed over the planes.
    finished : str
        Time of completion, UTC, ISO 8601.
    channels : tuple of ChannelRecord
    planes : tuple of PlaneRecord
    repairs : tuple of RepairRecord
        Planes with defects.
    versions : mapping of str to str, or None
        Software and architecture on which the result may depend; see
        :func:`autodip.runs.saving.versions`.
    processor : mapping of str to str, or None
        Kind of processor that computed; see :func:`autodip.compute.processor.kind`.
    """

    schema: int = SCHEMA
    input: Mapping[str, Any]
    output: Mapping[str, Any]
    base: str | None = None
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
    processor: Mapping[str, str] | None = None

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
    except FormatError as error:
        raise ParameterError(str(error)) from error
    except (OSError, ValueError, RecursionError) as error:
        raise ParameterError(f"{path}: not a readable sidecar ({error})") from error
    try:
        found = Sidecar.parse(content)
        found.repeated()
        return found
    except ParameterError as error:
        raise ParameterError(f"{path}: {error}") from error
