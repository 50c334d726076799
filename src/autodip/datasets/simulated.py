"""A folder of simulated pairs, with the manifest that :mod:`autodip.datasets.own_pairs` reads."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autodip import io
from autodip.datasets.own_pairs import FILE
from autodip.errors import ImageError, OutputError
from autodip.image.image import Image
from autodip.physics.camera import Camera
from autodip.physics.degrade import CLEAN, match_brightness, own_noise, simulate_noisy
from autodip.util.files import check_writable, replacing

SMALLEST = 64
"""Pixels that a clean image has along each side at least."""

SET = "simulated"
"""Name of the data set in the manifest."""


@dataclass(frozen=True)
class Recipe:
    """How the pairs are made of clean images.

    Parameters
    ----------
    like : str
        Name of the file with the noisy image that they are to look like.
    noisy : ndarray, shape (Y, X)
        Its pixels.
    camera : Camera
        Measured on it.
    microscope, specimen : str or None
        Of all pairs; None where unknown.
    levels : tuple of float
        Times the photons of the noisy image: one simulated image for each.
    seed : int
        The noise of an image depends on it and the name of its file alone.
    crop : int
        Pixels along each side of the centre that is used; 0 for the whole image.
    """

    like: str
    noisy: np.ndarray
    camera: Camera
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
        Made if need be.
    recipe : Recipe
    inputs : sequence of Path
        Files that are read, and never replaced.
    overwrite : bool
        Whether other files may be.

    Attributes
    ----------
    entries : list of dict
        Pairs so far, as the manifest lists them.
    """

    def __init__(
        self, out: Path, recipe: Recipe, inputs: Sequence[Path], *, overwrite: bool
    ) -> None:
        self.entries: list[dict[str, Any]] = []
        self._out, self._recipe = out, recipe
        self._inputs, self._overwrite = inputs, overwrite

    def add(self, path: Path, name: str) -> list[str]:
        """Write the pairs of one file with clean images, a truth for each of its planes.

        Parameters
        ----------
        path : Path
        name : str
            Field of view; each file has another.

        Returns
        -------
        list of str
            What is to be said of the clean images.

        Raises
        ------
        ImageError, FormatError
            If the file cannot be read, or is of no use.
        OutputError
            If a file is in the way, or cannot be written.
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
        """Write the manifest."""
        path = self._out / FILE
        text = json.dumps(self.entries, indent=2, ensure_ascii=False, allow_nan=False)
        with replacing(path) as (part,):
            part.write_text(text + "\n", encoding="utf-8")
        return path

    def _plane(self, plane: np.ndarray, clean: str, name: str, part: str) -> list[dict[str, Any]]:
        """Write the truth and a noisy image for each level; their entries in the manifest."""
        recipe = self._recipe
        truth = match_brightness(plane, recipe.noisy, recipe.camera).astype(np.float32)
        noisy = {f"noisy/{name}{part}-photons_x{level:g}.tif": level for level in recipe.levels}
        files = [*noisy, f"truth/{name}{part}.tif"]
        targets = [self._out / file for file in files]
        for target in targets:
            self._check_free(target)
        images = [
            simulate_noisy(truth, recipe.camera, _generator(recipe.seed, file), photons=level)
            for file, level in noisy.items()
        ]
        (self._out / FILE).unlink(missing_ok=True)  # an old one is wrong from here on
        with replacing(*targets) as parts:
            for temporary, data in zip(parts, (*images, truth), strict=True):
                io.write(temporary, Image(data, "YX"), ".tif")
        return [
            {
                **_entry(file, files[-1], name, level, recipe),
                "simulated": _record(truth, clean, level, recipe),
            }
            for file, level in noisy.items()
        ]

    def _check_free(self, target: Path) -> None:
        """Refuse to replace an input, or a file that is there without being asked to."""
        check_writable(target.parent)
        if target.exists():
            if any(path.exists() and target.samefile(path) for path in self._inputs):
                raise OutputError(f"{target} is an input; choose another place with -o")
            if not self._overwrite:
                raise OutputError(f"{target} exists; use --overwrite or another -o")


def _cropped(plane: np.ndarray, crop: int) -> np.ndarray:
    """Central part of a plane, refused where it is too small."""
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
    """Random numbers of one noisy image, whichever others are made with it."""
    return np.random.default_rng([seed, zlib.crc32(file.encode())])


def _entry(file: str, truth: str, name: str, level: float, recipe: Recipe) -> dict[str, Any]:
    """One pair as the manifest lists it, but for how it was simulated."""
    eight_bits = {"data_range": 255} if recipe.camera.dtype == "uint8" else {}
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


def _record(truth: np.ndarray, clean: str, level: float, recipe: Recipe) -> dict[str, Any]:
    """How a noisy image was simulated."""
    share = own_noise(truth, recipe.camera, photons=level)
    return {
        "clean": clean,
        "like": recipe.like,
        "photons": level,
        "seed": recipe.seed,
        "crop": recipe.crop,
        "own_noise": share,
        "warning": _warning(share),
        "camera": recipe.camera.to_dict(),
    }


def _warning(share: float | None) -> str | None:
    """What is to be said of a clean image with so much noise of its own."""
    if share is None:
        return (
            "whether the clean image has noise itself cannot be told, as it is full of fine "
            "structure; look at it"
        )
    if share <= CLEAN:
        return None
    return (
        f"the clean image seems to have noise itself (or structure as fine), {share:.0%} of what "
        "was added; take one averaged over more captures"
    )
