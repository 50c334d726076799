"""``autodip demo``: the main job on a simulated image."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from autodip import io
from autodip.choose.presets import PRESETS
from autodip.cli.plan_text import plan_lines
from autodip.cli.progress import ProgressBar
from autodip.cli.shared_options import say_json
from autodip.image.image import Image
from autodip.metrics.fidelity import psnr, ssim
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate
from autodip.pipeline.options import Options
from autodip.runs import sidecar
from autodip.util.files import check_writable, replacing


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default="autodip-demo",
    show_default=True,
    help="Folder for the files; those of an earlier demo are replaced.",
)
@click.option(
    "--microscope",
    type=click.Choice(["confocal", "twophoton", "widefield"]),
    default="confocal",
    show_default=True,
)
@click.option(
    "--specimen",
    type=click.Choice(["nucleus", "actin", "mito"]),
    default="mito",
    show_default=True,
)
@click.option("--preset", type=click.Choice(PRESETS), default="balanced", show_default=True)
@click.option("--size", type=click.IntRange(64), default=256, show_default=True, help="Pixels.")
@click.option("--iterations", type=click.IntRange(1), metavar="N", help="Wins over the choice.")
@click.option("--device", default="auto", show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    out: Path,
    microscope: str,
    specimen: str,
    preset: str,
    size: int,
    iterations: int | None,
    device: str,
    seed: int,
    as_json: bool,
) -> None:
    """Simulate a noisy image, denoise it, and compare it with its truth.

    Needs no file and no network. Writes noisy.tif, truth.tif, denoised.tif with its sidecar,
    and demo.png, which shows the three side by side.
    """
    from autodip.pipeline.denoise import denoise_steps  # noqa: PLC0415  (keeps help fast)

    check_writable(out)
    noisy, truth = simulate(specimen, Optics(microscope=microscope), size=size, seed=seed)
    image = Image(noisy, "YX")
    options = Options(microscope, specimen, preset, seed, device, iterations)
    with ProgressBar("demo", quiet=False) as bar:
        for progress in denoise_steps(image, options):
            bar.show(progress)
    result = progress.result
    assert result is not None  # the last step has it
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
    content = sidecar.save(source, target, image, result, {})
    if as_json:
        say_json({"out": str(out), "data_range": data_range, **scores, "run": content})
        return
    click.echo(f"A simulated {microscope} image of {specimen}, {size} x {size} pixels:")
    for line in plan_lines(result.plans):
        click.echo(line)
    click.echo("")
    for name, score in scores.items():
        click.echo(f"  {name:9} PSNR {score['psnr']:5.2f} dB   SSIM {score['ssim']:.3f}")
    click.echo(f"\n  {content['seconds']:.0f} s; look at {out / 'demo.png'}")


def _write(
    out: Path,
    image: Image,
    truth: np.ndarray,
    scores: dict[str, dict[str, float]],
    denoised: np.ndarray,
) -> None:
    """Input, truth and picture of the demo."""
    from autodip.report.panel import panel  # noqa: PLC0415  (keeps help fast)

    titles = {name: f"{name}: {score['psnr']:.1f} dB" for name, score in scores.items()}
    picture = panel({titles["noisy"]: image.data, titles["denoised"]: denoised, "truth": truth})
    targets = out / "noisy.tif", out / "truth.tif", out / "demo.png"
    with replacing(*targets) as (noisy_part, truth_part, picture_part):
        io.write(noisy_part, image, ".tif")
        io.write(truth_part, Image(truth, "YX"), ".tif")
        picture.save(picture_part, format="PNG")
