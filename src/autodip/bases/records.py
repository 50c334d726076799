"""Content of a calibration base: images, configurations, and a curve for each pair of them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from autodip.fit.params import FitParams, NetParams
from autodip.image.kind import Kind
from autodip.refine.refinement import RefineParams
from autodip.util.values import Value

Output = Literal["last", "average", "refined"]
"""Last output of the network, average of its outputs, or the refined output."""


@dataclass(frozen=True, kw_only=True)
class Entry(Value):
    """Record of a calibration image; its pixels, if stored at all, are in a separate file.

    Parameters
    ----------
    id : str
        First 16 hexadecimal digits of the SHA-256 of the noisy and true pixels.
    name : str
        Name of data set and image, for human readers.
    microscope, specimen : str or None
        Term from :mod:`autodip.choose.vocabulary` if there is one, else the data set's own term;
        None if unknown.
    fov : str
        Field of view, unique across data sets. Captures, noise levels and crops of one field of
        view share it, and are never on both sides of a comparison.
    noise_level : str
        Noise level as the data set names it.
    shape : tuple of int
        (Y, X) in pixels.
    descriptors : mapping of str to float
        See :mod:`autodip.choose.descriptors`.
    source : mapping
        Origin of the image: ``set``, ``file``, ``role``, ``crop`` (side in pixels; 0 for the
        whole image), ``truth`` (hash of the true pixels) and, for simulated pairs, ``simulated``.
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

    @property
    def kind(self) -> Kind:
        """Microscope and specimen."""
        return Kind(self.microscope, self.specimen)


@dataclass(frozen=True)
class Config(Value):
    """One configuration of the grid: a network, a fit up to its last stop, and a refinement.

    The outputs are scored at stops ``every`` iterations apart. ``refine`` is None if there is no
    refinement.
    """

    net: NetParams
    fit: FitParams
    refine: RefineParams | None = None
    every: int = 20
    seed: int = 0

    @property
    def key(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of the configuration."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Point:
    """Scores of one output at one stop, compared with the truth.

    ``psnr`` is in dB, with the data range of the data set. ``lpips`` is None if its weights are
    not installed, if it was switched off, or if the image is too small. ``l1`` and ``mse`` are the
    mean absolute and the mean squared difference, with the data range scaled to 1. ``seconds`` is
    the run time of the fit up to this stop and, for a refined output, of the refinement.
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
    """The complete curve of one configuration on one image, and its cost.

    Parameters
    ----------
    image : str
        ``id`` of the :class:`Entry`.
    config : Config
    points : tuple of Point
        Sorted by iteration.
    cost : mapping
        ``flop``, ``memory`` (bytes) and ``parameters``, as predicted by
        :mod:`autodip.fit.counting`.
    engine : str
        Versions of autodip and torch that computed the curve.
    """

    image: str
    config: Config
    points: tuple[Point, ...]
    cost: Mapping[str, float]
    engine: str

    def to_dict(self) -> dict[str, Any]:
        """Convert to a JSON-ready dictionary, with the points as columns."""
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
