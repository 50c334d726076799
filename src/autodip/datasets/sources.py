"""Where the data sets are published: archives, their addresses, sizes and checksums.

``data/datasets.json`` has an entry for each data set. For an article at figshare, a record at
Zenodo or a folder of an S3 store, the server is queried for its files and their checksums; other
addresses are listed in the entry. For a data set without direct links, the entry names the page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from itertools import islice
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

from autodip.errors import OutputError, ParameterError
from autodip.util import web
from autodip.util.closest import meant

_DIGITS = {"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128}
"""Algorithms of published checksums that are checked, and their number of digits."""

_MOST = 100_000
"""Maximum number of files of a data set; servers list them in pages, which may never end."""

_LONGEST_NAME, _LONGEST_PATH = 200, 1000
"""Maximum length of the name of a file in bytes, and of a path; endings are appended to it."""


@dataclass(frozen=True)
class Remote:
    """A file to download.

    Parameters
    ----------
    name : str
        Path relative to the destination folder, with forward slashes.
    url : str
    size : int or None
        Size in bytes; None if not published.
    algorithm, digest : str or None
        Algorithm, such as ``md5`` or ``sha256``, and hexadecimal digits of the published
        checksum; None if there is none.
    """

    name: str
    url: str
    size: int | None = None
    algorithm: str | None = None
    digest: str | None = None

    @property
    def problem(self) -> str:
        """Why the file cannot be downloaded, as servers may list anything; empty if it can."""
        name, size = self.name, self.size
        if not isinstance(name, str) or not _is_below(name):
            return f"one is named {_short(name)}, which is not a path below a folder"
        if not isinstance(self.url, str) or not web.is_address(self.url):
            return f"{name} has the address {_short(self.url)}, which is not http or https"
        if size is not None and (type(size) is not int or size < 0):
            return f"{name} has the size {_short(size)}, which is not a number of bytes"
        digits = _DIGITS.get(self.algorithm or "", 0)
        if self.algorithm and not re.fullmatch(rf"[0-9a-fA-F]{{{digits}}}", str(self.digest)):
            return f"{name} has the {self.algorithm} {_short(self.digest)}, which is none"
        return ""


def _is_below(name: str) -> bool:
    """Whether a name is a relative path of printable characters that file systems can store."""
    parts = PurePosixPath(name).parts
    return (
        bool(parts)
        and ".." not in parts
        and name[0] != "/"
        and not set(name) & set("\\:")
        and name.isprintable()
        and len(name) < _LONGEST_PATH
        and all(len(part.encode()) < _LONGEST_NAME for part in parts)
    )


def _short(value: object) -> str:
    """A value from a server, cut to a length that fits into a message."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


@dataclass(frozen=True, kw_only=True)
class Publication:
    """Publication of a data set; ``entry`` specifies how its files are found."""

    name: str
    title: str
    landing: str
    citation: str
    licence: str | None
    checked_by: str
    entry: Mapping[str, Any] = field(repr=False)


@cache
def _entries() -> Mapping[str, Any]:
    file = resources.files("autodip") / "data" / "datasets.json"
    entries: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return entries


def names() -> tuple[str, ...]:
    """Names of the data sets whose place of publication is known."""
    return tuple(_entries())


def load(name: str) -> Publication:
    """Find where a data set is published.

    Raises
    ------
    ParameterError
        If the name is not known.
    """
    if name not in _entries():
        raise ParameterError(
            f"data set {name!r} cannot be fetched; those that can are {', '.join(names())}."
            f"{meant(name, names())}"
        )
    return make(name, _entries()[name])


def make(name: str, entry: Mapping[str, Any]) -> Publication:
    """Build a publication from an entry of ``datasets.json``."""
    return Publication(
        name=name,
        title=entry["title"],
        landing=entry["landing"],
        citation=entry["citation"],
        licence=entry["licence"],
        checked_by=entry.get("checked_by", "the checksum that its authors publish"),
        entry=entry,
    )


