"""From an array to its denoised array: plan, cut into planes or tiles, compute, assemble."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from autodip.compute import device as devices
from autodip.compute.processes import check_not_forked
from autodip.image.from_array import as_image
from autodip.image.image import Image
from autodip.io.large import Stored
from autodip.pipeline.assemble import Assembly
from autodip.pipeline.checkpoint import Checkpoint
from autodip.pipeline.error_summary import SD
from autodip.pipeline.machine import Machine
from autodip.pipeline.on_demand import OnDemand
from autodip.pipeline.options import Options
from autodip.pipeline.parts import Finished, Part, Tasks, batches, cut
from autodip.pipeline.plan import Plan
from autodip.pipeline.planning import plan_image
from autodip.pipeline.precision import rounding_note
from autodip.pipeline.repair import RepairedImage
from autodip.pipeline.result import Computed, Progress
from autodip.pipeline.withheld import withhold
from autodip.pipeline.workspace import Workplace

if TYPE_CHECKING:
    from autodip.fit.loop import Step
    from autodip.pipeline.engine import Engine


def denoise_steps(
    image: np.ndarray | Image,
    options: Options | None = None,
    *,
    axes: str | None = None,
    workplace: Workplace | None = None,
) -> Iterator[Progress]:
    """Denoise an image, and yield after every step; the last step has the result.

    Leaving the loop, or closing the generator, cancels the run.

    Parameters
    ----------
    image : ndarray or Image
        Real-valued pixels in any units.
    options : Options, optional
    axes : str, optional
        As in :class:`Options`, whose value it replaces.
    workplace : Workplace, optional
        Where results are stored, and what computes them.
    """
    check_not_forked()
    options, workplace = options or Options(), workplace or Workplace()
    image = RepairedImage.of(as_image(image, axes or options.axes))
    machine = workplace.machine(options.device, options.max_memory)
    plan = plan_image(image, options, machine)
    parts = cut(image, plan)
    with ExitStack() as stack:
        threads = stack.enter_context(workplace.computing(machine.device))
        kept = _checkpoint(image, plan, parts, workplace, stack)
        assembly = Assembly(image, plan, parts, kept)
        left = [part for part in parts if not assembly.has(part)]
        if kept is not None and kept.damaged:
            workplace.notes.append(
                f"{kept.damaged} stored results of an earlier run were damaged and were computed "
                "again"
            )
        total = sum(len(part.indices) for part in parts)
        count = total - sum(len(part.indices) for part in left)
        for step in _computed(Tasks(image, plan), batches(left, plan.at_once), workplace):
            if isinstance(step, Finished):
                assembly.take(step)
                count += 1
                if workplace.cluster is not None:
                    yield Progress(count, total, None)
            else:
                yield Progress(count, total, step)
        output, maps, records = assembly.result()
    image.restore(output, outliers=options.keep_outliers)
    if SD in maps:
        withhold(maps[SD], image, plan.scan, records, outliers=options.keep_outliers)
    remark = rounding_note([one.squared_error for one in records], plan.dtype, plan.notes)
    result = Computed(
        image=output,
        plan=dataclasses.replace(plan, notes=(*plan.notes, *remark)),
        planes=records,
        maps=maps,
        repairs=image.repairs,
        peak_memory=devices.peak_memory(),
        processor=machine.processor,
        threads=threads,
    )
    yield Progress(total, total, None, result)


def denoise_on_demand(
    image: Image, options: Options, progress: Callable[[Progress], object] | None = None
) -> Computed:
    """Plan an image now, and denoise each of its planes when it is read from the result.

    The pixels are those of :func:`denoise_steps`. The image is read twice to plan it, in blocks.

    Parameters
    ----------
    image : Image
        Its pixels may be any array that reads what it is indexed with.
    options : Options
    progress : callable, optional
        Called with every step while planes are computed.

    Returns
    -------
    Computed
        Its ``image`` is a :class:`autodip.io.large.Stored` array; its ``planes`` are computed when
        they are read as well.
    """
    check_not_forked()
    repaired = RepairedImage.of(image)
    machine = Machine.here(options.device, options.max_memory)
    plan = plan_image(repaired, options, machine)
    planes = OnDemand(repaired, plan, outliers=options.keep_outliers, progress=progress)
    return Computed(
        image=cast(np.ndarray, Stored(planes)),
        plan=plan,
        planes=planes.records,
        maps={name: cast(np.ndarray, Stored(one)) for name, one in planes.maps.items()},
        repairs=repaired.repairs,
        processor=machine.processor,
        threads=Workplace().threads(),
    )


def _computed(
    tasks: Tasks, groups: Iterator[tuple[Part, ...]], workplace: Workplace
) -> Iterator[Step | Finished]:
    """Steps and results of groups of parts, computed here or by the workers of a cluster."""
    from autodip.pipeline import execute  # noqa: PLC0415  (imports torch)

    if workplace.cluster is None:
        engine = workplace.engine or execute.compute_tasks
        for group in groups:
            yield from engine([tasks.of(part) for part in group])
    else:
        loaded = ([tasks.of(part).loaded() for part in group] for group in groups)
        compute = partial(execute.compute, workplace.engine)
        for results in workplace.cluster.map(compute, loaded):
            yield from results


def _checkpoint(
    image: Image, plan: Plan, parts: Sequence[Part], workplace: Workplace, stack: ExitStack
) -> Checkpoint | None:
    """Folder for the results of single planes or tiles; None if it is not needed."""
    folder = workplace.folder
    if folder is None and plan.tiling is not None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="autodip-")))
    if folder is None or (len(parts) == 1 and plan.tiling is None):
        return None
    key = {
        **workplace.key,
        "shape": image.data.shape,
        "axes": image.axes,
        "choices": [channel.choice.to_dict() for channel in plan],
        "tiling": plan.tiling and dataclasses.astuple(plan.tiling),
        "extremes": list(plan.scan.extremes.values()),
        "seed": plan.seed,
        "device": plan.device,
        "dtype": plan.dtype.name,
        "independent": plan.independent,
        "uncertainty": plan.uncertainty,
        "engine": workplace.engine and _name(workplace.engine),
    }
    return Checkpoint(folder, key)


def _name(engine: Engine) -> str:
    """Qualified name of the function or type of an engine."""
    own = engine if hasattr(engine, "__qualname__") else type(engine)
    return f"{own.__module__}.{own.__qualname__}"
