"""``autodip denoise``: image files in, image files and their sidecars out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from autodip import io
from autodip.cli.shared_options import checked, choice_options, configured, resolve_device
from autodip.cli.voice import Voice
from autodip.cli.workers import workers_of, workers_options
from autodip.compute.cluster import Cluster
from autodip.errors import ParameterError
from autodip.pipeline.options import DTYPES, Options
from autodip.runs import manifest, sidecar
from autodip.runs.batch import Batch
from autodip.runs.inputs import Input, find, pair, several
from autodip.runs.job import Job, Settings
from autodip.runs.journal import digest, plain
from autodip.runs.ledger import Call, Record, Unrecorded
from autodip.runs.sidecar import SIDECAR_SUFFIX

_REPEATED = (
    "microscope",
    "specimen",
    "preset",
    "iterations",
    "depth",
    "width",
    "skip",
    "refine",
    "budget",
    "base",
    "strategy",
    "criterion",
    "config",
    "independent",
    "tile",
    "max_memory",
    "seed",
)
"""Options that a sidecar given by --params decides."""

_OF_BASE = ("base", "strategy", "criterion")


@dataclasses.dataclass(frozen=True)
class _General:
    """What holds for the files of which no manifest says otherwise.

    Parameters
    ----------
    given : mapping
        Options of the command line, with those of the config file.
    said : collection of str
        Names of those of the command line.
    options : Options
    repeated : bool
        Whether they are those of a sidecar.
    """

    given: Mapping[str, Any]
    said: Sequence[str]
    options: Options
    repeated: bool

    def job(self, found: Input, target: Path) -> Job:
        """Job for an input, by its manifest where it says something."""
        said = dict(found.said)
        selection = {name: said.get(name, self.given[name]) for name in sidecar.SELECTION}
        return Job(found.path, target, self._options(said), selection, found.said)

    def on(self, cluster: Cluster | None) -> _General:
        """The same with the device named that computes, here or on a cluster."""
        if cluster is None:
            return dataclasses.replace(self, options=resolve_device(self.options))
        device = cluster.device(self.options.device)
        return dataclasses.replace(self, options=dataclasses.replace(self.options, device=device))

    def _options(self, said: Mapping[str, str]) -> Options:
        if not said:
            return self.options
        clash = [name for name in said if name in _REPEATED]
        if self.repeated and clash:
            raise ParameterError(f"{clash[0]} is decided by --params; leave one of the two out")
        values = {**self.given, **said}
        if "preset" in said:
            values["budget"] = None
            values.update({name: None for name in _OF_BASE if "base" not in self.said})
        own = checked(values)
        if self.repeated:
            return self.options
        return dataclasses.replace(own, dtype=self.options.dtype, device=self.options.device)


@click.command()
@click.argument("inputs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(), help="Output file, or folder.")
@choice_options
@click.option(
    "--params",
    type=click.Path(path_type=Path),
    metavar="SIDECAR",
    help=f"Repeat the run that a {SIDECAR_SUFFIX} file records.",
)
@click.option(
    "--format",
    type=click.Choice(list(io.FORMATS)),
    help="Write this format in place of the input's; vendors' files become OME-TIFF.",
)
@click.option("--dtype", type=click.Choice(DTYPES), help="Type of the pixels written; the input's.")
@click.option("--recursive", is_flag=True, help="Search the sub-folders of folders as well.")
@workers_options
@click.option("--overwrite", is_flag=True, help="Replace outputs that exist.")
@click.option("--skip-existing", is_flag=True, help="Leave out inputs whose output exists.")
@click.option("--dry-run", is_flag=True, help="Say what would be done; fit and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.option("-v", "--verbose", count=True, help="Print the choice and its evidence.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
@click.pass_context
def command(
    context: click.Context,
    /,
    inputs: tuple[Path, ...],
    out: str,
    params: Path | None,
    recursive: bool,
    scheduler: str | None,
    workers: int | None,
    overwrite: bool,
    skip_existing: bool,
    dry_run: bool,
    as_json: bool,
    verbose: int,
    quiet: bool,
    **given: Any,
) -> int:
    """Denoise INPUTS: image files, folders of them, patterns such as 'data/**/*.tif', manifests.

    Read and written are TIFF (plain, ImageJ, OME), OME-Zarr, PNG, NPY, NPZ and MRC; read alone
    ND2, LIF and CZI. Every output has the format, shape, axes, type and metadata of its input.
    Beside it stands a JSON file with the parameters, the reasons for them and quality indicators.

    A manifest is a CSV with the columns file and, where wanted, output, microscope, specimen, axes,
    frames, channel, scene and preset; or a JSON list of objects with these keys. What it says of a
    file wins over the options.

    More than one file leaves run.json and summary.csv in the output folder. Such a run can be
    stopped at any moment: the same command goes on where it was.
    """
    if overwrite and skip_existing:
        raise click.UsageError("--overwrite and --skip-existing exclude each other")
    if quiet and verbose:
        raise click.UsageError("-v and -q exclude each other")
    general = _general(context, params, given)
    found, failed = find(inputs, recursive=recursive, out=Path(out))
    pairs = pair(found, out, inputs, given["format"])
    _jobs(pairs, general)  # refuses what is wrong before workers are started
    settings = Settings(given["format"], overwrite, skip_existing, dry_run)
    voice = Voice(-1 if quiet else verbose, as_json)
    with workers_of(scheduler, workers) as cluster:
        general = general.on(cluster)
        jobs = _jobs(pairs, general)
        call = _call(context, Path(out), general, settings)
        with Record(call, jobs) if jobs and several(inputs) else Unrecorded() as record:
            return voice.run(Batch(settings, record, cluster, failed), jobs)


def _general(context: click.Context, params: Path | None, given: dict[str, Any]) -> _General:
    """Options of the command line, checked before any file is touched."""
    said = [
        name for name in given if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if params is not None:
        given = _repeat(params, given, said)
        options = given.pop("options")
    else:
        given = configured(given)
        options = dataclasses.replace(checked(given), dtype=given["dtype"])
    return _General(given, said, options, params is not None)


def _repeat(path: Path, given: dict[str, Any], said: Sequence[str]) -> dict[str, Any]:
    """Options as a sidecar records them; device and part of the image may be given anew."""
    import torch  # noqa: PLC0415  (a second; only here)

    clash = sorted(set(said) & set(_REPEATED))
    if clash:
        raise click.UsageError(f"--{clash[0]} is decided by --params; leave one of the two out")
    options, selection, threads = sidecar.read(path)
    torch.set_num_threads(threads)
    if "device" in said:
        options = dataclasses.replace(options, device=given["device"])
    kept = {name: given[name] if name in said else value for name, value in selection.items()}
    return {**given, **kept, "options": options}


def _jobs(pairs: Sequence[tuple[Input, Path]], general: _General) -> list[Job]:
    """Jobs of all inputs; a ParameterError names all rows of manifests that are wrong."""
    jobs: list[Job] = []
    wrong: list[str] = []
    for found, target in pairs:
        try:
            jobs.append(general.job(found, target))
        except ParameterError as error:
            wrong.append(f"{found.where}: {error}")
    manifest.refuse(wrong)
    return jobs


def _call(context: click.Context, out: Path, general: _General, settings: Settings) -> Call:
    """What is recorded of the command, and what it is known again by."""
    inputs = [str(path.absolute()) for path in context.params["inputs"]]
    selection = {name: general.given[name] for name in sidecar.SELECTION}
    options = {k: v for k, v in plain(general.options).items() if k != "choices"}
    asked = {
        **options,
        **selection,
        "format": settings.format,
        "recursive": context.params["recursive"],
        "overwrite": settings.overwrite,
    }
    params = context.params["params"]
    identity = digest([inputs, str(out.absolute()), general.options, asked])
    facts = {
        "command": ["autodip", *map(str, context.obj or [])],
        "versions": sidecar.versions(),
        "options": {
            **asked,
            "skip_existing": settings.skip_existing,
            "params": None if params is None else str(params),
        },
    }
    return Call(out, identity, facts, settings.format, settings.dry_run)
