"""The process that reads the cases: ``python -m benchmarks.hostile.worker``.

It reads one request as JSON in each line of its input, and answers in one line.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import autodip
from autodip.errors import AutodipError
from autodip.io import large
from benchmarks.hostile.crafted import CANARY

_ADDRESS_SPACE = 8 * 2**30
_TINY = 2000
"""Bytes above which pixels are not loaded, for some of the cases."""

_LOADED, _WRITTEN = 2**28, 2**26
"""Bytes of pixels up to which they are loaded, and written again."""

_VENDOR = (".nd2", ".lif", ".czi")
_WATCHED = {
    *("pickle.find_class", "os.system", "subprocess.Popen", "os.exec", "os.posix_spawn"),
    *("os.fork", "socket.connect", "socket.getaddrinfo", "urllib.Request", "os.symlink"),
}


class Watch:
    """Audit hook that records what a case must not do, and files that it opens elsewhere."""

    def __init__(self) -> None:
        self.on, self.root = False, ""
        self.events: list[str] = []
        package = str(Path(autodip.__file__).parents[1])
        known = [
            sys.prefix,
            sys.base_prefix,
            package,
            "/proc",
            "/sys",
            "/dev",
            "/usr",
            "/etc/local",
        ]
        self._allowed = tuple(dict.fromkeys([*known, *map(os.path.realpath, known)]))
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event in _WATCHED:
            self.events.append(f"{event} {str(arguments)[:120]}")
        elif arguments[:1] == ("<string>",):
            return  # Python 3.13 looks for a file of this name, to show the line of a warning
        elif event == "open" and arguments and isinstance(arguments[0], str | bytes):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if not path.startswith((self.root, *self._allowed)):
                self.events.append(f"open {path}")


def _memory(key: str) -> int:
    """Memory of this process in bytes: ``VmRSS`` now, ``VmHWM`` at most."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    return 0


def _read(case: dict[str, Any], watch: Watch) -> tuple[dict[str, Any], Any]:
    """Outcome of reading, and the image if there is one."""
    scratch = Path(case["scratch"]) if case["scratch"] else None
    try:
        image = autodip.read(case["path"], case["axes"], case["scene"], scratch=scratch)
        if image.data.nbytes < _LOADED:
            np.asarray(image.data)
        told = repr(vars(image)) + repr(getattr(image.source, "__dict__", ""))
    except AutodipError as error:
        return {"outcome": "clear", "text": f"{type(error).__name__}: {error}"[:500]}, None
    except BaseException as error:  # every exception is a finding
        return {"outcome": "other", "text": f"{type(error).__name__}: {error}"[:500]}, None
    if CANARY in told:
        watch.events.append("canary in the image")
    text = f"{image.data.shape} {image.data.dtype} {image.axes}"
    return {"outcome": "ok", "need": int(image.data.nbytes), "text": text}, image


def _write(case: dict[str, Any], image: Any) -> str:
    """Outcome of writing the image in its own format."""
    path = Path(case["path"])
    name = path.stem + ".ome.tif" if path.suffix.lower() in _VENDOR else path.name
    try:
        loaded = image.replace(data=np.asarray(image.data))
        autodip.write(Path(case["out"]) / name, loaded, overwrite=True)
    except AutodipError as error:
        return f"clear {type(error).__name__}: {error}"[:300]
    except BaseException as error:  # every exception is a finding
        return f"other {type(error).__name__}: {error}"[:300]
    return "ok"


def _answer(case: dict[str, Any], watch: Watch) -> dict[str, Any]:
    watch.events, watch.root = [], os.path.realpath(case["root"])
    before, started = _memory("VmRSS"), time.process_time()
    Path("/proc/self/clear_refs").write_text("5")  # the maximum is counted anew
    watch.on = True
    answer, image = _read(case, watch)
    answer |= {"seconds": time.process_time() - started, "excess": _memory("VmHWM") - before}
    if CANARY in answer["text"]:
        watch.events.append("canary in the message")
    if image is not None and answer["need"] < _WRITTEN:
        answer["write"] = _write(case, image)
    watch.on = False
    return {"need": 0, **answer, "events": sorted(set(watch.events))}


def _warm_up() -> None:
    """Import what libraries import when they are first used, which no case is to blame for."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.ome.tif"
        pixels = np.ones((2, 9, 9), "uint8")
        sizes = {"X": 0.1, "Y": 0.1}
        autodip.write(path, autodip.Image(pixels, "TYX", pixel_size=sizes, time_step=1.0))
        autodip.read(path)


def main() -> None:
    """Answer requests until the input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    _warm_up()
    watch, usual = Watch(), large.LARGE
    print("ready", flush=True)
    for line in sys.stdin:
        case = json.loads(line)
        large.LARGE = _TINY if case["tiny"] else usual
        print(json.dumps(_answer(case, watch)), flush=True)


if __name__ == "__main__":
    main()
