"""Tables and pictures of the learned prior.

    python benchmarks/prior.py compare --data DIR [--on report] [--capture 1] [--csv OUT.csv]
    python benchmarks/prior.py ablation --data DIR [--on report] [--weights FILE ...]
    python benchmarks/prior.py pictures --out docs/results/prior DIR

DIR is a folder with a ``manifest.json`` of pairs, as ``autodip calibrate`` takes it, with
``validation/manifest.json`` (pairs) and ``clean/manifest.json`` (clean images of the role
"validation"), as ``autodip prior train`` takes it.

``compare`` scores methods of ``autodip benchmark`` and presets, ``ablation`` the prior part by part
and after different numbers of steps. Both print a table in Markdown: PSNR in dB / LPIPS, the mean
of every set (``--on choose``) or group (``--on report``), and the mean of these. LPIPS needs its
weights (``autodip weights install``), BM3D its package. With ``--csv``
there is a row for each image and method; the same command adds what is missing in the file.

``--on choose`` (default) reads what settings are chosen by: pairs of the role "calibration", pairs
of ``validation/``, and clean images with simulated white and correlated noise. ``--on report``
reads the pairs of the role "test". Intensities are compared as by ``autodip benchmark``: with a
range of 255 for 8-bit images; after a linear fit where noisy and true images were scaled
separately.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont
from safetensors import safe_open
from scipy.ndimage import gaussian_filter

import autodip
from autodip.benchmark.registry import METHODS
from autodip.choose.presets import PRESETS
from autodip.datasets import own_pairs, pair
from autodip.denoisers.context import Context
from autodip.errors import MissingPackageError
from autodip.image.scaling import to_dtype
from autodip.metrics import alexnet
from autodip.metrics.affine import affine_psnr, fit_affine
from autodip.metrics.scores import Truth, score_stop
from autodip.physics.anscombe import Stabiliser
from autodip.physics.estimate import estimate_noise
from autodip.physics.noise import Noise
from autodip.prior import validation
from autodip.prior.apply import denoise_stable, prior_result
from autodip.prior.architecture import PriorNet
from autodip.prior.learned import load_prior
from autodip.prior.observation import observe
from autodip.prior.setting import BUILTIN, path_of

COMPARED = ("noisy", "blur", "oracle-blur", "bm3d", "untrained", "fast", "balanced", "best")
FIELDS = ("set", "image", "what", "psnr", "psnr_fitted", "ssim", "lpips", "seconds")
METRICS = FIELDS[3:]
SIDE, ZOOM = 128, 3
"""Side of a crop in the pictures, in pixels, and its enlargement."""
GAP, TEXT, BACK = 6, 24, 250
DARK, SPAN = 25, 0.01
"""Percentage of an image that counts as background; smallest range that its contrast shows, in
ranges of the truth."""
LARGEST_FILE = 250_000
"""Largest file of a picture, in bytes."""


@dataclass(frozen=True)
class Case:
    """A noisy image and its truth; ``set`` is the row of the tables."""

    set: str
    name: str
    noisy: np.ndarray
    _: KW_ONLY
    truth: Truth


def chosen_by(data: Path) -> Iterator[Case]:
    """Images by which settings are chosen."""
    for found in (own_pairs.scan(data), own_pairs.scan(data / "validation")):
        for one in found.pairs:
            if one.role == "calibration":
                noisy, truth = pair.load(one, 0)
                yield Case(one.dataset, one.name, noisy, truth=truth)
    for case in validation.read_cases(data):
        if case.group != "pairs":
            yield Case(f"simulated {case.group}", case.name, case.noisy, truth=case.truth)


def reported(data: Path, capture: str) -> Iterator[Case]:
    """Test images, of one capture, or of all if it is empty."""
    for one in own_pairs.scan(data).pairs:
        if one.role == "test" and capture in ("", one.capture):
            noisy, truth = pair.load(one, 0)
            yield Case(one.group, one.name, noisy, truth=truth)


def cases(arguments: argparse.Namespace) -> Iterator[Case]:
    """Images that the arguments select."""
    every = (
        reported(arguments.data, arguments.capture)
        if arguments.on == "report"
        else chosen_by(arguments.data)
    )
    count: dict[str, int] = {}
    for case in every:
        count[case.set] = count.get(case.set, 0) + 1
        if arguments.limit is None or count[case.set] <= arguments.limit:
            yield case


def by_method(name: str, case: Case) -> np.ndarray:
    """Result of a preset, or of a method of ``autodip benchmark``."""
    if name in PRESETS:
        return autodip.denoise(case.noisy, preset=name, seed=0).image
    known = case.truth.image
    if case.truth.stretched:
        known = np.polyval(fit_affine(known, case.noisy.astype(np.float64)), known)
    truth = known if METHODS[name].oracle else None
    result = METHODS[name](case.noisy, Context(truth=truth)).image
    return to_dtype(result, case.noisy.dtype)


def blind(net: PriorNet, image: np.ndarray, noise: Noise, *, again: bool = False) -> np.ndarray:
    """Result of a pass that is told nothing, or of a second one, told the residual of the first."""
    transform = Stabiliser.of(noise, float(image.min()))
    stable = transform.forward(image)
    result = denoise_stable(net, stable[None], None)[0]
    if again:
        result = denoise_stable(net, stable[None], [observe(stable, stable - result)])[0]
    return transform.algebraic_inverse(result)


LAST: dict[str, Any] = {"passes": 2, "orientations": 8}
"""Setting on which the last parts of the ablation build, that of ``balanced``."""
PARTS: dict[str, Callable[[PriorNet, np.ndarray, Noise], np.ndarray]] = {
    "blind": blind,
    "told the residual": partial(blind, again=True),
    "told the estimate": partial(prior_result, passes=1),
    "2 passes": partial(prior_result, passes=2),
    "3 passes": partial(prior_result, passes=3),
    "8 orientations": partial(prior_result, **LAST),
    "32 copies": partial(prior_result, passes=2, orientations=32),
    "grain 0.03": partial(prior_result, **LAST, grain=0.03),
    "grain 0.08": partial(prior_result, **LAST, grain=0.08),
    "grain 0.15": partial(prior_result, **LAST, grain=0.15),
}
"""The prior, part by part.

