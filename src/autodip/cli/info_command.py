"""``autodip info``: what a file holds."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np

from autodip import io
from autodip.cli.shared_options import say_json
from autodip.image.image import Image
from autodip.image.scan import centre, look
from autodip.metrics.single_frc import single_image_frc
from autodip.physics import noise
from autodip.physics.noise import Noise
from autodip.runs.sidecar import image_facts

_CENTRE = 2048
"""Pixels a side of the centre whose resolution is told."""

_TAIL = 0.1
"""Correlation at the highest frequencies above which the halves are not independent."""


@click.command()
@click.argument("path", metavar="INPUT", type=click.Path(path_type=Path))
@click.option("--axes", metavar="TCZYX", help="Meaning of the dimensions.")
@click.option("--scene", metavar="NAME|N", help="Which image of a file with several.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(path: Path, axes: str | None, scene: str | None, as_json: bool) -> None:
    """Say what INPUT holds: shape, axes, type, pixel size, channels, and its noise."""
    with tempfile.TemporaryDirectory(prefix="autodip-") as scratch:
        image = io.read(path, axes, scene, scratch=Path(scratch))
        facts = {"file": str(path), **image_facts(image), "noise": _noise(image)}
    if as_json:
        say_json(facts)
        return
    sizes = ", ".join(f"{axis} {size:.4g} µm" for axis, size in image.pixel_size.items())
    click.echo(f"{path}")
    click.echo(f"  shape       {' x '.join(map(str, image.data.shape))} ({image.axes})")
    click.echo(f"  type        {image.data.dtype.name}")
    click.echo(f"  pixel size  {sizes or 'not told'}")
    if image.time_step is not None:
        click.echo(f"  time step   {image.time_step:g} s")
    click.echo(f"  channels    {', '.join(image.channel_names) or 'not named'}")
    for line in facts["noise"]:
        click.echo(f"  noise       {_words(line)}")


def _noise(image: Image) -> list[dict[str, Any]]:
    """Noise of the first plane of each channel."""
    found: dict[int, dict[str, Any]] = {}
    for index in image.indices():
        channel = image.channel_of(index)
        if channel not in found:
            plane = look(image, index)
            estimate = noise.estimate(plane)
            values = estimate.to_dict() if estimate else {}
            resolution = _resolution(centre(image, index, _CENTRE), estimate) if estimate else None
            found[channel] = {"channel": channel, **values, "resolution_pixels": resolution}
    return list(found.values())


def _resolution(plane: np.ndarray, found: Noise) -> float | None:
    """Finest detail above the photon noise, in pixels; None where it cannot be told.

    From the one image, by dealing its photons out to two halves: that needs a gain, noise that
    neighbours do not share, and a correlation that vanishes beyond what the optics pass.
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
        f"gain {line['gain']:.3g}, neighbours correlated {down:.2f} (Y) {along:.2f} (X)"
    )
    text += f", {line['saturated']:.2%} saturated" if line["saturated"] else ""
    if line["resolution_pixels"] is not None:
        text += f", detail down to {line['resolution_pixels']:.1f} pixels (single-image FRC)"
    return text
