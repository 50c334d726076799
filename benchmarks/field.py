"""Tables and pictures of ``docs/results/field.md``, from the rows of ``autodip benchmark``.

    python -m benchmarks.field tables [--rows FILE]
    python -m benchmarks.field pictures --data DATA --images DIR

``tables`` writes the generated blocks of the page from ``docs/results/field/results.csv``, into
which the rows of FILE are copied first, and from ``docs/results/field/timing/results.csv``.
``pictures`` draws details of the results in DIR, the folder ``images`` of the benchmark: the noisy
image, the rivals with the highest PSNR and the lowest LPIPS, presets of autodip, and the truth.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from autodip import io
from autodip.benchmark import Row, Store, image_path
from autodip.benchmark.registry import METHODS
from autodip.choose.presets import CALIBRATED
from autodip.datasets import own_pairs
from autodip.datasets.pair import load
from autodip.report.averages import COLUMNS, MAIN_SCORES, by_image, difference, images_of, mean
from autodip.report.benchmark_table import by_group, means, paired
from benchmarks.pages import RESULTS, fill, methods_of, rows_of, table
from benchmarks.prior import save, sheet

PAGE, FOLDER = RESULTS / "field.md", RESULTS / "field"
ROWS, TIMING = FOLDER / "results.csv", FOLDER / "timing" / "results.csv"
REFERENCE = "balanced"
SHOWN = (
    "confocal actin",
    "confocal zebrafish",
    "twophoton actin",
    "twophoton mouse_brain",
    "widefield actin",
    "widefield mito",
)
"""Groups that have a picture, each by its capture 1."""
SIDE = 112
"""Side of a detail in the pictures, in pixels."""


def is_rival(method: str) -> bool:
    """Whether a method is neither ours, nor a bound, nor the noisy image."""
    return method not in (*CALIBRATED, "noisy") and not METHODS[method].oracle


def blocks() -> dict[str, str]:
    """Generated blocks of the page."""
    rows, timing = rows_of(ROWS), rows_of(TIMING)
    methods, first = methods_of(rows), shared(rows)
    everywhere = [name for name in methods if _images(rows, name) == _images(rows, "noisy")]
    found = {
        "means": means(everywhere, rows, MAIN_SCORES),
        "differences": paired(methods, rows, REFERENCE, MAIN_SCORES),
        "first": means(methods, first, MAIN_SCORES),
        "first-differences": paired(methods, first, REFERENCE, MAIN_SCORES),
        "rivals": "\n".join(where_rivals_are_better(rows)),
        "cost": costs(timing),
        "pictures": "\n\n".join(shown_pictures()),
    }
    for score in MAIN_SCORES:
        found[score] = by_group(everywhere, rows, partial(mean, name=score, over="images"))
    return found


def shown_pictures() -> Iterator[str]:
    """Pictures that have been drawn."""
    for group in SHOWN:
        if picture_of(group).exists():
            name = group.replace("_", " ").replace("twophoton", "two-photon")
            yield f"![Details of {name}](field/{picture_of(group).name})"


def picture_of(group: str) -> Path:
    """File of the picture of a group."""
    return FOLDER / f"{group.replace(' ', '_')}.png"


def _images(rows: Sequence[Row], method: str) -> int:
    return images_of([row for row in rows if row.method == method])


def shared(rows: Sequence[Row]) -> list[Row]:
    """Rows of the images that every method has."""
    images = [{row.image for row in rows if row.method == name} for name in methods_of(rows)]
    common = set.intersection(*images)
    return [row for row in rows if row.image in common]


def where_rivals_are_better(rows: Sequence[Row]) -> Iterator[str]:
    """For each group and score, the best of the rivals that have a better mean than ours."""
    groups = sorted({row.group for row in rows})
    scores = [name for name in MAIN_SCORES if any(getattr(row, name) is not None for row in rows)]
    lines, count = [], 0
    for group in groups:
        members = [row for row in rows if row.group == group]
        cells = [_better(members, score) for score in scores]
        count += sum(cell != "–" for cell in cells)
        lines.append([group, *cells])
    yield f"A rival has the better mean in {count} of {len(groups) * len(scores)} cases.\n"
    yield table(["group", *(COLUMNS[score].title for score in scores)], lines)


def _better(rows: Sequence[Row], score: str) -> str:
    """The rival of highest mean difference from ours, where it is better."""
    ours = [row for row in rows if row.method == REFERENCE]
    gains: dict[str, float] = {}
    for method in filter(is_rival, methods_of(rows)):
        theirs = [row for row in rows if row.method == method]
        mine, other = by_image(ours, score), by_image(theirs, score)
        both = [other[image] - mine[image] for image in mine if image in other]
        if both:
            gains[method] = COLUMNS[score].better * float(np.mean(both))
    best = max(gains, key=gains.__getitem__, default=None)
    if best is None or gains[best] <= 0:
        return "–"
    theirs = [row for row in rows if row.method == best]
    number = len(by_image(theirs, score).keys() & by_image(ours, score).keys())
    words = difference(theirs, ours, score)
    return f"{METHODS[best].title}: {words[:-1]} of {number})"


def costs(rows: Sequence[Row]) -> str:
    """Seconds and memory of every method on the images of the timing run."""
    if not rows:
        return "The timing run has not been made."
    machines = sorted({row.machine for row in rows})
    images = sorted({row.image for row in rows})
    lines = []
    for method in methods_of(rows):
        own = [row for row in rows if row.method == method]
        cells = [mean(own, name) for name in ("seconds", "cpu_seconds", "memory_mb")]
        lines.append([METHODS[method].title, str(images_of(own)), *cells])
    head = ["method", "images", "seconds", "CPU seconds", "peak memory, MB"]
    said = f"{'; '.join(machines)}; {', '.join(images)}."
    return f"{said}\n\n{table(head, lines)}"


def tables(arguments: argparse.Namespace) -> None:
    """Copy the rows, and write the blocks of the page."""
    if arguments.rows is not None:
        FOLDER.mkdir(parents=True, exist_ok=True)
        ROWS.unlink(missing_ok=True)
        Store(ROWS).add(rows_of(arguments.rows))
    fill(PAGE, blocks())


def pictures(arguments: argparse.Namespace) -> None:
    """One picture for each of some groups: two details of capture 1."""
    rows = rows_of(ROWS)
    pairs = {pair.name: pair for pair in own_pairs.scan(arguments.data).pairs}
    for group in SHOWN:
        members = [row for row in rows if row.group == group and row.image.endswith("_1")]
        noisy, truth = load(pairs[members[0].image], 0)
        images = {"noisy": noisy}
        for row in _chosen(members):
            title = f"{METHODS[row.method].title}, {row.psnr:.2f} dB / {row.lpips:.3f}"
            images[title] = io.read(image_path(arguments.images, row)).data
        file = picture_of(group)
        save(sheet({**images, "truth": truth.image}, SIDE), file)
        print(f"{file}  {file.stat().st_size / 1000:.0f} kB", flush=True)


def _chosen(rows: Sequence[Row]) -> list[Row]:
    """Rivals of highest PSNR and lowest LPIPS, and presets of autodip."""
    rivals = [row for row in rows if is_rival(row.method)]
    best = [
        max(rivals, key=lambda row: row.psnr or 0.0),
        min(rivals, key=lambda row: row.lpips or np.inf),
    ]
    ours = [row for row in rows if row.method in ("untrained", "balanced")]
    return list({row.method: row for row in (*best, *ours)}.values())


def main() -> None:
    """Run the command of the arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("tables")
    one.add_argument("--rows", type=Path, help="results.csv of the benchmark")
    one.set_defaults(run=tables)
    one = commands.add_parser("pictures")
    one.add_argument("--data", type=Path, required=True)
    one.add_argument("--images", type=Path, required=True)
    one.set_defaults(run=pictures)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
