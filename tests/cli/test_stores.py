"""Zarr stores on the command line: links, gaps, damage, and which image is used."""

import json

import numpy as np
import pytest

from autodip import io
from autodip.image.image import Image
from autodip.io import large
from tests.cli.conftest import QUICK, sidecar
from tests.helpers import ngff_store as store


@pytest.fixture
def linked(tmp_path, sample):
    """A store whose pixels are elsewhere."""
    path = store.write(tmp_path / "a.ome.zarr", sample[0], store.multiscale())
    (path / "0").rename(tmp_path / "elsewhere")
    (path / "0").symlink_to(tmp_path / "elsewhere")
    return path


def test_links_are_followed_on_request_and_when_the_run_is_repeated(cli, denoise, linked, tmp_path):
    for command in (
        ("info", linked),
        ("params", linked),
        ("denoise", linked, "-o", tmp_path / "o"),
    ):
        code, _, err = cli(*command)
        assert code == 1
        assert "leads out of the store" in err
    assert cli("info", linked, "--follow")[0] == cli("params", linked, "--follow")[0] == 0
    target, again = tmp_path / "b.ome.zarr", tmp_path / "c.ome.zarr"
    assert denoise(linked, "-o", target, "--follow")[0] == 0
    assert sidecar(target)["selection"]["follow"] is True
    params = target.with_name("b.ome.zarr.autodip.json")
    assert cli("denoise", linked, "-o", again, "--params", params)[0] == 0
    np.testing.assert_array_equal(io.read(again).data, io.read(target).data)


def test_the_images_of_a_plate_with_a_gap(denoise, sample, tmp_path):
    plate = store.plate(tmp_path / "p.ome.zarr", ["A/1", "A/2", "A/3"], sample[0], ["A/1", "A/3"])
    code, out, _ = denoise(plate, "-o", tmp_path / "out", "--scene", "A/3/0")
    assert code == 0
    assert "note: images that are missing or damaged: A/2" in out
    assert denoise(plate, "-o", tmp_path / "other")[0] == 1
    code, _, err = denoise(plate, "-o", tmp_path / "other", "--scene", "A/2/0")
    assert code != 0
    assert "the file holds 0 'A/1/0', 1 'A/3/0'" in err


@pytest.mark.parametrize("limit", [2**28, 1000])
def test_a_damaged_chunk_fails_alone(cli, sample, tmp_path, monkeypatch, limit):
    monkeypatch.setattr(large, "LARGE", limit)
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        store.write(tmp_path / "in" / f"{name}.ome.zarr", sample[0], store.multiscale())
    (tmp_path / "in" / "a.ome.zarr" / "0" / "1" / "1").write_bytes(b"damaged")
    code, _, err = cli("denoise", tmp_path / "in", "-o", tmp_path / "out", *QUICK)
    assert code == 1
    assert "a.ome.zarr/0/1/1: damaged chunk" in err
    assert io.read(tmp_path / "out" / "b.ome.zarr").data.shape == sample[0].shape
    assert not (tmp_path / "out" / "a.ome.zarr").exists()


def test_a_url_is_named(cli):
    code, _, err = cli("info", "https://host/a.ome.zarr")
    assert code == 1
    assert "this is a URL" in err
    assert len(err.splitlines()) == 1


def test_notes_and_sizes_of_a_scan(cli, sample, tmp_path):
    path = store.write(tmp_path / "a.zarr", sample[0], store.multiscale("zx", [0.5, 0.2]))
    found = json.loads(cli("info", path, "--json")[1])
    assert found["pixel_size_um"] == {"Y": 0.5, "X": 0.2}
    assert found["notes"] == ["a scan without Y: its rows are Z (depth)"]


def test_a_part_of_a_store_is_named_as_such(denoise, tmp_path):
    io.write(tmp_path / "a.ome.zarr", Image(np.ones((16, 16), "uint16"), "YX"))
    code, _, err = denoise(tmp_path / "a.ome.zarr" / "0", "-o", tmp_path / "out")
    assert (code, "a part of a Zarr store" in err, "--scene" in err) == (1, True, True)
