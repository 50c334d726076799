"""Results of the parts of a large image, kept in a folder until all are there."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autodip.choose.describe import Description
from autodip.physics.noise import Noise
from autodip.pipeline.assess import Assessment
from autodip.pipeline.parts import Finished, Part
from autodip.pipeline.result import PlaneResult
from autodip.util.files import check_writable, remove, replacing

_KEY = "key.json"


class Checkpoint:
    """Folder that holds the results of the parts computed so far.

    A run that was stopped finds there what it has done. Results of another run, whose key is
    another, are deleted.

    Parameters
    ----------
    folder : Path
        Made when it is needed.
    key : mapping, JSON-ready
        All that the results depend on.

    Raises
    ------
    OutputError
        If the folder cannot be written to.
    """

    def __init__(self, folder: Path, key: Mapping[str, Any]) -> None:
        self.folder = folder
        text = json.dumps(key, sort_keys=True, default=str)
        self._key = hashlib.sha256(text.encode()).hexdigest()
        check_writable(folder)
        if self._stored_key() != self._key:
            for path in folder.glob("part-*.npz"):
                path.unlink()
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
        """Whether a part is there with all its planes."""
        return all(self._path(part.number, place).exists() for place in range(len(part.indices)))

    def put(self, done: Finished) -> None:
        """Keep a result; it appears whole or not at all."""
        record = done.record
        about = {
            "seconds": record.seconds,
            "fallbacks": record.fallbacks,
            "refined": record.refined,
            "follows": record.follows,
            "noise": record.description.noise.to_dict() if record.description.noise else None,
            "assessment": record.assessment.to_dict() if record.assessment else None,
        }
        with (
            replacing(self._path(done.part, done.place)) as (path,),
            path.open("wb") as file,
        ):
            np.savez(
                file,
                pixels=done.pixels,
                history=record.history,
                about=np.array(json.dumps(about)),
            )

    def get(self, part: Part, place: int, description: Description) -> Finished:
        """Result of one plane of a part that is there.

        Parameters
        ----------
        part, place
            As in :class:`Finished`.
        description : Description
            That of the channel.
        """
        with np.load(self._path(part.number, place)) as content:
            about = json.loads(str(content["about"]))
            record = PlaneResult(
                part.indices[place],
                dataclasses.replace(description, noise=_noise(about["noise"])),
                content["history"],
                _assessment(about["assessment"]),
                about["seconds"],
                about["fallbacks"],
                about["refined"],
                about["follows"],
                part.window,
            )
            return Finished(part.number, place, content["pixels"], record)

    def array(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Array that lies in the folder, not in memory; zeros."""
        return np.lib.format.open_memmap(
            self.folder / "result.npy", mode="w+", dtype=dtype, shape=shape
        )

    def remove(self) -> None:
        """Delete the folder with all that it holds."""
        if self.folder.exists():
            remove(self.folder)


def _noise(values: dict[str, Any] | None) -> Noise | None:
    if values is None:
        return None
    return Noise(**{**values, "correlation": tuple(values["correlation"])})


def _assessment(values: dict[str, Any] | None) -> Assessment | None:
    if values is None:
        return None
    pairs = {name: tuple(values[name]) for name in ("residual_correlation", "notes")}
    return Assessment(**{**values, **pairs})
