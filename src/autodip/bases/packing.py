"""Merging of bases into one packed base, and validation of a whole base."""

from __future__ import annotations

import dataclasses
import gzip
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autodip.bases import jsonl, own_prior, store
from autodip.bases.jsonl import IMAGES, RUNS
from autodip.bases.records import Config, Entry, Run
from autodip.bases.store import PIXELS, Base
from autodip.errors import FormatError, OutputError, ParameterError
from autodip.util.files import replacing, writing


@dataclass(frozen=True)
class Merged:
    """Result of a merge.

    Parameters
    ----------
    base : Base
        The merged base.
    duplicates : int
        Number of records that repeat an earlier one with the same content.
    differing : tuple of str
        Description of each record that repeats an earlier one with different content; the first
        record is the one in the merged base.
    """

    base: Base
    duplicates: int
    differing: tuple[str, ...]


@dataclass(frozen=True)
class Packing:
    """Options for writing a packed base.

    Parameters
    ----------
    compress : bool
        Compress the runs with gzip.
    images : bool
        Copy the pixels of images for which a source has stored them.
    name, description : str
        Name and description for human readers; by default the name of the folder, and the
        descriptions of the sources.
    """

    compress: bool = False
    images: bool = True
    name: str = ""
    description: str = ""


def merge(sources: Sequence[Path], target: Path, packing: Packing | None = None) -> Merged:
    """Write the images and runs of one or several bases as a packed base.

    If an image, or a run of one configuration on one image, is recorded more than once, the first
    record is used; of several priors, the first one. Runs that differ only in their seconds or in
    the versions of autodip and torch count as equal.

    Parameters
    ----------
    sources : sequence of Path
        Folders of the bases.
    target : Path
        New or empty folder.
    packing : Packing, optional

    Raises
    ------
    FormatError
        If a source is not a base, or is damaged.
    OutputError
        If the target is not empty, or cannot be written.
    ParameterError
        If no source is given.
    """
    if not sources:
        raise ParameterError("no base to merge; name one or more")
    if target.is_dir() and any(target.iterdir()):
        raise OutputError(f"{target}: the folder is not empty; choose another place with -o")
    bases = [store.load(path) for path in sources]
    entries: dict[str, Entry] = {}
    runs: dict[tuple[str, Config], Run] = {}
    duplicates, differing = 0, []
    for base in bases:
        for entry in base.entries.values():
            kept = entries.setdefault(entry.id, entry)
            if kept is not entry:
                duplicates += kept == entry
                differing += [] if kept == entry else [f"{base.path}: image {entry.name}"]
        for run in base.runs:
            first = runs.setdefault((run.image, run.config), run)
            if first is not run:
                same = _figures(first) == _figures(run)
                duplicates += same
                name = f"{entries[run.image].name} with {run.config.net} ({run.config.key})"
                differing += [] if same else [f"{base.path}: {name}, by {run.engine}"]
    others = _differing_priors(bases)
    duplicates += max(sum(base.prior is not None for base in bases) - 1 - len(others), 0)
    _pack(target, bases, entries, runs, packing or Packing())
    return Merged(store.load(target), duplicates, (*differing, *others))


def _differing_priors(bases: Sequence[Base]) -> list[str]:
    """Describe the priors that differ from the first one."""
    own = [(base, base.prior) for base in bases if base.prior is not None]
    hashes = [own_prior.digest(base.path) for base, _ in own]
    return [
        f"{base.path}: prior, tuned on {prior.words}"
        for (base, prior), digest in zip(own, hashes, strict=True)
        if digest != hashes[0]
    ]


def _figures(run: Run) -> tuple[object, ...]:
    return tuple(dataclasses.replace(point, seconds=0.0) for point in run.points)


