"""Recipes, from which a prior is trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from autodip.errors import ParameterError
from autodip.physics.structures import KINDS
from autodip.prior.clean import FEWEST, Clean, Source, draw_scenes, load_source
from autodip.util.structured import read_structured
from autodip.util.values import Value, check_float, check_int, check_option


@dataclass(frozen=True)
class Training(Value):
    """Recipe of a training.

    Parameters
    ----------
    widths : tuple of int
        Channels of each scale of the network, finest (half the image's resolution) first.
    sources : tuple of Source
        Real clean images; may be empty.
    scenes, scene_size : int
        Number of drawn scenes, 0 or more, and their side length in pixels, at least 64.
    scene_weight, scene_photons : float
        As in :class:`autodip.prior.clean.Clean`, for each drawn scene.
    patch : int
        Side length of an example in pixels, a multiple of 16 and of 2 to the number of scales.
    batch : int
        Examples of a step.
    steps : int
        Number of steps.
    rate : float
        Learning rate of AdamW after 500 steps of warm-up, above 0.
    decay : float
        Share of the steps at the end during which the learning rate falls to 0, 0 to 1.
    average : float
        Factor of the exponential moving average of the weights, 0 to 1.
    told : float
        Share of the examples whose noise is given to the network, 0 to 1.
    seed : int
        0 or more.
    start : str
        Weights from which the training starts, a path relative to the folder of the result; empty
        to start from random weights.
    scene_kinds : tuple of str
        Kinds of drawn scenes, of :data:`autodip.physics.structures.KINDS`; empty for all.

    Raises
    ------
    ParameterError
        If a value is not allowed, or there is nothing to train on.
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
    scene_kinds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.widths, tuple) or not self.widths:
            raise ParameterError(f"widths is {self.widths!r}; give a list such as [48, 64, 128]")
        for width in self.widths:
            check_int("a width", width, 1)
        if not isinstance(self.sources, tuple) or not all(
            isinstance(one, Source) for one in self.sources
        ):
            raise ParameterError(
                f"sources is {self.sources!r}; give a list of objects with folder, key and role"
            )
        lowest = {"scenes": 0, "scene_size": 64, "patch": 16, "batch": 1, "steps": 1, "seed": 0}
        for name, low in lowest.items():
            check_int(name, getattr(self, name), low)
        for name in ("decay", "average", "told"):
            check_float(name, getattr(self, name), 0, 1)
        check_float("rate", self.rate, 0, 1, open_low=True)
        check_float("scene_weight", self.scene_weight, 0, 1e6, open_low=True)
        check_float("scene_photons", self.scene_photons, FEWEST, 1e6)
        if not isinstance(self.start, str):
            raise ParameterError(f"start is {self.start!r}; give the path of a file of weights")
        self._check_pool()

    def _check_pool(self) -> None:
        if not isinstance(self.scene_kinds, tuple):
            raise ParameterError(f"scene_kinds is {self.scene_kinds!r}; give a list of kinds")
        for kind in self.scene_kinds:
            check_option("a kind of scenes", kind, KINDS)
        multiple = max(16, 2 ** len(self.widths))
        if self.patch % multiple:
            raise ParameterError(
                f"patch is {self.patch}; with {len(self.widths)} widths it must be a multiple of "
                f"{multiple}"
            )
        if not self.sources and not self.scenes:
            raise ParameterError("there are no sources and no scenes; give at least one of them")

    def pool(self, root: Path) -> Iterator[Clean]:
        """All clean images: those of the sources, then the drawn scenes.

        Parameters
        ----------
        root : Path
            Folder of the data.

        Raises
        ------
        FormatError, ImageError
            If the images of a source are missing or cannot be used.
        """
        for source in self.sources:
            yield from load_source(root, source)
        yield from draw_scenes(
            self.scenes,
            self.scene_size,
            self.seed,
            weight=self.scene_weight,
            photons=self.scene_photons,
            kinds=self.scene_kinds or KINDS,
        )


def read_recipe(path: Path) -> Training:
    """Read a recipe from a YAML file with the keys of :class:`Training`.

    Raises
    ------
    FormatError
        If the file cannot be read.
    ParameterError
        If a key is unknown or missing, or a value is not allowed.
    MissingPackageError
        If PyYAML is not installed.
    """
    content = read_structured(path, "prior")
    if not isinstance(content, dict):
        raise ParameterError(f"{path} contains no recipe; give keys such as widths and sources")
    try:
        return Training.from_dict(content)
    except ParameterError as error:
        raise ParameterError(f"{path}: {error}") from error
