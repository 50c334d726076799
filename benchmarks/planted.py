"""Plant structure in results, erase it from them, and count how often that is found.

Results are computed once and stored. Detection is counted against the summed signal-to-noise ratio
of the planted structure, and against its height relative to the local contrast of the result. The
results without planting are tested as well: each of them in which a place is listed is a false
alarm, unless the result has lost or invented something.

    python benchmarks/planted.py DATA --sets miro srdtrans w2s --results results --out planted.csv
    python benchmarks/planted.py DATA --sets fmd_test --every 4 --results results --out planted.csv
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont
from planted_structures import KINDS, contrast_around, drawn, height_for, signal_to_noise

import autodip
from autodip.physics.noise import Noise
from autodip.pictures.contrast import grey, limits
from autodip.trust.unsupported import support_of

RATIOS = (6, 8, 10, 15, 30)
SHARES = (0.1, 0.2, 0.3)
ERASED = ("spot", "filament", "nucleus")
SPECIMENS = ("nucleus", "actin", "mito", "zebrafish", "mouse_brain")


def entries(data: Path, sets: list[str]):
    """Entries of the manifests of a folder, with the folder of their files."""
    for manifest in (data / "manifest.json", data / "validation" / "manifest.json"):
        if manifest.is_file():
            for entry in json.loads(manifest.read_text()):
                if entry["set"] in sets:
                    yield manifest.parent, entry


def computed(folder: Path, entry: dict, preset: str, store: Path):
    """Noisy image, result as floats and noise; computed unless they are stored."""
    name = entry["file"].replace("/", "_").rsplit(".", 1)[0]
    path = store / preset / f"{entry['set']}__{name}.npz"
    if not path.is_file():
        known = entry["specimen"] if entry["specimen"] in SPECIMENS else None
        noisy = np.squeeze(autodip.read(folder / entry["file"]).data)
        result = autodip.denoise(
            noisy, preset=preset, dtype="float32", microscope=entry["microscope"], specimen=known
        )
        noise = result.planes[0].description.noise
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(noise.to_dict() if noise else None)
        np.savez(path, noisy=noisy, result=np.asarray(result.image), noise=text)
    with np.load(path) as stored:
        noise = json.loads(str(stored["noise"]))
        images = stored["noisy"].astype(float), stored["result"].astype(float)
    return name, *images, Noise.from_dict(noise) if noise else None


def found(noisy, result, noise, structure) -> tuple[bool, str, float]:
    """Whether a place that is listed lies on a structure; its direction, kind and deviation."""
    core = np.abs(structure) > 0.3 * np.abs(structure).max()
    for place in support_of(noisy, result, noise).places:
        top, left = max(0, place.y - place.height // 2), max(0, place.x - place.width // 2)
        if core[top : top + place.height, left : left + place.width].any():
            return True, f"{place.direction} {place.kind}", place.deviation
    return False, "", 0.0


def planted(noisy, result, noise, generator):
    """Rows of the table for one result."""
    for kind in KINDS:
        shape = drawn(kind, result, generator)
        if shape is None:
            continue
        contrast = contrast_around(shape, result)
        heights = [("ratio", r, height_for(r, shape, result, noise)) for r in RATIOS]
        heights += [("contrast", share, share * contrast) for share in SHARES]
        for mode, value, height in heights:
            ratio = signal_to_noise(height * shape, result, noise)
            hit = found(noisy, result + height * shape, noise, height * shape)
            yield (kind, "added", mode, value, ratio, height / max(contrast, 1e-12), *hit)
        for ratio in RATIOS if kind in ERASED else ():
            height = height_for(ratio, shape, result, noise)
            spread = np.sqrt(np.maximum(noise.gain * height * shape, 0))
            lit = noisy + height * shape + spread * generator.standard_normal(shape.shape)
            hit = found(lit, result, noise, height * shape)
            yield (kind, "erased", "ratio", ratio, ratio, height / max(contrast, 1e-12), *hit)


COLUMNS = ("set", "image", "preset", "kind", "what", "by", "value", "ratio", "contrast")
COLUMNS += ("found", "as", "deviation")


def summarised(rows: list[dict]) -> None:
    """Print the rates."""
    bare = [row for row in rows if row["kind"] == "nothing"]
    alarms = [row for row in bare if row["found"]]
    print(f"without planting: places in {len(alarms)} of {len(bare)} results")
    for row in alarms:
        print(f"  {row['set']} {row['image']} {row['preset']}: {row['as']} {row['deviation']}")
    groups: dict[tuple, list[dict]] = {}
    for row in rows:
        if row["kind"] != "nothing":
            groups.setdefault((row["what"], row["kind"], row["by"], row["value"]), []).append(row)
    for key, group in groups.items():
        rate = np.mean([row["found"] for row in group])
        clear = [row["found"] for row in group if row["ratio"] >= 10]
        also = (
            f", {100 * np.mean(clear):.0f} % of {len(clear)} with ratio 10 or more" if clear else ""
        )
        print(*key, f"{100 * rate:.0f} % of {len(group)}{also}")


def drawing(noisy, result, noise, generator):
    """Picture of one planted structure of each kind with a ratio of 15: a row each."""
    rows = []
    for kind in KINDS:
        shape = drawn(kind, result, generator)
        if shape is None:
            continue
        added = result + height_for(15, shape, result, noise) * shape
        _, text, deviation = found(noisy, added, noise, shape)
        y, x = (int(np.average(one)) for one in np.nonzero(np.abs(shape) > 0.3))
        top, left = (
            int(np.clip(at - 48, 0, side - 96))
            for at, side in zip((y, x), result.shape, strict=True)
        )
        crop = (slice(top, top + 96), slice(left, left + 96))
        low, high = limits(added[crop])
        left_over = (noisy - added)[crop]
        images = [grey(one[crop], low, high) for one in (noisy, result, added)]
        images.append(grey(left_over, *limits(left_over)))
        note = f"{text}, {deviation:.1f} standard errors" if text else "not found"
        rows.append(
            (f"{kind}: listed as {note}", [one.repeat(2, 0).repeat(2, 1) for one in images])
        )
    sheet = Picture.new("L", (4 * 200, 30 + 220 * len(rows)), 255)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for column, title in enumerate(("noisy image", "result", "with the structure", "residual")):
        draw.text((column * 200 + 4, 6), title, fill=0, font=font)
    for number, (text, images) in enumerate(rows):
        draw.text((4, 30 + 220 * number), text, fill=0, font=font)
        for column, image in enumerate(images):
            sheet.paste(Picture.fromarray(image), (column * 200 + 4, 50 + 220 * number))
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", required=True)
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--results", type=Path, required=True, help="folder of stored results")
    parser.add_argument("--every", type=int, default=1, help="plant in every n-th result only")
    parser.add_argument("--out", type=Path, required=True, help="table that is extended")
    parser.add_argument("--picture", type=Path, help="picture of cases in the first result")
    given = parser.parse_args()
    rows = []
    for number, (folder, entry) in enumerate(entries(given.data, given.sets)):
        name, noisy, result, noise = computed(folder, entry, given.preset, given.results)
        if noise is None or noise.absent:
            continue
        if given.picture and not rows:
            drawing(noisy, result, noise, np.random.default_rng(1)).save(given.picture)
        start = (entry["set"], name, given.preset)
        support = support_of(noisy, result, noise)
        first = support.places[0] if support.places else None
        text = f"{support.count}: {first.direction} {first.kind}" if first else ""
        bare = ("nothing", "", "", 0, 0, 0, bool(first), text, first.deviation if first else 0)
        rows.append(dict(zip(COLUMNS, (*start, *bare), strict=True)))
        if number % given.every == 0:
            generator = np.random.default_rng(number)
            for row in planted(noisy, result, noise, generator):
                rows.append(dict(zip(COLUMNS, (*start, *row), strict=True)))
    exists = given.out.is_file()
    with given.out.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if not exists:
            writer.writeheader()
        writer.writerows(rows)
    summarised(rows)


if __name__ == "__main__":
    main()
