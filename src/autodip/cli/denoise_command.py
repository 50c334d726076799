"""``autodip denoise``: image files in, image files and their sidecars out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from autodip import io
from autodip.cli import signals
from autodip.cli.shared_options import choice_options, said_of
from autodip.cli.voice import Voice
from autodip.cli.workers import workers_of, workers_options
from autodip.pipeline.options import SPECS
from autodip.runs import selection, sidecar
from autodip.runs.batch import Batch
from autodip.runs.inputs import find, several
from autodip.runs.job import Settings
from autodip.runs.ledger import Call, Record, Unrecorded
from autodip.runs.places import pair
from autodip.runs.request import REPEATED, Request
from autodip.runs.sidecar import SIDECAR_SUFFIX, Sidecar


@click.command()
@click.argument("inputs", nargs=-1, required=True, type=click.Path(path_type=Path, readable=False))
@click.option(
    "-o", "--out", required=True, type=click.Path(readable=False), help="Output file or folder."
)
@choice_options
@click.option(
    "--params",
    type=click.Path(path_type=Path, readable=False),
    metavar="SIDECAR",
    help=f"Repeat the run that is recorded in a {SIDECAR_SUFFIX} file.",
)
@click.option(
    "--format",
    type=click.Choice(list(io.FORMATS)),
    help="Output format; default: that of the input, or OME-TIFF for ND2, LIF and CZI files.",
)
@click.option("--recursive", is_flag=True, help="Include the sub-folders of folders.")
@workers_options
@click.option("--overwrite", is_flag=True, help="Replace existing outputs.")
@click.option("--skip-existing", is_flag=True, help="Skip inputs whose output exists.")
@click.option(
    "--dry-run", is_flag=True, help="Show what would be done, without fitting or writing anything."
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.option(
    "-v", "--verbose", count=True, help="Print the chosen parameters and the reasons for them."
)
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
@click.pass_context
@signals.keeping("finished files are kept; the same command resumes")
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
    """Denoise INPUTS: image files, folders, patterns such as 'data/**/*.tif', or manifests.

    TIFF (plain, ImageJ, OME), OME-Zarr, PNG, NPY, NPZ and MRC files can be read and written; ND2,
    LIF and CZI files can be read. Every output has the format, shape, axes, data type and metadata
    of its input, unless specified otherwise. A JSON file next to it, the sidecar, contains the
    parameters, the reasons for them, and quality indicators.

    A manifest is a CSV file with the column file and optionally output, microscope, specimen, axes,
    frames, channel, scene and preset; or a JSON list of objects with these keys. Its values
    override the options for the respective file.

    For more than one file, run.json and summary.csv are written to the output folder. Such a run
    can be stopped at any time; the same command resumes it.
    """
    if overwrite and skip_existing:
        raise click.UsageError("--overwrite and --skip-existing exclude each other")
    if quiet and verbose:
        raise click.UsageError("-v and -q exclude each other")
    request = _request(params, given)
    found, failed = find(inputs, recursive=recursive, out=Path(out))
    pairs = pair(found, out, inputs, given["format"])
    request.jobs(pairs)  # reports errors before workers are started
    settings = Settings(given["format"], overwrite, skip_existing, dry_run)
    voice = Voice(-1 if quiet else verbose, as_json)
    with workers_of(scheduler, workers) as cluster:
        request = request.on(cluster)
        jobs = request.jobs(pairs)
        call = Call.of(
            inputs,
            Path(out),
            request,
            settings,
            command=["autodip", *map(str, context.obj or [])],
            recursive=recursive,
            params=params,
        )
        with Record(call, jobs) if jobs and several(inputs) else Unrecorded() as record:
            return voice.run(Batch(settings, record, cluster, failed), jobs)


def _request(params: Path | None, given: dict[str, Any]) -> Request:
    """Combine what the command line, a sidecar and the config file specify."""
    said = said_of(given)
    if params is None:
        return Request.of(given, said, given["config"])
    clash = sorted(set(said) & set(REPEATED))
    if clash:
        raise click.UsageError(f"--{clash[0]} is decided by --params; leave one of the two out")
    return _repeated(sidecar.read(params), given, said)


def _repeated(content: Sidecar, given: dict[str, Any], said: Sequence[str]) -> Request:
    """Request that repeats a sidecar; device, dtype and selection may be specified again."""
    import torch  # noqa: PLC0415  (takes a second; needed only here)

    torch.set_num_threads(max(1, content.threads))
    anew = {name: given[name] for name in said if name in SPECS}
    part = {name: given[name] for name in said if name in selection.SPECS}
    return Request(
        given=given,
        said=said,
        options=content.repeated().replace(**anew),
        selection=content.selection.replace(**part),
        repeated=True,
    )
