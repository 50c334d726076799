"""Download of a published data set: its archives are fetched, verified and unpacked."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from autodip.datasets import sources
from autodip.datasets.download import FileProgress, download
from autodip.datasets.sources import Publication, Remote
from autodip.datasets.unpack import is_archive, unpack
from autodip.errors import OutputError, ParameterError
from autodip.util.files import check_writable


def select(remotes: Sequence[Remote], only: Sequence[str]) -> list[Remote]:
    """Files whose name matches one of the patterns, such as ``test_mix*``; all if there are none.

    Raises
    ------
    ParameterError
        If a pattern matches no file.
    """
    for pattern in only:
        if not any(fnmatchcase(remote.name, pattern) for remote in remotes):
            names = ", ".join(remote.name for remote in remotes)
            raise ParameterError(f"no file name matches {pattern!r}; there are {names}")
    chosen = [r for r in remotes if any(fnmatchcase(r.name, p) for p in only)]
    return chosen if only else list(remotes)


def fetch(
    source: str | Publication,
    folder: Path,
    *,
    only: Sequence[str] = (),
    extract: bool = True,
    attempts: int = 4,
    pause: float = 2.0,
) -> Iterator[FileProgress]:
    """Download the files of a data set, check them, and unpack its archives.

    If it is run again, it resumes where it was stopped; complete files are verified again.

    Parameters
    ----------
    source : str or Publication
        Name of the data set, or its publication.
    folder : Path
        Destination folder; created if necessary.
    only : sequence of str
        Patterns of file names that select a part of the data set; empty for all files.
    extract : bool
        Whether archives are unpacked. The archives are not deleted.
    attempts, pause
        How often and how soon a lost connection is retried; see
        :func:`autodip.datasets.download.download`.

    Yields
    ------
    FileProgress

    Raises
    ------
    ParameterError
        If the name is not known, or a pattern matches no file.
    OutputError
        If there is no direct link, a server does not answer, a file is not the published one,
        or the disk is full or not writable.
    FormatError
        If an archive is damaged or unsafe.
    """
    if isinstance(source, str):
        source = sources.load(source)
    remotes = select(sources.remotes(source), only)
    check_writable(folder)
    _check_room(remotes, folder)
    for remote in remotes:
        target = folder / remote.name
        if target.parent != folder:
            check_writable(target.parent)
        yield from download(
            remote, target, checked_by=source.checked_by, attempts=attempts, pause=pause
        )
        if extract and is_archive(target):
            yield from unpack(target, remote.name)


def _check_room(remotes: Sequence[Remote], folder: Path) -> None:
    """Raise an OutputError if the disk has no room for the files still to be downloaded."""
    needed = 0
    for remote in remotes:
        target = folder / remote.name
        part = target.with_name(f"{target.name}.part")
        have = next((p.stat().st_size for p in (target, part) if p.exists()), 0)
        needed += max((remote.size or 0) - have, 0)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OutputError(
            f"{folder}: {needed / 1e9:.1f} GB are needed, but only {free / 1e9:.1f} GB are free; "
            "make room, choose another folder with --out, or select files with --only"
        )


__all__ = ["FileProgress", "fetch", "select"]
