"""Filling a base: reading pairs, and claiming, fitting and recording runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version

from autodip.bases import store
from autodip.bases.claims import Claim, claim
from autodip.bases.records import Config, Entry, Run
from autodip.bases.store import Base
from autodip.calibration.curves import Subject, record
from autodip.calibration.sweep import Attempt, Status, Sweep
from autodip.choose import descriptors
from autodip.compute import device as devices
from autodip.datasets.pair import Pair, load
from autodip.errors import AutodipError, OutputError
from autodip.fit import counting
from autodip.fit.params import deepest
from autodip.physics.estimate import estimate_noise
from autodip.util.text import words_of

BATCH = 16
"""Maximum number of images in memory, and in one fit, at the same time on a CUDA device."""


@dataclass(frozen=True)
class _Image:
    """An image in memory, and its entry in the base."""

    entry: Entry
    subject: Subject


_Claimed = list[tuple[_Image, Claim]]


class Work:
    """Fills a base; the rows it yields are not numbered yet.

    Parameters
    ----------
    base : Base
        The base as it was when the work began.
    device : str
        Name of a torch device.
    options : Sweep
    """

    def __init__(self, base: Base, device: str, options: Sweep) -> None:
        from autodip.metrics import alexnet  # noqa: PLC0415  (imports torch)

        self._path, self._device, self._options = base.path, device, options
        self._runs = {(run.image, run.config): run for run in base.runs}
        self._entries = dict(base.entries)
        self._lpips = alexnet.load() if options.lpips else None

    def stage(self, pairs: Sequence[Pair], configs: Sequence[Config]) -> Iterator[Attempt]:
        """Run all configurations on all images."""
        size = BATCH if self._device.startswith("cuda") else 1
        for start in range(0, len(pairs), size):
            shapes: dict[tuple[int, int], list[_Image]] = {}
            for pair in pairs[start : start + size] if configs else ():
                try:
                    image = self._load(pair)
                except OutputError:
                    raise
                except (AutodipError, OSError, MemoryError, ValueError) as error:
                    yield self._row(pair.name, None, "failed", reason=words_of(error))
                    continue
                shapes.setdefault(image.entry.shape, []).append(image)
            for images in shapes.values():
                for config in configs:
                    yield from self._images(images, config)

    def _load(self, pair: Pair) -> _Image:
        """Read a pair, compute its descriptors, and write its entry if it is new."""
        noisy, truth = load(pair, self._options.crop)
        subject = Subject(noisy, truth, estimate_noise(noisy))
        identifier = store.pixels_hash(noisy, truth.image)
        known = self._entries.get(identifier)
        entry = known or self._describe(pair, subject, identifier)
        keep = self._options.keep_images and not store.pixels_path(self._path, entry.id).exists()
        if known is None or keep:
            store.add_entry(self._path, entry, (noisy, truth.image) if keep else None)
            self._entries[entry.id] = entry
        return _Image(entry, subject)

    def _describe(self, pair: Pair, subject: Subject, identifier: str) -> Entry:
        content = store.pixels_hash(subject.truth.image)
        # The same truth in two data sets is the same field of view.
        same = (e.fov for e in self._entries.values() if e.source.get("truth") == content)
        place = (pair.dataset, pair.microscope, pair.specimen, pair.fov)
        return Entry(
            id=identifier,
            name=f"{pair.dataset}/{pair.name}",
            microscope=pair.microscope,
            specimen=pair.specimen,
            fov=next(same, "/".join(part or "unknown" for part in place)),
            noise_level=pair.noise_level,
            shape=(subject.noisy.shape[0], subject.noisy.shape[1]),
            descriptors=descriptors.descriptors(subject.noisy, noise=subject.noise),
            source={
                "set": pair.dataset,
                "file": pair.name,
                "role": pair.role,
                "crop": self._options.crop,
                "truth": content,
                **({} if pair.simulated is None else {"simulated": dict(pair.simulated)}),
            },
        )

    def _images(self, images: Sequence[_Image], config: Config) -> Iterator[Attempt]:
        """Run one configuration on images of the same shape."""
        claimed: _Claimed = []
        again: list[_Image] = []
        deep = config.net.depth > deepest(images[0].entry.shape, config.net.reduction)
        with ExitStack() as held:
            for image in images:
                name = image.entry.name
                if deep:
                    yield self._row(name, config, "not run", reason="too small for this depth")
                elif self._recorded(image, config) is not None:
                    yield self._row(name, config, "kept", self._recorded(image, config))
                elif any(image.entry.id == other.entry.id for other, _ in claimed):
                    again.append(image)
                elif (mine := self._claim(image, config)) is None:
                    yield self._row(
                        name, config, "elsewhere", reason="another process is running it"
                    )
                elif (run := self._recorded(image, config)) is not None:  # finished just now
                    mine.release()
                    yield self._row(name, config, "kept", run)
                else:
                    held.callback(mine.release)
                    claimed.append((image, mine))
            most = self._at_once(images[0].entry.shape, config) if claimed else 1
            for start in range(0, len(claimed), most):
                yield from self._fit(claimed[start : start + most], config, claimed)
        for image in again:
            run = self._recorded(image, config)
            status: Status = "failed" if run is None else "kept"
            yield self._row(image.entry.name, config, status, run, "the same image failed before")

    def _recorded(self, image: _Image, config: Config) -> Run | None:
        key = (image.entry.id, config)
        if key not in self._runs:
            run = store.load_run(self._path, *key)
            if run is None:
                return None
            self._runs[key] = run
        return self._runs[key]

    def _claim(self, image: _Image, config: Config) -> Claim | None:
        return claim(store.run_path(self._path, image.entry.id, config).with_suffix(".claim"))

    def _at_once(self, shape: tuple[int, int], config: Config) -> int:
        """Number of fits that the memory of the device allows at the same time."""
        need = counting.estimate(config.net, 1, shape, precision=config.fit.precision).memory
        return max(1, min(BATCH, devices.free_memory(self._device) // need))

    def _fit(self, group: _Claimed, config: Config, claimed: _Claimed) -> Iterator[Attempt]:
        """Fit images at the same time; if that fails, fit them one by one."""

        def refresh() -> None:
            for _, mine in claimed:
                mine.refresh()

        shape = group[0][0].entry.shape
        try:
            counting.check_memory(config.net, shape, devices.free_memory(self._device))
            curves = record(
                [image.subject for image, _ in group],
                config,
                device=self._device,
                lpips=self._lpips,
                on_step=refresh,
            )
        except (AutodipError, MemoryError, RuntimeError) as error:
            if len(group) > 1:
                for one in group:
                    yield from self._fit([one], config, claimed)
            else:
                yield self._row(group[0][0].entry.name, config, "failed", reason=words_of(error))
            return
        for (image, mine), points in zip(group, curves, strict=True):
            run = Run(image.entry.id, config, points, _cost(config, shape), engine())
            store.add_run(self._path, run)
            mine.release()
            self._runs[image.entry.id, config] = run
            yield self._row(image.entry.name, config, "done", run)

    def _row(
        self,
        name: str,
        config: Config | None,
        status: Status,
        run: Run | None = None,
        reason: str = "",
    ) -> Attempt:
        return Attempt(0, 0, name, config, status, run=run, reason=reason if not run else "")


def engine() -> str:
    """Versions of autodip and torch, which determine the scores."""
    import torch  # noqa: PLC0415

    return f"autodip {version('autodip')}, torch {torch.__version__}"


def _cost(config: Config, shape: tuple[int, int]) -> dict[str, float]:
    price = counting.estimate(
        config.net, config.fit.iterations, shape, precision=config.fit.precision
    )
    return {"flop": price.flop, "memory": price.memory, "parameters": price.parameters}
