"""``autodip benchmark`` on a small data set in the layout of a manifest, and on real images."""

import csv
import json

import numpy as np
import pytest
from PIL import Image as Picture

from autodip.benchmark import runner
from autodip.metrics import weights
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate

FIELDS = {"microscope": "confocal", "noise_level": "raw", "licence": "none"}


@pytest.fixture
def root(tmp_path):
    """Two groups of two test images each, and one calibration image."""
    folder = tmp_path / "data"
    folder.mkdir()
    entries = []
    for number, specimen in enumerate(("mito", "mito", "actin", "actin", "actin")):
        noisy, truth = simulate(specimen, Optics(microscope="confocal"), size=64, seed=number)
        for kind, image in (("noisy", noisy), ("truth", truth)):
            grey = (image.astype(float) / truth.max() * 200).clip(0, 255).astype(np.uint8)
            Picture.fromarray(grey).save(folder / f"{kind}{number}.png")
        role = "calibration" if number == 4 else "test"
        files = {"file": f"noisy{number}.png", "truth": f"truth{number}.png"}
        place = {"set": "cells", "role": role, "fov": number, "capture": 1}
        entries.append({**FIELDS, **place, **files, "specimen": specimen})
    (folder / "manifest.json").write_text(json.dumps(entries))
    return folder


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def benchmark_cells(cli, root, out):
    return lambda *more: cli("benchmark", "shared", "--root", root, "--out", out, *more)


def rows(out):
    with (out / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.usefixtures("same_process")
def test_it_writes_rows_table_figure_and_environment(benchmark_cells, out):
    code, printed, said = benchmark_cells(
        "--methods", "noisy,blur,untrained", "--max-hours", "0.0001"
    )
    assert code == 0
    assert printed == (out / "table.md").read_text()
    assert "autodip benchmark" in printed
    assert "| method | confocal actin | confocal mito |" in printed
    assert "not run, about" in printed
    assert "| autodip untrained | 0 of 4 |" in printed
    assert said.count(" dB") == 8
    found = rows(out)
    assert len(found) == 8  # what was not run is in the table alone
    assert {row["role"] for row in found} == {"test"}
    assert json.loads((out / "environment.json").read_text())["cores"] >= 1
    with Picture.open(out / "crops.png") as figure:
        assert figure.size[0] > 3 * 150
        assert figure.size[1] > 2 * 150
    assert len(list((out / "images").rglob("blur-*.tif"))) == 4


@pytest.mark.usefixtures("same_process")
def test_started_again_it_goes_on(benchmark_cells, out):
    benchmark_cells("--methods", "noisy", "--limit", "1")
    assert len(rows(out)) == 2
    code, printed, said = benchmark_cells("--methods", "noisy")
    assert len(rows(out)) == 4
    assert said.count(" dB") == 2
    assert "| noisy | 4 |" in printed
    assert code == 0
    _, printed, _ = benchmark_cells("--methods", "noisy,blur", "--reference", "noisy")
    assert "## Differences from noisy, image by image" in printed


def test_a_stop_loses_nothing(benchmark_cells, out, monkeypatch):
    work, calls = runner.cells.run, []

    def stop_at_third(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return work(*arguments)

    monkeypatch.setattr(runner.cells, "run", stop_at_third)
    code, _, said = benchmark_cells("--methods", "noisy")
    assert code == 130
    assert "interrupted" in said
    assert len(rows(out)) == 2
    assert "| noisy | 2 of 4 |" in (out / "table.md").read_text()
    monkeypatch.setattr(runner.cells, "run", work)
    benchmark_cells("--methods", "noisy")
    complete = (out / "table.md").read_text()
    monkeypatch.setattr(
        runner.Cell, "to_score", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    assert benchmark_cells("--methods", "noisy")[0] == 130
    assert (out / "table.md").read_text() == complete


@pytest.mark.usefixtures("same_process")
def test_images_can_be_chosen(benchmark_cells, out):
    code, _, _ = benchmark_cells("--methods", "noisy", "--where", "role=calibration")
    assert (code, [row["role"] for row in rows(out)]) == (0, ["calibration"])
    code, _, said = benchmark_cells("--methods", "noisy", "--where", "microscope=widefield")
    assert code == 2
    assert "microscope: confocal" in said
    code, _, said = benchmark_cells("--methods", "noisy", "--where", "colour=red")
    assert (code, "FIELD=VALUE" in said) == (2, True)


@pytest.mark.usefixtures("same_process")
def test_a_failure_is_in_the_table_and_in_the_exit_code(benchmark_cells, out, root):
    (root / "noisy2.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    code, printed, said = benchmark_cells("--methods", "noisy,blur")
    assert code == 1
    assert "## Failed" in printed
    assert "noisy2" in printed
    assert "failed" in said
    assert sum(row["status"] == "done" for row in rows(out)) == 6


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--methods", "wiener"), "known are noisy"),
        (("--methods", ","), "names no method"),
        (("--crop", "5"), "64 pixels or more"),
        (("--seeds", "a"), "whole numbers"),
        (("--device", "tpu"), "allowed are auto"),
    ],
)
def test_wrong_usage_is_said_before_anything_is_written(benchmark_cells, out, arguments, named):
    code, _, said = benchmark_cells(*arguments)
    assert code == 2
    assert named in said
    assert not out.exists()


@pytest.mark.usefixtures("same_process")
def test_noisy_row_of_the_fmd_test_set(cli, shared, out, monkeypatch):
    """27.1 dB and 0.365 on capture 1 of the twelve groups, as published for the whole set."""
    monkeypatch.setenv(weights.VARIABLE, str(shared / "weights" / "lpips_alex_v0.1.npz"))
    root = shared / "data"
    where = ("--where", "capture=1", "--methods", "noisy")
    code, printed, _ = cli("benchmark", "shared", "--root", root, "--out", out, *where)
    assert code == 0
    figures = [(float(row["psnr"]), float(row["lpips"])) for row in rows(out)]
    assert len(figures) == 12
    assert np.mean(figures, axis=0) == pytest.approx((27.108, 0.3654), abs=5e-4)
    assert "27.11" in printed