def remotes(source: Publication) -> list[Remote]:
    """Files of a publication; the server is queried for their list if it has one.

    Raises
    ------
    OutputError
        If there is no direct link, the server cannot be reached, or its response is invalid.
    """
    kind = source.entry["kind"]
    if kind == "page":
        raise OutputError(
            f"{source.name}: there is no direct link to its files. Open {source.landing}, "
            f"{source.entry['advice']}; then check it with "
            f"'autodip data list {source.name} --root FOLDER'"
        )
    try:
        found = list(islice(_KINDS[kind](source.entry), _MOST + 1))
    except (AttributeError, LookupError, TypeError, ValueError, ElementTree.ParseError) as error:
        raise OutputError(
            f"{source.name}: the list of its files is not understood ({error!r}); "
            f"download them from {source.landing}"
        ) from error
    except OutputError as error:
        raise OutputError(
            f"{error}; try again later, or download the files from {source.landing}"
        ) from error
    if not found:
        raise OutputError(f"{source.name}: its server lists no files; see {source.landing}")
    seen: set[object] = set()
    for number, remote in enumerate(found, 1):
        problem = (
            f"there are more than {_MOST:,}"
            if number > _MOST
            else f"two have the name {remote.name!r}"
            if str(remote.name).casefold() in seen
            else remote.problem
        )
        if problem:
            raise OutputError(
                f"{source.name}: its server lists files of which {problem}; see {source.landing}"
            )
        seen.add(remote.name.casefold())
    return found


def _listed(entry: Mapping[str, Any]) -> Iterator[Remote]:
    for file in entry["files"]:
        algorithm = next((a for a in ("sha256", "md5") if file.get(a)), None)
        digest = file[algorithm] if algorithm else None
        yield Remote(file["name"], file["url"], file.get("size"), algorithm, digest)


def _figshare(entry: Mapping[str, Any]) -> Iterator[Remote]:
    """Files of an article, whose list is paginated."""
    place = entry.get("api", "https://api.figshare.com/v2")
    size = 100
    for page in range(1, _MOST // size + 2):
        asked = urlencode({"page": page, "page_size": size})
        files = web.read_json(f"{place}/articles/{entry['article']}/files?{asked}")
        for file in files:
            digest = file.get("computed_md5") or file.get("supplied_md5") or None
            algorithm = "md5" if digest else None
            yield Remote(file["name"], file["download_url"], file["size"], algorithm, digest)
        if len(files) < size:
            return


def _zenodo(entry: Mapping[str, Any]) -> Iterator[Remote]:
    place = entry.get("api", "https://zenodo.org/api")
    for file in web.read_json(f"{place}/records/{entry['record']}")["files"]:
        algorithm, _, digest = file["checksum"].partition(":")
        if algorithm not in _DIGITS:
            algorithm = digest = None
        yield Remote(file["key"], file["links"]["self"], file["size"], algorithm, digest)


def _s3(entry: Mapping[str, Any]) -> Iterator[Remote]:
    """Files under a prefix of a public S3 store.

    The ETag of a file that was uploaded in one piece is its MD5; other ETags are not.
    """
    asked = {"list-type": "2", "prefix": entry["prefix"]}
    for _ in range(_MOST):
        tree = ElementTree.fromstring(web.text(f"{entry['bucket']}/?{urlencode(asked)}"))
        for item in tree.findall("{*}Contents"):
            key, tag = item.findtext("{*}Key") or "", (item.findtext("{*}ETag") or "").strip('"')
            size = int(item.findtext("{*}Size") or 0)
            if key.endswith("/"):
                continue
            digest = tag if re.fullmatch(r"[0-9a-f]{32}", tag) else None
            name = key.removeprefix(entry["prefix"])
            url = f"{entry['bucket']}/{quote(key)}"
            yield Remote(name, url, size, "md5" if digest else None, digest)
        token = tree.findtext("{*}NextContinuationToken")
        if tree.findtext("{*}IsTruncated") != "true" or not token:
            return
        asked["continuation-token"] = token


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Remote]]] = {
    "url": _listed,
    "figshare": _figshare,
    "zenodo": _zenodo,
    "s3": _s3,
}
