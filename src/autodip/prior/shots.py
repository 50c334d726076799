"""Own images of a laboratory: what is known of each, reading them, holding a part out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Literal

import numpy as np
from scipy.ndimage import gaussian_filter

from autodip.errors import AutodipError, ImageError
from autodip.image.kind import Kind
from autodip.image.scaling import is_constant
from autodip.metrics.affine import fit_affine
from autodip.physics.estimate import estimate_noise
from autodip.physics.noise import Noise
from autodip.util.text import words_of

LEAST_SIDE = 64
"""Smallest side of an image, and of the held-out part of one, in pixels."""

MOST_IMAGES, MOST_SIDE = 64, 768
"""Largest number of images that are read, and side length of the centre that is used of each."""

Data = Literal["pair", "capture", "single"]
"""Whether an image has a truth, another capture of the same field, or neither."""

WORDS = {"pair": "pairs", "capture": "repeated captures", "single": "single noisy images"}


@dataclass(frozen=True)
class OwnImage:
    """A noisy image of a laboratory; the pixels are read on demand.

    Parameters
    ----------
    name : str
    fov : str
        Field of view; images of one field are never on both sides of a comparison.
    series : str
        Captures with the same series show the same field with the same settings.
    read : callable
        Returns the noisy image and the truth, two arrays of one shape (Y, X); None for the truth
        if there is none.
    kind : Kind
        Microscope and specimen.
    """

    name: str
    fov: str
    series: str
    read: Callable[[], tuple[np.ndarray, np.ndarray | None]] = field(repr=False, compare=False)
    kind: Kind


@dataclass(frozen=True)
class Shot:
    """An own image that was read, or a part of one.

    Parameters
    ----------
    fov, series : str
        As in :class:`OwnImage`.
    noisy : ndarray, float64, shape (Y, X)
    noise : Noise
        Of the whole image.
    truth : ndarray or None
        In the intensities of the noisy image.
    others : tuple of ndarray
        Other captures of the field, in the intensities of this one.
    """

    fov: str
    series: str
    noisy: np.ndarray = field(repr=False)
    noise: Noise
    _: KW_ONLY
    truth: np.ndarray | None = field(default=None, repr=False)
    others: tuple[np.ndarray, ...] = field(default=(), repr=False)

    @property
    def data(self) -> Data:
        """Which kind of data the image is."""
        if self.truth is not None:
            return "pair"
        return "capture" if self.others else "single"

    def part(self, axis: int, start: int, stop: int) -> Shot:
        """Part of the image from ``start`` to ``stop`` along an axis."""

        def cut(image: np.ndarray) -> np.ndarray:
            return image[start:stop] if axis == 0 else image[:, start:stop]

        truth = None if self.truth is None else cut(self.truth)
        others = tuple(cut(other) for other in self.others)
        return Shot(self.fov, self.series, cut(self.noisy), self.noise, truth=truth, others=others)


@dataclass(frozen=True)
class Divided:
    """Images for training, and the images or parts of images that are held out.

    Parameters
    ----------
    training, held_out : tuple of Shot
    words : str
        What was held out.
    """

    training: tuple[Shot, ...]
    held_out: tuple[Shot, ...]
    words: str


def read_shots(images: Sequence[OwnImage], seed: int) -> tuple[list[Shot], list[str]]:
    """Read images, estimate their noise, and bring truths and captures to their intensities.

    Parameters
    ----------
    images : sequence of OwnImage
        If there are more than :data:`MOST_IMAGES`, that many are drawn from all.
    seed : int

    Returns
    -------
    list of Shot, list of str
        The images that can be used, and for each other one the reason.

    Raises
    ------
    ImageError
        If none can be used.
    """
    if len(images) > MOST_IMAGES:
        order = np.random.default_rng(seed).permutation(len(images))[:MOST_IMAGES]
        images = [images[number] for number in sorted(order)]
    shots: list[Shot] = []
    reasons: list[str] = []
    for image in images:
        try:
            shots.append(_read(image))
        except (AutodipError, OSError, ValueError) as error:
            reasons.append(f"{image.name}: {words_of(error)}")
    if not shots:
        first = reasons[0] if reasons else "no image was given"
        raise ImageError(f"none of the {len(images)} images can be used for tuning; {first}")
    return [_with_others(shot, shots) for shot in shots], reasons


def _read(image: OwnImage) -> Shot:
    noisy, truth = image.read()
    if truth is not None and noisy.shape != truth.shape:
        raise ImageError(
            f"the noisy image has shape {noisy.shape}, its truth {truth.shape}; both must show the "
            "same field with the same pixels"
        )
    if noisy.ndim != 2 or min(noisy.shape) < LEAST_SIDE:
        raise ImageError(
            f"it has the shape {noisy.shape}; tuning needs (Y, X) with at least {LEAST_SIDE} "
            "pixels along both axes"
        )
    noisy, truth = _centre(noisy), None if truth is None else _centre(truth)
    for name, one in (("noisy image", noisy), ("truth", truth)):
        if one is not None and (not np.isfinite(one).all() or is_constant(one)):
            raise ImageError(f"the {name} is constant, or has NaN or infinite pixels")
    noise = estimate_noise(noisy)
    if noise is None or noise.sigma <= 0:
        raise ImageError("its noise could not be estimated")
    if truth is not None:
        truth = fitted_truth(truth, noisy, noise)
    return Shot(image.fov, image.series, noisy, noise, truth=truth)


def _centre(image: np.ndarray) -> np.ndarray:
    corner = [max(n - MOST_SIDE, 0) // 2 for n in image.shape]
    top, left = corner
    return image[top : top + MOST_SIDE, left : left + MOST_SIDE].astype(np.float64)


def fitted_truth(truth: np.ndarray, noisy: np.ndarray, noise: Noise) -> np.ndarray:
    """Truth scaled and shifted to the intensities of its noisy image.

    The fit also removes differences of the lamp and of bleaching between the two exposures, which
    a denoiser must not reproduce. Pixels count by the inverse of their noise variance; those
    beyond four standard deviations do not count in the second round.

    Parameters
    ----------
    truth, noisy : ndarray, shape (Y, X)
        Each in its own units.
    noise : Noise
        Of the noisy image.
    """
    a, b = fit_affine(truth, noisy)
    weight = np.ones(truth.shape, bool)
    for _ in range(2):
        deviation = np.maximum(noise.std(a * truth + b), 0.1 * noise.sigma)
        weight = abs(noisy - a * truth - b) < 4 * deviation
        if weight.sum() < 0.5 * weight.size:
            break
        a, b = np.polyfit(truth[weight], noisy[weight], 1, w=1 / deviation[weight])
    return np.asarray(a * truth + b)


def _with_others(shot: Shot, shots: Sequence[Shot]) -> Shot:
    """Shot with the other captures of its series, brought to its mean and spread."""
    if shot.truth is not None:
        return shot
    same = [
        other
        for other in shots
        if other is not shot
        and other.truth is None
        and other.series == shot.series
        and other.noisy.shape == shot.noisy.shape
    ]
    if not same:
        return shot
    smooth = gaussian_filter(shot.noisy, 3)
    others = []
    for other in same[:7]:
        near = gaussian_filter(other.noisy, 3)
        # The ratio of spreads, unlike a least-squares fit, is not biased by noise in both images.
        scale = float(smooth.std() / near.std())
        others.append(scale * (other.noisy - near.mean()) + smooth.mean())
    return Shot(shot.fov, shot.series, shot.noisy, shot.noise, others=tuple(others))


def divide(shots: Sequence[Shot], seed: int) -> Divided:
    """Hold out a quarter of the fields of view; with fewer than three, of every image.

    Raises
    ------
    ImageError
        If there are fewer than three fields, and their images are too small to be divided.
    """
    fields = list(dict.fromkeys(shot.fov for shot in shots))
    if len(fields) >= 3:
        order = np.random.default_rng(seed).permutation(len(fields))
        chosen = {fields[number] for number in order[: max(1, len(fields) // 4)]}
        held = tuple(shot for shot in shots if shot.fov in chosen)
        rest = tuple(shot for shot in shots if shot.fov not in chosen)
        return Divided(rest, held, f"{len(chosen)} of {len(fields)} fields of view")
    training, held_out = [], []
    for shot in shots:
        axis = int(np.argmax(shot.noisy.shape))
        side = shot.noisy.shape[axis]
        if side < 2 * LEAST_SIDE:
            raise ImageError(
                f"there are {len(fields)} fields of view, and an image of {shot.noisy.shape} "
                f"pixels is too small to hold a part of it out; use three fields of view or more, "
                f"or images of at least {2 * LEAST_SIDE} pixels along an axis"
            )
        cut = side - max(LEAST_SIDE, side // 4)
        training.append(shot.part(axis, 0, cut))
        held_out.append(shot.part(axis, cut, side))
    return Divided(tuple(training), tuple(held_out), "a quarter of every image")
