"""What was done to a layer, in plain words, and what shows whether to believe the result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from autodip.errors import AutodipError
from autodip.image.image import Image, PlaneIndex
from autodip.metrics.scores import residual
from autodip.pipeline.plan import ChannelPlan
from autodip.pipeline.result import Computed, PlaneResult
from autodip.runs.notes import notes
from autodip.runs.plane_records import ChannelRecord, PlaneRecord
from autodip.runs.unsupported_structure import is_tested, located
from autodip.util.cancelling import check

_PLANES, _SIDE = 6, 1024
"""Planes whose residual is examined, evenly spaced, and the largest side of what is examined."""

_NOISE_ONLY, _DOUBTFUL = 0.05, 0.1
"""Correlation of what was removed up to which it looks like noise, and from which it does not."""

_ABOUT_ALL = (0.8, 1.2)
"""What was removed, in units of the expected noise, that is about the noise."""


@dataclass(frozen=True)
class Finding:
    """One fact about a result.

    Parameters
    ----------
    name, value : str
    meaning : str
        What it means; empty if that is plain.
    doubtful : bool
        Whether it is a reason to look twice.
    """

    name: str
    value: str
    meaning: str = ""
    doubtful: bool = False


@dataclass(frozen=True)
class Account:
    """What was done, and what shows whether to believe the result.

    Parameters
    ----------
    done : tuple of str
        Sentences on what was done.
    findings : tuple of Finding
    notes : tuple of str
        Doubts about the image and the result, repairs, warnings.
    """

    done: tuple[str, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, image: Image, result: Computed) -> Account:
        """Account of a run.

        Parameters
        ----------
        image : Image
            The noisy image.
        result : Computed
        """
        channels = [ChannelRecord.of(plan) for plan in result.plans]
        planes = [PlaneRecord.of(plane) for plane in result.planes]
        read = [*image.notes, *result.notes]
        return cls(
            tuple(dict.fromkeys(_done(plan, len(result.plans) > 1) for plan in result.plans)),
            (
                *_noise(result.planes),
                *_removed(result.planes),
                *_structure(image, result),
                *_support(planes),
                *_intensities(image.data, result.image),
            ),
            tuple(notes(channels, planes, read)),
        )


def _done(plan: ChannelPlan, several: bool) -> str:
    """Sentence on what was done to a channel."""
    choice = plan.choice
    which = f"Channel {plan.name}: " if several and plan.name else ""
    preset = choice.evidence.preset
    if choice.prior is not None:
        passes, copies = choice.prior.passes, choice.prior.orientations
        mean = f", and averaged over {copies} turned copies" if copies > 1 else ""
        return (
            f"{which}the learned prior ({preset}) was applied in {passes} passes{mean}; the second "
            "pass knows the noise that the first one found"
            if passes > 1
            else f"{which}the learned prior ({preset}) was applied{mean}"
        )
    refined = ", then refined from the noisy image" if choice.refine is not None else ""
    return (
        f"{which}a deep image prior ({preset}) was fitted to this image alone and stopped after "
        f"{choice.fit.iterations} iterations{refined}"
    )


def _noise(planes: Sequence[PlaneResult]) -> Iterable[Finding]:
    known = [plane.description.noise for plane in planes if plane.description.noise is not None]
    if not known:
        yield Finding("Noise", "could not be estimated", "check the result closely", True)
        return
    sigma, gain = median(one.sigma for one in known), median(one.gain for one in known)
    photons = f"; {gain:.3g} grey values per photon" if gain > 0 else ""
    yield Finding("Noise", f"± {sigma:.3g} grey values at median brightness", photons[2:])


def _removed(planes: Sequence[PlaneResult]) -> Iterable[Finding]:
    assessed = [plane.assessment for plane in planes if plane.assessment is not None]
    ratios = [one.removed_to_noise for one in assessed if one.removed_to_noise is not None]
    if ratios:
        ratio, (low, high) = median(ratios), _ABOUT_ALL
        about = low <= ratio <= high
        words = "less than there is noise" if ratio < low else "more than there is noise"
        value = f"{ratio:.2f} × the expected noise"
        yield Finding("Removed", value, "as it should be" if about else words, not about)


def _structure(image: Image, result: Computed) -> Iterable[Finding]:
    indices = list(image.indices())
    chosen = indices[:: max(1, -(-len(indices) // _PLANES))]
    denoised = image.replace(data=result.image)
    found = [_excess(image, denoised, index) for index in chosen]
    known = [one for one in found if one is not None]
    if not known:
        return
    worst = max(known)
    meaning = "what was removed looks like noise"
    if worst > _NOISE_ONLY:
        meaning = "some structure may have been removed; look at what was removed"
    yield Finding("Structure removed", f"{worst:.3f} (0 is none)", meaning, worst > _DOUBTFUL)


def _excess(image: Image, denoised: Image, index: PlaneIndex) -> float | None:
    """Correlation of the residual of a plane beyond that of the noise; None if undetermined."""
    check()
    rows, columns = (
        slice(max(0, (length - _SIDE) // 2), max(0, (length - _SIDE) // 2) + _SIDE)
        for length in image.plane_shape
    )
    try:
        return residual(
            image.block(index, rows, columns).astype(np.float64),
            denoised.block(index, rows, columns),
        )
    except AutodipError:  # empty pixels, or too few
        return None


def _support(planes: Sequence[PlaneRecord]) -> Iterable[Finding]:
    """Structure that only the result or only the noisy image has."""
    if not is_tested(planes):
        return
    directions = [one.place.direction for one in located(planes)]
    for name, number, doubt in (
        ("Not in the noisy image", directions.count("added"), "do not interpret it"),
        ("Only in the noisy image", directions.count("lost"), "compare with the noisy image"),
    ):
        value = f"structure in {number} place{'s' * (number != 1)}" if number else "nothing found"
        yield Finding(name, value, doubt if number else "", number > 0)


def _intensities(before: np.ndarray, after: np.ndarray) -> Iterable[Finding]:
    there = np.isfinite(before) & np.isfinite(after)
    if not there.any():
        return
    old, new = (float(pixels.mean(where=there, dtype=np.float64)) for pixels in (before, after))
    change = round(100 * (new - old) / old, 2) + 0.0 if old > 0 else 0.0  # + 0.0: no -0
    value = f"mean {old:.5g} before, {new:.5g} after"
    meaning = f"{change:+.2f} %" if old > 0 else ""
    yield Finding("Intensities", value, meaning, abs(change) > 1)
