import numpy as np
import pytest
import tifffile

from autodip.benchmark import Cell, Row, image_path
from autodip.benchmark.environment import environment
from autodip.benchmark.registry import find
from autodip.datasets.pair import Pair
from autodip.report import benchmark_table
from autodip.report.crops import crops


def row(image, method, group="g", **figures):
    figures = {"status": "done", "ssim": 0.9, **figures}
    return Row(
        dataset="set",
        image=image,
        group=group,
        noise_level="raw",
        role="test",
        crop=0,
        pixels="ff",
        method=method,
        version="1",
        settings="{}",
        **figures,
    )


@pytest.fixture
def rows():
    return [
        row("a", "noisy", "one", psnr=20.0, lpips=0.5, seconds=0.1),
        row("b", "noisy", "two", psnr=30.0, lpips=0.3, seconds=0.3),
        row("a", "blur", "one", psnr=25.0, lpips=0.4, seconds=1.0),
        row("b", "blur", "two", psnr=35.0, lpips=0.2, seconds=1.0),
        row("a", "published", "one", psnr=26.0, lpips=0.1, seconds=90.0),
        row("b", "published", "two", status="not run", predicted_seconds=5.4 * 3600),
    ]


def sections(text):
    parts = text.split("\n## ")[1:]
    return {part.split("\n")[0]: part for part in parts}


def table(rows):
    return sections(benchmark_table.table(rows, "autodip benchmark x", environment()))


def test_means_are_over_what_is_there_and_say_so(rows):
    means = table(rows)["Means over the images"]
    assert "| noisy | 2 | 25.00 ± 7.07 |" in means
    assert "| blur, 1 px | 2 | 30.00 ± 7.07 |" in means
    assert "| AUTO-DIP as published | 1 of 2 | 26.00 |" in means


def test_means_that_can_be_compared_have_a_table_of_their_own(rows):
    means = table(rows)["Means over those images that all of these have (1)"]
    assert "| noisy | 1 | 20.00 |" in means
    assert "| blur, 1 px | 1 | 25.00 |" in means
    assert "| AUTO-DIP as published | 1 | 26.00 |" in means
    assert not any("that all of these have" in name for name in table(rows[:4]))


def test_groups_tell_what_was_not_run_and_its_cost(rows):
    groups = table(rows)["PSNR, dB, by group"]
    assert "| method | one | two |" in groups
    assert "| noisy | 20.00 | 30.00 |" in groups
    assert "| AUTO-DIP as published | 26.00 | not run, about 5.4 h |" in groups
    assert "| AUTO-DIP as published | 0.100 | not run" in table(rows)["LPIPS, by group"]


def test_the_spread_is_that_of_the_groups_and_of_the_images_in_them(rows):
    more = [row("c", "noisy", "two", psnr=33.0), row("d", "noisy", "two", psnr=36.0)]
    found = table([*rows, *more])
    assert "| noisy | 4 | 29.75 ± 9.19 |" in found["Means over the images"]  # of 20 and 33
    assert "| noisy | 20.00 | 33.00 ± 3.00 |" in found["PSNR, dB, by group"]
    perfect = [r.replace(psnr=float("inf")) if r.image == "a" else r for r in rows]
    assert "| noisy | 2 | inf |" in table(perfect)["Means over the images"]
    text = benchmark_table.table(perfect, "x", environment(), "noisy")
    assert "| blur, 1 px | 2 | +5.00 (1) |" in text


def test_differences_are_taken_image_by_image(rows):
    more = [row("c", "noisy", "two", psnr=33.0, lpips=0.1), row("c", "tv", "two", psnr=40.0)]
    found = sections(benchmark_table.table([*rows, *more], "x", environment(), "noisy"))
    differences = found["Differences from noisy, image by image"]
    assert "better than noisy" in differences
    assert "| method | images | PSNR, dB | SSIM | LPIPS |" in differences
    assert (
        "| blur, 1 px | 2 | +5.00 ± 0.00 (2) | +0.000 ± 0.000 (0) | -0.100 ± 0.000 (2) |"
        in differences
    )
    assert "| AUTO-DIP as published | 1 | +6.00 (1) |" in differences
    assert "| TV | 1 | +7.00 (1) | +0.000 (0) | – |" in differences
    assert "| noisy |" not in differences
    assert not any("Differences" in name for name in table(rows))  # none of them is balanced


