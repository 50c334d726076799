"""``autodip simulate-pairs``: calibration pairs where no field was captured repeatedly."""

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
    help="Noisy image of your microscope, whose noise and brightness the pairs get.",
)
@click.option("--out", "-o", required=True, type=click.Path(path_type=Path), help="Folder.")
@click.option("--microscope", metavar="NAME", help="confocal, ...; else as NOISY's metadata say.")
@click.option("--specimen", metavar="NAME", help="actin, ..., or a word of your own; else as well.")
@click.option(
    "--levels",
    default="1",
    show_default=True,
    metavar="1,2,4",
    help="A noisy image for each: times the photons of NOISY, at its brightness.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--crop", type=click.IntRange(SMALLEST), metavar="N", help="Central N x N pixels.")
@click.option("--channel", metavar="NAME|N", help="Only this one of NOISY, N from 0.")
@click.option("--axes", metavar="TCZYX", help="Meaning of NOISY's dimensions.")
@click.option("--overwrite", is_flag=True, help="Replace the pairs that the folder holds.")
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
    """Make pairs of a noisy and a true image from CLEAN images, as NOISY would show them.

    CLEAN are files with images that have hardly any noise, as averages of many captures, or
    folders of them; every plane makes a pair of its own. They are brought to the brightness of
    NOISY; then noise as measured on its first plane is added, rounded and clipped as there.

    The folder gets truth/, noisy/ and a manifest.json, which 'autodip calibrate' and 'autodip
    benchmark shared' read.
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
    recipe = Recipe(like.name, noisy, camera, *known, times, seed, crop or 0)
    return _run(files, failed, Folder(out, recipe, (like, *files), overwrite=overwrite))


def _levels(text: str) -> tuple[float, ...]:
    try:
        # As they are written in the names of files, where each must be another.
        levels = tuple(dict.fromkeys(float(f"{float(part):g}") for part in text.split(",")))
    except ValueError:
        levels = ()
    if not levels or not all(0 < level < np.inf for level in levels):
        raise ParameterError(f"--levels {text!r}; give numbers above 0, as 1,2,4")
    return levels


def _like(
    path: Path, axes: str | None, channel: str | None, microscope: str | None, specimen: str | None
) -> tuple[np.ndarray, tuple[str | None, str | None]]:
    """First plane of the noisy image, and its microscope and specimen."""
    image = io.read(path, axes).select(None, channel)
    if image.channels > 1:
        raise ParameterError(
            f"{path} has {image.channels} channels; say with --channel which one, "
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
    """Simulate file by file; a failed one is named, the rest goes on, the manifest is last."""
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
    """Names of the clean images, without the ending, each once."""
    names: list[str] = []
    for path in files:
        name, number = path.stem, 2
        while name in names:
            name, number = f"{path.stem}-{number}", number + 1
        names.append(name)
    return names


def _words(camera: Camera, noisy: np.ndarray) -> list[str]:
    """The noise that was measured, a line for each thing."""
    if camera.gain > 0:
        photons = (float(np.median(noisy)) - camera.offset) / camera.gain
        lines = [
            f"noise       {camera.gain:.3g} grey values a photon, black at {camera.offset:.4g}: "
            f"{max(photons, 0):.3g} photons at median brightness"
        ]
    else:
        lines = ["noise       the same at every brightness"]
    least = max(camera.read, float(np.sqrt(camera.floor)))
    lines.append(f"darkest     standard deviation {least:.3g}")
    down, along = camera.neighbours
    lines.append(
        "correlation none to speak of: drawn as photons"
        if camera.white
        else f"correlation of neighbours {down:.2f} (Y) {along:.2f} (X): drawn as normal noise"
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
