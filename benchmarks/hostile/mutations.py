"""Random damage to files, and to the metadata and chunks of Zarr stores."""

from __future__ import annotations

import json
import random
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

_WORDS = (0, 1, 2, 3, 0x7F, 0xFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_VALUES: tuple[Any, ...] = (
    *(None, -1, 0, 1, 2**31, 2**63, 1e308, -0.5, "", "x", "../..", "/etc", "\0", [], {}, [0], [-1]),
    *([[]], True, "NaN", float("nan"), float("inf"), [1] * 70, "a" * 10000),
)


def _cut(data: bytearray, rng: random.Random) -> None:
    ends = [rng.randrange(1, len(data)), rng.randrange(1, min(len(data), 600)), len(data) - 1]
    del data[rng.choice(ends) :]


def _flip(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice([1, 1, 2, 5])):
        data[rng.randrange(min(len(data), 1024))] ^= 1 << rng.randrange(8)


def _any(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice([1, 3, 20])):
        data[rng.randrange(len(data))] = rng.randrange(256)


def _tail(data: bytearray, rng: random.Random) -> None:
    """Some bytes near the end, where the directories of some formats lie."""
    for _ in range(rng.choice([1, 2])):
        data[-1 - rng.randrange(min(len(data), 1500))] = rng.randrange(256)


def _word(data: bytearray, rng: random.Random) -> None:
    """An odd number in the header."""
    at = rng.randrange(max(1, min(len(data), 700) - 8))
    at -= at % rng.choice([1, 2, 4])
    width = rng.choice(["<I", ">I", "<H", "<Q", ">Q"])
    value = rng.choice(_WORDS)
    if width[1] == "Q":
        value = rng.choice([value, value << 32, (1 << 64) - 1])
    size = struct.calcsize(width)
    data[at : at + size] = struct.pack(width, value & ((1 << 8 * size) - 1))


def _zero(data: bytearray, rng: random.Random) -> None:
    at, size = rng.randrange(len(data)), rng.choice([4, 16, 100])
    data[at : at + size] = bytes(len(data[at : at + size]))


def _gone(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    del data[at : at + rng.choice([1, 4, 64])]


def _more(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    data[at:at] = rng.randbytes(rng.choice([1, 4, 64]))


def _itself(data: bytearray, rng: random.Random) -> None:
    """A part of the file over another part."""
    size, to, origin = rng.choice([8, 12, 64]), rng.randrange(len(data)), rng.randrange(len(data))
    data[to : to + size] = data[origin : origin + size]


KINDS: dict[str, Callable[[bytearray, random.Random], None]] = {
    "cut": _cut,
    "flip": _flip,
    "any": _any,
    "tail": _tail,
    "word": _word,
    "zero": _zero,
    "gone": _gone,
    "more": _more,
    "itself": _itself,
}
"""Ways to damage a file, by name."""


def damaged(content: bytes, rng: random.Random) -> tuple[str, bytes]:
    """A way to damage a file, chosen at random, and the file damaged in this way."""
    kind = rng.choice([*KINDS, "word"])
    data = bytearray(content)
    KINDS[kind](data, rng)
    return kind, bytes(data)


def damaged_store(source: Path, target: Path, rng: random.Random) -> str:
    """Copy a Zarr store with one thing wrong, and return which kind of thing."""
    shutil.copytree(source, target)
    files = sorted(path for path in target.rglob("*") if path.is_file())
    texts = [path for path in files if path.suffix == ".json" or path.name.startswith(".z")]
    kind = rng.choice(["json"] * 4 + ["text", "chunk", "lost", "empty"])
    match kind:
        case "json":
            path = rng.choice(texts)
            path.write_text(json.dumps(_twisted(json.loads(path.read_text()), rng)))
        case "text" | "chunk":
            path = rng.choice(texts if kind == "text" else [p for p in files if p not in texts])
            path.write_bytes(damaged(path.read_bytes(), rng)[1])
        case "lost":
            rng.choice(files).unlink()
        case "empty":
            rng.choice(files).write_bytes(b"")
    return f"zarr-{kind}"


def _twisted(content: Any, rng: random.Random) -> Any:
    """Content of JSON with one value removed or replaced by an odd one."""
    places = list(_places(content, ()))
    if not places:
        return rng.choice(_VALUES)
    *outer, last = rng.choice(places)
    node = content
    for key in outer:
        node = node[key]
    if rng.random() < 0.15:
        del node[last]
    else:
        node[last] = rng.choice(_VALUES)
    return content


def _places(node: Any, path: tuple[Any, ...]) -> Any:
    """Paths of all values in content of JSON."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if _is_list(node) else ()
    for key, value in items:
        yield (*path, key)
        yield from _places(value, (*path, key))


def _is_list(node: Any) -> bool:
    return isinstance(node, list)
