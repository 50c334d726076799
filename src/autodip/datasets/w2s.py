"""W2S of Zhou et al. (ECCV workshops 2020): 120 fields of view, three channels, 400 frames each.

Averages are those of the authors: avg1 is frame 249, avgN the mean of the first N frames, and the
truth the mean of all 400. They train on fields 1-80 and test on fields 81-120. The structures
shown in the channels are not documented.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np

from autodip.datasets.layout import Listing, fields, folders, group
from autodip.datasets.pair import Pair
from autodip.errors import FormatError

LAYOUT = "raw/<field 1-120>/wf_channel0.npy, wf_channel1.npy, wf_channel2.npy"
"""Expected content of the folder."""

FRAMES = 400
SINGLE = 249
"""Frame, counted from 0, that the authors use as the image avg1."""

LEVELS = (1, 2, 4, 8, 16)
FIELDS = 120
LAST_TRAINING_FIELD = 80


def scan(root: Path) -> Listing:
    """List the pairs in a folder, and what is missing."""
    places = (root / "raw", root / "W2S_raw" / "raw", root / "W2S_raw", root)
    place = next((place for place in places if place.is_dir()), root)
    numbered = {}
    for folder in folders(place):
        digits = re.search(r"(\d+)$", folder.name)
        if digits:
            numbered[int(digits[1])] = folder
    if 0 in numbered:  # counted from 0
        numbered = {number + 1: folder for number, folder in numbered.items()}
    pairs: list[Pair] = []
    missing: list[str] = []
    for number, folder in sorted(numbered.items()):
        there = [c for c in range(3) if (folder / f"wf_channel{c}.npy").is_file()]
        pairs += [_pair(folder, number, c, level) for level in LEVELS for c in there]
        lacking = [f"wf_channel{c}.npy" for c in range(3) if c not in there]
        if lacking:
            missing.append(f"{folder.name}: no {', '.join(lacking)}")
    absent = set(range(1, FIELDS + 1)) - set(numbered)
    if absent:
        missing.append(f"{fields(absent)} of {FIELDS} not there")
    return Listing(pairs, missing)


def read(path: Path, level: int) -> tuple[np.ndarray, np.ndarray]:
    """Read the image of a noise level and its truth.

    Parameters
    ----------
    path : Path
        NPY file with 400 frames, (T, Y, X).
    level : int
        Number of frames averaged; 1 stands for frame 249 alone.

    Returns
    -------
    noisy, truth : ndarray of float64, shape (Y, X)
    """
    try:
        frames = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise FormatError(f"{path}: not a readable NPY file ({error})") from error
    if frames.ndim != 3 or len(frames) != FRAMES:
        raise FormatError(f"{path}: its shape is {frames.shape}, not {FRAMES} frames of one field")
    noisy = frames[SINGLE : SINGLE + 1] if level == 1 else frames[:level]
    return tuple(np.mean(part, axis=0, dtype=np.float64) for part in (noisy, frames))  # type: ignore[return-value]


def _pair(folder: Path, number: int, channel: int, level: int) -> Pair:
    return Pair(
        dataset="w2s",
        name=f"{folder.name}/wf_channel{channel}/avg{level}",
        read=partial(read, folder / f"wf_channel{channel}.npy", level),
        microscope="widefield",
        specimen=None,
        noise_level=f"avg{level}",
        fov=str(number),
        group=group("widefield", None, f"ch{channel}"),
        role="calibration" if number <= LAST_TRAINING_FIELD else "test",
    )
