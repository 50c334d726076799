"""Download of one file over HTTP: resumable, verified, and never incomplete under its name.

The data are written to ``<file>.part``; ``<file>.part.json`` records the URL and the version of
the file to which they belong. The partial file is renamed when it is complete and its checksum
is correct. If no checksum is published, the SHA-256 of the received file is stored in
``<file>.sha256``, and later runs compare with it.

The library pooch is deliberately not used. It (version 1.9) downloads a file in one piece and
starts again from zero after an interruption, as it sends no HTTP Range requests; for archives of
up to 12 GB this costs hours. It does not check the free disk space, and its unpackers call
``extractall`` without refusing links or paths that lead out of the folder (only from Python 3.12
on are tar archives filtered). Beyond that, it would replace about 60 lines that query figshare
and Zenodo for their file lists.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from autodip.datasets.sources import Remote
from autodip.errors import OutputError
from autodip.util import web
from autodip.util.files import writing

_CHUNK = 2**20
_RESERVE = 10**9
"""Bytes of the disk that a file of unknown size leaves free."""

_ADVICE = (
    "make room or choose another folder with --out, then run the same command again, which resumes "
    "where it stopped"
)


@dataclass(frozen=True)
class FileProgress:
    """Progress of one file.

    Parameters
    ----------
    file : str
        Name of the file, relative to the folder.
    state : str
        ``downloading``, ``checking``, ``unpacking``, and finally ``complete`` or ``unpacked``.
    done : int
        Number of bytes processed so far.
    total : int or None
        Total number of bytes; None if it is not known.
    note : str
        With a final state, what was checked or done before; may be empty.
    """

    file: str
    state: str
    done: int
    total: int | None
    note: str = ""


def download(
    remote: Remote, target: Path, *, checked_by: str, attempts: int = 4, pause: float = 2.0
) -> Iterator[FileProgress]:
    """Download a file or resume its download; a file that exists already is only verified.

    Parameters
    ----------
    remote : Remote
        File to download.
    target : Path
        Path to save it to; the folder must exist.
    checked_by : str
        Name of the published checksum, for the final note.
    attempts : int
        Number of consecutive failed connections after which the download is given up; one that
        delivered data before it failed restarts the count at 1.
    pause : float
        Seconds to wait after the first failed connection, twice as long after the second, three
        times as long after the third, and so on.

    Yields
    ------
    FileProgress

    Raises
    ------
    OutputError
        If the server refuses, the connection is lost or too slow, the disk is full, or the file is
        not the published one; reception stops behind the published size.
    """
    part = target.with_name(f"{target.name}.part")
    with writing(target, _ADVICE):
        if not target.exists():
            yield from _persist(remote, part, attempts, pause)
            digest = yield from _hash(remote, part)
            _compare(remote, part, digest)
            part.replace(target)
            _note(part).unlink(missing_ok=True)
        else:
            digest = yield from _hash(remote, target)
            _compare(remote, target, digest)
        note = _checked(remote, target, digest, checked_by)
    size = target.stat().st_size
    yield FileProgress(remote.name, "complete", size, size, note)


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _persist(remote: Remote, part: Path, attempts: int, pause: float) -> Iterator[FileProgress]:
    """Receive a file, over several connections if necessary."""
    failures = 0
    while True:
        before = _size(part)
        try:
            yield from _receive(remote, part)
            return
        except web.ConnectionLostError as error:
            failures = failures + 1 if _size(part) <= before else 1
            if failures >= attempts:
                kept = f"; {_size(part):,} bytes are kept" if _size(part) else ""
                raise OutputError(f"{error}{kept}; run the same command again to resume") from error
        time.sleep(pause * failures)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _receive(remote: Remote, part: Path) -> Iterator[FileProgress]:
    """Receive the rest of a file, or all of it if the server does not support ranges."""
    have, validator = _resumable(remote, part)
    headers = {"Range": f"bytes={have}-"} if have else {}
    if have and validator:
        headers["If-Range"] = validator
    with web.request(remote.url, headers) as answer:
        if answer.status == 416 and have:
            if _total(answer, have) == have:
                return  # the partial file was already complete
            part.unlink()
            raise web.ConnectionLostError(f"{remote.url}: the file has changed on the server")
        if answer.status not in (200, 206):
            kind = (
                web.ConnectionLostError if answer.status in (429, *range(500, 600)) else OutputError
            )
            raise kind(f"{remote.url}: the server answered {answer.status} instead of the file")
        if answer.status == 200:
            have = 0
        elif not (answer.headers.get("Content-Range") or "").startswith(f"bytes {have}-"):
            part.unlink(missing_ok=True)
            raise web.ConnectionLostError(
                f"{remote.url}: the server did not send the requested range"
            )
        yield from _append(remote, part, answer, have)


def _append(remote: Remote, part: Path, answer: web.Answer, have: int) -> Iterator[FileProgress]:
    """Append the body of a response to the first ``have`` bytes; stop behind the published size."""
    total = _total(answer, have)
    if remote.size is not None and total not in (None, remote.size):
        raise _too_much(remote, part, f"announces {total:,} bytes")
    _remember(remote, part, answer)
    end = total or remote.size
    with part.open("ab" if have else "wb") as file:
        yield FileProgress(remote.name, "downloading", have, end)
        while chunk := answer.read(_CHUNK):
            have += len(chunk)
            if remote.size is not None and have > remote.size:
                raise _too_much(remote, part, "sends more")
            if end is None and shutil.disk_usage(part.parent).free < _RESERVE:
                raise OutputError(
                    f"{remote.url}: the server sends without end, or the disk is too small; "
                    f"{have:,} bytes arrived"
                )
            file.write(chunk)
            yield FileProgress(remote.name, "downloading", have, end)
    if total is not None and have < total:
        raise web.ConnectionLostError(
            f"{remote.url}: the connection broke off after {have:,} of {total:,} bytes"
        )


def _too_much(remote: Remote, part: Path, what: str) -> OutputError:
    """Error of a file that is larger than the published one; what arrived is removed."""
    part.unlink(missing_ok=True)
    _note(part).unlink(missing_ok=True)
    return OutputError(
        f"{remote.url}: the server {what}, but the published file has {remote.size:,} bytes; "
        "nothing was kept. Try again later, and contact the authors if that does not help"
    )


def _resumable(remote: Remote, part: Path) -> tuple[int, str]:
    """Number of bytes already received of this file, and the identifier of its version.

    The identifier is the ETag or modification date that the server sent, or empty. Without it
    or a published checksum, nothing could ensure that the two parts belong to the same version.
    """
    try:
        kept = json.loads(_note(part).read_text(encoding="utf-8"))
        url, validator = str(kept["url"]), str(kept["validator"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return 0, ""
    if url != remote.url or not (validator or remote.digest):
        return 0, ""
    return _size(part), validator


def _remember(remote: Remote, part: Path, answer: web.Answer) -> None:
    tag = answer.headers.get("ETag") or ""
    validator = tag if tag.startswith('"') else answer.headers.get("Last-Modified") or ""
    content = json.dumps({"url": remote.url, "validator": validator})
    _note(part).write_text(content, encoding="utf-8")


def _total(answer: web.Answer, have: int) -> int | None:
    """Size of the whole file in bytes, from the response; None if it is not stated."""
    match = re.search(r"/(\d{1,19})$", answer.headers.get("Content-Range") or "")
    if match:
        return int(match[1])
    length = answer.length()
    return have + length if length is not None and answer.status in (200, 206) else None


def _hash(remote: Remote, path: Path) -> Generator[FileProgress, None, str]:
    """Compute the checksum of a file with the published algorithm, or else SHA-256."""
    digest = hashlib.new(remote.algorithm or "sha256", usedforsecurity=False)
    total, done = _size(path), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            done += len(chunk)
            yield FileProgress(remote.name, "checking", done, total)
    return digest.hexdigest()


def _compare(remote: Remote, path: Path, digest: str) -> None:
    """Raise an OutputError if a file is not the published one; a partial file is then removed."""
    size = _size(path)
    problem = None
    if remote.size is not None and size != remote.size:
        problem = f"it has {size:,} bytes, the published file {remote.size:,}"
    elif remote.digest is not None and digest != remote.digest.lower():
        name = (remote.algorithm or "").upper()
        problem = f"its {name} is {digest}, that of the published file {remote.digest}"
    if problem is None:
        return
    if path.name.endswith(".part"):
        path.unlink()
        _note(path).unlink(missing_ok=True)
        raise OutputError(
            f"{remote.url}: what arrived is not the published file ({problem}) and was removed; "
            "run the same command again, and contact the authors if that does not help"
        )
    raise OutputError(
        f"{path}: not the published file ({problem}); move it away and run the same command again"
    )


def _checked(remote: Remote, target: Path, digest: str, checked_by: str) -> str:
    """State what was checked; if no checksum is published, compare with the recorded one."""
    if remote.digest is not None:
        return f"agrees with {checked_by}"
    record = target.with_name(f"{target.name}.sha256")
    if record.exists():
        known = record.read_text(encoding="utf-8").split()[:1]
        if known != [digest]:
            raise OutputError(
                f"{target}: its SHA-256 is {digest}, not the one recorded in {record.name} when it "
                "arrived; it has changed since. Move both away and run the same command again"
            )
        return f"agrees with {record.name}, recorded when it arrived; no checksum is published"
    record.write_text(f"{digest}  {target.name}\n", encoding="utf-8")
    return (
        "no checksum is published, so it could not be checked; its SHA-256 is recorded in "
        f"{record.name}"
    )
