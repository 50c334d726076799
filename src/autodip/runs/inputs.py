"""Expansion of the inputs to files."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

from autodip import io
from autodip.runs import filesets, manifest
from autodip.runs.searching import Failed, in_folder, matching
from autodip.util.paths import is_folder, is_there, is_url


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


def kind(path: Path) -> Literal["file", "folder", "manifest", "pattern"]:
    """Type of an input: a file, a folder of images, a manifest of them, or a glob pattern."""
    if is_folder(path):
        return "file" if io.is_image_folder(path) else "folder"
    if is_url(path):
        return "file"
    if glob.has_magic(str(path)) and not is_there(path):
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
            files += (image for image, _ in _search(path, False, None, failed))
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
                images = _search(path, recursive, out, failed)
                found += (Input(image, place) for image, place in images)
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


def _search(
    path: Path, recursive: bool, out: Path | None, failed: Failed
) -> list[tuple[Path, PurePath]]:
    """Images in a folder or matching a pattern, each with its path below the folder."""
    if kind(path) == "folder":
        return in_folder(path, recursive=recursive, out=out, failed=failed)
    return matching(path, out=out, failed=failed)
