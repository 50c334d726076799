"""Whether a repeated run can give the same bits as the run that is repeated."""

from __future__ import annotations

from collections.abc import Mapping

from autodip.runs.saving import versions
from autodip.runs.sidecar import Sidecar

_WORDS = {
    "processor": "the processor",
    "instructions": "the vector instructions",
    "bfloat16": "the use of bfloat16",
    "accelerator": "the accelerator",
    "machine": "the architecture",
    "threads": "the number of threads",
}
_NO_MATTER = ("python",)
"""Versions on which no pixel depends."""


def difference(content: Sidecar, processor: Mapping[str, str], threads: int) -> str | None:
    """Note on what differs from a recorded run so that pixels may differ; None if nothing does.

    Parameters
    ----------
    content : Sidecar
        Of the run that is repeated.
    processor : mapping of str to str
        Kind of processor that computes now; see :func:`autodip.compute.processor.kind`.
    threads : int
        Number of threads that compute now.
    """
    before = {**(content.versions or {}), **(content.processor or {})}
    now: dict[str, str] = {**versions(), **processor}
    if not _learned(content):
        before["threads"], now["threads"] = str(content.threads), str(threads)
    found = [
        f"{_WORDS.get(name, name)} ({before[name]}, now {now[name]})"
        for name in before
        if name in now and before[name] != now[name] and name not in _NO_MATTER
    ]
    if not found:
        return None
    return f"the result may differ slightly from the recorded one, because of {', '.join(found)}"


def _learned(content: Sidecar) -> bool:
    """Whether all planes were computed by a learned prior, whose bits no threads change."""
    return all(plane.observed is not None or not plane.iterations for plane in content.planes)
