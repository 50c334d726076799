"""``autodip simulate-pairs``: calibration pairs if no field of view was captured repeatedly."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from autodip import io
from autodip.choose import vocabulary
from autodip.choose.describe import describe
from autodip.datasets.own_pairs import FILE
from autodip.datasets.simulated import SMALLEST, Folder, Recipe
from autodip.errors import AutodipError, ImageError, OutputError, ParameterError
from autodip.physics.camera import Camera
from autodip.runs.inputs import find_inputs
from autodip.util.files import check_writable
from autodip.util.text import named


@click.command()
@click.argument("clean", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--like",
    required=True,
    type=click.Path(path_type=Path),
    metavar="NOISY",
    help="Noisy image from your microscope, whose noise and brightness are reproduced.",
)
@click.option(
    "--out", "-o", required=True, type=click.Path(path_type=Path), help="Folder for the pairs."
)
@click.option(
    "--microscope",
    metavar="NAME",
    help="Microscope: confocal, twophoton or widefield; default: from the metadata of NOISY.",
)
@click.option(
    "--specimen",
    metavar="NAME",
    help="Labelled structure: actin, mito, ..., or a word of your own; default: from the metadata "
    "of NOISY.",
)
@click.option(
    "--levels",
    default="1",
    show_default=True,
    metavar="1,2,4",
    help="Numbers of photons relative to NOISY; a noisy image of the same brightness is made for "
    "each.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed of the simulated noise.",
)
@click.option(
    "--crop",
    type=click.IntRange(SMALLEST),
    metavar="N",
    help="Use only the central N x N pixels.",
)
@click.option(
    "--channel",
    metavar="NAME|N",
    help="Channel of NOISY to use, by its name or its number from 0.",
)
@click.option(
    "--axes",
    metavar="TCZYX",
    help="Order of the axes in NOISY, such as TYX; overrides what the file states.",
)
@click.option("--overwrite", is_flag=True, help="Replace existing pairs in the folder.")
def command(
    clean: tuple[Path, ...],
    like: Path,
    out: Path,
    microscope: str | None,
    specimen: str | None,
    levels: str,
    seed: int,
    crop: int | None,
    channel: str | None,
    axes: str | None,
    overwrite: bool,
) -> int:
    """Simulate pairs of a noisy and a true image from CLEAN images, with the noise of NOISY.

    CLEAN are files with images that have hardly any noise, such as averages of many captures, or
    folders of such files; every plane yields a pair of its own. They are scaled to the brightness
    of NOISY. Then noise as measured on the first plane of NOISY is added, and the grey values are
    rounded and clipped in the same way.

    truth/, noisy/ and a manifest.json, which 'autodip calibrate' and 'autodip benchmark shared'
    read, are written to the folder --out.
    """
    times = _levels(levels)
    vocabulary.microscope(microscope)
    files, failed = find_inputs(clean)
    if (out / FILE).exists() and not overwrite:
        raise OutputError(f"{out / FILE} exists; use --overwrite or another -o")
    noisy, known = _like(like, axes, channel, microscope, specimen)
    try:
        camera = Camera.measure(noisy)
    except ImageError as error:
        raise ImageError(f"{like}: {error}") from error
    click.echo(f"{like}")
    for line in _words(camera, noisy):
        click.echo(f"  {line}")
    check_writable(out)
    recipe = Recipe(
        like=like.name,
        noisy=noisy,
        camera=camera,
        microscope=known[0],
        specimen=known[1],
        levels=times,
        seed=seed,
        crop=crop or 0,
    )
    return _run(files, failed, Folder(out, recipe, (like, *files), overwrite=overwrite))


def _levels(text: str) -> tuple[float, ...]:
    try:
        # Rounded as in the file names, which must be distinct.
        levels = tuple(dict.fromkeys(float(f"{float(part):g}") for part in text.split(",")))
    except ValueError:
        levels = ()
    if not levels or not all(0 < level < np.inf for level in levels):
        raise ParameterError(f"--levels {text!r}; give numbers above 0, such as 1,2,4")
    return levels


def _like(
    path: Path, axes: str | None, channel: str | None, microscope: str | None, specimen: str | None
) -> tuple[np.ndarray, tuple[str | None, str | None]]:
    """First plane of the noisy image, and its microscope and specimen."""
    image = io.read(path, axes).select(None, channel)
    if image.channels > 1:
        raise ParameterError(
            f"{path} has {image.channels} channels; choose one with --channel, "
            f"0 to {image.channels - 1}"
        )
    _, plane = next(image.planes())
    hints = image.hints[0] if image.hints else ()
    known = describe(plane, microscope=microscope, hints=hints)
    if not specimen:
        specimen = known.specimen
    elif specimen.lower() in vocabulary.UNKNOWN:
        specimen = None
    else:
        specimen = vocabulary.find_specimen(specimen) or specimen
    return plane, (known.microscope, specimen)


def _run(files: Sequence[Path], failed: dict[Path, str], folder: Folder) -> int:
    """Simulate file by file, and write the manifest at the end; failed files are reported."""
    for path, name in zip(files, _names(files), strict=True):
        try:
            for note in folder.add(path, name):
                click.echo(f"  note: {note}", err=True)
        except AutodipError as error:
            failed[path] = named(path, error)
    for message in failed.values():
        click.echo(f"autodip: {message}", err=True)
    if folder.entries:
        click.echo(f"{folder.finish()}: {len(folder.entries)} pairs")
    return 1 if failed else 0


def _names(files: Sequence[Path]) -> list[str]:
    """Unique names of the clean images, without the ending of the file name."""
    names: list[str] = []
    for path in files:
        name, number = path.stem, 2
        while name in names:
            name, number = f"{path.stem}-{number}", number + 1
        names.append(name)
    return names


def _words(camera: Camera, noisy: np.ndarray) -> list[str]:
    """Lines that describe the measured noise."""
    if camera.gain > 0:
        photons = (float(np.median(noisy)) - camera.offset) / camera.gain
        lines = [
            f"noise       {camera.gain:.3g} grey values per photon, offset {camera.offset:.4g}: "
            f"{max(photons, 0):.3g} photons at median brightness"
        ]
    else:
        lines = ["noise       the same at every brightness"]
    least = max(camera.read, float(np.sqrt(camera.floor)))
    lines.append(f"darkest     standard deviation {least:.3g}")
    down, along = camera.neighbours
    lines.append(
        "correlation negligible: simulated as photon counts"
        if camera.white
        else f"correlation of neighbours {down:.2f} (Y) {along:.2f} (X): "
        "simulated as Gaussian noise"
    )
    lines.append(
        f"type        {camera.dtype}" + (f" in steps of {camera.step:g}" * (camera.step > 0))
    )
    ends = [
        f"{word} {value:g} ({np.mean(noisy == value):.2%} of the pixels)"
        for word, value in (("below", camera.minimum), ("above", camera.maximum))
        if value is not None
    ]
    return [*lines, f"clipped     {' and '.join(ends)}"] if ends else lines
