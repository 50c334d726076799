"""Writing of images, arrays and results by the user; nothing is replaced unless that is said."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autodip import io
from autodip.api.containers import opened
from autodip.errors import OutputError
from autodip.pipeline.result import Computed
from autodip.runs.selection import Selection
from autodip.util.files import check_writable, replacing
from autodip.util.paths import check_name, is_folder, is_there

_ELSEWHERE = "choose another path"


def write(
    path: str | os.PathLike[str],
    image: Any,
    *,
    axes: str | None = None,
    format: str | None = None,
    dtype: DTypeLike | None = None,
    overwrite: bool = False,
) -> None:
    """Write an image, an array or a result to a file, whose ending determines the format.

    An image that was read from a file of the same format keeps the metadata of that file, also if
    its pixels were replaced or it was cut. From a file of another format, the axes, pixel sizes,
    time step, and names and colours of the channels are carried over as far as the new format can
    store them.

    Parameters
    ----------
    path : str or Path
        File to write, or folder for OME-Zarr; missing folders above it are created. It appears
        complete or not at all.
    image : Image, Result or array
        What :func:`denoise` takes. Arrays that are not in memory are written block by block.
    axes : str, optional
        Order of the dimensions of an array, as in :func:`denoise`.
    format : str, optional
        One of :data:`autodip.io.FORMATS`; takes precedence over the ending.
    dtype : dtype, optional
        Type of the pixels written; conversion to integers rounds and clips.
    overwrite : bool
        Whether an existing file is replaced.

    Raises
    ------
    OutputError
        If the file exists, or the folder is not writable.
    FormatError
        If the format cannot be written, or cannot store such pixels or axes.
    ParameterError
        If the axes or the format are not known.

    Examples
    --------
    >>> import numpy as np, autodip
    >>> autodip.write("cells.tif", np.arange(12, dtype="uint8").reshape(3, 4))
    >>> autodip.read("cells.tif")
    <Image YX 3 × 4 uint8>
    >>> autodip.write("cells.tif", np.zeros((3, 4)))
    Traceback (most recent call last):
    ...
    autodip.errors.OutputError: cells.tif exists; write with overwrite=True to replace it, or ...
    """
    target = Path(path)
    given = getattr(image, "denoised", None) if isinstance(image, Computed) else image
    found = opened(given, Selection(axes=axes)).image
    kind = None if dtype is None else np.dtype(dtype)
    with placed(target, overwrite=overwrite) as (part,):
        io.write(part, found, target.suffix, format=format, dtype=kind)


@contextmanager
def placed(target: Path, *beside: Path, overwrite: bool) -> Iterator[list[Path]]:
    """Write files under temporary names, then rename them all; the target last.

    Yields
    ------
    list of Path
        One temporary path for each file of ``beside``, and then that of ``target``.

    Raises
    ------
    OutputError
        If one of them exists, unless ``overwrite``; or if it cannot be written.
    """
    for path in (target, *beside):
        check_name(path)
        if is_folder(path) and not io.is_image_folder(path):
            raise OutputError(f"{path} is a folder; {_ELSEWHERE}")
        if is_there(path) and not overwrite:
            raise OutputError(
                f"{path} exists; write with overwrite=True to replace it, or {_ELSEWHERE}"
            )
    check_writable(target.parent)
    with replacing(*beside, target, advice=_ELSEWHERE) as parts:
        yield parts
