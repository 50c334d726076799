"""A run of the widget as a command and as Python, which give the same pixels."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

from autodip import io
from autodip.napari.entries import Entries
from autodip.runs import map_files
from autodip.runs.selection import Selection

_ADDED = "_denoised"

_AS_TIFF = (".png",)
"""Endings of files whose format cannot store all results, as it has no floats."""


def command_of(path: Path, selection: Selection, entries: Entries) -> str:
    """Command that denoises a file, or a part of it, as the widget does."""
    words = ["denoise", str(path), "-o", str(target_of(path))]
    if path.suffix.lower() in _AS_TIFF:
        words += ["--format", "tiff"]
    return _joined([*words, *flags_of(entries), *_selecting(selection)])


def folder_command_of(
    folder: Path, out: Path, entries: Entries, *, recursive: bool, skip: bool
) -> str:
    """Command that denoises a folder as the widget does."""
    switches = [*["--recursive"][:recursive], *["--skip-existing"][:skip]]
    return _joined(["denoise", str(folder), "-o", str(out), *flags_of(entries), *switches])


def python_of(path: Path, selection: Selection, entries: Entries) -> str:
    """Lines of Python that denoise a file, or a part of it, as the widget does."""
    read = [repr(str(path))] + [f"axes={selection.axes!r}"] * (selection.axes is not None)
    select = "" if selection.channel is None else f".select(channel={selection.channel!r})"
    given = "".join(f",\n    {name}={value!r}" for name, value in entries.keywords().items())
    target = target_of(path)
    errors = f"autodip.write({str(map_files.path_of(target))!r}, result.uncertainty)\n"
    return (
        "import autodip\n\n"
        f"image = autodip.read({', '.join(read)}){select}\n"
        f"result = autodip.denoise(\n    image{given},\n)\n"
        f"autodip.write({str(target)!r}, image.replace(data=result.image))\n"
        f"{errors if entries.uncertainty else ''}"
    )


def target_of(path: Path) -> Path:
    """Output of the command: a file next to the input, in its format if that is written."""
    name = io.output_name(path.name, "tiff" if path.suffix.lower() in _AS_TIFF else None)
    ending = "".join(Path(name).suffixes[-2:])
    if not ending.lower().startswith(".ome."):
        ending = Path(name).suffix
    return path.with_name(name[: len(name) - len(ending)] + _ADDED + ending)


def flags_of(entries: Entries) -> list[str]:
    """Words of the command line for what was entered."""
    pairs = entries.keywords().items()
    return [
        word
        for name, value in pairs
        for word in (f"--{name}", *([] if value is True else [str(value)]))
    ]


def _selecting(selection: Selection) -> list[str]:
    given = {name: value for name, value in selection.to_dict().items() if value}
    return [word for name, value in given.items() for word in (f"--{name}", str(value))]


def _joined(words: Sequence[str]) -> str:
    """Command line, quoted for the shell of this system."""
    quote = subprocess.list2cmdline if os.name == "nt" else shlex.join
    return quote(["autodip", *words])
