"""Structure that only the result has, from the run to the note, the sidecar, report and summary."""

import csv

import numpy as np
import pytest
import tifffile

import autodip
from autodip.napari.account import Account
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate
from autodip.pipeline import learned_tasks
from autodip.report.page.card import Card
from autodip.runs import sidecar as sidecars
from tests.cli.conftest import sidecar


@pytest.fixture
def image(tmp_path):
    noisy, _ = simulate("mito", Optics(microscope="confocal"), size=96)
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, noisy)
    return path


@pytest.fixture
def inventing(monkeypatch):
    """The result gets a bright line in row 48 before it is assessed."""
    own = learned_tasks.to_dtype

    def with_a_line(pixels, dtype):
        pixels = np.array(pixels)
        pixels[47:50, 20:70] += 0.25 * np.ptp(pixels)
        return own(pixels, dtype)

    monkeypatch.setattr(learned_tasks, "to_dtype", with_a_line)


def test_an_invented_line(cli, image, inventing, tmp_path):
    code, out, err = cli("denoise", image, "-o", tmp_path / "out", "--preset", "fast", "--report")
    assert code == 0
    note = "holds structure that the noisy image does not support: filament at row 4"
    assert note in (out + err).replace("\n", " ")
    target = tmp_path / "out" / "cells.tif"
    support = sidecar(target)["planes"][0]["assessment"]["support"]
    (place,) = (one for one in support["places"] if one["direction"] == "added")
    assert place["kind"] == "filament"
    assert abs(place["y"] - 48) <= 3
    assert sidecars.recorded(target).planes[0].assessment.support.count == support["count"]
    page = target.with_name("cells.tif.autodip.html")
    text = page.read_text()
    assert '<g class="added"><rect' in text
    assert "filament, added" in text
    assert Card.of_page(page).unsupported == 1


def test_the_summary_of_a_folder_counts_them(cli, image, inventing, tmp_path):
    tifffile.imwrite(image.with_name("more.tif"), tifffile.imread(image))
    assert cli("denoise", image, image.with_name("more.tif"), "-o", tmp_path / "out",
               "--preset", "fast")[0] == 0  # fmt: skip
    with (tmp_path / "out" / "summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["unsupported"] for row in rows] == ["1", "1"]


def test_nothing_is_noted_of_a_faithful_result(cli, image, tmp_path):
    code, out, err = cli("denoise", image, "-o", tmp_path / "out.tif", "--preset", "fast")
    assert code == 0
    assert "support" not in out + err
    assert sidecar(tmp_path / "out.tif")["planes"][0]["assessment"]["support"]["count"] == 0


def test_sidecars_of_versions_without_the_test_are_read(cli, image, tmp_path):
    assert cli("denoise", image, "-o", tmp_path / "out.tif", "--preset", "fast")[0] == 0
    content = sidecar(tmp_path / "out.tif")
    del content["planes"][0]["assessment"]["support"]
    assert sidecars.Sidecar.parse(content).planes[0].assessment.support is None


def test_the_result_and_the_plugin_state_it(image, inventing):
    noisy = autodip.read(image)
    result = autodip.denoise(noisy, preset="fast")
    (place,) = (p for p in result.assessment.support.places if p.direction == "added")
    assert place.kind == "filament"
    assert "does not support" in result.summary()
    findings = {one.name: one for one in Account.of(noisy, result).findings}
    assert findings["Not in the noisy image"].value == "structure in 1 place"
    assert findings["Not in the noisy image"].doubtful
