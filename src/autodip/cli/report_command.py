"""``autodip report``: pages and figures about outputs, made from them and their sidecars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from autodip.cli.commands import Described
from autodip.cli.replies import say_results, wants_json
from autodip.cli.voice import Voice
from autodip.errors import AutodipError, ParameterError
from autodip.runs import sidecar
from autodip.runs.companions import paths_of
from autodip.runs.sidecar import SIDECAR_SUFFIX
from autodip.util.paths import exists, is_folder
from autodip.util.text import named


@click.command(
    cls=Described,
    examples=(
        "autodip report denoised/",
        "autodip report denoised/cells.tif --inputs experiment --figure",
    ),
)
@click.argument("outputs", nargs=-1, required=True, type=click.Path(path_type=Path, readable=False))
@click.option(
    "--inputs",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="FOLDER",
    help="Folder of the inputs, if they were moved; default: where the sidecars state.",
)
@click.option("--figure", is_flag=True, help="Write the figures as well.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
def command(outputs: tuple[Path, ...], inputs: Path | None, figure: bool, quiet: bool) -> int:
    """Write a page about each of OUTPUTS: denoised files, or folders with their sub-folders.

    A page is a single HTML file next to its output. It is made from the output, its sidecar and
    the input, which is sought where the sidecar states and is used only if its hash is that of
    the file that was denoised; without it the page shows what can be shown. Existing pages are
    replaced. A folder, and several files of one folder, get an index.html with all pages.
    """
    from autodip.report.page.index_page import check_index, write_index  # noqa: PLC0415
    from autodip.report.page.reporter import Reporter  # noqa: PLC0415  (keeps help fast)

    found = list(dict.fromkeys(target for path in outputs for target in _targets(path)))
    folders = _indexed(outputs)
    for folder in folders:
        check_index(folder)
    reporter, voice = Reporter(figure, True, inputs), Voice(-1 if quiet else 0, wants_json())
    results: list[dict[str, Any]] = []
    failed: dict[Path, str] = {}
    for target in found:
        try:
            complete = reporter.made(target)
        except AutodipError as error:
            failed[target] = named(target, error)
            voice.complain(failed[target])
            continue
        paths = paths_of(reporter, target)
        results.append({"output": str(target), "input_found": complete, **paths})
        voice.say(paths["report"] + ("" if complete else "  (without the input)"))
    for folder in folders:
        index = write_index(folder)
        if index is not None:
            voice.say(f"an index of all reports is in {index}")
    if wants_json():
        say_results(results, failed)
    return 1 if failed else 0


def _targets(path: Path) -> Iterator[Path]:
    """Outputs of an argument: a file, its sidecar, or all files with a sidecar in a folder.

    Raises
    ------
    ParameterError
        If there is no output.
    """
    if path.name.endswith(SIDECAR_SUFFIX):
        yield path.with_name(path.name.removesuffix(SIDECAR_SUFFIX))
    elif exists(sidecar.beside(path)):  # an OME-Zarr image is a folder
        yield path
    elif is_folder(path):
        records = sorted(path.rglob(f"*{SIDECAR_SUFFIX}"))
        shown = [one for one in records if not _hidden(one.relative_to(path))]
        if not shown:
            raise ParameterError(f"{path}: the folder holds no output with a sidecar")
        yield from (one.with_name(one.name.removesuffix(SIDECAR_SUFFIX)) for one in shown)
    elif exists(path):
        raise ParameterError(f"{path} has no sidecar {sidecar.beside(path).name} next to it")
    else:
        raise ParameterError(f"{path}: there is no such file or folder")


def _hidden(path: Path) -> bool:
    return any(part[0] == "." for part in path.parts)


def _indexed(outputs: Sequence[Path]) -> list[Path]:
    """Folders that get an index: those that are named, and those of several named files."""
    named_folders = [path for path in outputs if _is_output_folder(path)]
    parents = Counter(path.parent for path in outputs if not _is_output_folder(path))
    several = [parent for parent, count in parents.items() if count > 1]
    return list(dict.fromkeys([*named_folders, *several]))


def _is_output_folder(path: Path) -> bool:
    return is_folder(path) and not exists(sidecar.beside(path))
