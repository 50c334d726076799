"""Whether intensities are kept: light by brightness, slope against the truth, ranges, rounding.

    python benchmarks/intensities.py pairs --data DIR [--on report] [--csv OUT.csv]
    python benchmarks/intensities.py ranges
    python benchmarks/intensities.py film
    python benchmarks/intensities.py rounding

DIR is a folder of pairs as for ``benchmarks/prior.py``. Prints tables in Markdown; with ``--csv``
there is a row for each image and preset, and the same command adds what is missing in the file.

``pairs``: results are 32-bit floats. "Light" is what is above the black level of the noise model.
Its drift is the mean of the result against the mean of the *noisy* image, in percent of the latter:
overall, and in each tenth of the pixels, from dark to bright. The tenths are chosen by the truth,
smoothed by a Gaussian of 4 pixels, which averages over 200 pixels. They must not be chosen by the
noisy image, nor by the result, which holds some of its noise: a pixel that was chosen because it is
bright is bright by chance as well, and its noise would count as lost light (regression to the
mean). They are smoothed because no estimate can know the height of a single pixel below the noise.

The slope is that of the result over the truth by least squares, divided by the slope of the noisy
image over the truth, all smoothed by the same Gaussian: as both are regressed on the truth, noise
does not attenuate them, and a gain that differs between captures, or images that were scaled
separately, cancel. "Pixels" is the same without smoothing: it contains the contrast of fine detail
that is lost in the noise.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

import autodip
from autodip.image.scaling import to_dtype
from autodip.physics.anscombe import Stabiliser
from autodip.physics.estimate import estimate_noise
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate
from autodip.pipeline.precision import is_coarse
from autodip.prior.observation import correlation_of
from benchmarks.prior import Case, cases

PRESETS = ("fast", "balanced", "best", "untrained")
SMOOTH = 4.0
"""Standard deviation of the Gaussian by which images are compared, in pixels."""
CLASSES = 10
TENTHS = tuple(f"tenth{number}" for number in range(1, CLASSES + 1))
ERRORS = tuple(f"error{number}" for number in range(1, CLASSES + 1))
MEASURED = (
    *("flux", *TENTHS, *ERRORS, "of_mean", "slope", "slope_pixels"),
    *("sigma", "psnr", "psnr_rounded", "flux_rounded", "coarse"),
)
FIELDS = ("set", "image", "preset", *MEASURED)
SCALES = (1e-12, 1e-6, 1e-3, 1.0, 1e3, 1e6, 1e9)
OFFSETS = (-500.0, 0.0, 100.0, 1e4)
FRAMES, FADING = 8, 0.85  # brightness of each frame relative to the one before


def measured(case: Case, result: np.ndarray) -> dict[str, float] | None:
    """Measurements of a result (Y, X), float32; None if the noise cannot be estimated."""
    noisy, truth = case.noisy.astype(np.float64), case.truth.image.astype(np.float64)
    noise, result = estimate_noise(noisy), result.astype(np.float64)
    if noise is None:
        return None
    dark = Stabiliser.of(noise, float(noisy.min())).black
    before, after = noisy - dark, result - dark
    found = {"flux": _drift(before, after), "sigma": noise.sigma}
    known, smooth, smoothed = (gaussian_filter(one, SMOOTH) for one in (truth, before, after))
    wider = np.sqrt(max(1.0, float(correlation_of(noise).sum())))
    changes = []
    for tenth, error, where in zip(
        TENTHS, ERRORS, np.array_split(np.argsort(known, axis=None), CLASSES), strict=True
    ):
        there, here = before.flat[where], after.flat[where]
        found[tenth] = _drift(there, here)
        spread = wider * float((there - here).std()) / np.sqrt(len(where))
        found[error] = 100 * spread / max(float(there.mean()), 1e-300)
        changes.append(float((here - there).mean()))
    found["of_mean"] = 100 * float(np.abs(changes).max()) / float(before.mean())
    found["slope"] = _slope(smoothed, known) / _slope(smooth, known)
    found["slope_pixels"] = _slope(after, truth) / _slope(before, truth)
    rounded = to_dtype(result, case.noisy.dtype).astype(np.float64)
    like = _slope(noisy, truth) * (truth - truth.mean()) + noisy.mean()
    span = float(case.truth.data_range or np.ptp(like))
    found["psnr"], found["psnr_rounded"] = (_psnr(one, like, span) for one in (result, rounded))
    found["flux_rounded"] = _drift(before, rounded - dark)
    integer = case.noisy.dtype.kind in "iu"
    found["coarse"] = float(is_coarse(case.noisy, noise)) if integer else float("nan")
    return found


def _drift(before: np.ndarray, after: np.ndarray) -> float:
    """Change of the mean, in percent."""
    return 100 * (float(after.mean()) / float(before.mean()) - 1)


def _slope(image: np.ndarray, truth: np.ndarray) -> float:
    centred = truth - truth.mean()
    return float(np.vdot(centred, image) / np.vdot(centred, centred))


def _psnr(image: np.ndarray, truth: np.ndarray, span: float) -> float:
    return float(10 * np.log10(span**2 / np.mean((image - truth) ** 2)))


def pairs(arguments: argparse.Namespace) -> Iterator[str]:
    """Light, slope and rounding on pairs of noisy and true images."""
    rows = _rows(arguments)
    yield "| set | preset | light, % | tenths of the pixels from dark to bright, % of their light |"
    yield "|---|---|---|---|"
    groups = [
        (name, preset, own)
        for name in dict.fromkeys(row["set"] for row in rows)
        for preset in dict.fromkeys(row["preset"] for row in rows)
        if (own := [r for r in rows if (r["set"], r["preset"]) == (name, preset)])
    ]
    for name, preset, own in groups:
        tenths = ", ".join(f"{_mean(own, tenth):+.1f}" for tenth in TENTHS)
        yield f"| {name} ({len(own)}) | {preset} | {_worst(own, 'flux'):.3f} | {tenths} |"
    yield ""
    yield (
        "| set | preset | tenths within 1 % | largest, % of the mean light | slope | lowest, "
        "highest | slope, pixels |"
    )
    yield "|---|---|---|---|---|---|---|"
    for name, preset, own in groups:
        slopes = [float(row["slope"]) for row in own]
        within = [
            abs(float(row[tenth])) <= 1 + 2 * float(row[error])
            for row in own
            for tenth, error in zip(TENTHS, ERRORS, strict=True)
        ]
        yield (
            f"| {name} | {preset} | {sum(within)} of {len(within)} | {_worst(own, 'of_mean'):.2f} "
            f"| {np.mean(slopes):.3f} | {min(slopes):.3f}, {max(slopes):.3f} "
            f"| {_mean(own, 'slope_pixels'):.3f} |"
        )
    yield ""
    yield "| set | preset | remain integers | PSNR lost by rounding, dB | light changed, % |"
    yield "|---|---|---|---|---|"
    for name, preset, every in groups:
        own = [row for row in every if row["coarse"] != "nan"]
        kept = [row for row in own if not float(row["coarse"])]
        lost = [float(row["psnr"]) - float(row["psnr_rounded"]) for row in kept]
        text = f"{np.mean(lost):.3f}, at most {max(lost):.3f}" if kept else "–"
        light = f"at most {_worst(kept, 'flux_rounded'):.2f}" if kept else "–"
        if own:
            yield f"| {name} | {preset} | {len(kept)} of {len(own)} | {text} | {light} |"


def _rows(arguments: argparse.Namespace) -> list[dict[str, str]]:
    """Rows of all images and presets; those that are in the file are not measured again."""
    file: Path | None = arguments.csv
    rows = list(csv.DictReader(file.open())) if file and file.exists() else []
    done = {(row["set"], row["image"], row["preset"]) for row in rows}
    for case in cases(arguments):
        for preset in arguments.presets:
            if (case.set, case.name, preset) in done:
                continue
            cut = _centre(case, arguments.crop)
            result = autodip.denoise(cut.noisy, preset=preset, seed=0, dtype="float32").image
            found = measured(cut, result)
            if found is not None:
                rows.append({"set": case.set, "image": case.name, "preset": preset})
                rows[-1] |= {key: f"{found[key]:.5f}" for key in MEASURED}
                if file:
                    _append(file, rows[-1])
    return rows


def _centre(case: Case, side: int | None) -> Case:
    """The middle of an image and its truth."""
    if side is None:
        return case
    rows, columns = ((n - min(n, side)) // 2 for n in case.noisy.shape)
    where = np.s_[rows : rows + side, columns : columns + side]
    truth = dataclasses.replace(case.truth, image=case.truth.image[where])
    return dataclasses.replace(case, noisy=case.noisy[where], truth=truth)


def _append(file: Path, row: Mapping[str, str]) -> None:
    with file.open("a", newline="") as stream:
        writer = csv.DictWriter(stream, FIELDS)
        if not stream.tell():
            writer.writeheader()
        writer.writerow(row)


def _mean(rows: Sequence[Mapping[str, str]], key: str) -> float:
    return float(np.mean([float(row[key]) for row in rows]))


def _worst(rows: Sequence[Mapping[str, str]], key: str) -> float:
    return max(abs(float(row[key])) for row in rows)


def ranges(arguments: argparse.Namespace) -> Iterator[str]:
    """The same image with its intensities scaled and shifted."""
    yield (
        "| preset | type | scale | offset | largest change of the result, in noise | light, % "
        "| lowest value, noisy → result, in noise |"
    )
    yield "|" + "---|" * 7
    noisy, truth = simulate("mito", Optics(microscope="confocal"), size=128, seed=4)
    noise = float(np.std(noisy - truth.astype(np.float64)))
    fit = {"untrained": {"iterations": 20}}
    variants = [(scale, 0.0) for scale in SCALES] + [(1.0, offset) for offset in OFFSETS]
    for preset in arguments.presets:
        known = _floats(noisy.astype(np.float64), preset, fit.get(preset, {}))
        for dtype in (np.float32, np.float64):
            for scale, offset in variants:
                image = (noisy * scale + offset).astype(dtype)
                result = (_floats(image, preset, fit.get(preset, {})) - offset) / scale
                change = float(np.abs(result - known).max()) / noise
                light = _drift((image.astype(np.float64) - offset) / scale - 100, result - 100)
                lowest = [(float(one.min()) - 100) / noise for one in (noisy, result)]
                yield (
                    f"| {preset} | {np.dtype(dtype).name} | {scale:g} | {offset:g} | {change:.5f} "
                    f"| {light:+.4f} | {lowest[0]:.2f} → {lowest[1]:.2f} |"
                )


def _floats(image: np.ndarray, preset: str, options: Mapping[str, int]) -> np.ndarray:
    return autodip.denoise(image, preset=preset, seed=0, **options).image.astype(np.float64)


def film(arguments: argparse.Namespace) -> Iterator[str]:
    """Frames of a film that bleaches: light of the result over that of the noisy frame."""
    yield "| preset | light of frames, % of the first | result / noisy, largest deviation, % |"
    yield "|---|---|---|"
    _, truth = simulate("actin", Optics(microscope="confocal", photons=60, gain=1, offset=0))
    rng = np.random.default_rng(0)
    fading = FADING ** np.arange(FRAMES)
    scene = truth[:128, :128].astype(np.float64)
    frames = np.stack([2.0 * rng.poisson(share * scene) + 100 for share in fading])
    frames += rng.normal(0, 2.0, frames.shape)
    for preset in arguments.presets:
        options = {"iterations": 60} if preset == "untrained" else {}
        result = autodip.denoise(frames.astype(np.float32), axes="TYX", preset=preset, **options)
        light, kept = (one.mean(axis=(1, 2)) - 100 for one in (frames, result.image.astype(float)))
        shown = ", ".join(f"{100 * value / kept[0]:.1f}" for value in kept)
        yield f"| {preset} | {shown} | {100 * np.abs(kept / light - 1).max():.4f} |"


def rounding(arguments: argparse.Namespace) -> Iterator[str]:
    """Simulated 8-bit images: what rounding the result costs, by the strength of the noise."""
    yield (
        "| specimen | photons | noise, grey values | in the dark | becomes float32 "
        "| PSNR lost by rounding, dB | light changed, % |"
    )
    yield "|---|---|---|---|---|---|---|"
    for specimen in ("nucleus", "actin", "mito"):
        for photons in (5, 20, 80, 320):
            optics = Optics(microscope="confocal", photons=photons, gain=1, offset=0)
            truth = simulate(specimen, optics, size=256, seed=3)[1].astype(np.float64)
            for gain in (50 / photons, 130 / photons):
                rng = np.random.default_rng(1)
                counts = rng.poisson(truth) + rng.normal(0, 0.5, truth.shape)
                noisy = to_dtype(gain * counts + 8, np.dtype(np.uint8))
                noise = estimate_noise(noisy.astype(np.float64))
                assert noise is not None  # simulated noise can be estimated
                dark = float(np.sqrt(noise.curve[0][1])) if noise.curve else noise.sigma
                result = autodip.denoise(noisy, preset=arguments.presets[0], dtype="float32").image
                rounded = to_dtype(result, noisy.dtype).astype(np.float64)
                lost = _psnr(result, gain * truth + 8, 255) - _psnr(rounded, gain * truth + 8, 255)
                yield (
                    f"| {specimen} | {photons} | {noise.sigma:.1f} | {dark:.1f} "
                    f"| {'yes' if is_coarse(noisy, noise) else 'no'} | {lost:.2f} "
                    f"| {_drift(result - 8.0, rounded - 8.0):+.2f} |"
                )


def main() -> None:
    """Print the table of the arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    for run in (pairs, ranges, film, rounding):
        verb = verbs.add_parser(run.__name__, help=run.__doc__)
        verb.set_defaults(run=run)
        verb.add_argument("--presets", nargs="+", choices=PRESETS, default=PRESETS)
        if run is pairs:
            verb.add_argument("--data", type=Path, required=True)
            verb.add_argument("--on", choices=("choose", "report"), default="choose")
            verb.add_argument("--capture", default="", help="of the test images; all by default")
            verb.add_argument("--limit", type=int, help="images of each set or group")
            verb.add_argument("--crop", type=int, help="side of the middle that is used, in pixels")
            verb.add_argument("--csv", type=Path)
    arguments = parser.parse_args()
    for line in arguments.run(arguments):
        print(line, flush=True)


if __name__ == "__main__":
    main()