"told the residual" is told strength and correlation of the noise in the residual of the blind
pass, "told the estimate" those of the estimate; the second of "2 passes" is told the estimated
correlation, and the strength in the residual of the first, corrected by the bootstrap.
"""


def by_part(weights: str, part: str, case: Case) -> np.ndarray | None:
    """Result of a part of the prior; None if the noise cannot be estimated."""
    image = case.noisy.astype(np.float64)
    noise = estimate_noise(image)
    return None if noise is None else PARTS[part](load_prior(weights), image, noise)


def step_of(weights: str) -> str:
    """Step of the training after which weights were saved."""
    with safe_open(path_of(weights), "pt") as file:
        return str((file.metadata() or {}).get("step", "?"))


def scores(result: np.ndarray, truth: Truth, perception: alexnet.Lpips | None) -> dict[str, float]:
    """Scores of a result; ``psnr_fitted`` is that after a linear fit of the intensities."""
    found = score_stop(result, truth, perception)
    span = truth.data_range or float(np.ptp(truth.image))
    fitted = affine_psnr(result, truth.image.astype(np.float64), data_range=span)
    return {**{key: found[key] for key in ("psnr", "ssim", "lpips")}, "psnr_fitted": fitted}


def measure(
    what: Mapping[str, Callable[[Case], np.ndarray | None]],
    every: Iterator[Case],
    file: Path | None,
) -> list[dict[str, str]]:
    """Rows of all images and methods; rows that are in the file are not measured again."""
    rows = list(csv.DictReader(file.open())) if file and file.exists() else []
    done = {(row["set"], row["image"], row["what"]) for row in rows}
    perception, missing = alexnet.load(), set[str]()
    for case in every:
        for name, denoise in what.items():
            if name in missing or (case.set, case.name, name) in done:
                continue
            start = time.perf_counter()
            try:
                result = denoise(case)
            except MissingPackageError as error:
                print(f"no {name}: {error}", file=sys.stderr)
                missing.add(name)
                continue
            seconds = time.perf_counter() - start
            if result is None:
                continue
            found = {**scores(result, case.truth, perception), "seconds": seconds}
            texts = {key: "" if found[key] is None else f"{found[key]:.4f}" for key in METRICS}
            rows.append({"set": case.set, "image": case.name, "what": name, **texts})
            if file:
                _append(file, rows[-1])
    return rows


def _append(file: Path, row: Mapping[str, str]) -> None:
    new = not file.exists()
    with file.open("a", newline="") as stream:
        writer = csv.DictWriter(stream, FIELDS)
        if new:
            writer.writeheader()
        writer.writerow(row)


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """Markdown table: a row for each set, a column for each method; "–" where there is no score."""
    sets = list(dict.fromkeys(row["set"] for row in rows))
    whats = list(dict.fromkeys(row["what"] for row in rows))
    means: dict[str, list[dict[str, float]]] = {}
    for what in whats:
        own = [[r for r in rows if r["set"] == name and r["what"] == what] for name in sets]
        means[what] = [{key: _mean(some, key) for key in METRICS} for some in own]
    lines = [["", *whats], ["---"] * (len(whats) + 1)]
    for number, name in enumerate(sets):
        count = len({row["image"] for row in rows if row["set"] == name})
        lines.append([f"{name} ({count})", *(_pair(means[what][number]) for what in whats)])
    whole = [{key: _mean_of([m[key] for m in means[what]]) for key in METRICS} for what in whats]
    lines.append(["**mean**", *map(_pair, whole)])
    lines.append(["PSNR after a linear fit", *(_text(one["psnr_fitted"], 2) for one in whole)])
    lines.append(["seconds", *(_text(one["seconds"], 1) for one in whole)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _pair(means: Mapping[str, float]) -> str:
    return f"{_text(means['psnr'], 2)} / {_text(means['lpips'], 3)}"


def _mean(rows: Sequence[Mapping[str, str]], key: str) -> float:
    return _mean_of([float(row[key]) for row in rows if row[key]])


def _mean_of(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _text(value: float, digits: int) -> str:
    return "–" if np.isnan(value) else f"{value:.{digits}f}"


def compare(arguments: argparse.Namespace) -> None:
    """Table of methods and presets."""
    what = {name: partial(by_method, name) for name in arguments.methods}
    print(table(measure(what, cases(arguments), arguments.csv)))


def ablation(arguments: argparse.Namespace) -> None:
    """Table of the parts of the prior, for each file of weights."""
    what = {
        f"step {step_of(weights)}, {part}": partial(by_part, weights, part)
        for weights in arguments.weights
        for part in arguments.parts
    }
    print(table(measure(what, cases(arguments), arguments.csv)))


def pictures(arguments: argparse.Namespace) -> None:
    """One picture for each group of test images: two details of capture 1."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    for case in reported(arguments.data, "1"):
        file = arguments.out / f"{case.set.replace(' ', '_')}.png"
        # As floats, because rounded grey values would be steps in the stretched background.
        exact = replace(case, noisy=case.noisy.astype(np.float64))
        results = {name: by_method(name, exact) for name in ("fast", "balanced")}
        save(sheet({"noisy": case.noisy, **results, "truth": case.truth.image}), file)
        print(f"{file}  {file.stat().st_size / 1000:.0f} kB", flush=True)


