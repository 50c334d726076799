"""The keywords of :func:`autodip.denoise`: all options, and which part of the input is meant."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from autodip.errors import ParameterError
from autodip.pipeline.options import Options
from autodip.pipeline.result import Progress
from autodip.runs.selection import Selection
from autodip.util.closest import meant

if TYPE_CHECKING:
    import torch
    from numpy.typing import DTypeLike

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Keywords(Options):
    """All options, and those that only a call from Python has.

    Parameters
    ----------
    frames : slice, int or str, optional
        Frames along axis T: ``slice(0, 5)`` or ``"0:5"``, or the number of one frame from 0.
    channel : str or int, optional
        Name of the channel that is denoised alone, or its number from 0.
    scene : str or int, optional
        For a path to a file with several images, the name of one of them, or its number from 0.
    average : bool
        Treat the frames as captures of the same scene, and denoise their mean.
    follow : bool
        For a path, also read files elsewhere to which links in a Zarr store, or metadata, refer.
    progress : bool or callable
        True shows a progress bar, in a terminal or a notebook. A function is called with every
        step, a :class:`Progress`.

    Raises
    ------
    ParameterError
        As :class:`Options`.
    """

    max_memory: int | str | None = None  # type: ignore[assignment]  # narrowed by Options
    device: str | torch.device = "auto"  # type: ignore[assignment]
    dtype: DTypeLike | None = None  # type: ignore[assignment]
    frames: slice | int | str | None = None
    channel: str | int | None = None
    scene: str | int | None = None
    average: bool = False
    follow: bool = False
    progress: bool | Callable[[Progress], object] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (isinstance(self.progress, bool) or callable(self.progress)):
            raise ParameterError(
                f"progress is {self.progress!r}; give True for a progress bar, or a function that "
                "is called with every step"
            )

    @property
    def options(self) -> Options:
        """The options alone; the axes are part of the selection."""
        own = {one.name: getattr(self, one.name) for one in fields(Options)}
        return Options(**{**own, "axes": None})

    @property
    def selection(self) -> Selection:
        """The part of the input that is denoised."""
        return Selection(
            axes=self.axes,
            frames=_frames(self.frames),
            channel=None if self.channel is None else str(self.channel),
            scene=None if self.scene is None else str(self.scene),
            average=self.average,
            follow=self.follow,
        )


def _frames(frames: slice | int | str | None) -> str | None:
    """Frames as text, such as ``0:5``."""
    if frames is None or isinstance(frames, str):
        return frames
    try:
        if not isinstance(frames, slice):
            return str(operator.index(frames))
        if frames.step in (None, 1):
            ends = (frames.start, frames.stop)
            return ":".join("" if end is None else str(operator.index(end)) for end in ends)
    except TypeError:
        pass
    raise ParameterError(
        f'frames is {frames!r}; give consecutive frames as slice(0, 5) or "0:5", or the number of '
        "one frame; for others, select them from the array"
    )


def asked(keywords: Mapping[str, Any]) -> Keywords:
    """Check the keywords of a call.

    Raises
    ------
    ParameterError
        If a name is not known, with the one that was probably meant, or a value is not allowed.
    """
    known = [one.name for one in fields(Keywords)]
    wrong = next((name for name in keywords if name not in known), None)
    if wrong is not None:
        raise ParameterError(
            f"denoise has no keyword {wrong!r}.{meant(wrong, known)} All are described by "
            "help(autodip.denoise)."
        )
    return Keywords(**keywords)


def with_keywords(
    options: Callable[P, Keywords],
) -> Callable[[Callable[..., R]], Callable[Concatenate[Any, P], R]]:
    """Give a function of an image the keywords of :class:`Keywords`.

    They appear in its type, its signature and, in place of ``**keywords``, its docstring.
    """

    def decorate(function: Callable[..., R]) -> Callable[Concatenate[Any, P], R]:
        own = inspect.signature(function)
        positional = [p for p in own.parameters.values() if p.kind is not p.VAR_KEYWORD]
        keywords = inspect.signature(options).parameters.values()
        signature = own.replace(parameters=[*positional, *keywords])
        function.__signature__ = signature  # type: ignore[attr-defined]
        described = _parameters(Options), _parameters(options)
        text = inspect.cleandoc(function.__doc__ or "")
        function.__doc__ = text.replace("**keywords", "\n".join(described))
        return function

    return decorate


def _parameters(documented: Any) -> str:
    """Section on the parameters in the docstring of a class."""
    text = inspect.getdoc(documented) or ""
    start = text.index("----------\n") + len("----------\n")
    return text[start : text.index("\n\nRaises")]
