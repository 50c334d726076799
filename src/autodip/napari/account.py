"""What was done to a layer, in plain words, and what shows whether to believe the result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from autodip.errors import AutodipError
from autodip.image.image import Image, PlaneIndex
from autodip.metrics.residual import DOUBTFUL, SUSPICIOUS, whiteness_beyond
from autodip.physics.noise import Noise
from autodip.pipeline.plan import ChannelPlan
from autodip.pipeline.result import Computed, PlaneResult
from autodip.report.page.large_planes import central
from autodip.runs.notes import notes
from autodip.runs.plane_records import ChannelRecord, PlaneRecord
from autodip.runs.unsupported_structure import is_tested, located
from autodip.util.cancelling import check

_PLANES = 6
"""Planes whose residual is examined, evenly spaced."""

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
                *_errors(result.planes),
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


def _errors(planes: Sequence[PlaneResult]) -> Iterable[Finding]:
    known = [plane.errors for plane in planes if plane.errors is not None]
    ratios = [one.to_noise for one in known if one.to_noise is not None]
    if known:
        value = f"± {median(one.median for one in known):.3g} grey values in the median"
        part = f"{median(ratios):.2f} × the noise; " if ratios else ""
        yield Finding("Standard error", value, f"{part}for each pixel in a layer of its own")


def _structure(image: Image, result: Computed) -> Iterable[Finding]:
    noises = {plane.index: plane.description.noise for plane in result.planes}
    indices = list(noises)
    chosen = indices[:: max(1, -(-len(indices) // _PLANES))]
    found = [_excess(image, result, index, noises[index]) for index in chosen]
    known = [one for one in found if one is not None]
    if not known:
        return
    worst = max(known)
    meaning = "what was removed looks like noise"
    if worst > SUSPICIOUS:
        meaning = "some structure may have been removed; look at what was removed"
    yield Finding("Structure removed", f"{worst:.3f} (0 is none)", meaning, worst > DOUBTFUL)


def _excess(image: Image, result: Computed, index: PlaneIndex, noise: Noise | None) -> float | None:
    """Correlation of the residual of a plane beyond that of its noise; None if undetermined."""
    check()
    rows, columns = central(image.plane_shape)
    denoised = image.replace(data=result.image)
    before, after = (
        one.block(index, rows, columns).astype(np.float64) for one in (image, denoised)
    )
    kept = np.isfinite(before) & np.isfinite(after)
    if index in result.repairs:
        kept &= ~result.repairs[index].defects.mask[rows, columns]
    try:
        white = whiteness_beyond(np.where(kept, before, 0), np.where(kept, after, 0), noise)
    except AutodipError:  # too few pixels
        return None
    return None if white is None or noise is None else white.excess


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
