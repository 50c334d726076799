"""An iteration of a fit recorded as a CUDA graph and replayed."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

_WARM_UP = 5


class Iterated(Protocol):
    """What is recorded: fits that are computed side by side."""

    @property
    def z(self) -> Tensor:
        """Random inputs of all fits."""
        ...

    @property
    def fits(self) -> Sequence[object]:
        """The fits."""
        ...

    def forward(self) -> list[Tensor]:
        """Compute the objective of every fit."""
        ...

    def descend(self, losses: list[Tensor], going: Sequence[bool]) -> None:
        """Step down the gradient."""
        ...


class Recording:
    """The iteration as a CUDA graph: one launch instead of a thousand small ones.

    Everything runs on a separate stream: the first iterations are computed directly, later ones
    are replayed from a recording. A replay writes to the memory used when recorded.
    """

    def __init__(self, batch: Iterated) -> None:
        self.batch = batch
        self.side = torch.cuda.Stream(batch.z.device)  # type: ignore[no-untyped-call]
        self.graph: torch.cuda.CUDAGraph | None = None
        self.before = _WARM_UP

    @contextlib.contextmanager
    def stream(self):  # type: ignore[no-untyped-def]
        """Run on the separate stream, after all work queued before; later work waits for it."""
        ordinary = torch.cuda.current_stream(self.batch.z.device)
        self.side.wait_stream(ordinary)
        with torch.cuda.stream(self.side):
            yield
        ordinary.wait_stream(self.side)

    def replay(self) -> bool:
        """Replay the recorded iteration; False during the warm-up, when it is computed directly."""
        if self.before > 0:
            self.before -= 1
            return False
        if self.graph is None:
            self.graph = self._record()
        self.graph.replay()
        return True

    def forget(self) -> None:
        """Discard the recording, because a number that it contains has changed."""
        self.graph, self.before = None, _WARM_UP

    def _record(self) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self.side):
            self.batch.descend(self.batch.forward(), [True] * len(self.batch.fits))
        return graph
