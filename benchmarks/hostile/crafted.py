"""What the crafted files share: how a case is described, and what it may try to reach."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

CANARY = "CANARY-3f7a91"
"""Word in the files outside the cases; it must not appear in an image or a message."""


@dataclass(frozen=True)
class Crafted:
    """A crafted file: its name, and its content or a function that makes the file or folder."""

    name: str
    content: bytes | Callable[[Path], Any]


@dataclass(frozen=True)
class Surroundings:
    """What lies outside the cases.

    Parameters
    ----------
    outside : Path
        Folder with a text file ``secret.txt``, an image ``other.tif`` and a store ``z.ome.zarr``.
    mark : Path
        File that crafted code would create.
    """

    outside: Path
    mark: Path


class Boom:
    """Object whose pickle creates the mark when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self._mark}",)


def late(name: str, content: Callable[[], bytes]) -> Crafted:
    """Crafted file whose content takes long to make, and is made only if it is used."""
    return Crafted(name, lambda path: path.write_bytes(content()))


@cache
def deflated(size: int) -> bytes:
    """Zeros, compressed by deflate without holding them."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(2**24)) for _ in range(size // 2**24)) + packer.flush()
