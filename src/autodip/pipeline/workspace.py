"""Where a run stores its results, and what computes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autodip.compute.threads import free_cores
from autodip.pipeline.machine import Machine

if TYPE_CHECKING:
    from autodip.compute.cluster import Cluster
    from autodip.pipeline.engine import Engine


@dataclass(frozen=True)
class Workplace:
    """Where a run stores its results, and what computes them.

    Parameters
    ----------
    folder : Path, optional
        Holds the results of tiles, so that an interrupted run resumes, and results that are too
        large for memory. The caller deletes it. If None, tiles of large planes are kept in a
        temporary folder.
    key : mapping, JSON-ready
        Identifies the image, for example by name, size and time of its file.
    cluster : Cluster, optional
        Cluster whose workers compute the tiles.
    engine : Engine, optional
        Engine that computes the tiles; None uses the deep image prior.
    notes : list of str
        Receives what the user should know about stored results.
    """

    folder: Path | None = None
    key: Mapping[str, Any] = field(default_factory=dict)
    cluster: Cluster | None = None
    engine: Engine | None = None
    notes: list[str] = field(default_factory=list)

    def machine(self, device: str, max_memory: int | None) -> Machine:
        """Device that computes, of this machine or of the workers of the cluster."""
        if self.cluster is None:
            return Machine.here(device, max_memory)
        return Machine.of(self.cluster, device)

    @contextmanager
    def computing(self, device: str) -> Iterator[int]:
        """Compute on a device within the block; yields the number of threads."""
        with free_cores(device) if self.cluster is None else nullcontext():
            yield self.threads()

    def threads(self) -> int:
        """Number of threads that compute, here or in each worker of the cluster."""
        import torch  # noqa: PLC0415  (takes a second)

        return torch.get_num_threads() if self.cluster is None else self.cluster.threads()
