"""A folder of simulated pairs, with the manifest that :mod:`autodip.datasets.own_pairs` reads."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autodip import io
from autodip.datasets.noise_sources import SMALLEST, NoiseSource
from autodip.datasets.pair_lists import FILE
from autodip.errors import ImageError, OutputError
from autodip.image.image import Image
from autodip.physics.degrade import CLEAN
from autodip.util.files import check_writable, replacing

SET = "simulated"
"""Name of the data set in the manifest."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How the pairs are simulated from clean images.

    Parameters
    ----------
    source : NoiseSource
        Where noise and brightness come from.
    microscope, specimen : str or None
        Microscope and specimen of all pairs; None if unknown.
    levels : tuple of float
        Numbers of photons relative to the source; one image is simulated for each.
    seed : int
        Seed; the noise of an image depends only on it and on the name of the image's file.
    crop : int
        Side length in pixels of the central square that is used; 0 for the whole image.
    """

    source: NoiseSource
    microscope: str | None
    specimen: str | None
    levels: tuple[float, ...]
    seed: int
    crop: int


class Folder:
    """A folder that is filled file by file; its manifest is written at the end.

    Parameters
    ----------
    out : Path
        Path of the folder; created if necessary.
    recipe : Recipe
    inputs : sequence of Path
        Input files, which are never replaced.
    overwrite : bool
        Whether other existing files may be replaced.

    Attributes
    ----------
    entries : list of dict
        Manifest entries of the pairs written so far.
    """

    def __init__(
        self, out: Path, recipe: Recipe, inputs: Sequence[Path], *, overwrite: bool
    ) -> None:
        self.entries: list[dict[str, Any]] = []
        self._out, self._recipe = out, recipe
        self._inputs, self._overwrite = inputs, overwrite

    def add(self, path: Path, name: str) -> list[str]:
        """Write the pairs of one file of clean images.

        Parameters
        ----------
        path : Path
            File with clean images.
        name : str
            Field of view, a different one for each file.

        Returns
        -------
        list of str
            Warnings about the clean images.

        Raises
        ------
        ImageError, FormatError
            If the file cannot be read or used.
        OutputError
            If a file exists already or cannot be written.
        """
        image = io.read(path)
        if image.channels > 1:
            raise ImageError(
                f"it has {image.channels} channels, whose structures may differ; "
                "save each as a file of its own"
            )
        planes = [_cropped(plane, self._recipe.crop) for _, plane in image.planes()]
        digits = len(str(len(planes)))
        entries: list[dict[str, Any]] = []
        for number, plane in enumerate(planes, 1):
            part = f"/{number:0{digits}}" if len(planes) > 1 else ""
            entries += self._plane(plane, path.name, name, part)
        self.entries += entries
        most = max(self._recipe.levels)
        records = [(entry["file"], entry["simulated"]) for entry in entries]
        return [
            f"{file}: {record['warning']}"
            for file, record in records
            if record["warning"] and record["photons"] == most
        ]

    def finish(self) -> Path:
        """Write the manifest, and return its path."""
        path = self._out / FILE
        text = json.dumps(self.entries, indent=2, ensure_ascii=False, allow_nan=False)
        with replacing(path) as (part,):
            part.write_text(text + "\n", encoding="utf-8")
        return path

    def _plane(self, plane: np.ndarray, clean: str, name: str, part: str) -> list[dict[str, Any]]:
        """Write a noisy image for each level and their truths; return their manifest entries."""
        recipe, source = self._recipe, self._recipe.source
        scaled = source.scaled(plane)
        noisy: dict[str, np.ndarray] = {}
        truths: dict[str, np.ndarray] = {}
        entries = []
        for level in recipe.levels:
            file = f"noisy/{name}{part}-photons_x{level:g}.tif"
            own = "" if source.shares_truth else f"-photons_x{level:g}"
            truth = f"truth/{name}{part}{own}.tif"
            noisy[file], truths[truth] = source.pair(scaled, level, _generator(recipe.seed, file))
            record = _record(scaled, clean, level, recipe)
            entries.append({**_entry(file, truth, name, level, recipe), "simulated": record})
        self._write({**noisy, **truths})
        return entries

    def _write(self, images: Mapping[str, np.ndarray]) -> None:
        """Write images by their names, all or none."""
        targets = [self._out / file for file in images]
        for target in targets:
            self._check_free(target)
        (self._out / FILE).unlink(missing_ok=True)  # an old manifest is invalid from here on
        with replacing(*targets) as parts:
            for temporary, data in zip(parts, images.values(), strict=True):
                io.write(temporary, Image(data, "YX"), ".tif")

    def _check_free(self, target: Path) -> None:
        """Refuse to replace an input and, without ``overwrite``, any existing file."""
        check_writable(target.parent)
        if target.exists():
            if any(path.exists() and target.samefile(path) for path in self._inputs):
                raise OutputError(f"{target} is an input; choose another place with -o")
            if not self._overwrite:
                raise OutputError(f"{target} exists; use --overwrite or another -o")


def _cropped(plane: np.ndarray, crop: int) -> np.ndarray:
    """Central part of a plane; raises an ImageError if the plane is too small."""
    if min(plane.shape) < max(SMALLEST, crop):
        rows, columns = plane.shape
        raise ImageError(
            f"it has {rows} x {columns} pixels; {max(SMALLEST, crop)} are needed along each side"
            + (", or a smaller --crop" if crop > SMALLEST else "")
        )
    if not crop:
        return plane
    top, left = ((size - crop) // 2 for size in plane.shape)
    return plane[top : top + crop, left : left + crop]


def _generator(seed: int, file: str) -> np.random.Generator:
    """Random generator of one noisy image, independent of the other images simulated with it."""
    return np.random.default_rng([seed, zlib.crc32(file.encode())])


def _entry(file: str, truth: str, name: str, level: float, recipe: Recipe) -> dict[str, Any]:
    """Manifest entry of one pair, without the record of its simulation."""
    eight_bits = {"data_range": 255} if recipe.source.dtype == "uint8" else {}
    return {
        "set": SET,
        "role": "calibration",
        "file": file,
        "truth": truth,
        "microscope": recipe.microscope,
        "specimen": recipe.specimen,
        "noise_level": f"photons_x{level:g}",
        "fov": name,
        "capture": 1,
        **eight_bits,
    }


def _record(scaled: np.ndarray, clean: str, level: float, recipe: Recipe) -> dict[str, Any]:
    """Record of how a noisy image was simulated from a clean one."""
    share = recipe.source.own_noise(scaled, level)
    return {
        "clean": clean,
        "photons": level,
        "seed": recipe.seed,
        "crop": recipe.crop,
        "own_noise": share,
        "warning": _warning(share),
        **recipe.source.record(),
    }


def _warning(share: float | None) -> str | None:
    """Warning about a clean image with this share of own noise; None if it is clean enough."""
    if share is None:
        return (
            "the noise of the clean image itself could not be estimated, as it is full of fine "
            "structure; look at it"
        )
    if share <= CLEAN:
        return None
    return (
        f"the clean image seems to have noise itself (or structure as fine), {share:.0%} of what "
        "was added; take one averaged over more captures"
    )
