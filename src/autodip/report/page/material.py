"""What a page is made of: an output, its sidecar, and its input if it is found."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autodip import io
from autodip.errors import AutodipError, FormatError, ParameterError
from autodip.image.image import Image
from autodip.pipeline.error_summary import SD
from autodip.pipeline.result import Computed
from autodip.runs import map_files, sidecar
from autodip.runs.sidecar import Sidecar
from autodip.util.files import sha256, size
from autodip.util.paths import exists, is_folder
from autodip.util.text import name_text, valid


@dataclass(frozen=True, kw_only=True)
class Material:
    """An output with everything that is known about it.

    Parameters
    ----------
    content : Sidecar
    denoised : Image
    noisy : Image or None
        Input, or the part of it that was denoised; None if it is missing.
    errors : Image or None
        Standard error of every pixel; None if there is none.
    missing : str
        Why the input is missing; empty if it is not.
    target : Path or None
        Output file; None for a result in memory.
    """

    content: Sidecar
    denoised: Image
    noisy: Image | None = None
    errors: Image | None = None
    missing: str = ""
    target: Path | None = None

    @classmethod
    def of(cls, noisy: Image, result: Computed, content: Sidecar) -> Material:
        """What is known about a result in memory."""
        errors = result.maps.get(SD)
        return cls(
            content=content,
            denoised=noisy.replace(data=result.image),
            noisy=noisy,
            errors=None if errors is None else map_files.captioned(noisy, errors),
        )

    @property
    def name(self) -> str:
        """Name of the output file, or of the input of a result in memory."""
        if self.target is not None:
            return name_text(self.target.name)
        return str(self.content.output.get("file") or self.content.input.get("file") or "image")


@contextmanager
def opened(target: Path, inputs: Path | None = None) -> Iterator[Material]:
    """Read an output, its sidecar and its input.

    Parameters
    ----------
    target : Path
        Output file.
    inputs : Path, optional
        Folder in which the input is sought; by default where the sidecar states.

    Raises
    ------
    ParameterError
        If there is no sidecar that can be read.
    FormatError
        If the output cannot be read.
    """
    content = sidecar.read(sidecar.beside(target))
    with tempfile.TemporaryDirectory(prefix="autodip-") as folder:
        denoised = _output(target, content, Path(folder) / "output")
        noisy, missing = _input(target, content, inputs, Path(folder) / "input")
        if noisy is not None and sorted(_planes(noisy)) != sorted(_planes(denoised)):
            noisy, missing = None, "its planes are not those of the output"
        yield Material(
            content=content,
            denoised=denoised,
            noisy=noisy,
            errors=_errors(target, content, denoised, Path(folder) / "errors"),
            missing=missing,
            target=target,
        )


def _planes(image: Image) -> list[tuple[Any, ...]]:
    """Size of a plane, and positions of all planes along axes that are longer than 1."""
    long = [
        tuple(sorted(one for one in index if image.size(one[0]) > 1)) for index in image.indices()
    ]
    return [(image.plane_shape, index) for index in long]


def _output(target: Path, content: Sidecar, scratch: Path) -> Image:
    stated = content.output.get("bytes")
    image = _read(target, content, scratch)
    if stated is not None and size(target) != stated:
        raise FormatError(f"{target}: changed since it was denoised; its sidecar describes another")
    return image


def _read(path: Path, content: Sidecar, scratch: Path) -> Image:
    scratch.mkdir()
    try:
        return io.read(path, scratch=scratch)
    except ParameterError:  # it does not state its axes
        return io.read(path, content.input.get("axes"), scratch=scratch)


def _errors(target: Path, content: Sidecar, denoised: Image, scratch: Path) -> Image | None:
    """Standard errors of an output; None if they are missing, or not those of this output."""
    if not map_files.is_whole(target, content):
        return None
    try:
        image = _read(map_files.path_of(target), content, scratch)
    except AutodipError:
        return None
    return image if image.data.shape == denoised.data.shape else None


def _input(
    target: Path, content: Sidecar, inputs: Path | None, scratch: Path
) -> tuple[Image | None, str]:
    """Input as it was denoised, or the reason why there is none."""
    path = find_input(target, content, inputs)
    if path is None:
        stated, name = content.input.get("path"), content.input.get("file")
        if inputs is not None:
            return None, f"{name} was not found in {name_text(str(inputs))}"
        if stated is None:
            return None, f"The sidecar does not state the folder of {name}; --inputs FOLDER does"
        return None, f"{stated} was not found; --inputs FOLDER names its folder"
    scratch.mkdir()
    try:
        if sha256(path) != content.input.get("sha256"):
            return None, f"{name_text(path.name)} is no longer the file that was denoised"
        return content.selection.open(path, scratch), ""
    except (AutodipError, OSError) as error:
        return None, valid(str(error))


def find_input(target: Path, content: Sidecar, inputs: Path | None) -> Path | None:
    """Path of the input of an output; None if it is not found.

    Parameters
    ----------
    target : Path
    content : Sidecar
    inputs : Path or None
        Folder with the input, or with the folders of its inputs; None for the place that the
        sidecar states.
    """
    stated = content.input.get("path")
    if inputs is None:
        return _there(target.parent / stated) if isinstance(stated, str) else None
    stated = stated or content.input.get("file")
    if not isinstance(stated, str):
        return None
    parts = Path(stated).parts
    below = parts[len(parts) - parts[::-1].index("..") :] if ".." in parts else parts
    below = tuple(part for part in below if part != Path(part).anchor)
    places = (inputs.joinpath(*below[start:]) for start in range(len(below)))
    return next(filter(None, map(_there, places)), None)


def _there(path: Path) -> Path | None:
    """A path, or the one whose name is shown like its name; None if there is none.

    A sidecar states names as valid text, while on Linux they may be any bytes.
    """
    if exists(path):
        return path
    if not is_folder(path.parent):
        return None
    same = (one for one in path.parent.iterdir() if name_text(one.name) == path.name)
    return next(same, None)
