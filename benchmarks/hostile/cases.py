"""All cases of a run, each in a folder of its own."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import tifffile

from benchmarks.hostile import (
    crafted_numpy,
    crafted_ome,
    crafted_others,
    crafted_tiff,
    crafted_zarr,
)
from benchmarks.hostile.bases import Base, bases
from benchmarks.hostile.crafted import CANARY, Crafted, Surroundings
from benchmarks.hostile.mutations import damaged, damaged_store

_CRAFTED = (crafted_tiff, crafted_ome, crafted_numpy, crafted_others, crafted_zarr)
_STORE = 3
"""Number of damaged stores for each damaged file, since most of a store is metadata."""


@dataclass(frozen=True)
class Case:
    """A file or store to be read.

    Parameters
    ----------
    kind : str
        "valid", "renamed", "crafted", or the way in which it was damaged.
    folder : Path
        Folder of the case, with the folders ``in`` and ``out``.
    path : Path
    axes, scene
        How it is read.
    """

    kind: str
    folder: Path
    path: Path
    axes: str | None = None
    scene: int | None = None


class Cases:
    """Maker of the cases below a folder.

    Parameters
    ----------
    folder : Path
    per : int
        Damaged variants of each valid file.
    seed : int
    only : str
        Regular expression for the names of the files.
    every : int
        One of so many crafted files is made.
    """

    def __init__(
        self, folder: Path, per: int, seed: int, only: str = "", *, every: int = 1
    ) -> None:
        self._folder, self._per, self._every = folder, per, every
        self._wanted = re.compile(only).search
        self._rng = random.Random(seed)
        self._number = 0
        (folder / "bases").mkdir()
        self.bases = bases(folder / "bases")
        self.around = Surroundings(folder / "outside", folder / "EXECUTED")
        self.around.outside.mkdir()
        (self.around.outside / "secret.txt").write_text(f"{CANARY} {CANARY}\n")
        other = np.full((16, 16), 7777, "uint16")
        tifffile.imwrite(
            self.around.outside / "other.tif", other, metadata=None, description=CANARY
        )
        crafted_zarr.store(self.around.outside / "z.ome.zarr")

    def __iter__(self) -> Iterator[Case]:
        """Make the cases one after the other."""
        for name, base in self.bases.items():
            if self._wanted(name):
                yield from self._variants(name, base)
        for module in _CRAFTED:
            for one in islice(module.crafted(self.around), 0, None, self._every):
                if self._wanted(one.name):
                    case = self._crafted(one)
                    if case is not None:
                        yield case

    def names(self) -> list[str]:
        """Names of all files; those of several crafted files are the same."""
        made = (one.name for module in _CRAFTED for one in module.crafted(self.around))
        return list(dict.fromkeys(filter(self._wanted, (*self.bases, *made))))

    def _place(self) -> Path:
        self._number += 1
        folder = self._folder / "cases" / f"{self._number:05}"
        (folder / "in").mkdir(parents=True)
        (folder / "out").mkdir()
        return folder

    def _variants(self, name: str, base: Base) -> Iterator[Case]:
        """A valid file, its damaged variants, and copies named like other formats."""
        yield self._copied("valid", name, base)
        store = base.path.is_dir()
        for _ in range(self._per * (_STORE if store else 1)):
            folder = self._place()
            path = folder / "in" / name
            if store:
                kind = damaged_store(base.path, path, self._rng)
            else:
                kind, content = damaged(base.path.read_bytes(), self._rng)
                path.write_bytes(content)
            yield Case(kind, folder, path, base.axes, base.scene)
        for suffix in sorted({one.path.suffix for one in self.bases.values()}):
            if suffix != base.path.suffix:
                yield self._copied("renamed", f"renamed{suffix}", base)

    def _copied(self, kind: str, name: str, base: Base) -> Case:
        folder = self._place()
        copy = shutil.copytree if base.path.is_dir() else shutil.copy
        copy(base.path, folder / "in" / name)
        return Case(kind, folder, folder / "in" / name, base.axes, base.scene)

    def _crafted(self, one: Crafted) -> Case | None:
        """Case of a crafted file; None if this file system cannot hold it."""
        folder = self._place()
        (folder / "outside").symlink_to(self.around.outside)
        path = folder / "in" / one.name
        try:
            if isinstance(one.content, bytes):
                path.write_bytes(one.content)
            else:
                one.content(path)
        except (OSError, ValueError, OverflowError):
            shutil.rmtree(folder)
            return None
        return Case("crafted", folder, path)
