"""Pictures of the gallery: noisy, blurred, denoised and true, with PSNR, failures included.

    python -m benchmarks.gallery DATA --out docs/gallery [--only NAME ...] [--all]

DATA is a folder with a ``manifest.json`` of pairs, as ``autodip calibrate`` takes it, and with
``validation/manifest.json``. Every picture has two rows: the detail with the most structure, and
the one with the most background, whose contrast is stretched until the background is grey. The
preset is ``balanced``, and results are 32-bit floats. ``scores.csv`` has a row for each picture.

Noisy image and results are brought to the intensities of the truth by one linear fit, that of the
denoised image, where they were scaled separately.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

import autodip
from autodip.datasets import own_pairs, pair
from autodip.metrics.affine import fit_affine
from autodip.metrics.fidelity import psnr
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate
from autodip.pictures.contrast import grey, limits
from autodip.pictures.encode import png
from benchmarks.prior import background, details

SIDE, ZOOM, GAP, HEAD, BACK, INK = 90, 2, 5, 20, 250, 20
"""Side of a crop in pixels, its enlargement, and the spaces of a picture."""
BLUR, FAINT = 1.0, 0.3
"""Standard deviation of the blur in pixels; ``Case.span`` of simulated images."""
FIELDS = ("picture", "noisy", "blur", "denoised")
SETS = ("fmd_test", "miro", "srdtrans")
"""Sets of which the gallery shows the first pair of each group."""
UNLICENSED = ("w2s", "twophoton_flim")
"""Sets whose authors state no licence; their pictures are not published."""


@dataclass(frozen=True)
class Case:
    """A noisy image with its truth, and whether both were scaled separately.

    ``span`` is the smallest range of grey values in the stretched row, as a share of the range of
    the truth: the background of a simulated image may be exactly 0.
    """

    noisy: np.ndarray
    truth: np.ndarray
    stretched: bool
    data_range: float
    span: float = 0.0


def measured(data: Path, sets: Sequence[str]) -> Iterator[tuple[str, Callable[[], Case]]]:
    """Pairs that were recorded: one for each microscope and specimen."""
    taken = set()
    for root in (data, data / "validation"):
        for one in own_pairs.scan(root).pairs:
            name = f"{one.dataset} {one.group}".replace("_", "-").replace(" ", "-").lower()
            if one.dataset in sets and name not in taken:
                taken.add(name)
                yield name, partial(_measured, one)


def _measured(one: pair.Pair) -> Case:
    noisy, truth = pair.load(one, 0)
    span = truth.data_range or float(np.ptp(truth.image))
    return Case(noisy, truth.image.astype(float), truth.stretched, span)


def simulated() -> Iterator[tuple[str, Callable[[], Case]]]:
    """Images that autodip does not denoise well, made so that the truth is known."""
    rng = np.random.default_rng  # one for each picture, so that --only changes none
    yield "failure-rare-photons", partial(_exposed, "mito", rng(1), photons=0.3)
    yield "failure-below-the-noise", partial(_exposed, "actin", rng(2), photons=4.0, read=1.0)
    yield "failure-slow-noise", partial(_slow, rng(3))
    yield "failure-stripes", partial(_stripes, rng(4))
    for name in ("page", "grass"):
        yield f"failure-{name}", partial(_photograph, name, rng(5))


def _exposed(specimen: str, rng: np.random.Generator, *, photons: float, read: float = 0.0) -> Case:
    """Specimen under few photons; the brightest pixel has ``photons``."""
    optics = Optics(microscope="confocal", photons=photons, gain=1, offset=0, read_noise=0)
    _, truth = simulate(specimen, optics, size=384, seed=3)
    noisy = rng.poisson(truth) + rng.normal(0, read, truth.shape)
    noisy = noisy if read else noisy.astype(np.uint8)
    return Case(noisy, truth.astype(float), False, float(np.ptp(truth)), FAINT)


def _bright() -> np.ndarray:
    return simulate("nucleus", Optics(microscope="widefield"), size=384, seed=5)[1].astype(float)


def _slow(rng: np.random.Generator) -> Case:
    """Noise that was smoothed by a Gaussian filter of 2 pixels."""
    truth = _bright()
    noise = gaussian_filter(rng.normal(size=truth.shape), 2)
    noisy = truth + 0.08 * np.ptp(truth) * noise / noise.std()
    return Case(noisy, truth, False, float(np.ptp(truth)), FAINT)


def _stripes(rng: np.random.Generator) -> Case:
    """White noise, and stripes along the rows that change over several pixels."""
    truth = _bright()
    rows = gaussian_filter(rng.normal(size=(truth.shape[0], 1)), (4, 0))
    noise = rng.normal(size=truth.shape) + 1.5 * rows / rows.std()
    return Case(truth + 0.06 * np.ptp(truth) * noise, truth, False, float(np.ptp(truth)), FAINT)


def _photograph(name: str, rng: np.random.Generator) -> Case:
    """Picture of scikit-image with photon noise, 8 grey values for each photon."""
    truth = getattr(skimage.data, name)().astype(float)[:320, :320]
    noisy = np.clip(rng.poisson(truth / 8) * 8.0, 0, 255).astype(np.uint8)
    return Case(noisy, truth, False, 255.0, FAINT)


def draw(name: str, case: Case) -> tuple[Picture.Image, dict[str, str]]:
    """Denoise a case; return its picture and its row of the table."""
    result = autodip.denoise(case.noisy, dtype="float32")
    images = {
        "noisy": case.noisy.astype(float),
        f"blur, {BLUR:g} px": gaussian_filter(case.noisy.astype(float), BLUR),
        "autodip": result.image.astype(float),
    }
    if case.stretched:
        a, b = fit_affine(images["autodip"], case.truth)
        images = {title: a * image + b for title, image in images.items()}
    scores = [psnr(one, case.truth, data_range=case.data_range) for one in images.values()]
    titles = [f"{title}: {value:.1f} dB" for title, value in zip(images, scores, strict=True)]
    shown = {**dict(zip(titles, images.values(), strict=True)), "truth": case.truth}
    numbers = [f"{value:.2f}" for value in scores]
    return sheet(shown, case.span), dict(zip(FIELDS, (name, *numbers), strict=True))


def sheet(images: Mapping[str, np.ndarray], span: float) -> Picture.Image:
    """Draw both details of every image; ``span`` as in :class:`Case`."""
    *_, truth = images.values()
    structure, calm = details(truth, SIDE)
    low, high = background(truth, calm)
    wider = max(0.0, span * float(np.ptp(truth)) - (high - low)) / 2
    rows = (structure, limits(truth[structure])), (calm, (low - wider, high + wider))
    step = SIDE * ZOOM + GAP
    size = (len(images) * step - GAP, HEAD + 2 * step - GAP)
    whole = Picture.new("L", size, BACK)
    pen, font = ImageDraw.Draw(whole), ImageFont.load_default(14)
    for column, (title, image) in enumerate(images.items()):
        pen.text((column * step + 2, 1), title, fill=INK, font=font)
        for row, (place, (low, high)) in enumerate(rows):
            crop = Picture.fromarray(grey(image[place], low, high))
            large = crop.resize((SIDE * ZOOM,) * 2, Picture.Resampling.NEAREST)
            whole.paste(large, (column * step, HEAD + row * step))
    return whole


def main() -> None:
    """Make the pictures and the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="Folder with the pairs.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="+", help="Names of pictures; all by default.")
    parser.add_argument("--all", action="store_true", help="Also sets without a licence.")
    arguments = parser.parse_args()
    sets = (*SETS, *UNLICENSED) if arguments.all else SETS
    arguments.out.mkdir(parents=True, exist_ok=True)
    table = arguments.out / "scores.csv"
    rows = {}
    if table.exists():
        with table.open(newline="") as file:
            rows = {row["picture"]: row for row in csv.DictReader(file)}
    for name, load in (*measured(arguments.data, sets), *simulated()):
        if arguments.only and name not in arguments.only:
            continue
        picture, rows[name] = draw(name, load())
        (arguments.out / f"{name}.png").write_bytes(png(picture))
        print(" ".join(rows[name].values()), flush=True)
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[name] for name in sorted(rows))


if __name__ == "__main__":
    main()
