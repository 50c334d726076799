"""``autodip metrics``: a result against its true image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np

from autodip import io
from autodip.cli.common import say_json
from autodip.errors import ParameterError
from autodip.image import Image
from autodip.metrics.fidelity import psnr, ssim


@click.command()
@click.argument("result", type=click.Path(path_type=Path))
@click.argument("truth", type=click.Path(path_type=Path))
@click.option("--data-range", type=float, help="Range of the data; 255 for 8-bit images.")
@click.option("--axes", metavar="TCZYX", help="Meaning of the dimensions.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    result: Path, truth: Path, data_range: float | None, axes: str | None, as_json: bool
) -> None:
    """Compare RESULT with TRUTH: PSNR in dB, SSIM, LPIPS; the mean over all planes.

    LPIPS (AlexNet v0.1, images divided by the data range and not rescaled, as in the AUTO-DIP
    paper) needs weights: 'autodip weights install'.
    """
    images = io.read(result, axes), io.read(truth, axes)
    scores = _scores(*images, _default_range(images[1]) if data_range is None else data_range)
    if as_json:
        say_json(scores)
        return
    decibel = "identical" if scores["psnr"] is None else f"{scores['psnr']:.2f} dB"
    click.echo(f"PSNR   {decibel} (data range {scores['data_range']:g})")
    click.echo(f"SSIM   {scores['ssim']:.4f}")
    lpips = scores["lpips"]
    click.echo(f"LPIPS  {scores['lpips_reason'] if lpips is None else format(lpips, '.4f')}")


def _default_range(truth: Image) -> float:
    if truth.data.dtype != np.uint8:
        raise ParameterError(
            f"the range of {truth.data.dtype} data is not known; say it with --data-range, "
            "as 4095 for a 12-bit camera"
        )
    return 255.0


def _scores(image: Image, truth: Image, data_range: float) -> dict[str, Any]:
    pairs = [(a, b) for (_, a), (_, b) in zip(image.planes(), truth.planes(), strict=False)]
    if image.data.shape != truth.data.shape:
        psnr(image.data, truth.data, data_range=data_range)  # raises, naming both shapes
    lpips, reason = _lpips(pairs, data_range)
    # One mean squared error for all planes: a single identical plane is not infinitely good.
    ours, theirs = (np.stack(planes) for planes in zip(*pairs, strict=True))
    decibel = psnr(ours, theirs, data_range=data_range)
    return {
        "psnr": decibel if np.isfinite(decibel) else None,
        "psnr_reason": None if np.isfinite(decibel) else "infinite: identical images",
        "ssim": float(np.mean([ssim(a, b, data_range=data_range) for a, b in pairs])),
        "lpips": lpips,
        "lpips_reason": reason,
        "data_range": data_range,
    }


def _lpips(
    pairs: list[tuple[np.ndarray, np.ndarray]], data_range: float
) -> tuple[float | None, str | None]:
    """Mean LPIPS, or None and the reason."""
    from autodip.metrics import lpips  # noqa: PLC0415  (imports torch)

    distance = lpips.load()
    if distance is None:
        return None, "not available: install its weights by 'autodip weights install'"
    if min(pairs[0][0].shape) < lpips.SMALLEST:
        return None, f"not defined below {lpips.SMALLEST} pixels a side"
    return float(np.mean([distance(a / data_range, b / data_range) for a, b in pairs])), None