def _pack(
    target: Path,
    bases: Sequence[Base],
    entries: dict[str, Entry],
    runs: dict[tuple[str, Config], Run],
    packing: Packing,
) -> None:
    """Write the files; ``base.json``, which marks a folder as a base, is written last."""
    images = "".join(map(jsonl.entry_line, sorted(entries.values(), key=lambda e: (e.name, e.id))))
    ordered = sorted(runs.values(), key=lambda run: (run.image, run.config.key))
    curves = "".join(map(jsonl.run_line, ordered)).encode()
    curves = gzip.compress(curves, mtime=0) if packing.compress else curves
    names = [f"{IMAGES}.jsonl", f"{RUNS}.jsonl" + ".gz" * packing.compress]
    with writing(target):
        target.mkdir(parents=True, exist_ok=True)
        for base in bases if packing.images else ():
            for image in base.entries:
                kept, copy = store.pixels_path(base.path, image), store.pixels_path(target, image)
                if kept.exists() and not copy.exists():
                    copy.parent.mkdir(exist_ok=True)
                    with replacing(copy) as (part,):
                        shutil.copyfile(kept, part)
        tuned = [base.path for base in bases if base.prior is not None]
        if tuned:
            own_prior.copy(tuned[0], target)
    with replacing(*(target / name for name in names), target / store.HEAD) as parts:
        parts[0].write_text(images, encoding="utf-8")
        parts[1].write_bytes(curves)
        described = "; ".join(dict.fromkeys(b.description for b in bases if b.description))
        head = store.head_text(target, packing.name, packing.description or described)
        parts[2].write_text(head, encoding="utf-8")


def validate(path: Path) -> list[str]:
    """Check every file of a base; unlike loading, this does not stop at the first problem.

    Returns
    -------
    list of str
        One message for each problem, beginning with the file or folder concerned; empty if there
        are no problems.
    """
    problems: list[str] = []
    try:
        store.read_head(path)
    except FormatError as error:
        return [str(error)]
    entries: dict[str, Entry] = {}
    for kind in (IMAGES, RUNS):
        try:
            records = list(jsonl.lines(path, kind))
        except FormatError as error:
            problems.append(str(error))
            continue
        for where, text in records:
            try:
                if kind == IMAGES:
                    entry = jsonl.parse(where, text, kind, Entry.from_dict)
                    problems += _entry_problems(where, entry)
                    entries[entry.id] = entry
                else:
                    run = jsonl.parse(where, text, kind, Run.from_dict)
                    problems += _run_problems(where, run, entries)
            except FormatError as error:
                problems.append(str(error))
    problems += _pixel_problems(path, entries)
    try:
        own_prior.check(path)
    except FormatError as error:
        problems.append(str(error))
    if not problems:
        try:
            store.load(path)
        except FormatError as error:  # two records of the same thing that differ
            problems.append(str(error))
    return problems


def _entry_problems(where: str, entry: Entry) -> list[str]:
    named = not where.endswith(".json") or where.endswith(f"{entry.id}.json")
    return [] if named else [f"{where}: it holds the image {entry.id}; rename it"]


def _run_problems(where: str, run: Run, entries: dict[str, Entry]) -> list[str]:
    problems = []
    name = f"{run.image}-{run.config.key}.json"
    if where.endswith(".json") and not where.endswith(name):
        problems.append(f"{where}: it holds the run {name.removesuffix('.json')}; rename it")
    if run.image not in entries:
        problems.append(f"{where}: its image {run.image} is missing from the base")
    if not run.points:
        problems.append(f"{where}: its curve has no points")
    stops = [point.iteration for point in run.points]
    if stops != sorted(stops) or any(stop > run.config.fit.iterations for stop in stops):
        problems.append(f"{where}: its stops are not in order, or lie beyond the end of the fit")
    return problems


def _pixel_problems(path: Path, entries: dict[str, Entry]) -> list[str]:
    base = Base(path=path, name="", description="", created="", entries=entries, runs=())
    problems = []
    for file in sorted((path / PIXELS).glob("*.npz")):
        entry = entries.get(file.stem)
        if entry is None:
            problems.append(f"{file}: its image is missing from the base")
            continue
        try:
            kept = base.pixels(entry.id)
        except FormatError as error:
            problems.append(str(error))
            continue
        if kept is not None and {image.shape for image in kept} != {entry.shape}:
            problems.append(f"{file}: its shape differs from that of the image, {entry.shape}")
    return problems
