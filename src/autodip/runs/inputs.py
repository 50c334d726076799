"""Expansion of the inputs to files, and the path of the output of each file."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

from autodip import io
from autodip.errors import ParameterError
from autodip.runs import filesets, manifest


@dataclass(frozen=True)
class Input:
    """An input file.

    Parameters
    ----------
    path : Path
    place : PurePath
        Path of the output relative to the output folder. Unless it is ``fixed``, the ending is
        adapted to the output format.
    said : tuple of (str, str)
        Names and values of the options that a manifest specifies for this file.
    where : str
        Manifest and line or entry in which the file is listed; empty if it is not from one.
    fixed : bool
        Whether ``place`` was specified in a manifest.
    """

    path: Path
    place: PurePath
    said: tuple[tuple[str, str], ...] = ()
    where: str = ""
    fixed: bool = False


Failed = dict[Path, str]
"""Error messages by the path of the input."""


def kind(path: Path) -> Literal["file", "folder", "manifest", "pattern"]:
    """Type of an input: a file, a folder of images, a manifest of them, or a glob pattern."""
    try:
        folder = path.is_dir()
    except OSError:  # name too long, or a parent folder not accessible: the search reports it
        return "folder"
    if folder:
        return "file" if io.is_image_folder(path) else "folder"
    if glob.has_magic(str(path)) and not os.path.lexists(path):
        return "pattern"
    return "manifest" if path.suffix.lower() in manifest.SUFFIXES else "file"


def several(inputs: Sequence[Path]) -> bool:
    """Whether the inputs are more than one file, or may expand to more."""
    return len(inputs) > 1 or kind(inputs[0]) != "file"


def find_inputs(inputs: Iterable[Path]) -> tuple[list[Path], Failed]:
    """Files that are named, and images that match a pattern or are directly in a named folder.

    The error messages of other inputs are returned as well.
    """
    files: list[Path] = []
    failed: Failed = {}
    for path in inputs:
        if kind(path) in ("file", "manifest"):
            files.append(path)
        else:
            files += (found.path for found in _search(path, False, None, failed))
    files = list(dict.fromkeys(files))
    covered = filesets.covered(files)
    return [path for path in files if path not in covered], failed


def find(
    inputs: Iterable[Path], *, recursive: bool = False, out: Path | None = None
) -> tuple[list[Input], Failed]:
    """Expand the inputs like :func:`find_inputs`, and manifests as well, with output paths.

    Sub-folders below a folder (with ``recursive``), below the fixed part of a pattern and below
    the folder of a manifest are reproduced in the output paths. Files in the output folder
    ``out`` are left out if it is a sub-folder of the folder that is searched. Of the files of an
    OME-TIFF set, one is kept: it is read with all the others.

    Raises
    ------
    ParameterError
        If a manifest is invalid.
    """
    found: list[Input] = []
    failed: Failed = {}
    for path in inputs:
        match kind(path):
            case "file":
                found.append(Input(path, PurePath(path.name)))
            case "manifest":
                found += _listed(path)
            case _:
                found += _search(path, recursive, out, failed)
    covered = filesets.covered([one.path for one in found if not one.fixed])
    once = (one for one in found if one.fixed or one.path not in covered)
    return list(dict.fromkeys(once)), failed


def _listed(path: Path) -> list[Input]:
    """Files of a manifest.

    Output paths are relative to the folder of the manifest, or, if a file is outside it, to the
    folder that all files have in common.
    """
    entries = manifest.read(path)
    files = [os.path.normpath(entry.path.absolute()) for entry in entries]
    folder = os.path.normpath(path.parent.absolute())
    try:
        common = os.path.commonpath([folder, *files])
        common = folder if common == folder else os.path.commonpath(map(os.path.dirname, files))
        places = [PurePath(os.path.relpath(file, common)) for file in files]
    except ValueError:  # on different drives
        places = [PurePath(Path(file).name) for file in files]
    return [
        Input(
            entry.path,
            place if entry.output is None else PurePath(entry.output),
            entry.said,
            entry.where,
            entry.output is not None,
        )
        for entry, place in zip(entries, places, strict=True)
    ]


def _search(path: Path, recursive: bool, out: Path | None, failed: Failed) -> list[Input]:
    """Images in a folder or matching a pattern; errors are added to ``failed``."""
    endings = ", ".join(io.SUFFIXES)
    if kind(path) == "folder":
        base = path
        try:
            files = _below(path, out, failed) if recursive else list(path.iterdir())
        except OSError as error:
            failed[path] = f"{path}: cannot be read ({error.strerror})"
            return []
        advice = "" if recursive else "; --recursive searches its sub-folders"
        nothing = f"the folder holds no image file ({endings}){advice}"
    else:
        base = _fixed(path)
        files = _matching(path, base, out)
        nothing = f"no image file ({endings}) matches this pattern"
    images = sorted(filter(_is_image, files))
    if not images and path not in failed:
        failed[path] = f"{path}: {nothing}"
    return [Input(image, image.relative_to(base)) for image in images]


def _is_image(path: Path) -> bool:
    return (
        path.suffix.lower() in io.SUFFIXES
        and path.name[0] != "."
        and (path.is_file() or io.is_image_folder(path))
    )


def _below(folder: Path, out: Path | None, failed: Failed) -> list[Path]:
    """Files and image folders at any depth, without hidden folders and ``out``."""

    def unreadable(error: OSError) -> None:
        failed[Path(error.filename)] = f"{error.filename}: cannot be read ({error.strerror})"

    files: list[Path] = []
    for root, folders, names in os.walk(folder, onerror=unreadable):
        inner = [Path(root) / name for name in folders if name[0] != "."]
        images = [path for path in inner if io.is_image_folder(path)]
        files += [*(Path(root) / name for name in names), *images]
        folders[:] = [path.name for path in inner if path not in images and not _same(path, out)]
    return files


def _same(path: Path, out: Path | None) -> bool:
    return out is not None and out.exists() and path.samefile(out)


def _fixed(pattern: Path) -> Path:
    """Folders at the start of a pattern, before the first one with a wildcard."""
    parts = pattern.parts
    first = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:first])


def _matching(pattern: Path, base: Path, out: Path | None) -> list[Path]:
    """Files that match, except those in image folders and in ``out`` below ``base``."""
    place = out.resolve() if out is not None else None
    avoid = place if place is not None and base.resolve() in place.parents else None
    matches = glob.glob(str(pattern), recursive=True)  # noqa: PTH207  (leaves hidden folders out)
    return [
        path
        for path in map(Path, matches)
        if not any(map(io.is_image_folder, path.parents))
        and (avoid is None or avoid not in path.resolve().parents)
    ]


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
        If several inputs would have the same output, an output is another input, or the ending
        of its name does not match its format.
    """
    out = Path(place)
    existing = out.is_dir() and not io.is_image_folder(out)
    folder = existing or not out.suffix or place.endswith(("/", os.sep))
    if not several(inputs) and not folder:
        _check_ending(f"-o {out}", found[0], out, format)
        return [(found[0], out)]
    pairs: list[tuple[Input, Path]] = []
    for one in found:
        if one.fixed:
            _check_ending(f"{one.where}: output {one.place}", one, Path(one.place), format)
            pairs.append((one, out / one.place))
        else:
            pairs.append((one, out / one.place.with_name(io.output_name(one.path.name, format))))
    _check_distinct(pairs)
    return pairs


def _check_ending(output: str, found: Input, target: Path, format: str | None) -> None:
    wanted = Path(io.output_name(found.path.name, format)).suffix.lower()
    written = target.suffix.lower()
    if wanted in io.WRITABLE and wanted != written and {wanted, written} != {".tif", ".tiff"}:
        raise ParameterError(
            f"{output}: the output of {found.path.name} is "
            f"{'written as ' + format if format else 'written in its own format'}; "
            f"end it in {wanted}{'' if found.fixed else ', or give a folder'}"
        )


def _check_distinct(pairs: Sequence[tuple[Input, Path]]) -> None:
    """Raise a ParameterError if an output would be written twice, or over another input."""
    sources = {found.path.resolve(): found.path for found, _ in pairs}
    seen: dict[Path, Path] = {}
    for found, target in pairs:
        if target in seen:
            raise ParameterError(
                f"{seen[target]} and {found.path} would both be written to {target}; "
                "denoise them in two calls with different output folders, "
                "or specify the outputs in a manifest"
            )
        seen[target] = found.path
        other = sources.get(target.resolve())
        if other is not None and other.resolve() != found.path.resolve():
            raise ParameterError(
                f"{found.path} would be written over the input {other}; "
                "choose another place with -o"
            )
