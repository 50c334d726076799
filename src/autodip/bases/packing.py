"""Merging bases into one, packed, and checking a base as a whole."""

from __future__ import annotations

import dataclasses
import gzip
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autodip.bases import files, store
from autodip.bases.files import IMAGES, RUNS
from autodip.bases.records import Config, Entry, Run
from autodip.bases.store import PIXELS, Base
from autodip.errors import FormatError, OutputError, ParameterError
from autodip.util.files import replacing


@dataclass(frozen=True)
class Merged:
    """What became of a merge.

    Parameters
    ----------
    base : Base
        The result.
    duplicates : int
        Records that were there before, with the same figures.
    differing : tuple of str
        A sentence for each record that was there before with others: the first was kept.
    """

    base: Base
    duplicates: int
    differing: tuple[str, ...]


@dataclass(frozen=True)
class Packing:
    """How bases are written as one.

    Parameters
    ----------
    compress : bool
        Pack the runs by gzip.
    images : bool
        Take the pixels along where they were kept.
    name, description : str
        For people; by default the name of the folder, and the descriptions of the sources.
    """

    compress: bool = False
    images: bool = True
    name: str = ""
    description: str = ""


def merge(sources: Sequence[Path], target: Path, packing: Packing | None = None) -> Merged:
    """Write the images and runs of several bases, or of one, as a packed base.

    Of two records of one image, or of one configuration on it, the first is kept. Seconds and
    their versions of autodip and torch make no difference.

    Parameters
    ----------
    sources : sequence of Path
    target : Path
        New or empty folder.
    packing : Packing, optional

    Raises
    ------
    FormatError
        If a source is no base, or damaged.
    OutputError
        If the target is not empty, or cannot be written.
    ParameterError
        If there is no source.
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
    _pack(target, bases, entries, runs, packing or Packing())
    return Merged(store.load(target), duplicates, tuple(differing))


def _figures(run: Run) -> tuple[object, ...]:
    return tuple(dataclasses.replace(point, seconds=0.0) for point in run.points)


def _pack(
    target: Path,
    bases: Sequence[Base],
    entries: dict[str, Entry],
    runs: dict[tuple[str, Config], Run],
    packing: Packing,
) -> None:
    """Write the files; ``base.json``, by which a folder is a base, last of them."""
    images = "".join(map(files.entry_line, sorted(entries.values(), key=lambda e: (e.name, e.id))))
    ordered = sorted(runs.values(), key=lambda run: (run.image, run.config.key))
    curves = "".join(map(files.run_line, ordered)).encode()
    curves = gzip.compress(curves, mtime=0) if packing.compress else curves
    names = [f"{IMAGES}.jsonl", f"{RUNS}.jsonl" + ".gz" * packing.compress]
    try:
        target.mkdir(parents=True, exist_ok=True)
        for base in bases if packing.images else ():
            for image in base.entries:
                kept, copy = store.pixels_path(base.path, image), store.pixels_path(target, image)
                if kept.exists() and not copy.exists():
                    copy.parent.mkdir(exist_ok=True)
                    with replacing(copy) as (part,):
                        shutil.copyfile(kept, part)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"{target}: cannot be written ({error.strerror or error})") from error
    with replacing(*(target / name for name in names), target / store.HEAD) as parts:
        parts[0].write_text(images, encoding="utf-8")
        parts[1].write_bytes(curves)
        described = "; ".join(dict.fromkeys(b.description for b in bases if b.description))
        head = store.head_text(target, packing.name, packing.description or described)
        parts[2].write_text(head, encoding="utf-8")


def validate(path: Path) -> list[str]:
    """Check every file of a base; unlike loading it, this does not end at the first problem.

    Returns
    -------
    list of str
        A sentence for each problem, which names the file; empty for a sound base.
    """
    problems: list[str] = []
    try:
        store.read_head(path)
    except FormatError as error:
        return [str(error)]
    entries: dict[str, Entry] = {}
    for kind in (IMAGES, RUNS):
        try:
            records = list(files.lines(path, kind))
        except FormatError as error:
            problems.append(str(error))
            continue
        for where, text in records:
            try:
                if kind == IMAGES:
                    entry = files.parse(where, text, kind, Entry.from_dict)
                    problems += _entry_problems(where, entry)
                    entries[entry.id] = entry
                else:
                    run = files.parse(where, text, kind, Run.from_dict)
                    problems += _run_problems(where, run, entries)
            except FormatError as error:
                problems.append(str(error))
    problems += _pixel_problems(path, entries)
    if not problems:
        try:
            store.load(path)
        except FormatError as error:  # what stands in two places, and differs
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
        problems.append(f"{where}: its image {run.image} is not there")
    if not run.points:
        problems.append(f"{where}: its curve has no point")
    stops = [point.iteration for point in run.points]
    if stops != sorted(stops) or any(stop > run.config.fit.iterations for stop in stops):
        problems.append(f"{where}: its stops are not in order, or beyond the end of the fit")
    return problems


def _pixel_problems(path: Path, entries: dict[str, Entry]) -> list[str]:
    base = Base(path, "", "", "", entries, ())
    problems = []
    for file in sorted((path / PIXELS).glob("*.npz")):
        entry = entries.get(file.stem)
        if entry is None:
            problems.append(f"{file}: its image is not there")
            continue
        try:
            kept = base.pixels(entry.id)
        except FormatError as error:
            problems.append(str(error))
            continue
        if kept is not None and {image.shape for image in kept} != {entry.shape}:
            problems.append(f"{file}: its shape is not that of the image, {entry.shape}")
    return problems
