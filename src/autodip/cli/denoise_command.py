"""``autodip denoise``: image files in, image files and their sidecars out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from autodip import io
from autodip.cli import signals
from autodip.cli.commands import Described, Known
from autodip.cli.replies import wants_json
from autodip.cli.shared_options import choice_options, said_of
from autodip.cli.voice import Voice
from autodip.cli.workers import workers_of, workers_options
from autodip.compute.cluster import Cluster
from autodip.compute.threads import limit, limited
from autodip.pipeline.options import SPECS
from autodip.pipeline.workspace import Workplace
from autodip.runs import repeating, selection, sidecar
from autodip.runs.batch import Batch
from autodip.runs.companions import FIGURE_SUFFIX, PAGE_SUFFIX, Companions
from autodip.runs.inputs import find, several
from autodip.runs.job import Settings
from autodip.runs.ledger import Call, Record, Unrecorded
from autodip.runs.places import format_of, pair
from autodip.runs.request import REPEATED, Request
from autodip.runs.sidecar import SIDECAR_SUFFIX, Sidecar


@click.command(
    cls=Described,
    subject="What to denoise",
    examples=(
        "autodip denoise cells.tif -o denoised/",
        "autodip denoise experiment/ -o denoised/ --recursive --skip-existing",
        "autodip denoise cells.tif -o cells.png --preset fast --threads 1",
    ),
    computes=True,
)
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
    type=Known(io.FORMATS),
    help="Output format; default: by the ending of an output file, else that of the input, or "
    "OME-TIFF for ND2, LIF and CZI files.",
)
@click.option("--recursive", is_flag=True, help="Include the sub-folders of folders.")
@click.option(
    "--figure",
    is_flag=True,
    help=f"Also write NAME{FIGURE_SUFFIX}: before, after and what was removed.",
)
@click.option(
    "--report",
    is_flag=True,
    help=f"Also write NAME{PAGE_SUFFIX}, a page about every output; for several, index.html.",
)
@workers_options
@click.option("--overwrite", is_flag=True, help="Replace existing outputs.")
@click.option("--skip-existing", is_flag=True, help="Skip inputs whose output exists.")
@click.option(
    "--dry-run", is_flag=True, help="Show what would be done, without fitting or writing anything."
)
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
    figure: bool,
    report: bool,
    scheduler: str | None,
    workers: int | None,
    overwrite: bool,
    skip_existing: bool,
    dry_run: bool,
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
    frames, channel, scene, preset and uncertainty; or a JSON list of objects with these keys. Its
    values override the options for the respective file.

    For more than one file, run.json and summary.csv are written to the output folder. Such a run
    can be stopped at any time; the same command resumes it.
    """
    if overwrite and skip_existing:
        raise click.UsageError("--overwrite and --skip-existing exclude each other")
    if quiet and verbose:
        raise click.UsageError("-v and -q exclude each other")
    recorded = None if params is None else sidecar.read(params)
    if recorded is not None and limit() is None:
        context.with_resource(limited(recorded.threads))
    request = _request(recorded, given)
    found, failed = find(inputs, recursive=recursive, out=Path(out))
    format = format_of(found, out, inputs, given["format"])
    pairs = pair(found, out, inputs, format)
    request.jobs(pairs)  # reports errors before workers are started
    companions = _companions(figure, report) if figure or report else None
    settings = Settings(format, overwrite, skip_existing, dry_run, companions)
    indexed = Path(out) if report and several(inputs) and not dry_run else None
    if indexed is not None:
        _check_index(indexed)
    voice = Voice(-1 if quiet else verbose, wants_json())
    with workers_of(scheduler, workers) as cluster:
        request = request.on(cluster)
        if recorded is not None:
            _note_difference(recorded, request, cluster, voice)
        jobs = request.jobs(pairs)
        call = Call.of(
            inputs,
            Path(out),
            request,
            settings,
            command=["autodip", *map(str, context.obj or [])],
            recursive=recursive,
            params=params,
            figure=figure,
            report=report,
        )
        with Record(call, jobs) if jobs and several(inputs) else Unrecorded() as record:
            code = voice.run(Batch(settings, record, cluster, failed), jobs)
    if indexed is not None:
        _write_index(indexed, voice)
    return code


def _companions(figure: bool, report: bool) -> Companions:
    from autodip.report.page.reporter import Reporter  # noqa: PLC0415  (keeps help fast)

    return Reporter(figure, report)


def _check_index(folder: Path) -> None:
    from autodip.report.page.index_page import check_index  # noqa: PLC0415  (keeps help fast)

    check_index(folder)


def _write_index(folder: Path, voice: Voice) -> None:
    from autodip.report.page.index_page import write_index  # noqa: PLC0415  (keeps help fast)

    index = write_index(folder)
    if index is not None:
        voice.say(f"an index of all reports is in {index}")


def _note_difference(
    recorded: Sidecar, request: Request, cluster: Cluster | None, voice: Voice
) -> None:
    """Say why a repeated run may not give the same bits."""
    workplace = Workplace(cluster=cluster)
    machine = workplace.machine(request.options.device, None)
    note = repeating.difference(recorded, machine.processor, workplace.threads())
    if note is not None:
        voice.say(f"note: {note}")


def _request(recorded: Sidecar | None, given: dict[str, Any]) -> Request:
    """Combine what the command line, a sidecar and the config file specify."""
    said = said_of(given)
    if recorded is None:
        return Request.of(given, said, given["config"])
    clash = sorted(set(said) & set(REPEATED))
    if clash:
        raise click.UsageError(f"--{clash[0]} is decided by --params; leave one of the two out")
    return _repeated(recorded, given, said)


def _repeated(content: Sidecar, given: dict[str, Any], said: Sequence[str]) -> Request:
    """Request that repeats a sidecar; device, dtype and selection may be specified again."""
    anew = {name: given[name] for name in said if name in SPECS}
    part = {name: given[name] for name in said if name in selection.SPECS}
    return Request(
        given=given,
        said=said,
        options=content.repeated().replace(**anew),
        selection=content.selection.replace(**part),
        repeated=True,
    )
