"""Pictures of the page on the method, computed from simulated images.

    python benchmarks/method_pictures.py --out docs/pictures

Takes about two minutes. ``method-stop.png`` and ``method-stop.svg`` show a deep image prior that is
fitted for too long, ``method-refine.png`` the refinement, and ``method-grain.png`` the learned
prior with and without grain. The picture of the index, ``before-after.png``, is made as well.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

import autodip
from autodip.fit.loop import fit
from autodip.fit.params import FitParams, NetParams
from autodip.image.scaling import Scale
from autodip.metrics.fidelity import psnr
from autodip.physics.estimate import estimate_noise
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate
from autodip.pictures.contrast import grey, limits
from autodip.pictures.encode import png
from autodip.prior.apply import prior_result
from autodip.prior.learned import load_prior
from autodip.prior.setting import BUILTIN

SIDE, CROP, ZOOM, GAP, HEAD, BACK, INK = 160, 90, 2, 5, 20, 250, 20
WINDOW = (slice((SIDE - CROP) // 2, (SIDE + CROP) // 2),) * 2
"""Centre of an image, which is shown."""
STOPS = (30, 100, 250, 2500)
"""Iterations after which the fit is shown."""
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 640, 300, 56, 16, 16, 48
"""Size of the plot and its margins."""


def stop(noisy: np.ndarray, truth: np.ndarray, out: Path) -> None:
    """Fit a deep image prior, and show some of its iterates and its curves."""
    scale, span = Scale.of(noisy), float(np.ptp(truth))
    net, params = NetParams(4, 32, 4), FitParams(STOPS[-1])
    shown: dict[str, np.ndarray] = {}
    curve: list[tuple[int, float, float]] = []
    for step in fit(scale.apply(noisy), net, params):
        kept = step.iteration in STOPS
        if kept or step.iteration % max(1, step.iteration // 20) == 0:
            result = scale.invert(step.output(), np.dtype(np.float64))
            to_truth, to_noisy = (psnr(result, one, data_range=span) for one in (truth, noisy))
            curve.append((step.iteration, to_truth, to_noisy))
            if kept:
                shown[f"{step.iteration} iterations: {to_truth:.1f} dB"] = result
    save(out / "method-stop.png", shown, truth)
    (out / "method-stop.svg").write_text(plot(curve), encoding="utf-8")


def plot(curve: list[tuple[int, float, float]]) -> str:
    """Draw PSNR to the truth and to the noisy image against the iterations, as SVG."""
    iterations, to_truth, to_noisy = (np.array(column) for column in zip(*curve, strict=True))
    low, high = (
        5 * np.floor(min(to_truth.min(), to_noisy.min()) / 5),
        5 * np.ceil(max(to_truth.max(), to_noisy.max()) / 5),
    )

    def across(value: float) -> float:
        share = np.log10(value) / np.log10(iterations[-1])
        return float(LEFT + share * (WIDTH - LEFT - RIGHT))

    def down(value: float) -> float:
        return float(TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM))

    def path(values: np.ndarray, style: str) -> str:
        points = " ".join(
            f"{across(i):.1f},{down(v):.1f}" for i, v in zip(iterations, values, strict=True)
        )
        return f'<polyline fill="none" stroke-width="2.5" {style} points="{points}"/>'

    best = int(to_truth.argmax())
    at, peak = across(iterations[best]), down(to_truth[best])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="13" role="img">',
        "<title>PSNR against the number of iterations</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    for value in np.arange(low, high + 1, 5):
        y = down(value)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#dddddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    for value in (1, 10, 100, 1000):
        x = across(value)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 28}" text-anchor="middle">{value}</text>')
    parts += [
        f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 8}" text-anchor="middle">iterations</text>',
        f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">'
        "PSNR, dB</text>",
        f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#888888" stroke-dasharray="4 4"/>',
        path(to_noisy, 'stroke="#d55e00" stroke-dasharray="7 4"'),
        path(to_truth, 'stroke="#0072b2"'),
        f'<circle cx="{at:.1f}" cy="{peak:.1f}" r="5" fill="#0072b2"/>',
        f'<text x="{at - 8:.1f}" y="{peak - 10:.1f}" text-anchor="end" fill="#0072b2">'
        f"to the truth: best after {iterations[best]} iterations</text>",
        f'<text x="{WIDTH - RIGHT}" y="{down(to_noisy[-1]) - 8:.1f}" text-anchor="end" '
        'fill="#b04c00">to the noisy image: keeps rising</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def refine(noisy: np.ndarray, truth: np.ndarray, out: Path) -> None:
    """Show a fit before and after its refinement."""
    span, shown = float(np.ptp(truth)), {}
    for title, refined in (("fit", False), ("fit, refined", True)):
        result = autodip.denoise(noisy, preset="untrained", refine=refined, dtype="float32").image
        shown[f"{title}: {psnr(result, truth, data_range=span):.1f} dB"] = result
    save(out / "method-refine.png", {"noisy": noisy, **shown, "truth": truth}, truth)


def grain(noisy: np.ndarray, truth: np.ndarray, out: Path) -> None:
    """Show the learned prior without and with grain, and what it removes."""
    noise, net = estimate_noise(noisy), load_prior(BUILTIN)
    assert noise is not None  # of a simulated image
    span = float(np.ptp(truth))
    shown: dict[str, np.ndarray] = {"noisy": noisy}
    for title, share in (("no grain", 0.0), ("grain", 0.08)):
        result = prior_result(net, noisy.astype(float), noise, orientations=8, grain=share)
        shown[f"{title}: {psnr(result, truth, data_range=span):.1f} dB"] = result
    removed = noisy - result
    middle = float(np.mean(limits(truth[WINDOW])))
    save(out / "method-grain.png", {**shown, "removed": removed + middle}, truth)


def save(path: Path, images: Mapping[str, np.ndarray], truth: np.ndarray) -> None:
    """Draw the centres of images in a row, with the contrast of the truth."""
    step = CROP * ZOOM + GAP
    sheet = Picture.new("L", (len(images) * step - GAP, HEAD + CROP * ZOOM), BACK)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    low, high = limits(truth[WINDOW])
    for column, (title, image) in enumerate(images.items()):
        crop = Picture.fromarray(grey(image[WINDOW], low, high))
        large = crop.resize((CROP * ZOOM,) * 2, Picture.Resampling.NEAREST)
        pen.text((column * step + 1, 1), title, fill=INK, font=font)
        sheet.paste(large, (column * step, HEAD))
    path.write_bytes(png(sheet))


def before_after(out: Path) -> None:
    """Show an image, its left half noisy and its right half denoised."""
    noisy, truth = simulate("mito", Optics(microscope="confocal", photons=20), size=360, seed=8)
    result = autodip.denoise(noisy).image
    low, high = limits(truth)
    both = np.where(np.arange(360) < 180, noisy, result)[60:300]
    picture = Picture.fromarray(grey(both, low, high)).resize((720, 480))
    pen = ImageDraw.Draw(picture)
    pen.line([(360, 0), (360, 480)], fill=255, width=2)
    font = ImageFont.load_default(18)
    pen.text((12, 8), "noisy", fill=255, font=font)
    pen.text((372, 8), "denoised", fill=255, font=font)
    (out / "before-after.png").write_bytes(png(picture))


def main() -> None:
    """Make the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    noisy, truth = simulate("mito", Optics(microscope="confocal", photons=25), size=SIDE, seed=1)
    for work in (stop, refine, grain):
        work(noisy, truth, out)
    before_after(out)


if __name__ == "__main__":
    main()
