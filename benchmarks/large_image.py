"""Time and memory of a large image, from file to file.

    python benchmarks/large_image.py WORK [--side 20000] [--kind ome-tiff] [-- OPTIONS]

makes a simulated image of ``side`` x ``side`` pixels in the folder WORK (16 bits, compressed),
denoises it with ``autodip denoise`` and OPTIONS, and prints a row of a table. The row has the peak
memory of the process as counted by the system, with and without the pages of mapped files.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import tifffile

from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate
from autodip.util.optional import require

_BLOCK = 1024
_CHEAP = ["--preset", "fast", "--iterations", "6", "--no-refine"]
_SUFFIX = {"ome-tiff": ".ome.tif", "ome-zarr": ".ome.zarr"}


def make(path: Path, side: int) -> None:
    """Write the noisy image block by block."""
    blocks = [simulate("nucleus", Optics(), size=_BLOCK, seed=n)[0] for n in range(4)]
    rows = -(-side // _BLOCK)

    def band(number: int) -> np.ndarray:
        row = [np.roll(blocks[(number + n) % 4], 37 * n * number, 1) for n in range(rows)]
        return np.concatenate(row, 1)[: side - number * _BLOCK, :side].astype(np.uint16)

    if path.suffix == ".zarr":
        import autodip.io  # noqa: PLC0415
        from autodip.image.image import Image  # noqa: PLC0415

        autodip.io.write(
            path, Image(np.zeros((1, 1), np.uint16), "YX", pixel_size={"X": 0.2, "Y": 0.2})
        )
        group = require("zarr", "zarr").open_group(path, mode="r+")
        array = group.create_array(
            "0", shape=(side, side), chunks=(1024, 1024), dtype="uint16", overwrite=True
        )
        for number in range(rows):
            array[number * _BLOCK : (number + 1) * _BLOCK] = band(number)
        return

    def tiles():  # type: ignore[no-untyped-def]
        for number in range(rows):
            part = band(number)
            for left in range(0, side, _BLOCK):
                tile = np.zeros((_BLOCK, _BLOCK), np.uint16)
                piece = part[:, left : left + _BLOCK]
                tile[: piece.shape[0], : piece.shape[1]] = piece
                yield tile

    tifffile.imwrite(
        path,
        tiles(),
        shape=(side, side),
        dtype=np.uint16,
        tile=(_BLOCK, _BLOCK),
        compression="zlib",
        metadata={"axes": "YX", "PhysicalSizeX": 0.2, "PhysicalSizeY": 0.2},
    )


def watch(pid: int, found: dict[str, int], done: threading.Event) -> None:
    """Record the peak memory of a process in ``found``, in kB, until ``done`` is set."""
    status = Path(f"/proc/{pid}/status")
    while not done.wait(0.2):
        try:
            lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        except (OSError, ValueError):
            return
        for name in ("VmHWM", "RssAnon"):
            if name in lines:
                found[name] = max(found.get(name, 0), int(lines[name].split()[0]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--side", type=int, default=20000)
    parser.add_argument("--kind", choices=list(_SUFFIX), default="ome-tiff")
    words = sys.argv[1:]
    at = words.index("--") if "--" in words else len(words)
    given, options = parser.parse_args(words[:at]), words[at + 1 :] or _CHEAP
    source = given.work / f"large{_SUFFIX[given.kind]}"
    if not source.exists():
        make(source, given.side)
    command = ["denoise", str(source), "-o", str(given.work / "out"), "--overwrite", "-q"]
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "autodip", *command, *options])
    found: dict[str, int] = {}
    done = threading.Event()
    watcher = threading.Thread(target=watch, args=(process.pid, found, done))
    watcher.start()
    code = process.wait()
    done.set()
    watcher.join()
    seconds = time.perf_counter() - started
    peak, own = found.get("VmHWM", 0) / 1e6, found.get("RssAnon", 0) / 1e6
    print(
        f"| {given.kind} | {given.side} x {given.side} | `{' '.join(options)}` | "
        f"{seconds / 60:.1f} min | "
        f"{peak:.2f} GB | {own:.2f} GB | {'done' if code == 0 else f'exit code {code}'} |"
    )


if __name__ == "__main__":
    main()
