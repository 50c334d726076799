"""Download of one file of a package from the index or the folder that pip is configured to use.

``pip download`` cannot be used for a source archive: it builds its metadata, which runs code of the
archive. Here the index is asked for its list of files (PEP 503 and 691), and the file with the
known hash is received and returned, whatever else the index lists.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit
from urllib.request import url2pathname

from autodip.errors import AutodipError, OutputError
from autodip.util import web
from autodip.util.text import words_of

PYPI = "https://pypi.org/simple"

_LISTING = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
_LARGEST = 2**28


def receive(package: str, file: str, sha256: str) -> bytes:
    """Content of a file of a package.

    Parameters
    ----------
    package, file : str
        Names of the package and of the file.
    sha256 : str
        Hash of the file; one of the same name with another hash is not returned.

    Raises
    ------
    OutputError
        If no configured place has the file; the message names the places.
    """
    problems = []
    for place, index in _places(_settings()):
        try:
            content = _from(place, f"{package}/" if index else "", file)
        except (AutodipError, OSError, ValueError) as error:
            problems.append(f"{_shown(place)}: {words_of(error)}")
            continue
        seen = hashlib.sha256(content).hexdigest()
        if seen == sha256:
            return content
        problems.append(f"{_shown(place)}: the SHA-256 of its {file} is {seen}, not {sha256}")
    raise OutputError(
        f"{file} could not be downloaded ({'; '.join(problems) or 'pip has no index configured'})"
    )


def _settings() -> Mapping[str, str]:
    """Settings of pip from its files and the environment, by name such as ``index-url``."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found: dict[str, str] = {}
    for section in ("global", "install", "download", ":env:"):
        for name, value in re.findall(rf"^{section}\.([\w-]+)=(.*)$", listed, re.MULTILINE):
            found[name] = str(ast.literal_eval(value))
    return found


def _places(settings: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
    """Folders and addresses, and whether each is an index, with a page for each package."""
    for place in settings.get("find-links", "").split():
        yield place, False
    if settings.get("no-index", "").lower() in ("1", "true", "yes", "on", "y", "t"):
        return
    yield settings.get("index-url", PYPI), True
    for place in settings.get("extra-index-url", "").split():
        yield place, True


def _from(place: str, page: str, file: str) -> bytes:
    """Content of a file in a place, whose list of files is on a page."""
    parts = urlsplit(place)
    if parts.scheme not in ("http", "https"):
        folder = Path(url2pathname(parts.path) if parts.scheme == "file" else place)
        return (folder.expanduser() / page / file).read_bytes()
    headers = {}
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
    host = parts.netloc.rpartition("@")[2]
    bare = urlunsplit(parts._replace(netloc=host))
    listing = f"{bare.rstrip('/')}/{page}" if page else bare
    content = web.text(listing, {"Accept": _LISTING, **headers})
    for address in _addresses(content):
        target = urljoin(listing, address)
        if unquote(urlsplit(target).path).rpartition("/")[2] == file:
            same = urlsplit(target).netloc == host
            return web.text(target, headers if same else {}, largest=_LARGEST)
    raise OutputError(f"it does not list {file}")


def _addresses(content: bytes) -> list[str]:
    """Addresses of the files in a list, which is JSON or HTML."""
    try:
        return [str(file["url"]) for file in json.loads(content)["files"]]
    except (ValueError, LookupError, TypeError, RecursionError):
        page = _Links()
        page.feed(content.decode(errors="replace"))
        return page.found


class _Links(HTMLParser):
    """Addresses of the links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if (tag, name) == ("a", "href") and value]


def _shown(place: str) -> str:
    """A place without its login."""
    return re.sub(r"//[^/@]*@", "//", place)
