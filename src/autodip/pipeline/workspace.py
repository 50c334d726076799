"""Where a run keeps what it has done, and who computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autodip.compute.cluster import Cluster


@dataclass(frozen=True)
class Workplace:
    """Where a run keeps what it has done, and who computes.

    Parameters
    ----------
    folder : Path, optional
        For the results of parts, so that a run that was stopped goes on where it was, and for
        results that are too large for memory. It is left to the caller to delete it. Without
        one, parts of large planes go to a temporary folder.
    key : mapping, JSON-ready
        What tells the image from others, such as name, size and time of its file.
    cluster : Cluster, optional
        Its workers compute the parts.
    """

    folder: Path | None = None
    key: Mapping[str, Any] = field(default_factory=dict)
    cluster: Cluster | None = None
