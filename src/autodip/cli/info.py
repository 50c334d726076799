"""``autodip info``: what a file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from autodip import io, noise
from autodip.cli.common import image_facts, say_json
from autodip.image import Image


@click.command()
@click.argument("path", metavar="INPUT", type=click.Path(path_type=Path))
@click.option("--axes", metavar="TCZYX", help="Meaning of the dimensions.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(path: Path, axes: str | None, as_json: bool) -> None:
    """Say what INPUT holds: shape, axes, type, pixel size, channels, and its noise."""
    image = io.read(path, axes)
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
    for index, plane in image.planes():
        channel = image.channel_of(index)
        if channel not in found:
            estimate = noise.estimate(plane)
            values = estimate.to_dict() if estimate else {}
            found[channel] = {"channel": channel, **values}
    return list(found.values())


def _words(line: dict[str, Any]) -> str:
    if "sigma" not in line:
        return f"channel {line['channel']}: not estimated (below 64 x 64 pixels, or not finite)"
    down, along = line["correlation"]
    text = (
        f"channel {line['channel']}: sigma {line['sigma']:.3g} at median brightness, "
        f"gain {line['gain']:.3g}, neighbours correlated {down:.2f} (Y) {along:.2f} (X)"
    )
    return text + (f", {line['saturated']:.2%} saturated" if line["saturated"] else "")
