"""HTTP requests with the standard library; every error is reported in one sentence."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from typing import IO, Any, cast

from autodip.errors import OutputError

TIMEOUT = 60.0
"""Seconds without data after which a connection counts as broken."""

_LARGEST_TEXT = 64 * 2**20


class ConnectionLostError(OutputError):
    """The connection failed or broke off; another attempt may succeed."""


class Answer:
    """Response of a server: status, headers, and the body to be read.

    Parameters
    ----------
    response : file-like
        What urllib returns.
    url : str
        Address that was requested.
    """

    def __init__(self, response: http.client.HTTPResponse, url: str) -> None:
        self.status: int = response.status
        self.headers: Message = response.headers
        self.url = url
        self._body = response

    def read(self, size: int) -> bytes:
        """Read what has arrived, up to ``size`` bytes, or wait for more; empty at the end.

        Raises
        ------
        ConnectionLostError
            If the connection broke off.
        """
        try:
            return self._body.read1(size)
        except (OSError, http.client.HTTPException) as error:
            raise ConnectionLostError(f"{self.url}: the connection broke off ({error})") from error


@contextmanager
def request(url: str, headers: Mapping[str, str] | None = None) -> Iterator[Answer]:
    """Request an address; a response with an error status is returned, too.

    Raises
    ------
    OutputError
        If the address is not http or https, or the server's certificate is not valid.
    ConnectionLostError
        If the server cannot be reached.
    """
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise OutputError(f"{url}: only http and https addresses are downloaded")
    asked = urllib.request.Request(url, headers={"User-Agent": "autodip", **(headers or {})})
    response: IO[bytes]
    try:
        response = urllib.request.urlopen(asked, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        response = cast("IO[bytes]", error)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise OutputError(f"{url}: the server's certificate is not valid ({reason})") from error
        raise ConnectionLostError(f"{url}: cannot be reached ({reason})") from error
    with response:
        yield Answer(cast("http.client.HTTPResponse", response), url)


def text(url: str) -> bytes:
    """Read a whole response, such as a list of files.

    Raises
    ------
    OutputError
        If the server refuses the request, or sends more than 64 MB.
    """
    with request(url) as answer:
        if answer.status != http.client.OK:
            kind = ConnectionLostError if answer.status >= 500 else OutputError
            raise kind(f"{url}: the server answered {answer.status}")
        content = b""
        while part := answer.read(2**20):
            content += part
            if len(content) > _LARGEST_TEXT:
                raise OutputError(f"{url}: the response is larger than {_LARGEST_TEXT >> 20} MB")
    return content


def read_json(url: str) -> Any:
    """Read a response as JSON; raises like :func:`text`, and an OutputError if it is not JSON."""
    content = text(url)
    try:
        return json.loads(content)
    except ValueError as error:
        raise OutputError(f"{url}: the response is not JSON ({error})") from error
