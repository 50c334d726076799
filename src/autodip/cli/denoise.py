"""``autodip denoise``: image files in, image files and their sidecars out."""

from __future__ import annotations

import dataclasses
import os
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from autodip import io
from autodip.atomic import check_writable
from autodip.cli import sidecar
from autodip.cli.common import (
    SIDECAR_SUFFIX,
    choice_options,
    find_inputs,
    named,
    open_image,
    options_from,
    resolve_device,
    say_results,
)
from autodip.cli.progress import ProgressBar
from autodip.cli.text import plan_lines, warnings
from autodip.errors import AutodipError, OutputError, ParameterError
from autodip.records import DTYPES, Options, Result

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
    "seed",
)
"""Options that a sidecar given by --params decides."""


@dataclass(frozen=True)
class Settings:
    """What holds for all files of a call."""

    options: Options
    given: dict[str, Any]
    overwrite: bool
    skip_existing: bool
    dry_run: bool
    json: bool
    verbosity: int


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
    overwrite: bool,
    skip_existing: bool,
    dry_run: bool,
    as_json: bool,
    verbose: int,
    quiet: bool,
    **given: Any,
) -> int:
    """Denoise INPUTS: image files, or folders of them.

    Read and written are TIFF (plain, ImageJ, OME), OME-Zarr, PNG, NPY, NPZ and MRC; read alone
    ND2, LIF and CZI. Every output has the format, shape, axes, type and metadata of its input.
    Beside it stands a JSON file with the parameters, the reasons for them and quality indicators.
    """
    if overwrite and skip_existing:
        raise click.UsageError("--overwrite and --skip-existing exclude each other")
    if quiet and verbose:
        raise click.UsageError("-v and -q exclude each other")
    if params is not None:
        given = _repeat(context, params, given)
        options = given.pop("options")
    else:
        options = dataclasses.replace(options_from(given), dtype=given["dtype"])
    options = resolve_device(options)
    files, failed = find_inputs(inputs)
    pairs = _pair(files, out, inputs, given["format"])
    verbosity = -1 if quiet else verbose
    settings = Settings(options, given, overwrite, skip_existing, dry_run, as_json, verbosity)
    return _run(pairs, failed, settings)


