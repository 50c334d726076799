"""Notes on a result for the user, derived from its sidecar."""

from __future__ import annotations

from collections.abc import Iterable

from autodip.runs.plane_records import ChannelRecord, PlaneRecord
from autodip.runs.unsupported_structure import support_notes

_SHOWN = 5
"""Number of notes shown for a file; a large image may have one for each of its windows."""


def notes(
    channels: Iterable[ChannelRecord], planes: Iterable[PlaneRecord], read: Iterable[str] = ()
) -> list[str]:
    """Notes that are shown to the user by default; ``read`` are those of the reader."""
    found, channels, planes = list(read), list(channels), list(planes)
    evidence = [channel.choice.evidence for channel in channels]
    if any(one.outside and one.familiarity is None for one in evidence):
        found.append("this image is unlike all calibration images; look at the result")
    known = [one.familiarity for one in evidence]
    found += [one.note for one in known if one is not None and one.note]
    for plane in planes:
        found += plane.assessment.notes if plane.assessment else []
    found += support_notes(planes)
    for plane in planes:
        if plane.observed is not None and plane.observed.bins > 1:
            side = plane.observed.bins
            found.append(
                f"denoised in bins of {side} x {side} pixels, because there is much less than one "
                "photon per pixel; do not trust fine structure"
            )
    for plane in planes:
        if plane.reason:
            found.append(f"fitted without the learned prior: {plane.reason}")
    for plane in planes:
        if plane.fallbacks:
            found.append(f"a fit diverged and returned to a checkpoint {plane.fallbacks} times")
    shown = list(dict.fromkeys(found))
    more = len(shown) - _SHOWN
    if more > 0:
        shown[_SHOWN:] = [f"{more} more such notes are in the sidecar"]
    return shown
