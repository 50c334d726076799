"""``autodip metrics``: comparison of a result with the true image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np

from autodip import io
from autodip.cli.commands import Described
from autodip.cli.replies import Reply
from autodip.errors import ParameterError
from autodip.image.image import Image
from autodip.metrics.affine import affine_psnr
from autodip.metrics.fidelity import psnr, ssim

_LINES = (
    ("psnr", "PSNR", "{:.2f} dB"),
    ("affine_psnr", "PSNR after a linear fit", "{:.2f} dB"),
    ("ssim", "SSIM", "{:.4f}"),
    ("ms_ssim", "MS-SSIM", "{:.4f}"),
    ("lpips", "LPIPS, [0, 1] as in AUTO-DIP", "{:.4f}"),
    ("lpips_standard", "LPIPS, [-1, 1], standard", "{:.4f}"),
    ("frc_pixels", "resolution (FRC 1/2)", "{:.2f} pixels"),
    ("whiteness", "correlation of the residual", "{:.4f}"),
)
"""Scores in the order in which they are printed: key, label, format."""

_OPTIONAL = {
    "ms_ssim": "MS-SSIM",
    "lpips": "LPIPS",
    "lpips_standard": "LPIPS",
    "frc_pixels": "FRC",
}
"""Scores that an image may not have: key, and the word by which its reason is recognised."""


@click.command(
    cls=Described,
    examples=(
        "autodip metrics denoised.tif truth.tif",
        "autodip metrics denoised.tif truth.tif --noisy noisy.tif --json",
    ),
    computes=True,
)
@click.argument("result", type=click.Path(path_type=Path))
@click.argument("truth", type=click.Path(path_type=Path))
@click.option(
    "--data-range",
    type=float,
    metavar="RANGE",
    help="Intensity range for the metrics; default: 255 for 8-bit images, else the difference "
    "between the largest and the smallest value of TRUTH.",
)
@click.option(
    "--noisy",
    type=click.Path(path_type=Path),
    help="Noisy image; adds the correlation of the residual, for which no true image is needed.",
)
@click.option(
    "--axes",
    metavar="TCZYX",
    help="Order of the axes in the files, such as TYX; overrides what the files state.",
)
def command(
    result: Path,
    truth: Path,
    data_range: float | None,
    noisy: Path | None,
    axes: str | None,
) -> Reply:
    """Compare RESULT with the true image TRUTH, over all planes.

    The scores are PSNR, also after a linear fit of the intensities (for images that were scaled
    separately), SSIM, multi-scale SSIM, LPIPS (AlexNet v0.1; it requires 'autodip weights
    install') with inputs in [0, 1], as in the AUTO-DIP paper, and in [-1, 1], as is standard, and
    the resolution: the period down to which the Fourier ring correlation of the two images is
    above 1/2, as is usual for a reference with less noise. With --noisy, the correlation of the
    residual NOISY - RESULT is added; it is 0 if only noise was removed.
    """
    images = io.read(result, axes), io.read(truth, axes)
    scores = _scores(*images, _default_range(images[1]) if data_range is None else data_range)
    if noisy is not None:
        scores["whiteness"] = _whiteness(io.read(noisy, axes), images[0])
    return Reply(scores, "\n".join(_lines(scores)))


def _lines(scores: Mapping[str, Any]) -> Iterator[str]:
    for key, words, form in _LINES:
        if key not in scores:
            continue
        missing = scores.get(f"{key}_reason") or "not available"
        value = missing if scores[key] is None else form.format(scores[key])
        yield f"{words:30} {value}"
    yield f"{'data range':30} {scores['data_range']:g}"


def _default_range(truth: Image) -> float:
    """255 for 8 bits; for other types the range of the values of the truth, with a note."""
    if truth.data.dtype == np.uint8:
        return 255.0
    found = float(np.ptp(truth.data.astype(float)))
    if not (np.isfinite(found) and found > 0):
        raise ParameterError(
            f"the values of the true image have no range ({found:g}); specify one with "
            "--data-range, such as 4095 for a 12-bit camera"
        )
    click.echo(
        f"  note: data range {found:g}, from the smallest to the largest value of the true "
        "image; --data-range specifies another",
        err=True,
    )
    return found


def _scores(image: Image, truth: Image, data_range: float) -> dict[str, Any]:
    """All scores, JSON-ready; if one is None, another key contains the reason."""
    if image.data.shape != truth.data.shape:
        psnr(image.data, truth.data, data_range=data_range)  # raises, naming both shapes
    pairs = _planes(image, truth)
    # One mean squared error over all planes, so that one identical plane does not make it infinite.
    ours, theirs = (np.stack(planes) for planes in zip(*pairs, strict=True))
    decibel = psnr(ours, theirs, data_range=data_range)
    fitted = affine_psnr(ours, theirs, data_range=data_range)
    identical = "infinite: identical"
    missing: list[str] = []
    per_plane = [_plane(a, b, data_range, missing) for a, b in pairs]
    reasons = {
        f"{key}_reason": next((text for text in missing if name in text), None)
        for key, name in _OPTIONAL.items()
    }
    figures = {key: _mean([figures[key] for figures in per_plane]) for key in per_plane[0]}
    return {
        "psnr": decibel if np.isfinite(decibel) else None,
        "psnr_reason": None if np.isfinite(decibel) else identical,
        "affine_psnr": fitted if np.isfinite(fitted) else None,
        "affine_psnr_reason": None if np.isfinite(fitted) else identical,
        "ssim": float(np.mean([ssim(a, b, data_range=data_range) for a, b in pairs])),
        **figures,
        **reasons,
        "data_range": data_range,
    }


def _planes(one: Image, other: Image) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(a, b) for (_, a), (_, b) in zip(one.planes(), other.planes(), strict=False)]


def _plane(
    image: np.ndarray, truth: np.ndarray, data_range: float, missing: list[str]
) -> dict[str, float | None]:
    from autodip.metrics.scores import (  # noqa: PLC0415  (imports torch)
        multiscale,
        perceptual,
        resolved,
    )

    return {
        "ms_ssim": multiscale(image, truth, data_range, missing),
        **perceptual(image / data_range, truth / data_range, missing),
        "frc_pixels": resolved(image, truth, missing),
    }


def _whiteness(noisy: Image, result: Image) -> float | None:
    from autodip.metrics.scores import residual  # noqa: PLC0415  (imports torch)

    if noisy.data.shape != result.data.shape:
        raise ParameterError(
            f"--noisy has shape {noisy.data.shape}, the result {result.data.shape}; "
            "give the image that was denoised"
        )
    pairs = _planes(noisy, result)
    return _mean([residual(a.astype(float), b.astype(float)) for a, b in pairs])


def _mean(values: list[float | None]) -> float | None:
    """Mean over the planes; None if it is None for any plane."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None
