"""Denoising of one file: the job, its execution and its outcome.

Nothing here prints or formats text for a user, so that a plugin, a report or another process can
use it as well.
"""

from __future__ import annotations

import contextlib
import dataclasses
import platform
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from autodip import io
from autodip.compute.cluster import Cluster
from autodip.errors import AutodipError, ClusterError, OutputError
from autodip.image.image import Image
from autodip.pipeline.option_checks import DTYPES
from autodip.pipeline.options import Options
from autodip.pipeline.plan import ChannelPlan
from autodip.pipeline.result import Computed, Progress
from autodip.pipeline.workspace import Workplace
from autodip.runs import map_files, places, saving
from autodip.runs.companions import Companions, check_companions, complete, paths_of
from autodip.runs.locks import locked
from autodip.runs.original import Original
from autodip.runs.plane_records import ChannelRecord
from autodip.runs.selection import Selection
from autodip.runs.sidecar import Sidecar
from autodip.util.files import check_writable, remove, stem
from autodip.util.paths import exists, same

Show = Callable[[Progress], None]


@dataclass(frozen=True)
class Job:
    """A file to denoise.

    Parameters
    ----------
    source, target : Path
    options : Options
    selection : Selection
    said : tuple of (str, str)
        Names and values of the options that a manifest specifies for this file; they are
        already included in ``options`` and ``selection``.
    """

    source: Path
    target: Path
    options: Options
    selection: Selection
    said: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Settings:
    """Settings that apply to all files of a call.

    Parameters
    ----------
    format : str or None
        Output format, one of :data:`autodip.io.FORMATS`; by default that of the input.
    overwrite, skip_existing : bool
        Whether an existing output is replaced, or its input skipped. If neither, it is an error.
    dry_run : bool
        Whether to make only a plan, without fitting or writing anything.
    companions : Companions or None
        Writes further files next to every output, such as a figure.
    """

    format: str | None = None
    overwrite: bool = False
    skip_existing: bool = False
    dry_run: bool = False
    companions: Companions | None = None


@dataclass(frozen=True)
class Outcome:
    """Outcome of a job that did not fail.

    Parameters
    ----------
    status : "done", "skipped" or "planned"
    record : mapping, JSON-ready
        Paths of input and output and, if the job is done, the content of the sidecar as ``run``.
    plans : tuple of ChannelPlan
        One for each channel; empty if the output existed already.
    sidecar : Sidecar or None
        None if the job was skipped or only planned.
    earlier : bool
        Whether the job was completed before the run was interrupted.
    """

    status: Literal["done", "skipped", "planned"]
    record: Mapping[str, Any] = field(repr=False)
    plans: tuple[ChannelPlan, ...] = field(default=(), repr=False)
    sidecar: Sidecar | None = field(default=None, repr=False)
    earlier: bool = False


def denoise_file(
    job: Job, settings: Settings, progress: Show | None = None, cluster: Cluster | None = None
) -> Outcome:
    """Denoise one file and write its output and sidecar, or plan what would be done.

    Intermediate results of a large image are stored next to the output until it is written, so
    that the same call resumes where it was stopped.

    Parameters
    ----------
    job : Job
    settings : Settings
    progress : callable, optional
        Called with every step.
    cluster : Cluster, optional
        Cluster whose workers compute the windows or planes of the image.

    Raises
    ------
    AutodipError
        If the file cannot be read, denoised or written, or its output exists.
    """
    source, target = job.source, job.target
    if same(source, target):
        raise OutputError(f"{target} is the input itself; choose another place with -o")
    uncertainty = job.options.uncertainty
    places.check_kind(target, uncertainty=uncertainty)
    if settings.skip_existing and exists(target) and uncertainty and places.lacks_map(target):
        settings = dataclasses.replace(settings, overwrite=True)  # a result is done with its map
    elif settings.skip_existing and exists(target):
        places.check_complete(target, job.selection.axes)
        if not settings.dry_run:
            complete(settings.companions, source, target)
        return Outcome("skipped", {**_files(job, settings), "skipped": True})
    places.check_free(source, target, overwrite=settings.overwrite, uncertainty=uncertainty)
    check_companions(settings.companions, target, overwrite=settings.overwrite)
    check_writable(target.parent, dry=settings.dry_run)
    if settings.dry_run:
        with tempfile.TemporaryDirectory(prefix="autodip-") as scratch:
            return _planned(job, settings, Path(scratch))
    with locked(target), _working(target) as folder:
        return _denoised(job, settings, Workplace(folder, cluster=cluster), progress)


