"""What a calibration base holds: images, configurations, and the curve of each on each."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from autodip.fit.params import FitParams, NetParams
from autodip.refine.refinement import RefineParams

Output = Literal["last", "average", "refined"]
"""Last output of the network, average of its outputs, and that after the refinement."""


@dataclass(frozen=True)
class Entry:
    """A calibration image; its pixels are elsewhere, if they were kept at all.

    Parameters
    ----------
    id : str
        First 16 hexadecimal digits of the SHA-256 of noisy and true pixels.
    name : str
        Of data set and image, for people.
    microscope, specimen : str or None
        In the words of :mod:`autodip.choose.vocabulary` where it has one; None where unknown.
    fov : str
        Field of view, unique over data sets; captures, noise levels and crops of one field
        share it, and are never on both sides of a comparison.
    noise_level : str
        In the words of the data set.
    shape : tuple of int
        (Y, X) in pixels.
    descriptors : mapping of str to float
        See :mod:`autodip.choose.descriptors`.
    source : mapping
        Where it comes from: ``set``, ``file``, ``role`` and, for simulated pairs, ``simulated``.
    """

    id: str
    name: str
    microscope: str | None
    specimen: str | None
    fov: str
    noise_level: str
    shape: tuple[int, int]
    descriptors: Mapping[str, float]
    source: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-ready dictionary."""
        return {**dataclasses.asdict(self), "shape": list(self.shape)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Entry:
        """Inverse of :meth:`to_dict`."""
        return cls(**{**values, "shape": tuple(values["shape"])})


@dataclass(frozen=True)
class Config:
    """One setting of the grid: a network, a fit up to its longest stop, a refinement.

    ``every`` is the distance of the stops that are scored, in iterations.
    """

    net: NetParams
    fit: FitParams
    refine: RefineParams | None = None
    every: int = 20
    seed: int = 0

    @property
    def key(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of its content."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-ready dictionary."""
        return {
            "net": self.net.to_dict(),
            "fit": self.fit.to_dict(),
            "refine": self.refine.to_dict() if self.refine else None,
            "every": self.every,
            "seed": self.seed,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Config:
        """Inverse of :meth:`to_dict`."""
        refine = values["refine"]
        return cls(
            NetParams.from_dict(values["net"]),
            FitParams.from_dict(values["fit"]),
            RefineParams.from_dict(refine) if refine else None,
            values["every"],
            values["seed"],
        )


@dataclass(frozen=True)
class Point:
    """Figures of one output at one stop, against the truth.

    PSNR in dB with the data range of the data set; SSIM; LPIPS, None without its weights; mean
    absolute and mean squared difference with the range scaled to 1; seconds of the fit (and of
    the refinement) up to here.
    """

    iteration: int
    output: Output
    psnr: float
    ssim: float
    lpips: float | None
    l1: float
    mse: float
    seconds: float


@dataclass(frozen=True)
class Run:
    """The whole curve of one configuration on one image, and what it cost.

    Parameters
    ----------
    image : str
        ``id`` of the :class:`Entry`.
    config : Config
    points : tuple of Point
        Sorted by iteration.
    cost : mapping
        ``flop``, ``memory`` and ``parameters`` by :mod:`autodip.fit.counting`.
    engine : str
        Version of autodip and of torch that computed it.
    """

    image: str
    config: Config
    points: tuple[Point, ...]
    cost: Mapping[str, float]
    engine: str

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-ready dictionary; the points as columns."""
        names = [f.name for f in dataclasses.fields(Point)]
        return {
            "image": self.image,
            "config": self.config.to_dict(),
            "points": {name: [getattr(p, name) for p in self.points] for name in names},
            "cost": dict(self.cost),
            "engine": self.engine,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Run:
        """Inverse of :meth:`to_dict`."""
        columns = values["points"]
        rows = zip(*columns.values(), strict=True)
        points = tuple(Point(**dict(zip(columns, row, strict=True))) for row in rows)
        config = Config.from_dict(values["config"])
        return cls(values["image"], config, points, values["cost"], values["engine"])
