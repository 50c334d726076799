"""Archives, unpacked so that nothing lands outside of their folder."""

from __future__ import annotations

import gzip
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path, PurePosixPath

from autodip.datasets.download import Progress
from autodip.errors import FormatError, OutputError

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
"""Endings of the archives that are unpacked."""

_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.ReadError,
    zlib.error,
    lzma.LZMAError,
    gzip.BadGzipFile,
    EOFError,
    NotImplementedError,
)


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
    if _is_there(mark, size):
        yield Progress(name, "unpacked", size, size, "was unpacked before")
        return
    steps = _zip if archive.name.lower().endswith(".zip") else _tar
    try:
        top = yield from steps(archive, name)
        mark.write_text(f"{size}\n{top}", encoding="utf-8")
    except _DAMAGE as error:
        raise FormatError(
            f"{archive}: damaged archive ({error}); move it away and fetch it again"
        ) from error
    except FileExistsError as error:
        raise OutputError(
            f"{archive}: cannot be unpacked, {error.filename} is in its way; move that away"
        ) from error
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"{archive}: cannot be unpacked ({error.strerror or error}); make room, then run the "
            "same command again"
        ) from error
    yield Progress(name, "unpacked", size, size)


def _is_there(mark: Path, size: int) -> bool:
    """Whether an archive of this size was unpacked, and what came out of it still exists."""
    if not mark.exists():
        return False
    unpacked, _, top = mark.read_text(encoding="utf-8").partition("\n")
    return unpacked == str(size) and bool(top) and (mark.parent / top).exists()


def _zip(archive: Path, name: str) -> Generator[Progress, None, str]:
    with zipfile.ZipFile(archive) as file:
        members = [m for m in file.infolist() if not _for_mac(m.filename)]
        for member in members:
            _check(archive, member.filename, not stat.S_ISLNK(member.external_attr >> 16))
            if member.flag_bits & 1:
                raise FormatError(
                    f"{archive}: it is encrypted; unpack it with its password yourself"
                )
        total = sum(member.file_size for member in members)
        place, top = _place(archive, [m.filename for m in members], total)
        done = 0
        for member in members:
            file.extract(member, place)
            done += member.file_size
            yield Progress(name, "unpacking", done, total)
    return top


def _tar(archive: Path, name: str) -> Generator[Progress, None, str]:
    with tarfile.open(archive) as file:
        members = [m for m in file.getmembers() if not _for_mac(m.name)]
        while file.fileobj is not None and file.fileobj.read(1 << 20):
            pass  # to the checksum at its end, where tarfile does not look
        for member in members:
            _check(archive, member.name, member.isfile() or member.isdir())
        total = sum(member.size for member in members)
        place, top = _place(archive, [m.name for m in members], total)
        # Older releases of Python have no filter; what it would refuse was refused above.
        safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        done = 0
        for member in members:
            file.extract(member, place, **safe)  # type: ignore[arg-type]
            done += member.size
            yield Progress(name, "unpacking", done, total)
    return top


def _check(archive: Path, member: str, plain: bool) -> None:
    """Refuse a link, a device, and a path that leads out of the folder."""
    path = PurePosixPath(member.replace("\\", "/"))
    if not plain or path.is_absolute() or ".." in path.parts or ":" in member:
        raise FormatError(
            f"{archive}: refused to unpack it, its member {member!r} is a link or leads out of "
            "the folder; look into it yourself"
        )


def _for_mac(name: str) -> bool:
    """Whether a member holds a Mac's notes on another one."""
    parts = PurePosixPath(name).parts
    return bool(parts) and (parts[0] == "__MACOSX" or parts[-1].startswith("._"))


def _place(archive: Path, names: list[str], total: int) -> tuple[Path, str]:
    """Folder to unpack into, if there is room, and what will be seen beside the archive."""
    free = shutil.disk_usage(archive.parent).free
    if total > free:
        raise OutputError(
            f"{archive}: unpacked it takes {total / 1e9:.1f} GB, {free / 1e9:.1f} GB are free; "
            "make room, then run the same command again"
        )
    tops = {PurePosixPath(name).parts[:1] for name in names} - {()}
    if len(tops) == 1:
        return archive.parent, tops.pop()[0]
    suffix = next(s for s in SUFFIXES if archive.name.lower().endswith(s))
    folder = archive.with_name(archive.name[: -len(suffix)])
    folder.mkdir(exist_ok=True)
    return folder, folder.name
