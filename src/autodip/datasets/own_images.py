"""A laboratory's own images for tuning a prior: with a truth, repeated, or single."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from autodip import io
from autodip.choose import vocabulary
from autodip.datasets import own_pairs, pair_lists
from autodip.datasets.layout import files, plane, planes
from autodip.datasets.pair import Pair
from autodip.datasets.pair_lists import PairList
from autodip.errors import FormatError, ParameterError
from autodip.image.kind import Kind
from autodip.prior.shots import OwnImage


def own_images(
    place: Path | PairList, microscope: str | None = None, specimen: str | None = None
) -> list[OwnImage]:
    """List the images of a folder; no pixels are read.

    Parameters
    ----------
    place : Path or PairList
        A list of pairs, or a folder with a ``manifest.json``: entries are as for calibration, but
        ``truth`` may be absent, null or empty. Entries of role "test" are left out. Without a
        manifest, every image file of the folder is a single noisy image.
    microscope, specimen : str, optional
        What the images show for which nothing is stated; of the others, only those of this
        microscope or specimen are used.

    Raises
    ------
    FormatError
        If there is no such folder, the manifest is not valid, or no image is there.
    ParameterError
        If a name is not known, or no image has it.
    """
    wanted = Kind(
        vocabulary.microscope(microscope),
        vocabulary.specimen(specimen),
    )
    if isinstance(place, Path) and not pair_lists.is_list(place):
        if not place.is_dir():
            raise FormatError(f"{place}: there is no such folder")
        return _single(place, wanted)
    listed = pair_lists.read(place)
    found = _listed(listed.stating(*wanted.names))
    chosen = [image for image in found if wanted.includes(image.kind)]
    if not chosen:
        seen = sorted({image.kind.words or "unknown" for image in found})
        raise ParameterError(
            f"no image has {wanted.words}; the {len(found)} images in {listed.where} have "
            f"{', '.join(seen)}; choose another --microscope or --specimen"
        )
    return chosen


def _single(root: Path, kind: Kind) -> list[OwnImage]:
    paths = files(root, *io.SUFFIXES)
    if not paths:
        raise FormatError(
            f"{root}: neither a {pair_lists.FILE} nor an image file; give a folder with "
            f"{own_pairs.LAYOUT}, or one with noisy images ({', '.join(io.SUFFIXES)})"
        )
    return [
        OwnImage(path.name, path.name, path.name, partial(_alone, path), kind) for path in paths
    ]


def _listed(listed: PairList) -> list[OwnImage]:
    """Images of a list whose files exist."""
    root, path, content = listed.root, listed.where, listed.entries
    entries = [_completed(entry, number, path) for number, entry in enumerate(content, 1)]
    names = own_pairs.names_of(entries, path)
    found = []
    for entry, given, name in zip(entries, content, names, strict=True):
        present = all((root / entry[key]).is_file() for key in ("file", "truth"))
        if present and entry["role"] != "test":
            found.append(_image(root, entry, bool(given.get("truth")), name))
    if not found:
        tests = sum(entry["role"] == "test" for entry in entries)
        raise FormatError(
            f"{path}: no image to learn from; of {len(entries)} entries, {tests} have the role "
            "test, which is left out, and the files of the others are missing"
        )
    return found


def _completed(entry: Any, number: int, path: str) -> dict[str, Any]:
    """Valid entry, in which the noisy file takes the place of a missing truth."""
    truthless = isinstance(entry, dict) and not entry.get("truth")
    completed = {**entry, "truth": entry.get("file")} if truthless else entry
    problem = own_pairs.problem_of(completed)
    if problem:
        raise FormatError(f"{path}: entry {number} {problem}")
    return dict(completed)


def _image(root: Path, entry: dict[str, Any], has_truth: bool, name: str) -> OwnImage:
    pair = own_pairs.pair_of(root, entry, name)
    noisy, truth = root / entry["file"], root / entry["truth"]
    return OwnImage(
        name,
        field_of(pair),
        "/".join((field_of(pair), pair.group, pair.noise_level)),
        partial(planes, noisy, truth) if has_truth else partial(_alone, noisy),
        Kind(pair.microscope, pair.specimen),
    )


def field_of(pair: Pair) -> str:
    """Field of view of a pair, unique across data sets."""
    place = (pair.dataset, pair.microscope, pair.specimen, pair.fov)
    return "/".join(part or "unknown" for part in place)


def _alone(path: Path) -> tuple[np.ndarray, None]:
    return plane(path), None