def sheet(images: Mapping[str, np.ndarray], wide: int = SIDE) -> Picture.Image:
    """Draw a detail with much structure, and below it one of background, stretched.

    Details are ``wide`` pixels a side. The second row has the titles up to their first comma.
    """
    *_, last = images.values()
    truth = last.astype(np.float64)
    first, second = details(truth, wide)
    limits = np.percentile(truth[first], (0.1, 99.9)), background(truth, second)
    rows = [(first, *limits[0]), (second, *limits[1])]
    side = wide * ZOOM
    width, height = side + GAP, side + TEXT
    whole = Picture.new("L", (len(images) * width + GAP, 2 * height + GAP), BACK)
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(15)
    for row, (place, low, high) in enumerate(rows):
        for column, (name, image) in enumerate(images.items()):
            x, y = GAP + column * width, row * height
            title = f"{name.partition(',')[0]}, background stretched" if row else name
            draw.text((x, y + 3), title, fill=20, font=font)
            scaled = (image[place].astype(np.float64) - low) / max(high - low, 1e-12)
            grey = Picture.fromarray((255 * np.clip(scaled, 0, 1)).round().astype(np.uint8))
            enlarged = grey.resize((side, side), Picture.Resampling.NEAREST)
            whole.paste(enlarged, (x, y + TEXT))
    return whole


def details(truth: np.ndarray, side: int = SIDE) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Square windows with the largest standard deviation, and with the most background.

    Of windows with as much background, the one with more structure is taken.
    """
    starts = [range(0, n - side + 1, side // 4) for n in truth.shape]
    windows = [np.s_[y : y + side, x : x + side] for y, x in itertools.product(*starts)]
    smooth = gaussian_filter(truth, 2)
    dark = smooth <= np.percentile(smooth, DARK)
    most = max(float(dark[window].mean()) for window in windows)
    calm = [window for window in windows if dark[window].mean() >= 0.95 * most]
    spread = partial(_spread, smooth)
    return max(windows, key=spread), max(calm, key=spread)


def _spread(image: np.ndarray, window: tuple[slice, slice]) -> float:
    return float(image[window].std())


def background(truth: np.ndarray, window: tuple[slice, slice]) -> tuple[float, float]:
    """Limits of a contrast in which the background of a window is grey."""
    smooth = gaussian_filter(truth, 2)
    detail = smooth[window]
    dark = detail[detail <= np.percentile(smooth, DARK)]
    low, high = np.percentile(dark, (1, 90))
    span = max(2 * (high - low), SPAN * float(np.ptp(truth)))
    return float((low + high - span) / 2), float((low + high + span) / 2)


def save(picture: Picture.Image, file: Path) -> None:
    """Write a PNG, with fewer grey levels if it would be too large."""
    for step in (1, 2, 4, 8):
        picture.point([level // step * step for level in range(256)]).save(file, optimize=True)
        if file.stat().st_size <= LARGEST_FILE:
            return


def main() -> None:
    """Run the command of the arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    for run in (compare, ablation):
        verb = verbs.add_parser(run.__name__, help=run.__doc__)
        verb.set_defaults(run=run)
        verb.add_argument("--data", type=Path, required=True)
        verb.add_argument("--on", choices=("choose", "report"), default="choose")
        verb.add_argument("--capture", default="", help="of the test images; all by default")
        verb.add_argument("--limit", type=int, help="images of each set or group")
        verb.add_argument("--csv", type=Path)
        if run is compare:
            verb.add_argument("--methods", nargs="+", default=COMPARED)
        else:
            verb.add_argument("--weights", nargs="+", default=[BUILTIN])
            verb.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    verb = verbs.add_parser("pictures", help=pictures.__doc__)
    verb.set_defaults(run=pictures)
    verb.add_argument("data", type=Path)
    verb.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
