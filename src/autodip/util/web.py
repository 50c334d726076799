"""HTTP requests with the standard library; every error is reported in one sentence.

Only http and https addresses are followed, also by redirects, and none from https to http. A
response is never decompressed, so that its size is what arrives.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.message import Message
from typing import IO, Any, cast

from autodip.errors import OutputError

TIMEOUT = 60.0
"""Seconds without data, or without a complete header, after which a connection counts as broken."""

SLOWEST = 10_000
"""Bytes that must arrive within :data:`TIMEOUT` seconds."""

LARGEST_TEXT = 64 * 2**20
"""Bytes of a list of files at most."""


class ConnectionLostError(OutputError):
    """The connection failed or broke off; another attempt may succeed."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects to http and https addresses, but none that gives up encryption."""

    def http_error_302(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
    ) -> Any:
        """Open the address to which a response leads."""
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except urllib.error.HTTPError:  # is returned as a response
            raise
        except BaseException:
            fp.close()
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    def redirect_request(
        self, req: urllib.request.Request, *answer: Any
    ) -> urllib.request.Request | None:
        """Refuse other addresses; the last value of ``answer`` is the new one."""
        newurl = str(answer[-1])
        scheme = urllib.parse.urlsplit(newurl).scheme
        if scheme != "https" and (scheme != "http" or req.type == "https"):
            raise OutputError(
                f"{req.full_url}: the server redirects to {newurl}; only http and https addresses "
                "are followed, and none from https to http"
            )
        found = super().redirect_request(req, *answer)
        if found is not None and found.host != req.host:  # a login is for its own server only
            found.remove_header("Authorization")
        return found


class _Prompt:
    """A connection that must deliver the whole header of its response within :data:`TIMEOUT`."""

    def getresponse(self) -> http.client.HTTPResponse:
        """Response, without its body."""
        plain = self.sock  # type: ignore[attr-defined]

        late = threading.Event()

        def give_up() -> None:
            late.set()
            with suppress(OSError):
                plain.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(TIMEOUT, give_up)
        timer.daemon = True
        timer.start()
        try:
            response: http.client.HTTPResponse = super().getresponse()  # type: ignore[misc]
        finally:
            timer.cancel()
        if late.is_set():
            response.close()
            raise TimeoutError("timed out")
        return response


class _Http(_Prompt, http.client.HTTPConnection):
    pass


class _Https(_Prompt, http.client.HTTPSConnection):
    pass


class _HttpHandler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Http, req)


class _HttpsHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Https, req)


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
        self._since, self._count = time.monotonic(), 0

    def read(self, size: int) -> bytes:
        """Read what has arrived, up to ``size`` bytes, or wait for more; empty at the end.

        Raises
        ------
        ConnectionLostError
            If the connection broke off.
        OutputError
            If it is too slow to be of use.
        """
        try:
            content = self._body.read1(size)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ConnectionLostError(f"{self.url}: the connection broke off ({error})") from error
        self._count += len(content)
        passed = time.monotonic() - self._since
        if passed > TIMEOUT and content:
            if self._count < SLOWEST:
                raise OutputError(
                    f"{self.url}: only {self._count:,} bytes arrived in {passed:.0f} s; run the "
                    "same command again when the connection or the server is faster"
                )
            self._since, self._count = time.monotonic(), 0
        return content

    def length(self) -> int | None:
        """Number of bytes of the body as announced; None if it is not announced, or no number."""
        text = self.headers.get("Content-Length") or ""
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None


def is_address(url: str) -> bool:
    """Whether this is an http or https address."""
    try:
        parts = urllib.parse.urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _opener() -> urllib.request.OpenerDirector:
    """Opener for http and https alone; those of urllib also open files and FTP."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        _HttpHandler(),
        _HttpsHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    return opener


@contextmanager
def request(url: str, headers: Mapping[str, str] | None = None) -> Iterator[Answer]:
    """Request an address; a response with an error status is returned, too.

    Raises
    ------
    OutputError
        If it or a redirect is not an http or https address, or redirects from https to http, or the
        server's certificate is not valid.
    ConnectionLostError
        If the server cannot be reached.
    """
    if not is_address(url):
        raise OutputError(f"{url}: only http and https addresses are downloaded")
    asked = urllib.request.Request(url, headers={"User-Agent": "autodip", **(headers or {})})
    response: IO[bytes]
    try:
        response = _opener().open(asked, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        response = cast("IO[bytes]", error)
    except OutputError:
        raise
    except (http.client.InvalidURL, ValueError, OverflowError) as error:
        raise OutputError(f"{url}: it or its redirect is not a valid address ({error})") from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise OutputError(f"{url}: the server's certificate is not valid ({reason})") from error
        words = " ".join(str(reason).split())  # what the server sent may be part of it
        raise ConnectionLostError(f"{url}: cannot be reached ({words})") from error
    with response:
        yield Answer(cast("http.client.HTTPResponse", response), url)


def text(
    url: str, headers: Mapping[str, str] | None = None, *, largest: int = LARGEST_TEXT
) -> bytes:
    """Read a whole response, such as a list of files.

    Raises
    ------
    OutputError
        If the server refuses the request, or sends more than ``largest`` bytes.
    """
    with request(url, headers) as answer:
        if answer.status != http.client.OK:
            kind = ConnectionLostError if answer.status >= 500 else OutputError
            raise kind(f"{url}: the server answered {answer.status}")
        content = bytearray()
        while part := answer.read(2**20):
            content += part
            if len(content) > largest:
                raise OutputError(f"{url}: the response is larger than {largest / 2**20:.0f} MB")
        announced = answer.length()
        if announced is not None and len(content) < announced:
            raise ConnectionLostError(
                f"{url}: the connection broke off after {len(content):,} of {announced:,} bytes"
            )
    return bytes(content)


def read_json(url: str) -> Any:
    """Read a response as JSON; raises like :func:`text`, and an OutputError if it is not JSON."""
    content = text(url)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise OutputError(f"{url}: the response is not JSON ({error})") from error
