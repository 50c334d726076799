"""Archives, unpacked so that nothing lands outside of their folder."""

from __future__ import annotations

import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from autodip.datasets.download import Progress
from autodip.errors import FormatError, OutputError

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
"""Endings of the archives that are unpacked."""

_DAMAGE = (zipfile.BadZipFile, tarfile.ReadError, zlib.error, EOFError, NotImplementedError)


def is_archive(path: Path) -> bool:
    """Whether the name of a file is that of an archive."""
    return path.name.lower().endswith(SUFFIXES)


def unpack(archive: Path, name: str) -> Iterator[Progress]:
    """Unpack an archive beside it, once; the archive stays.

    What does not lie in one folder within the archive is put into a folder of its name.

    Parameters
    ----------
    archive : Path
    name : str
        What the progress calls it.

    Raises
    ------
    FormatError
        If it is damaged, or holds a link, a device or a path that leads out of the folder.
    OutputError
        If there is no room for it.
    """
    mark = archive.with_name(f".{archive.name}.unpacked")
    size = archive.stat().st_size
    if mark.exists() and mark.read_text(encoding="utf-8") == str(size):
        yield Progress(name, "unpacked", size, size, "was unpacked before")
        return
    steps = _zip if archive.name.lower().endswith(".zip") else _tar
    try:
        yield from steps(archive, name)
        mark.write_text(str(size), encoding="utf-8")
    except _DAMAGE as error:
        raise FormatError(
            f"{archive}: damaged archive ({error}); move it away and fetch it again"
        ) from error
    except tarfile.FilterError as error:
        raise FormatError(
            f"{archive}: refused to unpack it ({error}); look into it yourself"
        ) from error
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"{archive}: cannot be unpacked ({error.strerror or error}); make room, then run the "
            "same command again"
        ) from error
    yield Progress(name, "unpacked", size, size)


def _zip(archive: Path, name: str) -> Iterator[Progress]:
    with zipfile.ZipFile(archive) as file:
        members = [m for m in file.infolist() if not _for_mac(m.filename)]
        for member in members:
            path = PurePosixPath(member.filename.replace("\\", "/"))
            if path.is_absolute() or ".." in path.parts or ":" in member.filename:
                raise _leads_out(archive, member.filename)
            if stat.S_ISLNK(member.external_attr >> 16):
                raise _leads_out(archive, member.filename)
        total = sum(member.file_size for member in members)
        place = _place(archive, [m.filename for m in members], total)
        done = 0
        for member in members:
            file.extract(member, place)
            done += member.file_size
            yield Progress(name, "unpacking", done, total)


def _tar(archive: Path, name: str) -> Iterator[Progress]:
    with tarfile.open(archive) as file:
        members = [m for m in file.getmembers() if not _for_mac(m.name)]
        total = sum(member.size for member in members)
        place = _place(archive, [m.name for m in members], total)
        for member in members:
            tarfile.data_filter(member, str(place))  # raises before anything is written
        done = 0
        for member in members:
            file.extract(member, place, filter="data")
            done += member.size
            yield Progress(name, "unpacking", done, total)


def _for_mac(name: str) -> bool:
    """Whether a member holds a Mac's notes on another one."""
    parts = PurePosixPath(name).parts
    return bool(parts) and (parts[0] == "__MACOSX" or parts[-1].startswith("._"))


def _leads_out(archive: Path, member: str) -> FormatError:
    return FormatError(
        f"{archive}: refused to unpack it, its member {member!r} is a link or leads out of the "
        "folder; look into it yourself"
    )


def _place(archive: Path, names: list[str], total: int) -> Path:
    """Folder to unpack into, if there is room."""
    free = shutil.disk_usage(archive.parent).free
    if total > free:
        raise OutputError(
            f"{archive}: unpacked it takes {total / 1e9:.1f} GB, {free / 1e9:.1f} GB are free; "
            "make room, then run the same command again"
        )
    tops = {PurePosixPath(name).parts[:1] for name in names} - {()}
    if len(tops) == 1:
        return archive.parent
    suffix = next(s for s in SUFFIXES if archive.name.lower().endswith(s))
    folder = archive.with_name(archive.name[: -len(suffix)])
    folder.mkdir(exist_ok=True)
    return folder
