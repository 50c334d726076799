"""Options and selection for a run, with the values that apply to single files only."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autodip.choose import vocabulary
from autodip.compute.cluster import Cluster
from autodip.errors import ParameterError
from autodip.fit.params import NetParams
from autodip.image.channels import PerChannel
from autodip.pipeline.options import SPECS, Options
from autodip.runs import defaults, manifest, places
from autodip.runs import selection as selections
from autodip.runs.inputs import Input
from autodip.runs.job import Job
from autodip.runs.selection import Selection

REPEATED = (*(name for name, spec in SPECS.items() if not spec.of_run), "config")
"""Options that are determined by the sidecar if a run is repeated."""

_OF_BASE = ("base", "strategy", "criterion")


def configured(
    given: Mapping[str, Any], said: Collection[str], config: Path | None
) -> dict[str, Any]:
    """Options completed with the values of the config file for those that were not specified.

    Parameters
    ----------
    given : mapping
        Values by name, including defaults.
    said : collection of str
        Names of the options that were specified.
    config : Path or None
        Config file; None for the user's own, if it exists.

    Raises
    ------
    ParameterError
        If the file cannot be read, or one of its keys or values is not allowed.
    """
    found = defaults.find(config)
    if found is None:
        return dict(given)
    values = defaults.read(found)
    channels = values.pop("channels", {})
    if {"budget", "preset"} & set(said):  # a specified preset overrides a configured base
        said = {*said, *_OF_BASE}
    own = {name: value for name, value in values.items() if name not in said}
    for name in ("microscope", "specimen"):
        tables = {channel: table[name] for channel, table in channels.items() if name in table}
        wanted = PerChannel.of(given[name] if name in said else None, f"--{name}")
        if tables and wanted.everywhere is None:
            own[name] = PerChannel(values.get(name), wanted.given, tables)
        elif wanted.given:
            own[name] = PerChannel(values.get(name), wanted.given)
    return {**given, **own}


def checked(given: Mapping[str, Any]) -> Options:
    """Create the options from values by name, checked as far as possible without a file.

    Raises
    ------
    ParameterError
        If a value is not allowed.
    """
    for name, known in (("microscope", vocabulary.microscope), ("specimen", vocabulary.specimen)):
        for word in PerChannel.of(given[name], f"--{name}").values():
            known(word)
    options = Options(**{name: given[name] for name in SPECS})
    for name, value in options.explicit.items():
        least = 0 if name == "skip" else 1
        values = value if isinstance(value, tuple) else (value,)
        if any(isinstance(v, int) and not isinstance(v, bool) and v < least for v in values):
            raise ParameterError(f"--{name} {value}: it must be {least} or more")
    depth, width = options.explicit.depth, options.explicit.width
    if depth is not None:
        NetParams(depth, width if width is not None else 1)  # raises if they do not match
    return options


@dataclass(frozen=True, kw_only=True)
class Request:
    """What applies to all files of a run, unless a manifest specifies otherwise.

    Parameters
    ----------
    given : mapping
        Values of options and selection by name, including those of the config file.
    said : collection of str
        Names of those that were specified in the call itself.
    options : Options
    selection : Selection
    repeated : bool
        Whether options and selection were taken from a sidecar.
    """

    given: Mapping[str, Any]
    said: Collection[str]
    options: Options
    selection: Selection
    repeated: bool = False

    @classmethod
    def of(cls, given: Mapping[str, Any], said: Collection[str], config: Path | None) -> Request:
        """Complete the given values with those of the config file, and check them.

        Raises
        ------
        ParameterError
            If the config file cannot be read, or a value is not allowed.
        """
        values = configured(given, said, config)
        selection = Selection(**{name: given[name] for name in selections.SPECS})
        return cls(given=values, said=said, options=checked(values), selection=selection)

    def on(self, cluster: Cluster | None) -> Request:
        """Copy in which the device is resolved, for this machine or for a cluster."""
        if cluster is None:
            from autodip.compute import device  # noqa: PLC0415  (imports torch)

            resolved = device.resolve(self.options.device)
        else:
            resolved = cluster.device(self.options.device)
        return dataclasses.replace(self, options=self.options.replace(device=resolved))

    def jobs(self, pairs: Sequence[tuple[Input, Path]]) -> list[Job]:
        """Jobs for all inputs; a ParameterError lists the invalid rows of manifests."""
        jobs: list[Job] = []
        wrong: list[str] = []
        for found, target in pairs:
            try:
                jobs.append(self.job(found, target))
            except ParameterError as error:
                wrong.append(f"{found.where}: {error}")
        manifest.refuse(wrong)
        mapped = [job.target for job in jobs if job.options.uncertainty]
        places.check_maps([job.target for job in jobs], mapped)
        return jobs

    def job(self, found: Input, target: Path) -> Job:
        """Job for an input, with the values that its manifest specifies for the file.

        Raises
        ------
        ParameterError
            If a value in the manifest is not allowed.
        """
        said = dict(found.said)
        own = {name: said[name] for name in selections.SPECS if name in said}
        selection = self.selection.replace(**own)
        return Job(found.path, target, self._options(said), selection, found.said)

    def _options(self, said: Mapping[str, str]) -> Options:
        clash = [name for name in said if name in REPEATED]
        if self.repeated and clash:
            raise ParameterError(f"{clash[0]} is decided by --params; leave one of the two out")
        if self.repeated or not set(said) & set(SPECS):
            return self.options
        values = {**self.given, **said}
        if "preset" in said:
            values["budget"] = None
            values.update({name: None for name in _OF_BASE if "base" not in self.said})
        return checked(values).replace(device=self.options.device)
