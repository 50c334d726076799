"""Recipes, from which a prior is trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any

from autodip.errors import ParameterError
from autodip.prior.clean import Clean, draw_scenes, load_folder
from autodip.util.optional import require
from autodip.util.values import Value


@dataclass(frozen=True)
class Source(Value):
    """Clean images of one folder; see :class:`autodip.prior.clean.Clean`.

    Parameters
    ----------
    folder : str
        Relative to the folder of the data.
    key : str
        Key of the file names in the manifest's entries.
    role : str
    set : str
        Name of a set of the manifest; empty for all.
    weight, finest, photons : float
    """

    folder: str
    key: str
    role: str
    _: KW_ONLY
    set: str = ""
    weight: float = 1.0
    finest: float = 1.0
    photons: float = 150.0


@dataclass(frozen=True)
class Training(Value):
    """Recipe of a training.

    Parameters
    ----------
    widths : tuple of int
        Channels of each scale of the network.
    sources : tuple of Source
        Real clean images.
    scenes, scene_size : int
        Number of drawn scenes, and their side length in pixels.
    scene_weight, scene_photons : float
        As in :class:`autodip.prior.clean.Clean`.
    patch, batch, steps : int
        Side length of a sample, samples of a step, number of steps.
    rate : float
        Learning rate of AdamW after 500 steps of warm-up.
    decay : float
        Share of the steps at the end during which the learning rate falls to 0.
    average : float
        Factor of the exponential moving average of the weights.
    told : float
        Share of the samples whose noise is told to the network.
    seed : int
    start : str
        Weights from which the training starts, a path relative to the folder of the result; empty
        to start from random weights.
    """

    widths: tuple[int, ...]
    sources: tuple[Source, ...]
    _: KW_ONLY
    scenes: int = 600
    scene_size: int = 288
    scene_weight: float = 0.15
    scene_photons: float = 1000.0
    patch: int = 128
    batch: int = 8
    steps: int = 60000
    rate: float = 1e-3
    decay: float = 0.3
    average: float = 0.999
    told: float = 0.7
    seed: int = 0
    start: str = ""

    def pool(self, root: Path) -> Iterator[Clean]:
        """All clean images; ``root`` is the folder of the data."""
        for source in self.sources:
            yield from load_folder(root / source.folder, source.to_dict())
        yield from draw_scenes(
            self.scenes,
            self.scene_size,
            self.seed,
            weight=self.scene_weight,
            photons=self.scene_photons,
        )


def read_recipe(path: Path) -> Training:
    """Read a recipe from a YAML file.

    Raises
    ------
    ParameterError
        If the file cannot be read, or has unknown or missing keys.
    """
    yaml = require("yaml", "prior")
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ParameterError(f"{path} cannot be read as a recipe: {error}") from error
    if not isinstance(content, dict):
        raise ParameterError(f"{path} contains no recipe; give keys such as widths and sources")
    return Training.from_dict(content)
