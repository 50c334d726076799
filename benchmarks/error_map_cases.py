"""Pairs for benchmarks/error_map.py: real and simulated images, their noise and results."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Picture
from scipy.ndimage import gaussian_filter

import autodip
from autodip.image.scaling import brightness
from autodip.physics.detection import expose
from autodip.physics.estimate import estimate_noise
from autodip.physics.noise import Noise
from autodip.prior.cameras import draw_detector
from autodip.prior.clean import first_plane, read_manifest

SIMULATED = ("clean_training", "clean_validation", "resim")
FOLDS = {"fmd_confocal_fov1": "fmd", "fmd_confocal_nucleus": "fmd"}
"""Sets that are left out together."""

REAL = ("fmd", "w2s", "srdtrans")
"""Sets of real images on which the share of covered pixels is set, each left out in turn."""

FRAMES = {"w2s": 400, "twophoton_flim": 5, "fmd_confocal_fov1": 50, "fmd_confocal_nucleus": 50,
          "fmd_test": 50}  # fmt: skip
"""Frames of which a truth is the mean; it has this share of the noise."""

SIDE = 256


def collect(data: Path, cache: Path, role: str, preset: str) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    real(data, cache, role, preset)
    if role == "calibration":
        real(data / "validation", cache, role, preset)
        for part, draws in (("validation", 10), ("training", 1)):
            for entry in read_manifest(data / "clean", "file", role=part):
                scene = brightness(first_plane(data / "clean" / entry["file"]))
                for draw in range(draws):
                    simulate(f"clean_{part}", entry["file"], scene, cache,
                             draw=draw, seed=1 if draws > 1 else 2, preset=preset)  # fmt: skip
        resimulate(data, cache, preset)


def real(folder: Path, cache: Path, role: str, preset: str) -> None:
    for entry in read_manifest(folder, "file", "truth", role=role):
        noisy, truth = (first_plane(folder / entry[key]) for key in ("file", "truth"))
        whole = bool((truth == np.rint(truth)).all())
        share = 1 / FRAMES[entry["set"]] if entry["set"] in FRAMES else 0.0
        meta = {
            "group": entry["set"],
            "name": f"{entry['set']}_{Path(entry['file']).stem}_{entry['noise_level']}",
            "share": share * (2 if entry["noise_level"] == "avg2" else 1),
            "integer": whole,
        }
        side = SIDE if role == "calibration" else 512
        save(meta, noisy.astype(np.float64), truth.astype(np.float64), cache,
             side=side, preset=preset)  # fmt: skip


def resimulate(data: Path, cache: Path, preset: str) -> None:
    """Truths of real sets with other noise, far above their own."""
    seen = set()
    for entry in read_manifest(data, "truth", role="calibration"):
        every = {"fmd_confocal_nucleus": 3, "w2s": 2}.get(entry["set"], 1)
        if entry["set"] == "twophoton_flim" or entry["fov"] % every or entry["truth"] in seen:
            continue
        seen.add(entry["truth"])
        scene = brightness(first_plane(data / entry["truth"]))
        for draw in range(3):
            simulate("resim", entry["truth"], scene, cache, draw=draw, seed=5, preset=preset,
                     photons=(4, 60 if entry["set"] == "w2s" else 30))  # fmt: skip


def simulate(
    group: str,
    file: str,
    scene: np.ndarray,
    cache: Path,
    *,
    draw: int,
    seed: int,
    preset: str,
    photons: tuple[float, float] = (3, 200),
) -> None:
    generator = np.random.default_rng([zlib.crc32(file.encode()), draw, seed])
    peak = float(np.exp(generator.uniform(*np.log(photons))))
    # Of truths of real sets the first has white noise, the others correlated noise.
    correlated = float(draw > 0) if group == "resim" else 0.4
    detector = draw_detector(generator, peak, correlated=correlated)
    detector = detector.replace(hot=0.0, jitter=0.0)
    size = min(detector.recorded(min(scene.shape)), SIDE)
    if size < 64:
        return
    needed = detector.needed(size)
    top, left = (int(generator.integers(0, side - needed + 1)) for side in scene.shape)
    light = peak * scene[top : top + needed, left : left + needed].astype(np.float64)
    exposure = expose(light, detector, size, generator)
    name = f"{group}_{file.replace('/', '_').rsplit('.', 1)[0]}_{draw}"
    meta = {"group": group, "name": name, "share": 0.0, "integer": False}
    save(meta, exposure.image.astype(np.float64), exposure.mean.astype(np.float64), cache,
         side=SIDE, preset=preset)  # fmt: skip


def save(
    meta: dict[str, Any],
    noisy: np.ndarray,
    truth: np.ndarray,
    cache: Path,
    *,
    side: int,
    preset: str,
) -> None:
    path = cache / (meta["name"].replace(" ", "_").replace(",", "_") + ".npz")
    noise, own = estimate_noise(noisy), estimate_noise(truth)
    if path.exists() or noise is None or noise.absent:
        return
    grain = float(np.mean(own.std(truth) ** 2 / noise.sigma**2)) if own and noise.sigma else 0.0
    corner = [max(length - side, 0) // 2 for length in noisy.shape]
    place = np.s_[corner[0] : corner[0] + side, corner[1] : corner[1] + side]
    result = autodip.denoise(noisy[place], preset=preset, device="cpu").image
    content = json.dumps({**meta, "noise": noise.to_dict(), "grain": grain})
    np.savez(path, noisy=noisy[place], truth=truth[place], result=result, meta=content)
    print(meta["name"], flush=True)


def toned(truth: np.ndarray, noisy: np.ndarray, parts: int = 24) -> np.ndarray:
    """Truth as bright as the mean of the noisy pixels at every brightness.

    The simulation takes the noise for Gaussian where it is clipped.
    """
    order = np.array_split(np.argsort(truth.ravel(), kind="stable"), parts)
    level = [truth.ravel()[part].mean() for part in order]
    excess = [(noisy - truth).ravel()[part].mean() for part in order]
    return truth + np.interp(truth, level, excess)


def aligned(truth: np.ndarray, noisy: np.ndarray, noise: Noise) -> np.ndarray:
    """Truth shifted to the noisy image, and as bright over 16 pixels."""
    weight = 1 / np.maximum(noise.std(truth), 0.1 * noise.sigma)
    slopes = np.gradient(gaussian_filter(truth, 0.7))
    terms = np.stack([np.ones_like(truth), truth, *slopes], -1) * weight[..., None]
    rest = (noisy - truth) * weight
    near = np.abs(rest) < 4
    fit = np.linalg.lstsq(terms[near], rest[near], rcond=None)[0]
    truth = truth + (terms @ fit) / weight
    return truth + gaussian_filter(noisy - truth, 16)


def beside(pictures: list[Picture.Image]) -> Picture.Image:
    """Pictures of one height in a row."""
    row = Picture.new("RGB", (sum(one.width for one in pictures), pictures[0].height), "white")
    left = 0
    for one in pictures:
        row.paste(one, (left, 0))
        left += one.width
    return row
