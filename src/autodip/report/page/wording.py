"""Sentences of a page: what was done, and what to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from autodip.metrics.residual import SUSPICIOUS
from autodip.physics.noise import CORRELATED, Noise
from autodip.report.page.facts import Facts
from autodip.report.page.svg import number
from autodip.runs.notes import notes
from autodip.runs.plane_records import ChannelRecord
from autodip.runs.sidecar import Sidecar

_CHANGED, _SURE = 0.03, 4.0
"""Change of the mean of a tenth, relative to its brightness above the background and to its
standard error, above which it is pointed out."""

_FRACTION = 1e-4


def choice_sentences(channel: ChannelRecord, content: Sidecar) -> Iterator[str]:
    """What was chosen for a channel, and why."""
    choice, evidence = channel.choice, channel.choice.evidence
    known = evidence.known
    origin = evidence.origin
    for key in ("microscope", "specimen"):
        value = getattr(known, key)
        if value:
            yield f"The {key} is {value} ({origin.get(key, 'unknown')})."
    if known.missing:
        yield f"Not known: {' and '.join(known.missing)}."
    if evidence.strategy:
        yield (
            f"The settings come from the calibration base {evidence.table}, searched by "
            f"{evidence.strategy}: {evidence.source}."
        )
    else:
        yield f"The settings come from the preset {evidence.preset} (table {evidence.table})."
    if choice.prior is not None:
        copies = (
            f"; the result is the mean over {choice.prior.orientations} flipped, turned or shifted "
            "copies"
            if choice.prior.orientations > 1
            else ""
        )
        yield (
            f"A network that was trained on other images was applied in {choice.prior.passes} "
            f"passes{copies}. The first pass shows how strong the noise is, and the second one is "
            "given that."
        )
        if choice.prior.grain:
            yield (
                "A small share of what was removed is returned as grain, such that the expected "
                f"squared error grows by {100 * choice.prior.grain:.0f} %, so that flat areas do "
                "not look painted."
            )
    else:
        yield (
            f"A network that has seen no other image (depth {choice.net.depth}, width "
            f"{choice.net.width}, skip {choice.net.skip}) was fitted to this image, for at most "
            f"{choice.fit.iterations} iterations."
        )
        if choice.refine is not None:
            yield "The result was refined: fine structure was recovered by local filters."
    if evidence.familiarity is not None:
        near = evidence.familiarity
        yield (
            f"By its descriptors the image is {near.distance:.1f} standard deviations from the "
            f"nearest of {near.examples} training examples; 90 % of these have another one within "
            f"{near.usual:.1f}, and 99 % within {near.limit:.1f}."
        )
    yield from (note[:1].upper() + note[1:] + "." for note in evidence.notes)
    yield from _planes(channel, content)


def _planes(channel: ChannelRecord, content: Sidecar) -> Iterator[str]:
    if channel.followers and not content.independent:
        if channel.choice.prior is not None:
            yield f"{channel.followers} planes are given the noise that was observed in the first."
        else:
            yield f"{channel.followers} planes continue from the fit of the plane before."
    if content.tiling is not None:
        yield (
            f"Each plane was computed in overlapping windows of {content.tiling.side} pixels, "
            "which were blended."
        )


def doubts(content: Sidecar, shown: Sequence[Facts]) -> list[str]:
    """What to look at in this image before the result is believed, the gravest first."""
    found = list(notes(content.channels, content.planes, content.notes))
    for facts in shown:
        where = f" ({facts.name})" if facts.name else ""
        found += [f"{text}{where}" for text in _of_plane(facts)]
    return list(dict.fromkeys(text[:1].upper() + text[1:] for text in found))


def _of_plane(facts: Facts) -> Iterator[str]:
    """Doubts that depend on the pixels of a plane."""
    noise, examined = facts.noise, facts.examined
    if noise is None:
        yield "the noise could not be estimated, so nothing here can be compared with it"
    elif max(noise.correlation) >= CORRELATED:
        yield (
            "correlated noise resembles structure: distrust isolated spots of two or three pixels"
        )
    if examined is None:
        return
    if examined.white is not None and examined.white.excess > SUSPICIOUS:
        yield (
            "what was removed is correlated between neighbours by "
            f"{examined.white.excess:.2f} more than the noise: look for structure in "
            "the picture of what was removed"
        )
    if examined.saturated[0] > 10 * _FRACTION and noise is not None and noise.saturated:
        yield (
            f"{100 * examined.saturated[0]:.2g} % of the pixels are saturated: brightness is not "
            "measured there, and nothing can restore it"
        )
    changed = _changed(facts)
    if changed:
        yield changed


def _changed(facts: Facts) -> str:
    """Sentence on tenths whose mean has changed; empty if none has."""
    assert facts.examined is not None
    tenths = facts.examined.tenths
    floor = min(one.after for one in tenths)
    worst = 0.0
    for one in tenths:
        change, height = one.after - one.before, one.after - floor
        if abs(change) > _SURE * one.error and height > 0 and abs(change) > _CHANGED * height:
            worst = max(worst, abs(change) / height)
    typical = facts.background[1]
    if worst < _CHANGED or max(abs(one.after - one.before) for one in tenths) < 0.1 * typical:
        return ""
    return (
        f"the mean of a tenth of the pixels has changed by up to {100 * worst:.0f} % of its height "
        "above the background: do not compare brightness there with other images"
    )


def always(shown: Sequence[Facts]) -> Iterator[str]:
    """What holds for every result, with the numbers of this image."""
    facts = shown[0]
    level, noise = facts.background
    if noise:
        spot = 3 * noise * _of_spot(facts.noise)
        yield (
            f"In the background (about {number(level)} grey values) the noise of single pixels is "
            f"{number(noise)}. A spot of 3\xa0×\xa03 pixels that is less than {number(spot)} grey "
            "values brighter than its surroundings cannot be told from noise (three standard "
            "deviations of the mean of nine pixels): if the result shows one, it is no evidence."
        )
    frc = facts.examined.frc if facts.examined else None
    resolution = frc.resolution() if frc is not None else None
    if resolution is not None and 2 < resolution < 1e6:
        size = f" ({resolution * facts.pixel_size:.2g} µm)" if facts.pixel_size else ""
        yield (
            f"The photons of the input support detail down to about {resolution:.1f} pixels{size}, "
            "over the whole image. Finer detail in the result was completed by what the network "
            "holds for probable, except where the image is brighter than usual."
        )
    yield (
        "Structure that the noise has destroyed is not recovered but replaced by what is probable. "
        "Compare with the input before you interpret a shape, a gap or a branch."
    )
    if facts.channel.choice.prior is not None:
        yield (
            "Where a conclusion depends on a detail, denoise again with --preset untrained, which "
            "uses no network that has seen other images: detail that only one of the two results "
            "shows is not certain."
        )


def _of_spot(noise: Noise | None) -> float:
    """Noise of the mean of 3 x 3 pixels, relative to that of a single pixel."""
    if noise is None or noise.autocorrelation is None:
        return 1 / 3
    pairs = 3 - np.abs(np.arange(-2, 3))  # pixels of a row of three at each distance
    weights = np.outer(pairs, pairs) * np.array(noise.autocorrelation)
    return float(np.sqrt(max(0.0, weights.sum()))) / 9
