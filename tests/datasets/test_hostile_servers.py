"""Servers that lie, send without end or lead elsewhere end in one line, and nothing is kept."""

import hashlib
import json
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from autodip.datasets import download as downloads
from autodip.datasets import sources
from autodip.datasets.download import download
from autodip.datasets.fetch import fetch
from autodip.datasets.sources import Remote
from autodip.errors import AutodipError, OutputError
from autodip.util import web

BODY = bytes(range(256)) * 100
MD5 = hashlib.md5(BODY).hexdigest()
ENTRY = {"title": "T", "landing": "https://example.org/page", "citation": "C", "licence": None}


@contextmanager
def serving(answer):
    """Serve with a function of a request handler; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.close_connection = True
            with suppress(OSError):
                answer(self)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = False  # they are waited for
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_port}"
        finally:
            http.shutdown()
            thread.join()


def said(handler, status=200, body=b"", **headers):
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), str(value))
    handler.end_headers()
    handler.wfile.write(body)


def got(url, folder, size=25_600, digest=MD5, attempts=1):
    remote = Remote("a.bin", f"{url}/a.bin", size, digest and "md5", digest)
    return list(download(remote, folder / "a.bin", checked_by="", attempts=attempts, pause=0))


def endless(handler):
    said(handler)
    while True:
        handler.wfile.write(bytes(2**16))


def chunks(handler):
    said(handler, Transfer_Encoding="chunked")
    while True:
        handler.wfile.write(b"10000\r\n" + bytes(2**16) + b"\r\n")


def bad_chunks(handler):
    said(handler, Transfer_Encoding="chunked", body=b"xyz\r\n" + BODY)


def wrong_range(handler):
    said(handler, 206, BODY, Content_Range="bytes 5-9/10", Content_Length=len(BODY))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (endless, "sends more, but the published file has 25,600 bytes"),
        (chunks, "sends more, but the published file has 25,600 bytes"),
        (bad_chunks, "the connection broke off"),
        (wrong_range, "did not send the requested range"),
        (lambda h: said(h, body=BODY, Content_Length=10**15), r"announces 1,000,000,000,000,000"),
        (lambda h: said(h, body=BODY, Content_Length=len(BODY) + 1), "announces 25,601 bytes"),
        (lambda h: said(h, body=BODY, Content_Length=7), "announces 7 bytes"),
        (lambda h: said(h, body=BODY[:9], Content_Length=len(BODY)), "broke off after 9 of"),
        (lambda h: said(h, body=BODY[:-1]), "25,599 bytes, the published file 25,600"),
        (lambda h: said(h, body=bytes(len(BODY))), "its MD5 is"),
        (lambda h: said(h, 204), "answered 204"),
        (lambda h: said(h, 302), "answered 302"),
        (lambda h: said(h, 302, Location="/a.bin"), "answered 302"),
        (lambda h: said(h, 302, Location="ftp://127.0.0.1/a"), "only http and https"),
        (lambda h: said(h, 302, Location="file:///etc/hostname"), "answered 302"),
        (lambda h: said(h, 302, Location="data:,a"), "answered 302"),
        (lambda h: said(h, 302, Location="http://[::1"), "not a valid address"),
        (lambda h: said(h, 302, Location="http://127.0.0.1:99999/"), "cannot be reached"),
        (lambda h: said(h, 302, Location="http://a b/"), "not a valid address|cannot be reached"),
        (lambda h: h.wfile.write(b"no http at all\r\n"), "cannot be reached"),
        (lambda h: h.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 999), "cannot be reached"),
        (lambda h: h.wfile.write(b"HTTP/1.1 200 OK\r\na: " + b"b" * 10**5), "cannot be reached"),
    ],
)
def test_what_is_no_published_file(tmp_path, answer, message):
    with serving(answer) as url, pytest.raises(OutputError, match=message) as caught:
        got(url, tmp_path)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "a.bin").exists()


@pytest.mark.parametrize("length", ["abc", "-5", "1e3", "", "٣"])
def test_a_length_that_is_no_number_is_not_used(tmp_path, length):
    def answer(handler):
        handler.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode() + BODY)

    with serving(answer) as url:
        got(url, tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == BODY


def test_a_redirect_from_https_to_http_is_refused():
    request = web.urllib.request.Request("https://a/b")
    with pytest.raises(OutputError, match="none from https to http"):
        web._Redirects().redirect_request(request, None, 302, "", {}, "http://a/c")
    found = web._Redirects().redirect_request(request, None, 302, "", {}, "https://a/c")
    assert found.full_url == "https://a/c"


def test_a_redirect_is_followed(tmp_path):
    def answer(handler):
        if handler.path == "/a.bin":
            said(handler, 302, Location="/b", Content_Length=0)
        else:
            said(handler, body=BODY, Content_Length=len(BODY))

    with serving(answer) as url:
        got(url, tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == BODY


def drip(handler, header):
    pieces = (
        [b"HTTP/1.1 200 OK\r\n", *[b"a: b\r\n"] * 100] if header else [b"HTTP/1.1 200 OK\r\n\r\n"]
    )
    for piece in pieces + [b"x"] * 1000:
        handler.wfile.write(piece)
        time.sleep(0.05)


@pytest.mark.parametrize("header", [True, False])
def test_a_drip_is_not_waited_for(tmp_path, monkeypatch, header):
    monkeypatch.setattr(web, "TIMEOUT", 0.3)
    start = time.monotonic()
    with (
        serving(lambda handler: drip(handler, header)) as url,
        pytest.raises(OutputError, match="cannot be reached" if header else "bytes arrived in"),
    ):
        got(url, tmp_path, attempts=3)
    assert time.monotonic() - start < 20


def test_what_a_slow_server_sent_is_kept(tmp_path):
    seen = threading.Event()

    def answer(handler):
        said(handler, Content_Length=len(BODY), ETag='"1"')
        handler.wfile.write(BODY[:100])
        handler.wfile.flush()
        seen.wait(60)

    with serving(answer) as url:
        remote = Remote("a.bin", f"{url}/a.bin", len(BODY), "md5", MD5)
        steps = download(remote, tmp_path / "a.bin", checked_by="", attempts=1)
        assert [next(steps).done, next(steps).done] == [0, 100]
        steps.close()
        seen.set()
    assert (tmp_path / "a.bin.part").read_bytes() == BODY[:100]


def test_a_file_without_any_size_leaves_room_on_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "_RESERVE", 10**18)
    with serving(chunks) as url, pytest.raises(OutputError, match="without end, or the disk"):
        got(url, tmp_path, size=None, digest=None)


GOOD = {
    "key": "a.bin",
    "links": {"self": "https://example.org/a"},
    "size": len(BODY),
    "checksum": f"md5:{MD5}",
}


@pytest.mark.parametrize(
    "listing",
    [
        b"",
        b"null",
        b"[" * 100_000,
        b'{"files": ' * 100_000,
        b"\xff\xfe",
        b"\x1f\x8b\x08\x00",
        b'{"files": 5}',
        b'{"files": null}',
        b'{"files": {"a": 1}}',
        b'{"files": "abc"}',
        b'{"files": [[]]}',
        b'{"files": [null]}',
        b'{"files": []}',
        *[
            {**GOOD, **change}
            for change in (
                {"size": "12"},
                {"size": -1},
                {"size": 1.5},
                {"size": True},
                {"size": float("nan")},
                {"size": [1]},
                {"size": 10**30},
                {"checksum": 5},
                {"checksum": None},
                {"checksum": ["md5"]},
                {"checksum": "md5:"},
                {"checksum": "md5:zz"},
                {"checksum": "sha256:" + "0" * 63},
                {"key": ""},
                {"key": 5},
                {"key": None},
                {"key": ["a"]},
                {"key": "."},
                {"key": "/etc/passwd"},
                {"key": "../a"},
                {"key": "a/../../b"},
                {"key": "C:/a"},
                {"key": "a\\b"},
                {"key": "a\0b"},
                {"key": "a\nb"},
                {"key": "\ud800"},
                {"key": "x" * 300},
                {"key": "\u00e4" * 120},
                {"key": "a/" * 600 + "b"},
                {"links": {"self": "http://[::1"}},
                {"links": {"self": "ftp://a/b"}},
                {"links": {"self": "file:///etc/passwd"}},
                {"links": {"self": ""}},
                {"links": {"self": 5}},
                {"links": {"self": None}},
                {"links": []},
                {"links": None},
            )
        ],
        [GOOD, GOOD],
        [GOOD, {**GOOD, "key": "A.BIN"}],
    ],
)
def test_listings_of_any_content(tmp_path, listing):
    files = listing if isinstance(listing, list) else [listing]
    content = listing if isinstance(listing, bytes) else json.dumps({"files": files}).encode()

    with serving(lambda h: said(h, body=content, Content_Length=len(content))) as url:
        entry = {**ENTRY, "kind": "zenodo", "api": url, "record": 1}
        with pytest.raises(AutodipError) as caught:
            list(fetch(sources.make("x", entry), tmp_path / "set", attempts=1, pause=0))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_unknown_checksum_is_as_none():
    file = {**GOOD, "checksum": "shake_128:ab"}
    content = json.dumps({"files": [file]}).encode()
    with serving(lambda h: said(h, body=content, Content_Length=len(content))) as url:
        entry = {**ENTRY, "kind": "zenodo", "api": url, "record": 1}
        (found,) = sources.remotes(sources.make("x", entry))
    assert (found.algorithm, found.digest) == (None, None)


def test_listings_that_never_end(monkeypatch):
    monkeypatch.setattr(sources, "_MOST", 300)
    number = iter(range(10**6))

    def figshare(handler):
        file = {"download_url": "https://a/b", "size": 1}
        content = json.dumps([{**file, "name": f"a{next(number)}"} for _ in range(100)]).encode()
        said(handler, body=content, Content_Length=len(content))

    with serving(figshare) as url:
        entry = {**ENTRY, "kind": "figshare", "api": url, "article": 1}
        with pytest.raises(OutputError, match="there are more than 300"):
            sources.remotes(sources.make("x", entry))

    def s3(handler):
        more = "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"
        content = f"<r>{more}</r>".encode()
        said(handler, body=content, Content_Length=len(content))

    with serving(s3) as url:
        entry = {**ENTRY, "kind": "s3", "bucket": url, "prefix": "p"}
        with pytest.raises(OutputError, match="lists no files"):
            sources.remotes(sources.make("x", entry))


@pytest.mark.parametrize(
    "content",
    [
        b"<r><Contents/></r>",
        b"<r><Contents><Key>p/a</Key><Size>x</Size></Contents></r>",
        b"<r><Contents><Key>p/a</Key><Size>-1</Size></Contents></r>",
        b"<r><Contents><Key>p/../a</Key><Size>1</Size></Contents></r>",
        b'<!DOCTYPE r [<!ENTITY a "b">]><r>&c;</r>',
        b"<r>" * 100_000,
        b"\xff",
    ],
)
def test_listings_in_xml_of_any_content(content):
    with serving(lambda h: said(h, body=content, Content_Length=len(content))) as url:
        entry = {**ENTRY, "kind": "s3", "bucket": url, "prefix": "p/"}
        with pytest.raises(OutputError):
            sources.remotes(sources.make("x", entry))
