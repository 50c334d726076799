"""Results of single planes or tiles, stored in a folder until the image is complete."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autodip.choose.describe import Description
from autodip.errors import AutodipError
from autodip.physics.noise import Noise
from autodip.pipeline.assess import Assessment
from autodip.pipeline.error_summary import ErrorSummary
from autodip.pipeline.parts import Finished, Part
from autodip.pipeline.result import PlaneResult
from autodip.prior.observation import Observation
from autodip.util.files import check_writable, remove, replacing, reserve, writing
from autodip.util.values import Value

_KEY, _MAP = "key.json", "map-"
_PLAIN = ("seconds", "fallbacks", "refined", "follows", "reason", "squared_error")
"""Fields of the record that are stored as they are."""

_DAMAGE = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, OSError, RuntimeError, TypeError),
    *(ValueError, zipfile.BadZipFile, zlib.error),
)
"""Errors that a damaged file may cause when it is read."""


class _Stored(NamedTuple):
    """Content of the file of a result."""

    pixels: np.ndarray
    history: np.ndarray
    about: Mapping[str, Any]
    maps: Mapping[str, np.ndarray]


class Checkpoint:
    """Folder that stores the results computed so far.

    An interrupted run resumes from them. Results of another run, which has a different key, are
    deleted.

    Parameters
    ----------
    folder : Path
        Created if it does not exist.
    key : mapping, JSON-ready
        Everything that the results depend on.

    Attributes
    ----------
    damaged : int
        Number of stored results that could not be read and were deleted.

    Raises
    ------
    OutputError
        If the folder cannot be written to.
    """

    def __init__(self, folder: Path, key: Mapping[str, Any]) -> None:
        self.folder = folder
        self.damaged = 0
        text = json.dumps(key, sort_keys=True, default=str)
        self._key = hashlib.sha256(text.encode()).hexdigest()
        check_writable(folder)
        if self._stored_key() != self._key:
            for path in folder.glob("part-*.npz"):
                remove(path)
            with replacing(folder / _KEY) as (part,):
                part.write_text(json.dumps({"key": self._key}), encoding="utf-8")

    def _stored_key(self) -> str | None:
        try:
            content = json.loads((self.folder / _KEY).read_text(encoding="utf-8"))
            return str(content["key"])
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def _path(self, part: int, place: int) -> Path:
        return self.folder / f"part-{part:06}-{place:04}.npz"

    def has(self, part: Part) -> bool:
        """Whether the results for all planes of a part are stored; damaged ones are deleted."""
        return all(self._is_sound(part.number, place) for place in range(len(part.indices)))

    def _is_sound(self, part: int, place: int) -> bool:
        path = self._path(part, place)
        if not path.exists():
            return False
        try:
            self._load(path)
        except (*_DAMAGE, AutodipError):
            self.damaged += 1
            remove(path)
            return False
        return True

    @staticmethod
    def _load(path: Path) -> _Stored:
        """Content of a file, all of it read and parsed."""
        with path.open("rb") as file, np.load(file) as content:
            about = json.loads(str(content["about"]))
            of: dict[str, type[Value]] = {
                "noise": Noise,
                "assessment": Assessment,
                "observed": Observation,
                "errors": ErrorSummary,
            }
            values = {
                name: about[name] and kind.from_dict(about[name]) for name, kind in of.items()
            }
            plain = {name: about[name] for name in _PLAIN}
            maps = {
                name.removeprefix(_MAP): content[name]
                for name in content.files
                if name.startswith(_MAP)
            }
            return _Stored(content["pixels"], content["history"], {**plain, **values}, maps)

    def put(self, done: Finished) -> None:
        """Store a result; its file appears complete or not at all."""
        record = done.record
        about = {name: getattr(record, name) for name in _PLAIN}
        values = {
            "noise": record.description.noise,
            "assessment": record.assessment,
            "observed": record.observed,
            "errors": record.errors,
        }
        about |= {name: value and value.to_dict() for name, value in values.items()}
        maps: dict[str, Any] = {f"{_MAP}{name}": pixels for name, pixels in done.maps.items()}
        with (
            replacing(self._path(done.part, done.place)) as (path,),
            path.open("wb") as file,
        ):
            np.savez(
                file,
                pixels=done.pixels,
                history=record.history,
                about=np.array(json.dumps(about)),
                **maps,
            )

    def get(self, part: Part, place: int, description: Description) -> Finished:
        """Load the stored result for one plane of a part.

        Parameters
        ----------
        part : Part
        place : int
            Position of the plane in ``part.indices``.
        description : Description
            Description of the channel.
        """
        stored = self._load(self._path(part.number, place))
        about = dict(stored.about)
        record = PlaneResult(
            index=part.indices[place],
            description=description.replace(noise=about.pop("noise")),
            history=stored.history,
            window=part.window,
            **about,
        )
        return Finished(part.number, place, stored.pixels, record, stored.maps)

    def array(self, name: str, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Create an array of zeros as a mapped file of this name in the folder."""
        path = self.folder / f"{name}.npy"
        with writing(path):
            array = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
            with path.open("rb+") as file:
                reserve(file, path.stat().st_size)
        return array

    def remove(self) -> None:
        """Delete the folder and everything in it."""
        if self.folder.exists():
            remove(self.folder)
