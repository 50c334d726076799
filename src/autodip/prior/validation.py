"""Quality of averaged weights on images that are not used in training.

Three groups are scored apart, because they fail apart: real pairs of other microscopes, and clean
images with simulated white and with simulated correlated noise.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from autodip.image.scaling import brightness
from autodip.metrics.alexnet import Lpips
from autodip.metrics.scores import Truth, score_stop
from autodip.physics.detection import expose
from autodip.physics.estimate import estimate_noise
from autodip.physics.noise import Noise
from autodip.prior.apply import prior_result
from autodip.prior.cameras import draw_detector
from autodip.prior.clean import file_names, first_plane, read_manifest
from autodip.prior.recipe import Training
from autodip.prior.state import averaged_net

GROUPS = ("pairs", "white", "correlated")
"""Real pairs; clean images with simulated white noise, and with simulated correlated noise."""

SCORES = tuple(f"{metric}_{group}" for group in GROUPS for metric in ("psnr", "lpips"))
"""Names of the scores of a validation."""

_LARGEST, _SMALLEST = 256, 64
"""Side lengths of simulated images, in pixels."""

_PHOTONS = (5.0, 100.0)
"""Range of the photons in the brightest pixel of simulated images."""


@dataclass(frozen=True)
class Case:
    """A noisy image and its truth.

    Parameters
    ----------
    group : str
        One of :data:`GROUPS`.
    name : str
        File name of the noisy or the clean image.
    noisy : ndarray, float64, shape (Y, X)
    noise : Noise
        Estimated on the noisy image.
    truth : Truth
        Compared with a result after a linear fit of the intensities; the data range is that of the
        truth.
    """

    group: str
    name: str
    noisy: np.ndarray
    _: KW_ONLY
    noise: Noise
    truth: Truth


def read_cases(root: Path) -> list[Case]:
    """Validation images of a data folder; images whose noise cannot be estimated are left out.

    Parameters
    ----------
    root : Path
        Folder with ``validation/manifest.json``, a list of pairs with ``file`` and ``truth``, and
        ``clean/manifest.json``, a list of clean images of which those of the role "validation" are
        used.

    Raises
    ------
    FormatError, ImageError
        If a manifest is missing or has no such entries, or an image cannot be read.
    """
    return [*_pairs(root / "validation"), *_simulated(root / "clean")]


def _pairs(folder: Path) -> Iterator[Case]:
    for entry in read_manifest(folder, "file", "truth"):
        noisy, truth = (first_plane(folder / entry[key]) for key in ("file", "truth"))
        yield from _case("pairs", entry["file"], noisy, truth)


def _simulated(folder: Path) -> Iterator[Case]:
    """The centre of each clean image with white and with correlated noise, always the same."""
    for name in file_names(folder, "file", role="validation"):
        relative = brightness(first_plane(folder / name))
        for number, group in enumerate(GROUPS[1:]):
            generator = np.random.default_rng([zlib.crc32(name.encode()), number])
            peak = float(np.exp(generator.uniform(*np.log(_PHOTONS))))
            detector = draw_detector(generator, peak, correlated=float(group == "correlated"))
            size = min(detector.recorded(min(relative.shape)), _LARGEST)
            if size >= _SMALLEST:
                light = peak * _centre(relative, detector.needed(size)).astype(np.float64)
                exposure = expose(light, detector, size, generator)
                yield from _case(group, name, exposure.image, exposure.mean)


def _centre(image: np.ndarray, size: int) -> np.ndarray:
    top, left = ((n - size) // 2 for n in image.shape)
    return image[top : top + size, left : left + size]


def _case(group: str, name: str, noisy: np.ndarray, truth: np.ndarray) -> Iterator[Case]:
    """The case, if the noise of the noisy image can be estimated."""
    noisy = noisy.astype(np.float64)
    noise = estimate_noise(noisy)
    if noise is not None and np.ptp(truth) > 0:
        compared = Truth(truth.astype(np.float64), None, stretched=True)
        yield Case(group, name, noisy, noise=noise, truth=compared)


def validate(
    recipe: Training, average: Mapping[str, Tensor], cases: Sequence[Case], lpips: Lpips | None
) -> dict[str, float | None]:
    """Mean PSNR (dB) and LPIPS of each group, by the names in :data:`SCORES`.

    Parameters
    ----------
    recipe : Training
    average : mapping of str to Tensor
        Averaged weights.
    cases : sequence of Case
    lpips : Lpips, optional
        If None, LPIPS is None.

    Returns
    -------
    dict
        None for a group without images, or where LPIPS could not be computed.
    """
    net = averaged_net(recipe, average)
    found: dict[str, list[float]] = {name: [] for name in SCORES}
    for case in cases:
        result = prior_result(net, case.noisy, case.noise)
        scores = score_stop(result, case.truth, lpips)
        for metric in ("psnr", "lpips"):
            if scores[metric] is not None:
                found[f"{metric}_{case.group}"].append(scores[metric])
    return {name: float(np.mean(values)) if values else None for name, values in found.items()}
