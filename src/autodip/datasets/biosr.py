"""BioSR of Qiao et al. (Nature Methods 2021): cells at increasing excitation, as raw SIM stacks.

The mean of the phases of a stack is a wide-field image. ``Cell_NNN/RawSIMData_level_NN.mrc``
is compared with ``Cell_NNN/RawSIMData_gt.mrc``; for the endoplasmic reticulum, each
``RawSIMData/RawSIMData_level_NN.mrc`` with ``RawGTSIMData/RawGTSIMData_level_NN.mrc``. Because
the excitation differs, a comparison is meaningful only after a linear fit of the intensities.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from autodip.choose.vocabulary import find_specimen
from autodip.datasets.layout import Listing, fields, files, folders, group, same_shape
from autodip.datasets.pair import Pair
from autodip.errors import FormatError
from autodip.util import optional

LAYOUT = "<specimen>/Cell_NNN/RawSIMData_level_NN.mrc with RawSIMData_gt.mrc next to it"
"""Expected content of the folder."""

SPECIMENS = ("CCPs", "ER", "F-actin", "F-actin_Nonlinear", "Microtubules")
"""Folders that the authors publish."""

_CELL = re.compile(r"Cell_(\d+)")
_LEVEL = re.compile(r"RawSIMData_level_(\d+)\.mrc")


def scan(root: Path) -> Listing:
    """List the pairs in a folder, and what is missing."""
    pairs: list[Pair] = []
    missing: list[str] = []
    for folder in folders(root):
        cells = [cell for cell in folders(folder) if _CELL.fullmatch(cell.name)]
        without: list[int] = []
        for cell in cells:
            found = list(_cell(folder.name, cell))
            pairs += found
            if not found:
                without.append(int(cell.name[5:]))
        if without:
            missing.append(
                f"{folder.name}: {fields(without).replace('field', 'cell')} left out, no noisy "
                "image with its truth"
            )
    absent = [name for name in SPECIMENS if not (root / name).is_dir()]
    if absent:
        missing.append(f"missing specimens: {', '.join(absent)}")
    return Listing(pairs, missing)


def wide_field(path: Path) -> np.ndarray:
    """Wide-field image from a raw SIM stack: the mean of all its phases.

    Parameters
    ----------
    path : Path
        MRC file with a stack of at least 9 phases, (phase, Y, X).

    Returns
    -------
    ndarray of float64, shape (Y, X)

    Raises
    ------
    FormatError
        If the file is damaged or does not contain such a stack.
    MissingPackageError
        If mrcfile is not installed.
    """
    mrcfile = optional.require("mrcfile", "benchmark")
    try:
        # The headers predate the standard; mrcfile warns about each, but reads the data.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with mrcfile.open(path, permissive=True) as file:
                data = file.data
    except (OSError, ValueError) as error:
        raise FormatError(f"{path}: not a readable MRC file ({error})") from error
    if data is None:
        raise FormatError(f"{path}: truncated, or not an MRC file; unpack it again")
    if data.ndim != 3 or len(data) < 9:
        raise FormatError(
            f"{path}: its shape is {data.shape}, not a stack of at least 9 SIM phases"
        )
    return np.asarray(np.mean(data, axis=0, dtype=np.float64))


def _read(noisy: Path, truth: Path) -> tuple[np.ndarray, np.ndarray]:
    return same_shape(wide_field(noisy), wide_field(truth), (noisy, truth))


def _cell(name: str, cell: Path) -> Iterator[Pair]:
    """Pairs of one cell, in order of increasing excitation."""
    nested = (cell / "RawSIMData").is_dir()
    specimen = find_specimen(name.replace("_", " ")) or name
    more = "nonlinear" if name.endswith("_Nonlinear") else ""
    for path in files(cell / "RawSIMData" if nested else cell, ".mrc"):
        level = _LEVEL.fullmatch(path.name)
        if level is None:
            continue
        own = cell / "RawGTSIMData" / f"RawGTSIMData_level_{level[1]}.mrc"
        truth = own if nested else cell / "RawSIMData_gt.mrc"
        if truth.is_file():
            yield Pair(
                dataset="biosr",
                name=f"{name}/{cell.name}/level_{level[1]}",
                read=partial(_read, path, truth),
                microscope="widefield",
                specimen=specimen,
                noise_level=f"level_{level[1]}",
                fov=f"{name}/{cell.name}",
                group=group("widefield", specimen, more),
                stretched=True,
            )
