"""Describe, choose, fit, assess: from an array to its denoised array."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from autodip.compute import device as devices
from autodip.fit.params import Width
from autodip.image.image import Image
from autodip.pipeline import memory
from autodip.pipeline.assemble import Assembly
from autodip.pipeline.checkpoint import Checkpoint
from autodip.pipeline.options import Options
from autodip.pipeline.parts import Finished, Part, Tasks, batches, cut
from autodip.pipeline.plan import ImagePlan
from autodip.pipeline.planning import as_image, plan_image
from autodip.pipeline.result import Progress, Result
from autodip.pipeline.workspace import Workplace

if TYPE_CHECKING:
    from autodip.compute.cluster import Cluster
    from autodip.fit.loop import Step


def denoise(
    image: np.ndarray | Image,
    *,
    axes: str | None = None,
    microscope: str | Mapping[str, str] | None = None,
    specimen: str | Mapping[str, str] | None = None,
    preset: str = "balanced",
    seed: int = 0,
    device: str = "auto",
    iterations: int | None = None,
    depth: int | None = None,
    width: Width | str | None = None,
    skip: int | None = None,
    refine: bool | None = None,
    budget: float | None = None,
    base: Path | str | None = None,
    strategy: str | None = None,
    criterion: str | None = None,
    dtype: str | None = None,
    independent: bool = False,
    tile: int | None = None,
    max_memory: int | None = None,
) -> Result:
    """Denoise an image with a deep image prior whose parameters are chosen for it.

    Parameters
    ----------
    image : ndarray or Image
        Real numbers in any units; two dimensions are (Y, X).
    axes : str, optional
        Meaning of the dimensions, out of ``TCZYXS``; needed beyond two dimensions. Every
        (Y, X) plane is fitted with the parameters of its channel; see ``independent``.
    microscope, specimen, preset, seed, device, iterations, depth, width, skip, refine, budget
        As in :class:`Options`.
    base, strategy, criterion, dtype, independent, tile, max_memory
        As in :class:`Options`.

    Returns
    -------
    Result

    Raises
    ------
    AutodipError
        ParameterError, ImageError, DeviceError, OutOfMemoryError or FitError; each says what to do.
    """
    options = Options(
        microscope,
        specimen,
        preset,
        seed,
        device,
        iterations,
        depth,
        width,
        skip,
        refine,
        budget,
        base,
        strategy,
        criterion,
        dtype,
        independent,
        tile,
        max_memory,
    )
    *_, last = denoise_steps(image, options, axes=axes)
    assert last.result is not None  # the last step has it
    return last.result


def denoise_steps(
    image: np.ndarray | Image,
    options: Options | None = None,
    *,
    axes: str | None = None,
    workplace: Workplace | None = None,
) -> Iterator[Progress]:
    """Do as :func:`denoise`, yielding after every step; the last one has the result.

    Leaving the loop, or closing the generator, cancels the run.

    Parameters
    ----------
    image, axes
        As in :func:`denoise`.
    options : Options, optional
    workplace : Workplace, optional
    """
    options, workplace = options or Options(), workplace or Workplace()
    cluster = workplace.cluster
    image = as_image(image, axes)
    if cluster is None:
        options = dataclasses.replace(options, device=devices.resolve(options.device))
        free = memory.free_memory(options)
    else:
        options = dataclasses.replace(options, device=cluster.device(options.device))
        free = cluster.free_memory(options.device)
    plan = plan_image(image, options, free)
    parts = cut(image, plan, options)
    with ExitStack() as stack:
        kept = _kept(image, plan, parts, options, workplace, stack)
        collected = Assembly(image, plan, parts, options, kept)
        left = [part for part in parts if not collected.has(part)]
        total = sum(len(part.indices) for part in parts)
        count = total - sum(len(part.indices) for part in left)
        groups = batches(left, memory.at_once(plan.channels, options.device, free))
        for step in _computed(Tasks(image, plan, options), groups, cluster):
            if isinstance(step, Finished):
                collected.take(step)
                count += 1
                if cluster is not None:
                    yield Progress(count, total, None)
            else:
                yield Progress(count, total, step)
        output, records = collected.result()
    result = Result(
        output,
        plan.channels,
        records,
        options.device,
        options.seed,
        options.independent,
        plan.tiling,
        devices.peak_memory(),
    )
    yield Progress(total, total, None, result)


def _computed(
    tasks: Tasks, groups: Iterator[tuple[Part, ...]], cluster: Cluster | None
) -> Iterator[Step | Finished]:
    """Steps and results of groups of parts, computed here or elsewhere."""
    from autodip.pipeline import execute  # noqa: PLC0415  (imports torch)

    if cluster is None:
        for group in groups:
            yield from execute.steps([tasks.of(part) for part in group])
    else:
        loaded = ([tasks.of(part).loaded() for part in group] for group in groups)
        for results in cluster.map(execute.compute, loaded):
            yield from results


def _kept(
    image: Image,
    plan: ImagePlan,
    parts: Sequence[Part],
    options: Options,
    workplace: Workplace,
    stack: ExitStack,
) -> Checkpoint | None:
    """Folder of the results of parts, where there are several."""
    folder = workplace.folder
    if folder is None and plan.tiling is not None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="autodip-")))
    if folder is None or (len(parts) == 1 and plan.tiling is None):
        return None
    key = {
        **workplace.key,
        "shape": image.data.shape,
        "axes": image.axes,
        "choices": [channel.choice.to_dict() for channel in plan.channels],
        "tiling": plan.tiling and dataclasses.astuple(plan.tiling),
        "extremes": list(plan.survey.extremes.values()),
        "seed": options.seed,
        "device": options.device,
        "dtype": options.dtype,
        "independent": options.independent,
    }
    return Checkpoint(folder, key)
