"""Places of the outputs: the path of each, and whether it may be written to."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from autodip import io
from autodip.errors import FormatError, OutputError, ParameterError
from autodip.io.stores import check_replaceable
from autodip.io.zarr_store import is_store
from autodip.runs import map_files, sidecar
from autodip.runs.companions import every_path
from autodip.runs.inputs import Input, several
from autodip.util.files import size
from autodip.util.paths import check_name, exists, is_file, is_folder, same

_URL = re.compile("[A-Za-z][A-Za-z0-9+.-]+://")
_ELSEWHERE = "choose another place with -o"
_ENDINGS = {
    ".ome.tif": "ome-tiff",
    ".ome.tiff": "ome-tiff",
    ".ome.zarr": "ome-zarr",
    ".zarr": "ome-zarr",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".png": "png",
    ".npy": "npy",
    ".npz": "npz",
    ".mrc": "mrc",
}
"""Formats by the endings of output files."""


def pair(
    found: Sequence[Input], place: str, inputs: Sequence[Path], format: str | None
) -> list[tuple[Input, Path]]:
    """Pair each input with the path of its output.

    Parameters
    ----------
    found : sequence of Input
    place : str
        Output folder; for a single file also the output file itself.
    inputs : sequence of Path
        Inputs as the user specified them.
    format : str or None
        Output format, one of :data:`autodip.io.FORMATS`; None for that of the input.

    Raises
    ------
    ParameterError
        If several inputs would have the same output, an output is another input or is inside a
        Zarr store, or the ending of its name does not match its format.
    """
    if _URL.match(place):
        raise ParameterError(f"-o {place}: this is a URL, and only files are written")
    out = Path(place)
    _check_other_folder(out, inputs)
    if found and not several(inputs) and not _is_folder(place):
        _check_ending(f"-o {out}", found[0], out, format)
        pairs = [(found[0], out)]
    else:
        pairs = _in_folder(found, out, format)
        _check_outside(out, "-o ")
    for parent in dict.fromkeys(target.parent for _, target in pairs):
        _check_outside(parent, "-o ")
    _check_distinct(pairs, inputs)
    return pairs


def format_of(
    found: Sequence[Input], place: str, inputs: Sequence[Path], format: str | None
) -> str | None:
    """Format of the outputs: the specified one, or that of the ending of a single output file.

    Returns
    -------
    str or None
        One of :data:`autodip.io.FORMATS`; None for the format of each input.
    """
    if format is not None or len(found) != 1 or several(inputs) or _is_folder(place):
        return format
    name, own = Path(place).name.lower(), found[0].path.name.lower()
    ending = next((e for e in _ENDINGS if name.endswith(e)), Path(name).suffix)
    written = io.output_name(own, None)
    if written.endswith(ending):
        return None
    return _ENDINGS.get(ending)


def _is_folder(place: str) -> bool:
    """Whether an output is a folder: it exists as one, has no ending, or ends in a slash."""
    out = Path(place)
    existing = is_folder(out) and not io.is_image_folder(out)
    return existing or not out.suffix or place.endswith(("/", os.sep))


def _in_folder(found: Sequence[Input], out: Path, format: str | None) -> list[tuple[Input, Path]]:
    pairs: list[tuple[Input, Path]] = []
    for one in found:
        if one.fixed:
            _check_ending(f"{one.where}: output {one.place}", one, Path(one.place), format)
            pairs.append((one, out / one.place))
        else:
            pairs.append((one, out / one.place.with_name(io.output_name(one.path.name, format))))
    return pairs


def _check_ending(output: str, found: Input, target: Path, format: str | None) -> None:
    wanted = Path(io.output_name(found.path.name, format)).suffix.lower()
    written = target.suffix.lower()
    if wanted in io.WRITABLE and wanted != written and {wanted, written} != {".tif", ".tiff"}:
        how = f"written as {format}" if format else "written in its own format"
        advice = f"end it in {wanted}"
        if not found.fixed:
            others = ", ".join(ending for ending in io.WRITABLE if ending != wanted)
            advice += f"{'' if format else f' or one of {others}'}, or give a folder"
        raise ParameterError(f"{output}: the output of {found.path.name} is {how}; {advice}")


def _check_other_folder(out: Path, inputs: Sequence[Path]) -> None:
    """Raise a ParameterError if the output folder is an input folder."""
    for path in inputs:
        if is_folder(path) and not io.is_image_folder(path) and same(path, out):
            raise ParameterError(
                f"-o {out} is the input folder {path} itself; give another folder, "
                f"such as {out.resolve().name}-denoised"
            )


def _check_outside(folder: Path, option: str) -> None:
    """Raise a ParameterError if a folder is, or is inside, a Zarr store."""
    place = Path(os.path.realpath(folder))
    store = next((one for one in (place, *place.parents) if is_store(one)), None)
    if store is not None:
        raise ParameterError(
            f"{option}{folder} is inside the Zarr store {store}, into which nothing is written; "
            "choose another place"
        )


def _check_distinct(pairs: Sequence[tuple[Input, Path]], inputs: Sequence[Path]) -> None:
    """Raise a ParameterError if an output would be written twice, or over another input."""
    sources = {_identity(path): path for path in (*(found.path for found, _ in pairs), *inputs)}
    seen: dict[str, tuple[Path, Path]] = {}
    for found, target in pairs:
        place = _place(target)
        if place in seen:
            earlier, where = seen[place]
            raise ParameterError(
                f"{earlier} and {found.path} would both be written to {where}; "
                "denoise them in two calls with different output folders, "
                "or specify the outputs in a manifest"
            )
        seen[place] = found.path, target
        for written in every_path(target):
            other = sources.get(_identity(written))
            if other is not None and _identity(other) == _identity(found.path):
                raise ParameterError(
                    f"-o {target.parent}: {found.path} is the input itself and would be written "
                    f"over; {_ELSEWHERE}"
                )
            if other is not None:
                raise ParameterError(
                    f"{found.path} would be written over the input {other}; {_ELSEWHERE}"
                )


def _identity(path: Path) -> tuple[int, int] | str:
    """Equal for all names of an existing file, including links to it."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return os.path.realpath(path)
    return found.st_dev, found.st_ino


