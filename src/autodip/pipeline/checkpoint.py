"""Results of single planes or tiles, stored in a folder until the image is complete."""

from __future__ import annotations

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
from autodip.prior.observation import Observation
from autodip.util.files import check_writable, remove, replacing

_KEY, _MAP = "key.json", "map-"


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
        """Whether the results for all planes of a part are stored."""
        return all(self._path(part.number, place).exists() for place in range(len(part.indices)))

    def put(self, done: Finished) -> None:
        """Store a result; its file appears complete or not at all."""
        record = done.record
        about = {
            "seconds": record.seconds,
            "fallbacks": record.fallbacks,
            "refined": record.refined,
            "follows": record.follows,
            "noise": record.description.noise.to_dict() if record.description.noise else None,
            "assessment": record.assessment.to_dict() if record.assessment else None,
            "observed": record.observed.to_dict() if record.observed else None,
            "reason": record.reason,
        }
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
        with np.load(self._path(part.number, place)) as content:
            about = json.loads(str(content["about"]))
            noise, assessment = about["noise"], about["assessment"]
            observed = about["observed"]
            record = PlaneResult(
                index=part.indices[place],
                description=description.replace(noise=noise and Noise.from_dict(noise)),
                history=content["history"],
                assessment=assessment and Assessment.from_dict(assessment),
                seconds=about["seconds"],
                fallbacks=about["fallbacks"],
                refined=about["refined"],
                follows=about["follows"],
                window=part.window,
                observed=observed and Observation.from_dict(observed),
                reason=about["reason"],
            )
            maps = {
                name.removeprefix(_MAP): content[name]
                for name in content.files
                if name.startswith(_MAP)
            }
            return Finished(part.number, place, content["pixels"], record, maps)

    def array(self, name: str, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Create an array of zeros as a mapped file of this name in the folder."""
        path = self.folder / f"{name}.npy"
        return np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)

    def remove(self) -> None:
        """Delete the folder and everything in it."""
        if self.folder.exists():
            remove(self.folder)
