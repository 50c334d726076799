"""What a user should look at in a result, by the content of its sidecar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TOLD = 5
"""Notes that are told of a file; a large image may have one for each of its windows."""


def notes(content: Mapping[str, Any]) -> list[str]:
    """What the user should look at even without asking, by the content of a sidecar."""
    found = []
    if any(channel["choice"]["evidence"].get("outside") for channel in content["channels"]):
        found.append("this image is unlike all calibration images; look at the result")
    for plane in content["planes"]:
        found += plane["assessment"]["notes"] if plane["assessment"] else []
    for plane in content["planes"]:
        if plane["fallbacks"]:
            found.append(f"a fit blew up and went back {plane['fallbacks']} times")
    told = list(dict.fromkeys(found))
    more = len(told) - _TOLD
    if more > 0:
        told[_TOLD:] = [f"{more} more such notes are in the sidecar"]
    return told