def _place(target: Path) -> str:
    """Equal for all names under which the file system would create the same file."""
    parent = os.path.realpath(target.parent)
    name = unicodedata.normalize("NFC", target.name)
    place = os.path.normcase(Path(parent) / name)
    return place.casefold() if _ignores_case(Path(parent)) else place


def _ignores_case(folder: Path) -> bool:
    """Whether the file system of a folder takes upper and lower case for the same."""
    for place in (folder, *folder.parents):
        other = place.with_name(place.name.swapcase()) if place.name else place
        if other != place and exists(place):
            return same(place, other)
    return False


def check_maps(targets: Sequence[Path], mapped: Sequence[Path]) -> None:
    """Raise a ParameterError if the map of an output would be written over another output.

    Parameters
    ----------
    targets : sequence of Path
        All outputs.
    mapped : sequence of Path
        Those that have a map.
    """
    seen = {_place(target): f"the output {target}" for target in targets}
    for target in mapped:
        errors = map_files.path_of(target)
        other = seen.get(_place(errors))
        if other is not None:
            raise ParameterError(
                f"the standard errors of {target} and {other} would both be written to {errors}; "
                "denoise them in two calls with different output folders"
            )
        seen[_place(errors)] = f"those of {target}"


def check_kind(target: Path, *, uncertainty: bool = False) -> None:
    """Raise an OutputError if an output, its sidecar or map is no file, or its name is too long."""
    beside, errors = sidecar.beside(target), map_files.path_of(target)
    check_name(beside)
    for path in (target, beside, *[errors][: int(uncertainty)]):
        if is_folder(path) and not (path != beside and io.is_image_folder(path)):
            raise OutputError(f"{path} is a folder; {_ELSEWHERE}")
        if exists(path) and not is_file(path) and not is_folder(path):
            raise OutputError(f"{path} is a device, a pipe or a socket; {_ELSEWHERE}")


def check_free(source: Path, target: Path, *, overwrite: bool, uncertainty: bool = False) -> None:
    """Raise an OutputError if writing an output would delete what must not be deleted.

    Parameters
    ----------
    source, target : Path
        Input and output.
    overwrite : bool
        Whether an existing output is replaced; a folder only if it is an OME-Zarr image.
    uncertainty : bool
        Whether a map is written as well.
    """
    if exists(target) and not overwrite:
        raise OutputError(f"{target} exists; use --overwrite, --skip-existing or another -o")
    beside, errors, content = sidecar.beside(target), map_files.path_of(target), None
    if not overwrite:
        content = sidecar.recorded(target)
    if exists(beside) and not overwrite and content is None:
        raise OutputError(f"{beside} exists and is not a sidecar of autodip; {_ELSEWHERE}")
    ours = overwrite or map_files.stated_in(content) is not None
    if uncertainty and exists(errors) and not ours:
        raise OutputError(f"{errors} exists; use --overwrite or another -o")
    try:
        for path in (target, *[errors][: int(uncertainty)]):
            check_replaceable(path, source)
    except FormatError as error:
        raise OutputError(str(error)) from error


def lacks_map(target: Path) -> bool:
    """Whether an existing output has no map, or not all of it.

    Raises
    ------
    OutputError
        If autodip did not write the output, so that it cannot be denoised again with a map.
    """
    content = sidecar.recorded(target)
    if content is None:
        raise OutputError(
            f"{target} exists without {map_files.path_of(target).name} and without a sidecar; use "
            f"--overwrite to replace it, or {_ELSEWHERE}"
        )
    return not map_files.is_whole(target, content)


def check_complete(target: Path, axes: str | None) -> None:
    """Raise an OutputError if an existing output is damaged, for example only half-written.

    If its size is that which its sidecar states, it is not read.

    Parameters
    ----------
    target : Path
    axes : str or None
        Axes that the user specified for the input.
    """
    content = sidecar.recorded(target)
    if content is not None and content.output.get("bytes") == size(target):
        return
    try:
        io.read(target, axes)
    except ParameterError:  # it does not state its axes, or holds several images
        return
    except FormatError as error:
        raise OutputError(
            f"{target} exists but cannot be read, so it is not skipped ({error}); delete it, or "
            "use --overwrite"
        ) from error
