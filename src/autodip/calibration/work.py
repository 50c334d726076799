"""A base that is being filled: reading pairs, claiming, fitting and recording runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import autodip
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
from autodip.physics import noise

BATCH = 16
"""Images in memory at once, and fitted at once, on an accelerator."""


@dataclass(frozen=True)
class _Image:
    """An image in memory, and its entry."""

    entry: Entry
    subject: Subject


_Claimed = list[tuple[_Image, Claim]]


class Work:
    """Fills a base; the rows are not numbered yet.

    Parameters
    ----------
    base : Base
        As it was when the work began.
    device : str
        Name of a torch device.
    options : Sweep
    """

    def __init__(self, base: Base, device: str, options: Sweep) -> None:
        from autodip.metrics import lpips  # noqa: PLC0415  (imports torch)

        self._path, self._device, self._options = base.path, device, options
        self._runs = {(run.image, run.config): run for run in base.runs}
        self._entries = dict(base.entries)
        self._lpips = lpips.load() if options.lpips else None

    def stage(self, pairs: Sequence[Pair], configs: Sequence[Config]) -> Iterator[Attempt]:
        """All configurations on all images."""
        size = BATCH if self._device.startswith("cuda") else 1
        for start in range(0, len(pairs), size):
            shapes: dict[tuple[int, int], list[_Image]] = {}
            for pair in pairs[start : start + size] if configs else ():
                try:
                    image = self._load(pair)
                except OutputError:
                    raise
                except (AutodipError, OSError, MemoryError, ValueError) as error:
                    yield self._row(pair.name, None, "failed", reason=_words(error))
                    continue
                shapes.setdefault(image.entry.shape, []).append(image)
            for images in shapes.values():
                for config in configs:
                    yield from self._images(images, config)

    def _load(self, pair: Pair) -> _Image:
        """Read a pair, describe it, and write its entry if it is new."""
        noisy, truth = load(pair, self._options.crop)
        subject = Subject(noisy, truth, noise.estimate(noisy))
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
            identifier,
            f"{pair.dataset}/{pair.name}",
            pair.microscope,
            pair.specimen,
            next(same, "/".join(part or "unknown" for part in place)),
            pair.noise_level,
            (subject.noisy.shape[0], subject.noisy.shape[1]),
            descriptors.descriptors(subject.noisy, noise=subject.noise),
            {
                "set": pair.dataset,
                "file": pair.name,
                "role": pair.role,
                "crop": self._options.crop,
                "truth": content,
                **({} if pair.simulated is None else {"simulated": dict(pair.simulated)}),
            },
        )

    def _images(self, images: Sequence[_Image], config: Config) -> Iterator[Attempt]:
        """One configuration on images of one shape."""
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
                    yield self._row(name, config, "elsewhere", reason="another process is at it")
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
        """Fits that the memory of the device allows at once."""
        need = counting.estimate(config.net, 1, shape, precision=config.fit.precision).memory
        return max(1, min(BATCH, devices.free_memory(self._device) // need))

    def _fit(self, group: _Claimed, config: Config, claimed: _Claimed) -> Iterator[Attempt]:
        """Fit images at once; one by one, should one of them spoil it."""

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
                yield self._row(group[0][0].entry.name, config, "failed", reason=_words(error))
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
        return Attempt(0, 0, name, config, status, run, reason if not run else "")


def engine() -> str:
    """Versions that compute the figures."""
    import torch  # noqa: PLC0415

    return f"autodip {autodip.__version__}, torch {torch.__version__}"


def _cost(config: Config, shape: tuple[int, int]) -> dict[str, float]:
    price = counting.estimate(
        config.net, config.fit.iterations, shape, precision=config.fit.precision
    )
    return {"flop": price.flop, "memory": price.memory, "parameters": price.parameters}


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, AutodipError) else f"{type(error).__name__}: {error}"
