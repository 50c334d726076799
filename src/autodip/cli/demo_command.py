"""``autodip demo``: denoise a simulated image."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from autodip import io
from autodip.api.bars import TerminalBar
from autodip.choose import vocabulary
from autodip.cli.commands import Described, Known
from autodip.cli.plan_text import plan_lines
from autodip.cli.replies import Reply
from autodip.cli.shared_options import shared_option
from autodip.image.image import Image
from autodip.metrics.fidelity import psnr, ssim
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate, simulate_film
from autodip.pipeline.options import Options
from autodip.runs import saving
from autodip.runs.selection import Selection
from autodip.util.files import check_writable, replacing, sha256

_MORE = ("film.ome.tif", "channels.ome.tif")
"""Files to practise on, which the demo does not denoise."""
_SMALL = 128
"""Side length of these images, in pixels."""


@click.command(
    cls=Described,
    examples=("autodip demo", "autodip demo --microscope widefield --specimen actin -o try"),
    computes=True,
)
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    default="autodip-demo",
    show_default=True,
    help="Output folder; the files of an earlier demo are replaced.",
)
@click.option(
    "--microscope",
    type=Known(vocabulary.MICROSCOPES),
    default="confocal",
    show_default=True,
    help="Microscope to simulate.",
)
@click.option(
    "--specimen",
    type=Known(vocabulary.SPECIMENS),
    default="mito",
    show_default=True,
    help="Labelled structure to simulate.",
)
@shared_option("preset")
@click.option(
    "--size",
    type=click.IntRange(64),
    default=256,
    show_default=True,
    help="Side length of the image, in pixels.",
)
@click.option(
    "--iterations",
    type=click.IntRange(1),
    metavar="N",
    help="Number of iterations, overriding the choice.",
)
@shared_option("device")
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed of the simulation, and of the random weights and input.",
)
def command(
    out: Path,
    microscope: str,
    specimen: str,
    preset: str,
    size: int,
    iterations: int | None,
    device: str,
    seed: int,
) -> Reply:
    """Simulate a noisy image, denoise it, and compare the result with the true image.

    No input file and no internet connection are needed. The files noisy.tif, truth.tif,
    denoised.tif with its sidecar, and demo.png, which shows the three side by side, are written
    to the folder --out. To practise on, there are also a noisy film, film.ome.tif, and a noisy
    image with two channels, channels.ome.tif.
    """
    from autodip.pipeline.denoise import denoise_steps  # noqa: PLC0415  (keeps help fast)

    check_writable(out)
    noisy, truth = simulate(specimen, Optics(microscope=microscope), size=size, seed=seed)
    image = Image(noisy, "YX")
    options = Options(
        microscope=microscope,
        specimen=specimen,
        preset=preset,
        seed=seed,
        device=device,
        iterations=iterations,
    )
    with TerminalBar("demo", quiet=False) as bar:
        for progress in denoise_steps(image, options):
            bar.show(progress)
    result = progress.result
    assert result is not None  # the last step has one
    data_range = float(np.ptp(truth))
    scores = {
        name: {
            "psnr": psnr(data, truth, data_range=data_range),
            "ssim": ssim(data, truth, data_range=data_range),
        }
        for name, data in (("noisy", noisy), ("denoised", result.image))
    }
    source, target = out / "noisy.tif", out / "denoised.tif"
    _write(out, image, truth, scores, result.image)
    _write_more(out, microscope, seed)
    content = saving.save(
        source,
        target,
        image,
        result,
        sha256=sha256(source),
        options=options,
        selection=Selection(),
    )
    lines = [
        f"A simulated {microscope} image of {specimen}, {size} x {size} pixels:",
        *plan_lines(result.plans),
        "",
        *(
            f"  {name:9} PSNR {score['psnr']:5.2f} dB   SSIM {score['ssim']:.3f}"
            for name, score in scores.items()
        ),
        f"\n  {content.seconds:.0f} s; look at {out / 'demo.png'}",
        f"  to practise on: {', '.join(str(out / name) for name in _MORE)}",
    ]
    found = {"out": str(out), "data_range": data_range, **scores, "run": content.to_dict()}
    return Reply(found, "\n".join(lines))


def _write(
    out: Path,
    image: Image,
    truth: np.ndarray,
    scores: dict[str, dict[str, float]],
    denoised: np.ndarray,
) -> None:
    """Write the noisy image, the true image and the picture of the demo."""
    from autodip.pictures.panel import panel  # noqa: PLC0415  (keeps help fast)

    titles = {name: f"{name}: {score['psnr']:.1f} dB" for name, score in scores.items()}
    picture = panel({titles["noisy"]: image.data, titles["denoised"]: denoised, "truth": truth})
    targets = out / "noisy.tif", out / "truth.tif", out / "demo.png"
    with replacing(*targets) as (noisy_part, truth_part, picture_part):
        io.write(noisy_part, image, ".tif")
        io.write(truth_part, Image(truth, "YX"), ".tif")
        picture.save(picture_part, format="PNG")


def _write_more(out: Path, microscope: str, seed: int) -> None:
    """Write a noisy film of 6 frames, and a noisy image with two channels."""
    optics = Optics(microscope=microscope)
    size = {"X": optics.pixel_size, "Y": optics.pixel_size}
    film, _ = simulate_film("mito", optics, size=_SMALL, seed=seed)
    planes = [simulate(name, optics, size=_SMALL, seed=seed)[0] for name in ("nucleus", "mito")]
    images = (
        Image(film, "TYX", pixel_size=size, time_step=2.0),
        Image(np.stack(planes), "CYX", pixel_size=size, channel_names=("DAPI", "MitoTracker")),
    )
    with replacing(*(out / name for name in _MORE)) as parts:
        for part, image in zip(parts, images, strict=True):
            io.write(part, image, format="ome-tiff")
