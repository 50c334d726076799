"""A denoised image whose planes are computed when they are read."""

from __future__ import annotations

import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path

import numpy as np

from autodip.compute.processes import check_not_forked
from autodip.compute.threads import free_cores
from autodip.errors import ParameterError
from autodip.image.image import PlaneIndex
from autodip.image.scaling import to_dtype
from autodip.image.windows import Window, blend
from autodip.pipeline.checkpoint import Checkpoint
from autodip.pipeline.error_summary import SD
from autodip.pipeline.parts import Finished, Part, Tasks, cut
from autodip.pipeline.plan import Plan
from autodip.pipeline.repair import RepairedImage
from autodip.pipeline.result import PlaneResult, Progress
from autodip.pipeline.withheld import withhold_plane
from autodip.prior.observation import Observation
from autodip.util.files import remove


class OnDemand:
    """Denoised pixels, each plane of which is computed when it is first read.

    What was computed is stored in a temporary folder, which is deleted with this object. One plane
    is computed at a time, also if several threads read. The learned prior computes a plane and,
    before it, the first of its run, whose observed noise the others are told; planes that are
    fitted one after the other are computed together.

    Parameters
    ----------
    image : RepairedImage
    plan : Plan
    outliers : bool
        Whether hot and dead pixels are returned as they were.
    progress : callable, optional
        Called with every step.
    """

    def __init__(
        self,
        image: RepairedImage,
        plan: Plan,
        *,
        outliers: bool,
        progress: Callable[[Progress], object] | None = None,
    ) -> None:
        self._image, self._plan, self._outliers = image, plan, outliers
        self._progress = progress
        self._tasks = Tasks(image, plan)
        self._cuts: dict[PlaneIndex, list[tuple[Part, int]]] = {i: [] for i in plan.scan.extremes}
        for part in cut(image, plan):
            for place, index in enumerate(part.indices):
                self._cuts[index].append((part, place))
        folder = Path(tempfile.mkdtemp(prefix="autodip-"))
        weakref.finalize(self, remove, folder)
        self._kept = Checkpoint(folder, {})
        self._computed: set[tuple[int, int]] = set()
        self._observations: dict[int, tuple[int, Observation | None]] = {}
        self._last: tuple[PlaneIndex, np.ndarray] | None = None
        self._last_map: tuple[PlaneIndex, np.ndarray] | None = None
        self._lock = threading.RLock()
        self.dtype = plan.dtype
        self.shape = image.data.shape

    @property
    def maps(self) -> dict[str, MapOnDemand]:
        """Maps of the result by name, each plane of which is computed when it is read."""
        return {SD: MapOnDemand(self)} if self._plan.uncertainty else {}

    def __reduce__(self) -> str:
        raise ParameterError(
            "a result that is computed on demand stays in the process that made it; compute it "
            'with threads (dask: .compute(scheduler="threads")), or denoise files with '
            "autodip denoise --scheduler ADDRESS"
        )

    @property
    def records(self) -> Records:
        """Records of the planes, or of the windows of each plane, computed when they are read."""
        return Records(self, [one for cuts in self._cuts.values() for one in cuts])

    def __getitem__(self, region: tuple[slice, ...]) -> np.ndarray:
        """Pixels of a region: slices with positive steps, one for each axis."""
        return self.read(region, self._plane, self.dtype)

    def read(
        self,
        region: tuple[slice, ...],
        plane: Callable[[PlaneIndex], np.ndarray],
        dtype: np.dtype,
    ) -> np.ndarray:
        """Pixels of a region of planes (Y, X) that a function returns by their position."""
        image = self._image
        kept = [range(n)[part] for n, part in zip(self.shape, region, strict=True)]
        out = np.empty([len(positions) for positions in kept], dtype)
        axes = [axis for axis in image.axes if axis not in "YX"]
        rows, columns = (region[image.axes.index(axis)] for axis in "YX")
        found = image.yx_last(out)
        others = [kept[image.axes.index(axis)] for axis in axes]
        for place in product(*(range(len(positions)) for positions in others)):
            index = tuple(
                (axis, positions[n]) for axis, positions, n in zip(axes, others, place, strict=True)
            )
            found[place] = plane(index)[rows, columns]
        return out

    def _plane(self, index: PlaneIndex) -> np.ndarray:
        """Denoised plane (Y, X), in its final data type."""
        with self._lock:
            if self._last is not None and self._last[0] == index:
                return self._last[1]
            if index not in self._cuts:  # transparency is copied, not denoised
                return to_dtype(self._image.block(index), self.dtype)
            plane = self._assembled(index, lambda done: done.pixels, self.dtype)
            self._image.restore_plane(index, plane, outliers=self._outliers)
            self._last = index, plane
            return plane

    def errors(self, index: PlaneIndex) -> np.ndarray:
        """Standard errors (Y, X) of a plane."""
        with self._lock:
            if self._last_map is not None and self._last_map[0] == index:
                return self._last_map[1]
            dtype = np.dtype(np.float32)
            if index not in self._cuts:  # transparency
                return to_dtype(self._image.block(index), dtype)
            plane = self._assembled(index, lambda done: done.maps[SD], dtype)
            record = self.done(*self._cuts[index][0]).record
            scan = self._plan.scan
            withhold_plane(plane, self._image, scan, record, outliers=self._outliers)
            self._last_map = index, plane
            return plane

    def _assembled(
        self, index: PlaneIndex, of: Callable[[Finished], np.ndarray], dtype: np.dtype
    ) -> np.ndarray:
        """What a function returns of the result for a plane, or blended from its windows."""
        cuts = self._cuts[index]
        if self._plan.tiling is None:
            return of(self.done(*cuts[0]))
        plane = np.empty(self._image.plane_shape, dtype)
        for rows, blended in blend(self._image.plane_shape, self._windows(cuts, of)):
            plane[rows] = to_dtype(blended, dtype)
        return plane

    def _windows(
        self, cuts: Sequence[tuple[Part, int]], of: Callable[[Finished], np.ndarray]
    ) -> Iterator[tuple[Window, np.ndarray]]:
        for part, place in cuts:
            assert part.window is not None  # because the planes are cut
            yield part.window, of(self.done(part, place))

    def done(self, part: Part, place: int) -> Finished:
        """Result for a plane of a part, computed unless it is stored."""
        with self._lock:
            if (part.number, place) not in self._computed:
                check_not_forked()
                with free_cores(self._plan.device):
                    self._compute(part, place)
            description = self._plan.channels[part.channel].description
            return self._kept.get(part, place, description)

    def _compute(self, part: Part, place: int) -> None:
        from autodip.pipeline import execute  # noqa: PLC0415  (imports torch)

        task = self._tasks.of(part)
        if task.choice.prior is None:
            steps = execute.compute_tasks([task])
        else:
            steps = execute.compute_place(task, place, self._observed(part, place))
        for step in steps:
            if isinstance(step, Finished):
                self._kept.put(step)
                self._computed.add((step.part, step.place))
            if self._progress is not None:
                total = sum(map(len, self._cuts.values()))
                current = None if isinstance(step, Finished) else step
                self._progress(Progress(len(self._computed), total, current))

    def _observed(self, part: Part, place: int) -> Observation | None:
        """Noise that was observed first in the planes of a part before this one."""
        searched, observed = self._observations.get(part.number, (0, None))
        while observed is None and searched < place:
            observed = self.done(part, searched).record.observed
            searched += 1
        self._observations[part.number] = searched, observed
        return observed if searched <= place else None


class MapOnDemand:
    """Standard errors, each plane of which is computed when it is read, with its pixels."""

    def __init__(self, source: OnDemand) -> None:
        self._source = source
        self.shape, self.dtype = source.shape, np.dtype(np.float32)

    def __getitem__(self, region: tuple[slice, ...]) -> np.ndarray:
        """Standard errors of a region: slices with positive steps, one for each axis."""
        return self._source.read(region, self._source.errors, self.dtype)


class Records(Sequence[PlaneResult]):
    """Records of planes or windows, each computed with its plane when it is read."""

    def __init__(self, source: OnDemand, cuts: Sequence[tuple[Part, int]]) -> None:
        self._source, self._cuts = source, cuts

    def __len__(self) -> int:
        return len(self._cuts)

    def __getitem__(self, number):  # type: ignore[no-untyped-def]
        if isinstance(number, slice):
            return tuple(self[n] for n in range(len(self))[number])
        return self._source.done(*self._cuts[number]).record
