"""A small HTTP server that sends parts of files, breaks off and refuses as a test wants."""

import io
import re
import tarfile
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server:
    """What it serves, how it behaves, and what it was asked."""

    def __init__(self):
        self.files = {}
        self.ranges = True
        self.tag = '"v1"'
        self.breaks_after = []  # bytes sent before the next connections are cut
        self.status = []  # of the next answers
        self.asked = []  # (path, headers, bytes sent)
        self.url = ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server.state
        status = server.status.pop(0) if server.status else 0
        if status or self.path not in server.files:
            self.answer(status or 404, b"no", {})
            return
        content, headers, start = server.files[self.path], {}, 0
        if server.tag:
            headers["ETag"] = server.tag
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if server.ranges and asked and self.headers.get("If-Range", server.tag) == server.tag:
            start = int(asked[1])
            if start >= len(content):
                self.answer(416, b"", {"Content-Range": f"bytes */{len(content)}"})
                return
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.answer(206 if "Content-Range" in headers else 200, content[start:], headers)

    def answer(self, status, body, headers):
        server = self.server.state
        cut = server.breaks_after.pop(0) if server.breaks_after else len(body)
        server.asked.append((self.path, dict(self.headers), status, len(body[:cut])))
        self.send_response(status)
        for name, value in {**headers, "Content-Length": len(body)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        with suppress(ConnectionError):  # the client may leave early
            self.wfile.write(body[:cut])
        self.close_connection = True

    def log_message(self, *_):
        pass


@contextmanager
def serving():
    """A server in a thread; yields its state."""
    state = Server()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.state = state
        state.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield state
        finally:
            http.shutdown()
            thread.join()


def tar_of(members):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name, content in members.items():
            member = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            body = b"" if isinstance(content, tarfile.TarInfo) else content
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return file.getvalue()
