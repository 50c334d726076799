"""``autodip simulate-pairs``: calibration pairs where no field was captured repeatedly."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from autodip import io, vocabulary
from autodip.atomic import check_writable, replacing
from autodip.cli.common import find_inputs, named, to_json
from autodip.datasets.manifest import FILE
from autodip.describe import describe
from autodip.errors import AutodipError, ImageError, OutputError, ParameterError
from autodip.image import Image
from autodip.pairs import CLEAN, Camera, match_brightness, own_noise, simulate_noisy

SMALLEST = 64
"""Pixels that a clean image has along each side at least."""

SET = "simulated"
"""Name of the data set in the manifest."""


@dataclass(frozen=True)
class _Settings:
    """What holds for all clean images of a call."""

    like: Path
    noisy: np.ndarray
    camera: Camera
    microscope: str | None
    specimen: str | None
    out: Path
    levels: tuple[float, ...]
    seed: int
    crop: int
    overwrite: bool
    inputs: tuple[Path, ...]


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
    settings = _Settings(
        like, noisy, camera, *known, out, times, seed, crop or 0, overwrite, (like, *files)
    )
    return _run(files, failed, settings)


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


def _run(files: Sequence[Path], failed: dict[Path, str], settings: _Settings) -> int:
    """Simulate file by file; a failed one is named, the rest goes on, the manifest is last."""
    entries: list[dict[str, Any]] = []
    manifest = settings.out / FILE
    for path, name in zip(files, _names(files), strict=True):
        try:
            entries += _file(path, name, settings)
        except AutodipError as error:
            failed[path] = named(path, error)
    for message in failed.values():
        click.echo(f"autodip: {message}", err=True)
    if entries:
        with replacing(manifest) as (part,):
            part.write_text(to_json(entries) + "\n", encoding="utf-8")
        click.echo(f"{manifest}: {len(entries)} pairs")
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


def _file(path: Path, name: str, settings: _Settings) -> list[dict[str, Any]]:
    """All pairs of one file with clean images."""
    image = io.read(path)
    if image.channels > 1:
        raise ImageError(
            f"it has {image.channels} channels, whose structures may differ; "
            "save each as a file of its own"
        )
    planes = [_cropped(plane, settings.crop) for _, plane in image.planes()]
    digits = len(str(len(planes)))
    return [
        entry
        for number, plane in enumerate(planes, 1)
        for entry in _plane(
            plane, path, name, f"/{number:0{digits}}" if len(planes) > 1 else "", settings
        )
    ]


def _cropped(plane: np.ndarray, crop: int) -> np.ndarray:
    """Central part of a plane, refused where it is too small."""
    if min(plane.shape) < max(SMALLEST, crop):
        rows, columns = plane.shape
        raise ImageError(
            f"it has {rows} x {columns} pixels; {max(SMALLEST, crop)} are needed along each side"
            + (", or a smaller --crop" if crop > SMALLEST else "")
        )
    if not crop:
        return plane
    top, left = ((size - crop) // 2 for size in plane.shape)
    return plane[top : top + crop, left : left + crop]


def _plane(
    plane: np.ndarray, path: Path, name: str, number: str, settings: _Settings
) -> list[dict[str, Any]]:
    """Write the truth and a noisy image for each level; their entries in the manifest."""
    truth = match_brightness(plane, settings.noisy, settings.camera).astype(np.float32)
    places = [f"noisy/{name}{number}-photons_x{level:g}.tif" for level in settings.levels]
    places.append(f"truth/{name}{number}.tif")
    targets = [settings.out / place for place in places]
    for target in targets:
        _check_free(target, settings)
    images = [
        simulate_noisy(truth, settings.camera, _generator(settings.seed, place), photons=level)
        for place, level in zip(places, settings.levels, strict=False)
    ]
    (settings.out / FILE).unlink(missing_ok=True)  # an old one is wrong from here on
    with replacing(*targets) as parts:
        for part, data in zip(parts, (*images, truth), strict=True):
            io.write(part, Image(data, "YX"), ".tif")
    entries = []
    for place, level in zip(places, settings.levels, strict=False):
        share = own_noise(truth, settings.camera, photons=level)
        entries.append(_entry(place, places[-1], name, path, level, share, settings))
        if entries[-1]["simulated"]["warning"] and level == max(settings.levels):
            click.echo(f"  note: {place}: {_warning(share)}", err=True)
    return entries


def _check_free(target: Path, settings: _Settings) -> None:
    """Refuse to replace an input, or a file that is there without being asked to."""
    check_writable(target.parent)
    if target.exists():
        if any(path.exists() and target.samefile(path) for path in settings.inputs):
            raise OutputError(f"{target} is an input; choose another place with -o")
        if not settings.overwrite:
            raise OutputError(f"{target} exists; use --overwrite or another -o")


def _generator(seed: int, place: str) -> np.random.Generator:
    """Random numbers of one noisy image, whichever others are made with it."""
    return np.random.default_rng([seed, zlib.crc32(place.encode())])


def _warning(share: float | None) -> str:
    """What is to be said of a clean image with so much noise of its own."""
    if share is None:
        return (
            "whether the clean image has noise itself cannot be told, as it is full of fine "
            "structure; look at it"
        )
    if share <= CLEAN:
        return ""
    return (
        f"the clean image seems to have noise itself (or structure as fine), {share:.0%} of what "
        "was added; take one averaged over more captures"
    )


def _entry(
    file: str,
    truth: str,
    name: str,
    path: Path,
    level: float,
    share: float | None,
    settings: _Settings,
) -> dict[str, Any]:
    """One pair as the manifest lists it."""
    eight_bits = {"data_range": 255} if settings.camera.dtype == "uint8" else {}
    return {
        "set": SET,
        "role": "calibration",
        "file": file,
        "truth": truth,
        "microscope": settings.microscope,
        "specimen": settings.specimen,
        "noise_level": f"photons_x{level:g}",
        "fov": name,
        "capture": 1,
        **eight_bits,
        "simulated": {
            "clean": path.name,
            "like": settings.like.name,
            "photons": level,
            "seed": settings.seed,
            "crop": settings.crop,
            "own_noise": share,
            "warning": _warning(share) or None,
            "camera": settings.camera.to_dict(),
        },
    }


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