def test_groups_of_several_data_sets_are_told_apart(rows):
    other = Row(
        dataset="other",
        image="c",
        group="one",
        noise_level="raw",
        role="test",
        crop=0,
        pixels="f",
        method="noisy",
        version="1",
        settings="{}",
        status="done",
        psnr=40.0,
    )
    found = table([*rows, other, row("d", "noisy").replace(noise_level="avg2", psnr=50.0)])
    assert "| noisy | 40.00 |" in found["PSNR, dB, by group (other, raw)"]
    assert "| noisy | 20.00 | 30.00 |" in found["PSNR, dB, by group (set, raw)"]
    assert "| noisy | 1 | 50.00 | 0.900 |" in found["Means over the images (set, avg2)"]


def test_seconds_and_memory_are_by_group_too(rows):
    heavy = [r.replace(memory_mb=512.0) for r in rows]
    costs = table(heavy)["Seconds / peak memory in MB for an image, by group"]
    assert "| noisy | 0.1 / 512 | 0.3 / 512 |" in costs


def test_a_mean_over_fewer_images_says_so(rows):
    lacking = [r.replace(lpips=None) if r.image == "a" else r for r in rows]
    means = table(lacking)["Means over the images"]
    assert "| noisy | 2 | 25.00 ± 7.07 | 0.900 ± 0.000 | 0.300 (1 of 2) |" in means


def test_seeds_are_averaged_within_their_image(rows):
    again = rows[1].replace(psnr=40.0, settings='{"seed":1}')
    assert "| noisy | 2 | 27.50 ± 10.61 |" in table([*rows, again])["Means over the images"]


def test_numbers_have_no_exponent(rows):
    long = [r.replace(seconds=12619.0) if r.method == "blur" else r for r in rows]
    long = [r.replace(seconds=3e-5) if r.method == "noisy" else r for r in long]
    long[-1] = long[-1].replace(predicted_seconds=5e5)
    text = benchmark_table.table(long, "x", environment())
    assert "| noisy | <0.01 / – | <0.01 / – |" in text
    assert "| blur, 1 px | 12619 / – | 12619 / – |" in text
    assert "not run, about 139 h" in text
    assert "e+" not in text


def test_failures_are_named(rows):
    broken = row("a", "tv", "one", status="failed", reason="no luck")
    found = table([*rows, broken])
    assert "- a, tv: no luck" in found["Failed"]
    assert (
        "| TV | failed | not run |" in found["Seconds / peak memory in MB for an image, by group"]
    )
    assert "| TV |" not in found["PSNR, dB, by group"]


def test_figures_that_are_missing_have_a_dash(rows):
    nothing = [r.replace(lpips=None) for r in rows[:2]]
    nothing[1] = nothing[1].replace(ssim=None)
    found = table(nothing)
    assert "| noisy | 0.900 | – |" in found["SSIM, by group"]
    assert not any("LPIPS" in name for name in found)


def test_oracles_are_said_to_be_bounds(rows):
    text = benchmark_table.table([*rows, row("a", "oracle-tv")], "x", environment())
    assert "bounds, not methods" in text
    assert "bounds" not in benchmark_table.table(rows, "x", environment())


def test_the_figure_shows_the_first_image_of_each_group(tmp_path, rng):
    image = rng.integers(0, 256, (64, 64)).astype(np.uint8)
    pair = Pair("set", "a", lambda: (image, image), None, None, noise_level="raw", fov="1")
    cells = []
    for r in (
        row("a", "noisy"),
        row("b", "noisy"),
        row("a", "blur"),
        row("a", "tv", status="failed"),
    ):
        cells.append(Cell(pair, find(r.method), 0, r))
        path = image_path(tmp_path, r)
        path.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(path, image)
    rows = [cell.row for cell in cells]
    sheet = crops(cells, rows, tmp_path)
    assert sheet.width == 110 + 3 * (200 + 8)  # the group, noisy, blur, truth
    assert crops(cells[3:], rows[3:], tmp_path) is None


def test_the_figure_survives_a_damaged_picture_and_shows_stretched_ones(tmp_path, rng):
    truth = rng.integers(0, 200, (64, 64)).astype(np.uint8)
    pair = Pair(
        "set", "a", lambda: (truth, truth), None, None, noise_level="raw", fov="1", stretched=True
    )
    cells = [Cell(pair, find(name), 0, row("a", name)) for name in ("noisy", "blur")]
    for cell in cells:
        path = image_path(tmp_path, cell.row)
        path.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(path, truth * np.float32(0.02) + 100)
    rows = [cell.row for cell in cells]
    image_path(tmp_path, rows[1]).write_bytes(b"II*\0")
    sheet = np.asarray(crops(cells, rows, tmp_path))
    assert sheet.shape[1] == 110 + 2 * (200 + 8)
    shown = sheet[90:200, 110 : 110 + 140]
    assert shown.std() > 20
