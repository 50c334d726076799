"""The data set of Hagen et al. (GigaScience 2021): short and long exposures of the same fields.

Every file is a stack with one field per page: ``<specimen>-<mag>x-noise<k>-lowsnr.tif`` and its
truth ``...-highsnr.tif`` (wide-field), ``<specimen>-confocal-lowsnr.tif``, and
``<specimen>-lowsnr.tif``, for which no microscope is named. Because the exposures differ, a
comparison is meaningful only after a linear fit of the intensities.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np

from autodip.choose.vocabulary import find_specimen
from autodip.datasets import pages
from autodip.datasets.layout import Listing, files, folders, group, same_shape
from autodip.datasets.pair import Pair
from autodip.errors import FormatError

LAYOUT = (
    "pairs of stacks such as actin-60x-noise1-lowsnr.tif and actin-60x-noise1-highsnr.tif, in "
    "this folder or its direct subfolders"
)
"""Expected content of the folder."""

_NAME = re.compile(
    r"(?P<specimen>[a-z]+)-((?P<magnification>\d+x)-(?P<noise>noise\d+)-|(?P<confocal>confocal)-)?"
    r"(?P<snr>low|high)snr\.tiff?",
    re.IGNORECASE,
)


def scan(root: Path) -> Listing:
    """List the pairs in a folder, and what is missing."""
    found: dict[str, dict[str, Path]] = {}
    matches: dict[str, re.Match[str]] = {}
    for folder in (root, *folders(root)):
        for path in files(folder, ".tif", ".tiff"):
            match = _NAME.fullmatch(path.name)
            if match:
                stem = path.stem[: match.start("snr")].rstrip("-")
                found.setdefault(stem, {})[match["snr"].lower()] = path
                matches[stem] = match
    listing = Listing([], [])
    for stem, files_ in sorted(found.items()):
        pairs = _stack(stem, files_, matches[stem], listing.missing)
        listing.pairs.extend(pairs)
    return listing


def _stack(
    stem: str, found: dict[str, Path], match: re.Match[str], missing: list[str]
) -> list[Pair]:
    """Pairs of two stacks; none, and a sentence in ``missing``, if the stacks do not match."""
    for snr, other in (("low", "high"), ("high", "low")):
        if snr not in found:
            missing.append(f"{stem}: no {snr}snr stack, {found[other].name} is left out")
            return []
    try:
        counts = [pages.count(found[snr]) for snr in ("low", "high")]
    except FormatError as error:
        missing.append(f"{stem}: left out, {error}")
        return []
    if counts[0] != counts[1]:
        missing.append(f"{stem}: left out, lowsnr has {counts[0]} pages and highsnr {counts[1]}")
        return []
    return [_pair(stem, found, match, number) for number in range(counts[0])]


def _pair(stem: str, found: dict[str, Path], match: re.Match[str], number: int) -> Pair:
    microscope = "confocal" if match["confocal"] else "widefield" if match["noise"] else None
    word = match["specimen"].lower()
    specimen = find_specimen(word) or word
    # The channels of one setting show the same cells, so they share the field of view.
    setting = stem[len(word) :].strip("-") or word
    return Pair(
        dataset="hagen",
        name=f"{stem}/{number + 1:04d}",
        read=partial(_read, found["low"], found["high"], number),
        microscope=microscope,
        specimen=specimen,
        noise_level=match["noise"] or "lowsnr",
        fov=f"{setting}/{number + 1:04d}",
        group=group(microscope, specimen, match["magnification"] or ""),
        stretched=True,
    )


def _read(noisy: Path, truth: Path, number: int) -> tuple[np.ndarray, np.ndarray]:
    return same_shape(pages.read(noisy, number), pages.read(truth, number), (noisy, truth))
