"""Denoising from Python: of an image, an array or a path, at once or when the result is read."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from autodip.api.bars import shown
from autodip.api.containers import Container, opened
from autodip.api.denoised import Result
from autodip.api.keywords import Keywords, asked, with_keywords
from autodip.errors import ParameterError
from autodip.pipeline import denoise as pipeline
from autodip.pipeline import planning
from autodip.pipeline.options import Options
from autodip.pipeline.result import Progress
from autodip.runs.selection import Selection

if TYPE_CHECKING:
    from autodip.pipeline.plan import Plan
    from autodip.pipeline.workspace import Workplace


@with_keywords(Keywords)
def denoise(image: Any, **keywords: Any) -> Result:
    """Denoise an image with what other images have taught a network, or with a fit to it alone.

    Parameters
    ----------
    image : array, Image or path
        Real-valued pixels in any units: an array of numpy, an :class:`Image`, the path of a file,
        an xarray DataArray (the names of its dimensions are the axes), a dask array, or an array
        or group of zarr. For an array that is not in memory (dask, zarr), only the plan is made
        now; its planes are denoised when the result is read.
    **keywords

    Returns
    -------
    Result
        ``result.data`` is of the kind that was given, ``result.image`` the denoised pixels.

    Raises
    ------
    AutodipError
        ParameterError, ImageError, FormatError, DeviceError, OutOfMemoryError or FitError; the
        message states what was found, what is allowed, and what to do.

    Examples
    --------
    >>> import autodip
    >>> noisy, truth = autodip.sample(size=64)
    >>> result = autodip.denoise(noisy, preset="fast")
    >>> result.image.shape
    (64, 64)

    An array with more than two dimensions needs its axes, here two frames:

    >>> import numpy as np
    >>> film = np.stack([noisy, noisy])
    >>> autodip.denoise(film, axes="TYX", preset="fast", frames=slice(0, 1)).data.shape
    (1, 64, 64)
    """
    given = asked(keywords)
    found = opened(image, given.selection)
    if not found.lazy:
        steps = pipeline.denoise_steps(found.image, given.options)
        *_, last = shown(steps, given.progress)
        return _result(last, found, given.options, given.selection)
    if given.progress is True:
        raise ParameterError(
            "a lazy result is computed when it is read, so that there is no progress to show now; "
            "use dask.diagnostics.ProgressBar then, or a function for progress, which is called "
            "with every step"
        )
    progress = given.progress or None
    computed = pipeline.denoise_on_demand(found.image, given.options, progress)
    return Result.of(computed, found, given.options, given.selection)


def denoise_steps(
    image: Any,
    options: Options | None = None,
    *,
    axes: str | None = None,
    workplace: Workplace | None = None,
) -> Iterator[Progress]:
    """Like :func:`denoise`, but yield after every step; the last step has the result.

    Leaving the loop, or closing the generator, cancels the run. All planes are computed, also
    those of an array that is not in memory.

    Parameters
    ----------
    image : array, Image or path
        As in :func:`denoise`.
    options : Options, optional
    axes : str, optional
        As in :class:`Options`, whose value it replaces.
    workplace : Workplace, optional
        Where results are stored, and what computes them.

    Examples
    --------
    >>> import autodip
    >>> noisy, truth = autodip.sample(size=64)
    >>> for progress in autodip.denoise_steps(noisy, autodip.Options(preset="fast")):
    ...     if progress.step is not None:
    ...         preview = progress.step.output()  # what could be shown meanwhile
    >>> progress.result.image.shape
    (64, 64)
    """
    options = options or Options()
    selection = Selection(axes=axes or options.axes)
    found, options = opened(image, selection), options.replace(axes=None)
    for step in pipeline.denoise_steps(found.image, options, workplace=workplace):
        if step.result is None:
            yield step
        else:
            result = _result(step, dataclasses.replace(found, lazy=False), options, selection)
            yield dataclasses.replace(step, result=result)


def plan(image: Any, options: Options | None = None, *, axes: str | None = None) -> Plan:
    """Describe every channel of an image and choose its parameters, without fitting a network.

    Parameters
    ----------
    image : array, Image or path
        As in :func:`denoise`.
    options : Options, optional
    axes : str, optional
        As in :class:`Options`, whose value it replaces.

    Returns
    -------
    Plan
        A sequence with the plan of each channel.

    Raises
    ------
    AutodipError
        As in :func:`denoise`.

    Examples
    --------
    >>> import autodip
    >>> noisy, truth = autodip.sample(size=64)
    >>> plan = autodip.plan(noisy)
    >>> plan[0].choice.evidence.preset, plan[0].description.shape
    ('balanced', (64, 64))
    """
    options = options or Options()
    found = opened(image, Selection(axes=axes or options.axes))
    return planning.plan(found.image, options.replace(axes=None))


def _result(last: Progress, found: Container, options: Options, selection: Selection) -> Result:
    assert last.result is not None  # the last step has the result
    return Result.of(last.result, found, options, selection)
