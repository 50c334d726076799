"""``autodip info``: properties of an image file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np

from autodip import io
from autodip.cli.commands import Described
from autodip.cli.replies import Reply
from autodip.cli.shared_options import shared_option
from autodip.image.image import Image
from autodip.image.scan import centre, look
from autodip.metrics.single_frc import single_image_frc
from autodip.physics import noise
from autodip.physics.defects import Defects
from autodip.physics.estimate import estimate_noise
from autodip.physics.noise import Noise
from autodip.runs.saving import image_facts

_CENTRE = 2048
"""Side length in pixels of the centre in which the resolution is estimated."""

_TAIL = 0.1
"""Mean correlation at the highest frequencies above which the halves count as dependent."""


@click.command(
    cls=Described,
    examples=("autodip info cells.tif", "autodip info film.tif --axes TYX --json"),
    computes=True,
)
@click.argument("path", metavar="INPUT", type=click.Path(path_type=Path))
@click.option(
    "--axes",
    metavar="TCZYX",
    help="Order of the axes in the file, such as TYX; overrides what the file states.",
)
@click.option(
    "--scene",
    metavar="NAME|N",
    help="Image to use from a file with several, by its name or its number from 0.",
)
@shared_option("follow")
def command(path: Path, axes: str | None, scene: str | None, follow: bool) -> Reply:
    """Show what INPUT contains: shape, axes, data type, pixel size, channels and noise."""
    with tempfile.TemporaryDirectory(prefix="autodip-") as scratch:
        image = io.read(path, axes, scene, scratch=Path(scratch), follow=follow)
        facts = {
            "file": str(path),
            **image_facts(image),
            "notes": list(image.notes),
            "noise": _noise(image),
        }
    return Reply(facts, "\n".join(_lines(path, image, facts["noise"])))


def _lines(path: Path, image: Image, noise_of: list[dict[str, Any]]) -> Iterator[str]:
    sizes = ", ".join(f"{axis} {size:.4g} µm" for axis, size in image.pixel_size.items())
    yield f"{path}"
    yield f"  shape       {' x '.join(map(str, image.data.shape))} ({image.axes})"
    yield f"  type        {image.data.dtype.name}"
    yield f"  pixel size  {sizes or 'not stated'}"
    if image.time_step is not None:
        yield f"  time step   {image.time_step:g} s"
    yield f"  channels    {', '.join(image.channel_names) or 'not named'}"
    for line in noise_of:
        yield f"  noise       {_words(line)}"
    for note in image.notes:
        yield f"  note        {note}"


def _noise(image: Image) -> list[dict[str, Any]]:
    """Noise and resolution of the first plane of each channel."""
    found: dict[int, dict[str, Any]] = {}
    for index in image.indices():
        channel = image.channel_of(index)
        if channel not in found:
            plane = _valid(look(image, index))
            estimate = estimate_noise(plane)
            values = estimate.to_dict() if estimate else {}
            resolution = (
                _resolution(_valid(centre(image, index, _CENTRE)), estimate) if estimate else None
            )
            found[channel] = {"channel": channel, **values, "resolution_pixels": resolution}
    return list(found.values())


def _valid(plane: np.ndarray) -> np.ndarray:
    """Plane (Y, X) with its surroundings in place of pixels that hold no measurement."""
    return Defects.of(plane).repaired(plane)


def _resolution(plane: np.ndarray, found: Noise) -> float | None:
    """Size of the finest detail above the photon noise, in pixels; None if not determined.

    It is the single-image Fourier ring correlation, for which the photons are split into two
    halves. This requires a gain above 0, noise that is not correlated between neighbours, and a
    correlation that vanishes at frequencies beyond the cut-off of the optics.
    """
    if found.gain <= 0 or max(found.correlation) > noise.CORRELATED:
        return None
    curve = single_image_frc(plane, gain=found.gain, offset=-found.constant / found.gain)
    tail = curve.correlation[-len(curve.correlation) // 5 :]
    if abs(float(tail.mean())) > _TAIL:
        return None
    resolution = curve.resolution()
    return resolution if resolution is not None and np.isfinite(resolution) else None


def _words(line: dict[str, Any]) -> str:
    if "sigma" not in line:
        return f"channel {line['channel']}: not estimated (below 64 x 64 pixels, or not finite)"
    down, along = line["correlation"]
    text = (
        f"channel {line['channel']}: sigma {line['sigma']:.3g} at median brightness, "
        f"gain {line['gain']:.3g}, correlation of neighbours {down:.2f} (Y) {along:.2f} (X)"
    )
    text += f", {line['saturated']:.2%} saturated" if line["saturated"] else ""
    if line["resolution_pixels"] is not None:
        text += f", resolution {line['resolution_pixels']:.1f} pixels (single-image FRC)"
    return text
