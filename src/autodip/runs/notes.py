"""Notes on a result for the user, derived from its sidecar."""

from __future__ import annotations

from collections.abc import Iterable

from autodip.runs.sidecar import ChannelRecord, PlaneRecord

_SHOWN = 5
"""Number of notes shown for a file; a large image may have one for each of its windows."""


def notes(channels: Iterable[ChannelRecord], planes: Iterable[PlaneRecord]) -> list[str]:
    """Notes that are shown to the user by default."""
    found, channels, planes = [], list(channels), list(planes)
    if any(channel.choice.evidence.outside for channel in channels):
        known = [channel.choice.evidence.familiarity for channel in channels]
        found += [one.warning for one in known if one is not None and one.outside] or [
            "this image is unlike all calibration images; look at the result"
        ]
    for plane in planes:
        found += plane.assessment.notes if plane.assessment else []
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
