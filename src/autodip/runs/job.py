"""One file denoised: what is asked, what is done, what came out.

Nothing here prints or words anything for a user, so that a plugin, a report or another process
can do it as well.
"""

from __future__ import annotations

import contextlib
import platform
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from autodip import io
from autodip.compute.cluster import Cluster
from autodip.errors import ClusterError, OutputError
from autodip.image.image import Image
from autodip.pipeline.options import Options
from autodip.pipeline.plan import ChannelPlan
from autodip.pipeline.result import Progress, Result
from autodip.pipeline.workspace import Workplace
from autodip.runs import sidecar
from autodip.runs.selection import open_image
from autodip.util.files import check_writable, remove, stamp

Show = Callable[[Progress], None]


@dataclass(frozen=True)
class Job:
    """A file to denoise.

    Parameters
    ----------
    source, target : Path
    options : Options
    selection : mapping
        Axes, frames, channel, scene and average that were asked for, None where none were.
    said : tuple of (str, str)
        What a manifest says of this file; the options and the selection follow it already.
    """

    source: Path
    target: Path
    options: Options
    selection: Mapping[str, Any]
    said: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Settings:
    """What holds for all files of a call.

    Parameters
    ----------
    format : str or None
        To write, out of :data:`autodip.io.FORMATS`; that of the input by default.
    overwrite, skip_existing : bool
        What is done where the output exists; an error if neither.
    dry_run : bool
        Plan; fit and write nothing.
    """

    format: str | None = None
    overwrite: bool = False
    skip_existing: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came out of a job that did not fail.

    Parameters
    ----------
    status : "done", "skipped" or "planned"
    record : mapping, JSON-ready
        Input, output and, where it is done, the content of the sidecar as ``run``.
    plans : tuple of ChannelPlan
        One for each channel; empty where the output was there already.
    earlier : bool
        Whether an earlier run did it, before it was interrupted.
    """

    status: Literal["done", "skipped", "planned"]
    record: Mapping[str, Any] = field(repr=False)
    plans: tuple[ChannelPlan, ...] = field(default=(), repr=False)
    earlier: bool = False


def denoise_file(
    job: Job, settings: Settings, progress: Show | None = None, cluster: Cluster | None = None
) -> Outcome:
    """Denoise one file and write its output and sidecar, or plan what would be done.

    What is computed of a large image is kept beside the output until that is written, so that
    the same call goes on where it was stopped.

    Parameters
    ----------
    job : Job
    settings : Settings
    progress : callable, optional
        Called with every step.
    cluster : Cluster, optional
        Its workers compute the parts of the image.

    Raises
    ------
    AutodipError
        If the file cannot be read, denoised or written, or its output exists.
    """
    source, target = job.source, job.target
    if target.exists() and source.exists() and target.samefile(source):
        raise OutputError(f"{target} is the input itself; choose another place with -o")
    if target.exists() and settings.skip_existing:
        return Outcome("skipped", {**_files(job), "skipped": True})
    if _folder(target) or sidecar.beside(target).is_dir():
        raise OutputError(f"{target} or its sidecar is a folder; choose another place with -o")
    if target.exists() and not settings.overwrite:
        raise OutputError(f"{target} exists; use --overwrite, --skip-existing or another -o")
    if settings.dry_run:
        with tempfile.TemporaryDirectory(prefix="autodip-") as scratch:
            return _planned(job, open_image(source, job.selection, Path(scratch)))
    check_writable(target.parent)
    with _working(target) as folder:
        image = open_image(source, job.selection, folder)
        key = {"source": str(source.absolute()), "stamp": stamp(source), **job.selection}
        result = _fit(image, job.options, progress, Workplace(folder, key, cluster))
        selection = {**job.selection, "format": settings.format}
        content = sidecar.save(source, target, image, result, selection)
        remove(folder)
    return done(job, content, result.plans)


def working_folder(target: Path) -> Path:
    """Where the parts of an image are kept until its output is written."""
    return target.with_name(f".{target.name}.autodip-parts")


@contextmanager
def _working(target: Path) -> Iterator[Path]:
    """Folder for what is computed, made by who needs it; what a failed run leaves is used again."""
    folder = working_folder(target)
    try:
        yield folder
    finally:
        with suppress(OSError):  # as it is gone, or not empty
            folder.rmdir()


def denoise_there(task: tuple[Job, Settings, Path]) -> Outcome:
    """Do as :func:`denoise_file` in a worker; paths are seen from the folder that is given.

    Raises
    ------
    ClusterError
        If the worker does not have that folder.
    AutodipError
        As there.
    """
    job, settings, folder = task
    try:
        place = contextlib.chdir(folder)
        with place:
            return denoise_file(job, settings)
    except FileNotFoundError as error:
        if error.filename != str(folder):
            raise
        raise ClusterError(
            f"a worker on {platform.node()} does not see {folder}; files are denoised on "
            "machines that share them"
        ) from error


def done(
    job: Job,
    content: Mapping[str, Any],
    plans: tuple[ChannelPlan, ...] = (),
    *,
    earlier: bool = False,
) -> Outcome:
    """Outcome of a job that is done, by the content of its sidecar."""
    return Outcome("done", {**_files(job), "skipped": False, "run": content}, plans, earlier)


def _planned(job: Job, image: Image) -> Outcome:
    from autodip.pipeline.planning import plan  # noqa: PLC0415  (keeps help fast)

    plans = plan(image, job.options)
    channels = [sidecar.channel_dict(channel) for channel in plans]
    return Outcome("planned", {**_files(job), "dry_run": True, "channels": channels}, plans)


def _files(job: Job) -> dict[str, Any]:
    return {"input": str(job.source), "output": str(job.target)}


def _folder(path: Path) -> bool:
    return path.is_dir() and not io.is_image_folder(path)


def _fit(image: Image, options: Options, progress: Show | None, workplace: Workplace) -> Result:
    from autodip.pipeline.denoise import denoise_steps  # noqa: PLC0415  (keeps help fast)

    for step in denoise_steps(image, options, workplace=workplace):
        if progress is not None:
            progress(step)
        if step.result is not None:
            return step.result
    raise AssertionError("a run ends with its result")