def _denoised(job: Job, settings: Settings, workplace: Workplace, progress: Show | None) -> Outcome:
    """Read, check, fit and write."""
    source, target, folder = job.source, job.target, workplace.folder
    assert folder is not None  # given by the caller
    original = Original.of(source)
    image = job.selection.open(source, folder)
    original.check_read()
    options = _checked(job, settings, image, folder)
    key = {
        "source": str(source.absolute()),
        "sha256": original.sha256,
        **job.selection.to_dict(),
    }
    result = _fit(image, options, progress, dataclasses.replace(workplace, key=key))
    image = original.noted(image).noted(*workplace.notes, *io.losses(target, image))
    uncertainty = options.uncertainty
    places.check_free(source, target, overwrite=settings.overwrite, uncertainty=uncertainty)
    content = saving.save(
        source,
        target,
        image,
        result,
        sha256=original.sha256,
        options=options,
        selection=job.selection,
        format=settings.format,
    )
    with suppress(OSError):  # the output is written all the same
        remove(folder)
    if settings.companions is not None:
        settings.companions.write(source, target)
    return done(job, settings, content, result.plans)


def _checked(job: Job, settings: Settings, image: Image, folder: Path) -> Options:
    """Options for an image; raises an error if the result could not be written.

    By default, integers may become float32. Where the format cannot store that, the type of the
    image is specified.
    """
    own = image.data.dtype
    check = partial(
        saving.check,
        job.source,
        job.target,
        image,
        folder,
        format=settings.format,
        uncertainty=job.options.uncertainty,
    )
    check(dtype=np.dtype(job.options.dtype or own))
    if job.options.dtype is None and own.kind in "iu" and own.name in DTYPES:
        try:
            check(dtype=np.dtype(np.float32))
        except AutodipError:
            return job.options.replace(dtype=own.name)
    return job.options


def working_folder(target: Path) -> Path:
    """Folder in which intermediate results are stored until the output is written."""
    return target.with_name(f".{stem(target)}.autodip-parts")


@contextmanager
def _working(target: Path) -> Iterator[Path]:
    """Folder for intermediate results, created on demand; those of a failed run are used again."""
    folder = working_folder(target)
    try:
        yield folder
    finally:
        with suppress(OSError):  # it does not exist, or is not empty
            folder.rmdir()


def denoise_there(task: tuple[Job, Settings, Path]) -> Outcome:
    """Run :func:`denoise_file` in a worker; paths are relative to the given folder.

    Raises
    ------
    ClusterError
        If the folder does not exist on the worker's machine.
    AutodipError
        As in :func:`denoise_file`.
    """
    job, settings, folder = task
    try:
        with contextlib.chdir(folder):
            return denoise_file(job, settings)
    except FileNotFoundError as error:
        if error.filename != str(folder):
            raise
        raise ClusterError(
            f"a worker on {platform.node()} cannot access {folder}; files are denoised only on "
            "machines that share them"
        ) from error


def done(
    job: Job,
    settings: Settings,
    content: Sidecar,
    plans: tuple[ChannelPlan, ...] = (),
    *,
    earlier: bool = False,
) -> Outcome:
    """Outcome of a job that is done, from its sidecar."""
    record = {**_files(job, settings), "skipped": False, "run": content.to_dict()}
    return Outcome("done", record, plans, content, earlier)


def _planned(job: Job, settings: Settings, scratch: Path) -> Outcome:
    from autodip.pipeline.planning import plan  # noqa: PLC0415  (keeps help fast)

    Original.of(job.source)  # raises if any of it cannot be read
    image = job.selection.open(job.source, scratch)
    plans = plan(image, _checked(job, settings, image, scratch))
    channels = [ChannelRecord.of(channel).to_dict() for channel in plans]
    notes = [*image.notes, *plans.notes, *io.losses(job.target, image)]
    record = {**_files(job, settings), "dry_run": True, "notes": notes, "channels": channels}
    return Outcome("planned", record, plans.channels)


def _files(job: Job, settings: Settings) -> dict[str, Any]:
    files = {"input": str(job.source), "output": str(job.target)}
    if job.options.uncertainty:
        files[map_files.KIND] = str(map_files.path_of(job.target))
    return files | paths_of(settings.companions, job.target)


def _fit(image: Image, options: Options, progress: Show | None, workplace: Workplace) -> Computed:
    from autodip.pipeline.denoise import denoise_steps  # noqa: PLC0415  (keeps help fast)

    for step in denoise_steps(image, options, workplace=workplace):
        if progress is not None:
            progress(step)
        if step.result is not None:
            return step.result
    raise AssertionError("a run ends with its result")
