"""Notes of a reader reach the user and the sidecar."""

import json

import numpy as np
import pytest

from autodip import io
from autodip.image.image import Image
from tests.cli.conftest import sidecar

NOTE = "2 pages were left out"


@pytest.fixture
def noted(tmp_path, sample, monkeypatch):
    """A file whose reader has something to note."""
    path = tmp_path / "a.npy"
    np.save(path, sample[0])
    image = Image(sample[0], "YX").noted(NOTE)
    monkeypatch.setattr(io, "read", lambda *given, **more: image)
    return path


def test_with_the_result_and_in_the_sidecar(denoise, noted, tmp_path):
    target = tmp_path / "out" / "a.npy"
    code, out, _ = denoise(noted, "-o", target)
    assert code == 0
    assert f"  note: {NOTE}" in out.splitlines()
    assert sidecar(target)["notes"] == [NOTE]


def test_before_the_fit(denoise, cli, noted, tmp_path):
    for arguments in (("denoise", noted, "-o", tmp_path / "b.npy", "--dry-run"), ("params", noted)):
        assert f"  note: {NOTE}" in cli(*arguments)[1].splitlines()
    assert f"  note        {NOTE}" in cli("info", noted)[1].splitlines()
    assert json.loads(cli("info", noted, "--json")[1])["notes"] == [NOTE]


def test_in_the_table_of_a_batch(denoise, noted, tmp_path):
    np.save(tmp_path / "b.npy", np.load(noted))
    denoise(noted, tmp_path / "b.npy", "-o", tmp_path / "out")
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert [one["notes"][0] for one in run["files"]] == [NOTE, NOTE]
    assert NOTE in (tmp_path / "out" / "summary.csv").read_text()


def test_with_a_part_of_the_image():
    film = Image(np.eye(4)[None].repeat(3, 0), "TYX").noted(NOTE)
    assert film.select(frames=slice(1, 2)).averaged().notes == (NOTE,)
