"""The interface of the methods that a benchmark compares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from autodip.denoisers.context import Context, Denoised


@dataclass(frozen=True)
class Forecast:
    """What is known about a run before it starts.

    Parameters
    ----------
    settings : mapping
        JSON-ready settings, which together with the version of the method determine the result.
    seconds : float or None
        Predicted run time on two cores of a current server CPU; None if it cannot be predicted.
    """

    settings: Mapping[str, Any]
    seconds: float | None


@dataclass(frozen=True)
class Method:
    """A denoising method of the comparison.

    Parameters
    ----------
    name : str
        Name on the command line.
    title : str
        Title in the table.
    function : str
        Location of the function, ``package.module:function``; imported when it is used.
    version : str
        Must be changed whenever the result for the same image changes; a test with stored results
        detects when this is due.
    source : str
        Publication or library.
    seconds : float
        Run time per megapixel on two cores, in seconds; unused if ``forecast`` is given, as for
        the presets of autodip, whose run time follows from the cost model.
    start : float
        Run time on two cores that is independent of the size of the image, in seconds.
    libraries : tuple of str
        Distributions that affect the result; their versions are part of :attr:`full_version`.
    modules : tuple of str
        Modules that the method imports when it runs.
    forecast : callable or None
        Function from a shape (Y, X) and a :class:`Context` to a :class:`Forecast`; None if the
        run time is ``start`` plus ``seconds`` per megapixel and the only settings are seed and
        device.
    random : bool
        Whether the result depends on seed and device, as for an iterative fit. Such a method has
        one row for each seed, any other method one row.
    """

    name: str
    title: str
    function: str
    version: str
    source: str
    _: KW_ONLY
    seconds: float = 0.0
    start: float = 0.0
    libraries: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    forecast: Callable[[tuple[int, int], Context], Forecast] | None = None
    random: bool = False

    @property
    def oracle(self) -> bool:
        """Whether the method is given the truth."""
        return self.name.startswith("oracle")

    @property
    def full_version(self) -> str:
        """Version of the method and of its libraries; "none" for a library not installed."""
        return "; ".join([self.version, *(f"{name} {_installed(name)}" for name in self.libraries)])

    def __call__(self, image: np.ndarray, context: Context) -> Denoised:
        """Denoise an image of shape (Y, X) in its own units."""
        module, _, name = self.function.partition(":")
        outcome: Denoised = getattr(import_module(module), name)(image, context)
        return outcome

    def plan(self, shape: tuple[int, int], context: Context) -> Forecast:
        """Settings and predicted seconds for an image of ``shape`` (Y, X), without running it."""
        run = {"seed": context.seed, "device": context.device} if self.random else {}
        if self.forecast is None:
            return Forecast(run, self.start + self.seconds * shape[0] * shape[1] / 1e6)
        chosen = self.forecast(shape, context)
        return Forecast({**chosen.settings, **run}, chosen.seconds)


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