def _repeat(context: click.Context, path: Path, given: dict[str, Any]) -> dict[str, Any]:
    """Options as a sidecar records them; device and part of the image may be given anew."""
    import torch  # noqa: PLC0415  (a second; only here)

    said = [
        name for name in given if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    clash = sorted(set(said) & set(_REPEATED))
    if clash:
        raise click.UsageError(f"--{clash[0]} is decided by --params; leave one of the two out")
    options, selection, threads = sidecar.read(path)
    torch.set_num_threads(threads)
    if "device" in said:
        options = dataclasses.replace(options, device=given["device"])
    kept = {name: given[name] if name in said else value for name, value in selection.items()}
    return {**given, **kept, "options": options}


def _pair(
    files: list[Path], place: str, inputs: tuple[Path, ...], format: str | None
) -> list[tuple[Path, Path]]:
    """Input and output of each file.

    Raises
    ------
    ParameterError
        If several inputs would have one output, or the output another format.
    """
    out = Path(place)
    single = len(inputs) == 1 and _is_image(inputs[0])
    existing = out.is_dir() and not io.is_image_folder(out)
    if single and out.suffix and not existing and not place.endswith(("/", os.sep)):
        wanted = Path(io.output_name(files[0].name, format)).suffix.lower()
        written = out.suffix.lower()
        if wanted in io.WRITABLE and wanted != written and {wanted, written} != {".tif", ".tiff"}:
            raise ParameterError(
                f"-o {out}: the output of {files[0].name} is "
                f"{'written as ' + format if format else 'written in its own format'}; "
                f"end it in {wanted}, or give a folder"
            )
        return [(files[0], out)]
    pairs = [(path, out / io.output_name(path.name, format)) for path in files]
    seen: dict[Path, Path] = {}
    for path, target in pairs:
        if target in seen:
            raise ParameterError(
                f"{seen[target]} and {path} would both be written to {target}; "
                "denoise them in two calls with an output folder each"
            )
        seen[target] = path
    return pairs


def _is_image(path: Path) -> bool:
    return not path.is_dir() or io.is_image_folder(path)


def _run(pairs: list[tuple[Path, Path]], failed: dict[Path, str], settings: Settings) -> int:
    """Denoise file by file; a failed one is named and the rest goes on."""
    records: list[dict[str, Any]] = []
    for message in failed.values():
        click.echo(f"autodip: {message}", err=True)
    left = [source for source, _ in pairs]
    try:
        for source, target in pairs:
            try:
                records.append(_one(source, target, settings))
            except AutodipError as error:
                failed[source] = named(source, error)
                click.echo(f"autodip: {failed[source]}", err=True)
            except BrokenPipeError:  # nobody reads what is printed any more
                raise
            except Exception as error:  # a defect must not end a batch either
                failed[source] = f"{source}: unexpected {type(error).__name__}: {error}"
                click.echo(f"autodip: {failed[source]}", err=True)
                if settings.verbosity > 0:
                    click.echo(traceback.format_exc(), err=True)
            left.remove(source)
    except KeyboardInterrupt:
        names = ", ".join(map(str, left))
        click.echo(f"autodip: interrupted; not written: {names}", err=True)
        failed.update({source: f"{source}: interrupted" for source in left})
    if settings.json:
        say_results(records, failed)
    elif failed and settings.verbosity >= 0:
        total = len(records) + len(failed)
        click.echo(f"autodip: {len(failed)} of {total} failed", err=True)
    return 1 if failed else 0


def _one(source: Path, target: Path, settings: Settings) -> dict[str, Any]:
    """Denoise one file, or say what would be done."""
    if _same(source, target):
        raise OutputError(f"{target} is the input itself; choose another place with -o")
    if target.exists() and settings.skip_existing:
        _say(settings, f"{source} -> {target}: exists, left as it is")
        return {"input": str(source), "output": str(target), "skipped": True}
    if not _is_image(target) or sidecar.beside(target).is_dir():
        raise OutputError(f"{target} or its sidecar is a folder; choose another place with -o")
    if target.exists() and not settings.overwrite:
        raise OutputError(f"{target} exists; use --overwrite, --skip-existing or another -o")
    image = open_image(source, settings.given)
    if settings.dry_run:
        return _preview(source, target, image, settings)
    check_writable(target.parent)
    with ProgressBar(source.name, settings.verbosity < 0) as bar:
        result = _fit(image, settings, bar)
    content = sidecar.save(source, target, image, result, settings.given)
    _report(source, target, result, content, settings)
    return {"input": str(source), "output": str(target), "skipped": False, "run": content}


def _same(source: Path, target: Path) -> bool:
    return target.exists() and source.exists() and target.samefile(source)


def _fit(image: Any, settings: Settings, bar: ProgressBar) -> Result:
    from autodip.pipeline import denoise_steps  # noqa: PLC0415  (keeps help fast)

    for progress in denoise_steps(image, settings.options):
        bar.show(progress)
        if progress.result is not None:
            return progress.result
    raise AssertionError("a run ends with its result")


def _preview(source: Path, target: Path, image: Any, settings: Settings) -> dict[str, Any]:
    from autodip.planning import plan  # noqa: PLC0415

    plans = plan(image, settings.options)
    _say(settings, f"{source} -> {target}")
    for line in plan_lines(plans, image):
        _say(settings, line)
    channels = [sidecar.channel_dict(p) for p in plans]
    return {"input": str(source), "output": str(target), "dry_run": True, "channels": channels}


def _report(
    source: Path, target: Path, result: Result, content: dict[str, Any], settings: Settings
) -> None:
    """One line a file; with -v the choice; always what the user should look at."""
    net, fit = result.choice.net, result.choice.fit
    _say(
        settings,
        f"{source} -> {target}  ({net}, {fit.iterations} iterations, {content['seconds']:.1f} s)",
    )
    notes = warnings(result.plans)
    notes += [n for p in result.planes if p.assessment for n in p.assessment.notes]
    notes += [
        f"a fit blew up and went back {p.fallbacks} times" for p in result.planes if p.fallbacks
    ]
    for note in dict.fromkeys(notes):
        _say(settings, f"  note: {note}")
    if settings.verbosity > 0:
        for line in plan_lines(result.plans, None):
            _say(settings, line)


def _say(settings: Settings, line: str) -> None:
    if settings.verbosity >= 0:
        click.echo(line, err=settings.json)
