"""``autodip simulate-pairs``: calibration pairs if no field of view was captured repeatedly."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from autodip import io
from autodip.choose import vocabulary
from autodip.choose.describe import describe
from autodip.cli.commands import Described
from autodip.cli.given import MICROSCOPE, SPECIMEN
from autodip.cli.replies import Reply, wants_json
from autodip.datasets.noise_sources import SMALLEST, DetectorNoise, MeasuredNoise, NoiseSource
from autodip.datasets.pair_lists import FILE
from autodip.datasets.simulated import Folder, Recipe
from autodip.errors import AutodipError, ImageError, OutputError, ParameterError
from autodip.physics.camera import Camera
from autodip.runs.inputs import find_inputs
from autodip.util.files import check_writable
from autodip.util.text import named


@click.command(
    cls=Described,
    examples=(
        "autodip simulate-pairs clean/ --like noisy.tif -o simulated",
        "autodip simulate-pairs clean/ --detector detector.yaml -o pairs --levels 1,4",
    ),
    computes=True,
)
@click.argument("clean", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--like",
    type=click.Path(path_type=Path),
    metavar="NOISY",
    help="Noisy image from your microscope, whose noise and brightness are reproduced.",
)
@click.option(
    "--detector",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="YAML or JSON file that describes a detector, instead of --like.",
)
@click.option(
    "--out", "-o", required=True, type=click.Path(path_type=Path), help="Folder for the pairs."
)
@click.option(
    "--microscope",
    type=MICROSCOPE,
    metavar="NAME",
    help="Microscope: confocal, twophoton, widefield, or another name; default: from the "
    "metadata of NOISY.",
)
@click.option(
    "--specimen",
    type=SPECIMEN,
    metavar="NAME",
    help="Labelled structure: actin, mito, nucleus, or another name; default: from the metadata "
    "of NOISY.",
)
@click.option(
    "--levels",
    default="1",
    show_default=True,
    metavar="1,2,4",
    help="Numbers of photons relative to NOISY, or to those in FILE; a noisy image is made for "
    "each. Those like NOISY are equally bright, as if several were averaged.",
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
    like: Path | None,
    detector: Path | None,
    out: Path,
    microscope: str | None,
    specimen: str | None,
    levels: str,
    seed: int,
    crop: int | None,
    channel: str | None,
    axes: str | None,
    overwrite: bool,
) -> Reply:
    """Simulate pairs of a noisy and a true image from CLEAN images.

    CLEAN are files with images that have hardly any noise, such as averages of many captures, or
    folders of such files; every plane yields a pair of its own.

    With --like, they are scaled to the brightness of NOISY. Then noise as measured on the first
    plane of NOISY is added, and the grey values are rounded and clipped in the same way.

    With --detector, FILE contains 'photons', the number of photons in the brightest pixel, and any
    properties of the detector: excess noise, read-out noise, offset, colour filter, smoothing,
    resizing, hot pixels, grey levels and others, as documented in docs/simulation.md.

    truth/, noisy/ and a manifest.json, which 'autodip calibrate' and 'autodip benchmark shared'
    read, are written to the folder --out.
    """
    times = _levels(levels)
    if (like is None) == (detector is None):
        found = "neither --like nor" if like is None else "both --like and"
        raise ParameterError(
            f"{found} --detector was given; give a noisy image as --like, or a file that "
            "describes a detector as --detector"
        )
    vocabulary.microscope(microscope)
    files, failed = find_inputs(clean)
    if (out / FILE).exists() and not overwrite:
        raise OutputError(f"{out / FILE} exists; use --overwrite or another -o")
    source, lines, known = (
        _described(detector, axes, channel, microscope, specimen)
        if like is None
        else _measured(like, axes, channel, microscope, specimen)
    )
    for line in (f"{like or detector}", *(f"  {line}" for line in lines)):
        click.echo(line, err=wants_json())
    check_writable(out)
    recipe = Recipe(
        source=source,
        microscope=known[0],
        specimen=known[1],
        levels=times,
        seed=seed,
        crop=crop or 0,
    )
    given = [path for path in (like, detector) if path]
    return _run(files, failed, Folder(out, recipe, (*given, *files), overwrite=overwrite))


def _levels(text: str) -> tuple[float, ...]:
    try:
        # Rounded as in the file names, which must be distinct.
        levels = tuple(dict.fromkeys(float(f"{float(part):g}") for part in text.split(",")))
    except ValueError:
        levels = ()
    if not levels or not all(0 < level < np.inf for level in levels):
        raise ParameterError(f"--levels {text!r}; give numbers above 0, such as 1,2,4")
    return levels


_Known = tuple[str | None, str | None]
"""Microscope and specimen."""


def _described(
    path: Path | None,
    axes: str | None,
    channel: str | None,
    microscope: str | None,
    specimen: str | None,
) -> tuple[NoiseSource, list[str], _Known]:
    """Noise of a detector in a file, its description, and what is known of the pairs."""
    for name, value in (("--axes", axes), ("--channel", channel)):
        if value is not None:
            raise ParameterError(f"{name} {value!r} selects from the image of --like; leave it out")
    assert path is not None
    source = DetectorNoise.read(path)
    unit = "in steps of 1" if source.levels else "in photons"
    white = source.detector.white_noise
    lines = [
        f"photons     {source.photons:g} in the brightest pixel",
        f"noise       {'uncorrelated' if white else 'correlated between neighbouring pixels'}",
        f"type        {source.dtype} {unit}",
    ]
    return source, lines, (vocabulary.microscope(microscope), _specimen(specimen, None))


def _measured(
    path: Path, axes: str | None, channel: str | None, microscope: str | None, specimen: str | None
) -> tuple[NoiseSource, list[str], _Known]:
    """Noise of an image, its description, and what is known of the pairs."""
    noisy, known = _like(path, axes, channel, microscope, specimen)
    try:
        camera = Camera.measure(noisy)
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from error
    return MeasuredNoise(path.name, noisy, camera), _words(camera, noisy), known


def _like(
    path: Path, axes: str | None, channel: str | None, microscope: str | None, specimen: str | None
) -> tuple[np.ndarray, _Known]:
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
    return plane, (known.microscope, _specimen(specimen, known.specimen))


def _specimen(given: str | None, found: str | None) -> str | None:
    """The given specimen, or else the one that was found; None if it is unknown."""
    if not given:
        return found
    if given.lower() in vocabulary.UNKNOWN:
        return None
    return vocabulary.specimen(given)


def _run(files: Sequence[Path], failed: dict[Path, str], folder: Folder) -> Reply:
    """Simulate file by file, and write the manifest at the end; failed files are reported."""
    for path, name in zip(files, _names(files), strict=True):
        try:
            for note in folder.add(path, name):
                click.echo(f"  note: {note}", err=True)
        except AutodipError as error:
            failed[path] = named(path, error)
    for message in failed.values():
        click.echo(f"autodip: {message}", err=True)
    manifest = str(folder.finish()) if folder.entries else None
    count = len(folder.entries)
    content = {
        "manifest": manifest,
        "pairs": count,
        "failed": [{"input": str(path), "error": text} for path, text in failed.items()],
    }
    message = f"{len(failed)} of {len({*files, *failed})} files failed" if failed else ""
    return Reply(content, f"{manifest}: {count} pairs" if manifest else "", message)


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
