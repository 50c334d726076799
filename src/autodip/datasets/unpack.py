"""Unpacking of archives such that nothing is written outside their folder."""

from __future__ import annotations

import errno
import lzma
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

from autodip.datasets.download import FileProgress
from autodip.errors import FormatError, OutputError

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
"""File name suffixes of the archives that are unpacked."""

_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.ReadError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    struct.error,
    ValueError,
    LookupError,
    ArithmeticError,
    RecursionError,
)
"""Errors of the two libraries for content that is no archive of theirs."""

_RATIO, _ALWAYS = 1100, 10**9
"""Largest ratio of unpacked to packed bytes, that of Deflate; and what is always unpacked."""


def is_archive(path: Path) -> bool:
    """Whether a file has the suffix of an archive."""
    return path.name.lower().endswith(SUFFIXES)


def unpack(archive: Path, name: str) -> Iterator[FileProgress]:
    """Unpack an archive into the folder it is in, once; the archive is not deleted.

    If its content does not lie in a single top-level folder, or that is hidden or has the name of
    the archive, it is unpacked into a new folder with the name of the archive without its suffix.

    Parameters
    ----------
    archive : Path
    name : str
        Name of the archive in the progress reports.

    Raises
    ------
    FormatError
        If it is damaged, encrypted or compressed with an unknown method, or contains a link, a
        device or a path that leads out of the folder.
    OutputError
        If there is too little disk space, or an existing file or folder is in the way.
    """
    mark = archive.with_name(f".{archive.name}.unpacked")
    size = archive.stat().st_size
    if _is_there(mark, size):
        yield FileProgress(name, "unpacked", size, size, "was unpacked before")
        return
    steps = _zip if archive.name.lower().endswith(".zip") else _tar
    try:
        top = yield from steps(archive, name)
        mark.write_text(f"{size}\n{top}", encoding="utf-8", errors="surrogateescape")
    except FormatError:
        raise
    except _DAMAGE as error:
        raise _damaged(archive, error) from error
    except NotImplementedError as error:
        raise FormatError(
            f"{archive}: packed with an unsupported method ({error}); unpack it yourself"
        ) from error
    except tarfile.TarError as error:  # from its filter: a link in the folder leads elsewhere
        raise FormatError(
            f"{archive}: refused to unpack it ({error}); inspect it yourself"
        ) from error
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        path = Path(error.filename)
        there = next((p for p in (path, *path.parents) if p.exists()), path)
        raise OutputError(
            f"{archive}: cannot be unpacked, {there} is in its way; move that away"
        ) from error
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        if error.errno is None:  # not from the operating system: gzip or bz2 found damage
            raise _damaged(archive, error) from error
        remedy = (
            "make room, then run the same command again"
            if error.errno in (errno.ENOSPC, errno.EDQUOT)
            else "unpack it yourself, or choose another folder"
        )
        raise OutputError(
            f"{archive}: cannot be unpacked ({error.strerror or error}); {remedy}"
        ) from error
    yield FileProgress(name, "unpacked", size, size)


def _damaged(archive: Path, error: Exception) -> FormatError:
    return FormatError(f"{archive}: damaged archive ({error}); move it away and fetch it again")


def _is_there(mark: Path, size: int) -> bool:
    """Whether an archive of this size was unpacked before, and its content still exists."""
    if not mark.exists():
        return False
    text = mark.read_text(encoding="utf-8", errors="surrogateescape")
    unpacked, _, top = text.partition("\n")
    return unpacked == str(size) and bool(top) and (mark.parent / top).exists()


def _zip(archive: Path, name: str) -> Generator[FileProgress, None, str]:
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
            yield FileProgress(name, "unpacking", done, total)
    return top


def _tar(archive: Path, name: str) -> Generator[FileProgress, None, str]:
    with tarfile.open(archive) as file:
        members = [m for m in file.getmembers() if not _for_mac(m.name)]
        _read_on(file)
        for member in members:
            _check(archive, member.name, member.isfile() or member.isdir())
        total = sum(member.size for member in members)
        place, top = _place(archive, [m.name for m in members], total)
        # Python before 3.11.4 has no filter; what the filter would refuse was refused above.
        safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {"set_attrs": False}
        done = 0
        for member in members:
            file.extract(member, place, **safe)
            done += member.size
            yield FileProgress(name, "unpacking", done, total)
    return top


def _read_on(file: tarfile.TarFile) -> None:
    """Read from the end of the last member to the end of the file, which tarfile skips.

    Raises
    ------
    tarfile.ReadError
        If a damaged header was mistaken by tarfile for the end.
    OSError, EOFError, lzma.LZMAError, zlib.error
        If a checksum is wrong.
    """
    stream = file.fileobj
    if stream is None:
        return
    stream.seek(file.offset)
    if any(stream.read(tarfile.BLOCKSIZE)):
        raise tarfile.ReadError(f"bad header at byte {file.offset}")
    while stream.read(1 << 20):
        pass


def _check(archive: Path, member: str, plain: bool) -> None:
    """Refuse a link, a device, or a path that leads out of the folder."""
    path = PureWindowsPath(member)  # accepts both slashes, and recognises drives
    if not plain or path.anchor or ".." in path.parts:
        raise FormatError(
            f"{archive}: refused to unpack it, its member {member!r} is a link or leads out of "
            "the folder; inspect it yourself"
        )


def _for_mac(name: str) -> bool:
    """Whether a member contains only macOS metadata about another one."""
    parts = PurePosixPath(name).parts
    return bool(parts) and (parts[0] == "__MACOSX" or parts[-1].startswith("._"))


def _place(archive: Path, names: list[str], total: int) -> tuple[Path, str]:
    """Folder to unpack into, and the name that will appear next to the archive.

    Raises
    ------
    FormatError
        If it is much larger than compression explains, as an archive made to fill disks.
    OutputError
        If the disk has too little space.
    """
    packed = archive.stat().st_size
    if total > max(_ALWAYS, _RATIO * packed):
        raise FormatError(
            f"{archive}: refused to unpack it, it takes {total / 1e9:.1f} GB of {packed:,} bytes; "
            "inspect it yourself"
        )
    free = shutil.disk_usage(archive.parent).free
    if total > free:
        raise OutputError(
            f"{archive}: unpacked it takes {total / 1e9:.1f} GB, {free / 1e9:.1f} GB are free; "
            "make room, then run the same command again"
        )
    tops = {PurePosixPath(name).parts[:1] for name in names} - {()}
    top = next(iter(tops), ("",))[0]
    if len(tops) == 1 and top[0] != "." and top != archive.name:
        return archive.parent, top
    suffix = next(s for s in SUFFIXES if archive.name.lower().endswith(s))
    folder = archive.with_name(archive.name[: -len(suffix)])
    folder.mkdir(exist_ok=True)
    return folder, folder.name
