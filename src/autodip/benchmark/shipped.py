"""The presets of autodip: the original DIP, AUTO-DIP as published, and our own.

They run through the same pipeline as ``autodip denoise``, so the scores are those of the released
code. The result is not rounded to the type of the image here.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Any

import numpy as np

from autodip.benchmark.method import Forecast
from autodip.choose import presets, vocabulary
from autodip.choose.choice import Choice
from autodip.choose.describe import Description
from autodip.choose.presets import choose
from autodip.denoisers.context import Context, Denoised
from autodip.pipeline import pricing
from autodip.pipeline.denoise import denoise_steps
from autodip.pipeline.options import Options

OTHER = "other"

_FLOPS, _LAUNCHES = 10e12, 0.01
"""Assumptions about an accelerator: operations per second, and minimum seconds per iteration."""


def denoise(image: np.ndarray, context: Context, preset: str) -> Denoised:
    """Denoise an image (Y, X) with the network and the iterations that a preset chooses."""
    options = _options(context, preset)
    *_, last = denoise_steps(image.astype(np.float64), options)
    assert last.result is not None  # the last step has it
    return Denoised(last.result.image, _settings(last.result.choice))


def forecast(shape: tuple[int, int], context: Context, preset: str) -> Forecast:
    """Choose for an image of a shape (Y, X) and predict the run time, without fitting."""
    options = _options(context, preset)
    known = {name: options.per_channel(name).everywhere for name in ("microscope", "specimen")}
    names = {key: None if name == OTHER else name for key, name in known.items()}
    origin = dict.fromkeys(names, "the data set")
    choice = choose(Description(shape, **names, origin=origin, noise=None), presets.load(preset))
    if choice.prior is not None:
        choice = choice.replace(prior=choice.prior.identified())
    price = pricing.of(choice, shape, context.device)
    seconds = price.seconds
    if seconds is None:
        seconds = price.flop / _FLOPS + price.iterations * _LAUNCHES
    return Forecast(_settings(choice), seconds)


original = partial(denoise, preset="original")
published = partial(denoise, preset="published")
fast = partial(denoise, preset="fast")
balanced = partial(denoise, preset="balanced")
best = partial(denoise, preset="best")
untrained = partial(denoise, preset="untrained")


def _options(context: Context, preset: str) -> Options:
    """Options of a preset; a specimen or microscope not in the vocabulary is "other"."""
    return Options(
        microscope=_known(context.microscope, vocabulary.MICROSCOPES),
        specimen=_known(context.specimen, vocabulary.SPECIMENS),
        preset=preset,
        seed=context.seed,
        device=context.device,
    )


def _known(name: str | None, names: Collection[str]) -> str:
    return name if name is not None and name in names else OTHER


def _settings(choice: Choice) -> dict[str, Any]:
    refine = choice.refine.to_dict() if choice.refine is not None else None
    fitted = {"net": choice.net.to_dict(), "fit": choice.fit.to_dict(), "refine": refine}
    return fitted if choice.prior is None else {**fitted, "prior": choice.prior.to_dict()}
