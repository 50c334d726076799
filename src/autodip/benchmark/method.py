"""What every method of the comparison takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from autodip.denoisers.context import Context, Denoised


@dataclass(frozen=True)
class Forecast:
    """What is known of a run before it starts.

    Parameters
    ----------
    settings : mapping
        JSON-ready; with the method's version they decide the result.
    seconds : float or None
        Predicted for two cores of a current server CPU; None where it cannot be told.
    """

    settings: Mapping[str, Any]
    seconds: float | None


@dataclass(frozen=True)
class Method:
    """One column of the comparison.

    Parameters
    ----------
    name : str
        As the command line takes it.
    title : str
        As the table shows it.
    function : str
        Where it is, ``package.module:function``; imported when it is used.
    version : str
        To be changed whenever the same image would give another result; a test with stored
        figures says when.
    source : str
        Publication, or library.
    seconds : float
        Per megapixel on two cores; for the presets of autodip the cost model says it instead.
    start : float
        Seconds on two cores that an image of any size takes.
    libraries : tuple of str
        Distributions that decide the result; their versions are part of the method's.
    modules : tuple of str
        What it imports when it runs.
    preset : str or None
        Name of the table, for the presets of autodip.
    random : bool
        Whether it is an iterative fit that seed and device decide; others have one row.
    """

    name: str
    title: str
    function: str
    version: str
    source: str
    seconds: float = 0.0
    start: float = 0.0
    libraries: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    preset: str | None = None
    random: bool = False

    @property
    def oracle(self) -> bool:
        """Whether the truth is given to it."""
        return self.name.startswith("oracle")

    @property
    def full_version(self) -> str:
        """Version with those of the libraries; "none" for one that is not installed."""
        return "; ".join([self.version, *(f"{name} {_installed(name)}" for name in self.libraries)])

    def __call__(self, image: np.ndarray, context: Context) -> Denoised:
        """Denoise an image of shape (Y, X), in its own units."""
        module, _, name = self.function.partition(":")
        outcome: Denoised = getattr(import_module(module), name)(image, context)
        return outcome

    def plan(self, shape: tuple[int, int], context: Context) -> Forecast:
        """Settings and predicted seconds for an image of ``shape`` (Y, X); nothing is computed."""
        run = {"seed": context.seed, "device": context.device} if self.random else {}
        if self.preset is None:
            return Forecast(run, self.start + self.seconds * shape[0] * shape[1] / 1e6)
        from autodip.benchmark import shipped  # noqa: PLC0415  (a preset asks for its table)

        chosen = shipped.plan(shape, context, self.preset)
        return Forecast({**chosen.settings, **run}, chosen.seconds)


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
