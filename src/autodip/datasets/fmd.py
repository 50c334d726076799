"""FMD, the fluorescence microscopy denoising data set of Zhang et al. (CVPR 2019).

It has twelve groups ``<Microscope>_<Specimen>_<Channel>`` of 20 fields of view with 50 captures
each, in 8 bits. The truth of a field is the mean of its captures. An image of the level avgN is
the mean of N consecutive captures, where the first capture follows the last. The authors test on
field 19, and on ``test_mix``: 48 images, four of field 19 of each group. Its pairs form a data
set of their own, ``fmd_test_mix``, so that no average includes a field twice.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from autodip.datasets.layout import (
    Listing,
    fields,
    files,
    folders,
    group,
    plane,
    planes,
    same_shape,
)
from autodip.datasets.pair import Pair
from autodip.errors import FormatError

LAYOUT = (
    "Confocal_BPAE_B/raw/<field 1-20>/*.png with Confocal_BPAE_B/gt/<field>/avg50.png and so on, "
    "or test_mix/raw/*.png with test_mix/gt/*.png"
)
"""Expected content of the folder."""

LEVELS = {"raw": 1, "avg2": 2, "avg4": 4, "avg8": 8, "avg16": 16}
"""Noise levels, each with the number of captures averaged in an image."""

CAPTURES = 50
TEST_FIELD = 19

MIXED = "fmd_test_mix"
"""Name of the data set of the pairs of ``test_mix``, which repeat field 19 of the groups."""

GROUPS = {
    "Confocal_BPAE_B": ("confocal", "nucleus"),
    "Confocal_BPAE_G": ("confocal", "actin"),
    "Confocal_BPAE_R": ("confocal", "mito"),
    "Confocal_FISH": ("confocal", "zebrafish"),
    "Confocal_MICE": ("confocal", "mouse_brain"),
    "TwoPhoton_BPAE_B": ("twophoton", "nucleus"),
    "TwoPhoton_BPAE_G": ("twophoton", "actin"),
    "TwoPhoton_BPAE_R": ("twophoton", "mito"),
    "TwoPhoton_MICE": ("twophoton", "mouse_brain"),
    "WideField_BPAE_B": ("widefield", "nucleus"),
    "WideField_BPAE_G": ("widefield", "actin"),
    "WideField_BPAE_R": ("widefield", "mito"),
}
"""Folders of the twelve groups, each with microscope and specimen."""


def scan(root: Path) -> Listing:
    """List the pairs in a folder, those of ``test_mix`` first, and what is missing."""
    mixed = _test_mix(root / "test_mix")
    listings = [mixed, *(_group(root / name) for name in GROUPS if (root / name).is_dir())]
    missing = [sentence for listing in listings for sentence in listing.missing]
    absent = [name for name in GROUPS if not (root / name).is_dir()]
    if absent:
        missing.append(f"{len(absent)} of {len(GROUPS)} groups are missing: {', '.join(absent)}")
    return Listing([pair for listing in listings for pair in listing.pairs], missing)


def average(captures: tuple[Path, ...]) -> np.ndarray:
    """Mean of 8-bit captures, rounded half up to 8 bits, as in the authors' averages.

    Parameters
    ----------
    captures : tuple of Path
        Files of one field of view.

    Returns
    -------
    ndarray of uint8, shape (Y, X)

    Raises
    ------
    FormatError
        If a capture is not an 8-bit image, or their shapes differ.
    """
    images = [plane(path) for path in captures]
    if any(image.shape != images[0].shape or image.dtype != np.uint8 for image in images):
        raise FormatError(
            f"{captures[0].parent}: the captures are not all 8-bit images of one size; "
            "unpack this folder again"
        )
    mean = np.mean(np.stack(images), axis=0, dtype=np.float64)
    return np.floor(mean + 0.5).astype(np.uint8)


def _averaged(captures: tuple[Path, ...], truth: Path) -> tuple[np.ndarray, np.ndarray]:
    return same_shape(average(captures), plane(truth), (captures[0], truth))


def _group(folder: Path) -> Listing:
    """Pairs of one group, level by level."""
    numbers = {
        int(field.name)
        for level in (*LEVELS, "gt")
        for field in folders(folder / level)
        if field.name.isdecimal() and 1 <= int(field.name) <= 20
    }
    with_truth = {n for n in numbers if (folder / "gt" / str(n) / "avg50.png").is_file()}
    pairs: list[Pair] = []
    lacking: dict[str, list[int]] = defaultdict(list)
    short: dict[tuple[str, int], list[int]] = defaultdict(list)
    for level in LEVELS:
        for number in sorted(with_truth):
            found = files(folder / level / str(number), ".png")
            if found and len(found) != CAPTURES:
                short[level, len(found)].append(number)
            made = list(_pairs(folder, level, number, found))
            pairs += made
            if not made:
                lacking[level].append(number)
    sentences = _missing(numbers, with_truth, lacking, short)
    return Listing(pairs, [f"{folder.name}: {sentence}" for sentence in sentences])


def _pairs(folder: Path, level: str, number: int, found: list[Path]) -> Iterator[Pair]:
    """Pairs of one field at one level, averaged from the captures if necessary."""
    truth = folder / "gt" / str(number) / "avg50.png"
    captures = found or files(folder / "raw" / str(number), ".png")
    if not found and len(captures) != CAPTURES:
        return  # means that wrap around to the first capture need all captures
    for position, path in enumerate(captures):
        if found:
            read = partial(planes, path, truth)
        else:
            run = [captures[(position + k) % CAPTURES] for k in range(LEVELS[level])]
            read = partial(_averaged, tuple(run), truth)
        microscope, specimen = GROUPS[folder.name]
        yield Pair(
            dataset="fmd",
            name=f"{folder.name}/{level}/{number}/{path.stem}",
            read=read,
            microscope=microscope,
            specimen=specimen,
            noise_level=level,
            fov=str(number),
            capture=str(position + 1),
            group=group(microscope, specimen),
            role="test" if number == TEST_FIELD else "calibration",
            data_range=255.0,
        )


def _missing(
    numbers: set[int],
    with_truth: set[int],
    lacking: dict[str, list[int]],
    short: dict[tuple[str, int], list[int]],
) -> Iterator[str]:
    """Sentences that describe what one group lacks."""
    absent = set(range(1, 21)) - numbers
    if absent:
        yield f"no {fields(absent)}"
    for number in sorted(numbers - with_truth):
        yield f"no gt/{number}/avg50.png, the captures of field {number} are left out"
    for level, where in lacking.items():
        if level == "raw":
            yield f"no raw/<field>/*.png of {fields(where)}"
        else:
            yield (
                f"no {level} of {fields(where)}, and raw does not have the {CAPTURES} captures "
                "to compute it from"
            )
    for (level, have), where in short.items():
        yield f"{level} has {have} of {CAPTURES} captures of {fields(where)}"


def _test_mix(folder: Path) -> Listing:
    """Pairs of the mixed test set, level by level."""
    if not folder.is_dir():
        return Listing([], ["test_mix, the mixed test set, is missing"])
    pairs: list[Pair] = []
    missing: list[str] = []
    for level in LEVELS:
        found = files(folder / level, ".png")
        if not found:
            missing.append(f"test_mix: no {level}/*.png")
        for path in found:
            name = re.match("|".join(GROUPS), path.stem)
            truth = _truth(folder / "gt", path, name.group() if name else "")
            if name is None or truth is None:
                reason = "its name starts with no group" if name is None else "no truth in gt"
                missing.append(f"test_mix: {level}/{path.name} is left out, {reason}")
                continue
            pairs.append(_mixed(path, truth, *GROUPS[name.group()]))
    return Listing(pairs, missing)


def _truth(folder: Path, noisy: Path, name: str) -> Path | None:
    """Truth of an image: the file with the same name, or the one named after its group."""
    candidates = (folder / noisy.name, folder / f"{name}.png")
    return next((path for path in candidates if path.is_file()), None)


def _mixed(path: Path, truth: Path, microscope: str, specimen: str) -> Pair:
    number = re.search(r"_(\d+)$", path.stem)
    return Pair(
        dataset=MIXED,
        name=f"test_mix/{path.parent.name}/{path.stem}",
        read=partial(planes, path, truth),
        microscope=microscope,
        specimen=specimen,
        noise_level=path.parent.name,
        fov=str(TEST_FIELD),
        capture=number.group(1) if number else "",
        group=group(microscope, specimen),
        role="test",
        data_range=255.0,
    )
