"""The part of a file that is denoised."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from autodip import io
from autodip.errors import ParameterError
from autodip.image.axes import AXES
from autodip.image.image import Image
from autodip.pipeline.specs import said, specs_of
from autodip.util.values import Value


@dataclass(frozen=True, kw_only=True)
class Selection(Value):
    """The part of a file that is denoised; by default all of it.

    Parameters
    ----------
    axes : str or None
        Meaning of the dimensions, in their order; overrides what the file states.
    frames : str or None
        Frames along axis T: ``A:B`` from frame A up to but not including B, or one frame ``N``.
        None for all.
    channel : str or None
        Name of a channel, or its number from 0; None for all.
    scene : str or None
        For a file with several images, the name of one of them, or its number from 0.
    average : bool
        Whether the frames are replaced by their mean.
    follow : bool
        Whether files elsewhere are read to which the file refers, such as links in a Zarr store.

    Raises
    ------
    ParameterError
        If the axes or the frames are malformed.
    """

    axes: str | None = field(
        default=None,
        metadata=said(
            "Order of the axes in the file, such as TYX; overrides what the file states.",
            metavar="TCZYX",
            in_manifest=True,
        ),
    )
    frames: str | None = field(
        default=None,
        metadata=said(
            "Frames to use, counted from 0: A up to but not including B, or a single one.",
            metavar="A:B",
            in_manifest=True,
        ),
    )
    channel: str | None = field(
        default=None,
        metadata=said(
            "Use only this channel, by its name or its number from 0.",
            metavar="NAME|N",
            in_manifest=True,
        ),
    )
    scene: str | None = field(
        default=None,
        metadata=said(
            "Image to use from a file with several, by its name or its number from 0.",
            metavar="NAME|N",
            in_manifest=True,
        ),
    )
    average: bool = field(
        default=False,
        metadata=said(
            "Treat the frames as captures of the same scene, and denoise their mean.", kind="flag"
        ),
    )
    follow: bool = field(
        default=False,
        metadata=said(
            "Also read files elsewhere to which links in a Zarr store, or metadata, refer.",
            kind="flag",
        ),
    )

    def __post_init__(self) -> None:
        parse_frames(self.frames)
        wrong = sorted(set((self.axes or "").upper()) - set(AXES))
        if wrong:
            raise ParameterError(
                f"--axes {self.axes}: {', '.join(wrong)} not known; allowed are {', '.join(AXES)}"
            )

    def open(self, path: Path, scratch: Path | None = None) -> Image:
        """Read this part of a file.

        With a folder ``scratch``, large files are not loaded; see :func:`autodip.io.read`.
        """
        image = io.read(path, self.axes, self.scene, scratch=scratch, follow=self.follow)
        image = image.select(parse_frames(self.frames), self.channel)
        return image.averaged() if self.average else image


SPECS = specs_of(Selection)
"""The options that select a part of a file, by name."""


def parse_frames(text: str | None) -> slice | None:
    """Parse a range of frames ``A:B`` as in Python, or one frame ``N``; None if there is no text.

    Raises
    ------
    ParameterError
        If the text is neither of the two.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(-?\d+)|(-?\d+)?:(-?\d+)?", text)
    if not match:
        raise ParameterError(
            f"--frames {text!r}; give A:B (from frame A up to but not including B) or N"
        )
    one, first, last = (None if number is None else int(number) for number in match.groups())
    return slice(first, last) if one is None else slice(one, one + 1 or None)
