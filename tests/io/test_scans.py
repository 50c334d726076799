"""Scans without rows, wavelengths and other dimensions that an image does not have."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from autodip import io
from autodip.errors import FormatError
from autodip.io import czi, dimensions
from tests.helpers import lif_file, nd2_file

NAMES, TABLES = list("abcdefgh"), ["Green"] * 8
STEPS = {"X": 1e-7, "Y": 2e-7, "Z": 3e-7, "T": 2.5}


def leica(path, axes, shape):
    data = np.arange(math.prod(shape), dtype=np.uint16).reshape(shape)
    lif_file.write(path, {"Series": (data, axes)}, STEPS, NAMES, TABLES)
    return data


@pytest.mark.parametrize(
    ("stored", "read", "pixel_size", "time_step"),
    [
        ("ZX", "YX", {"X": 0.1, "Y": 0.3}, None),
        ("TX", "YX", {"X": 0.1}, None),
        ("TZX", "TYX", {"X": 0.1, "Y": 0.3}, 2.5),
        ("ZTX", "YTX", {"X": 0.1, "Y": 0.3}, 2.5),
        ("ZCX", "YCX", {"X": 0.1, "Y": 0.3}, None),
        ("XZ", "XY", {"X": 0.1, "Y": 0.3}, None),
        ("ZY", "YX", {"X": 0.2, "Y": 0.3}, None),
        ("TY", "YX", {"X": 0.2}, None),
    ],
)
def test_z_or_t_are_the_rows_of_a_scan_without_y(tmp_path, stored, read, pixel_size, time_step):
    path = tmp_path / "scan.lif"
    data = leica(path, stored, tuple({"C": 2}.get(axis, 5) for axis in stored))
    image = io.read(path)
    assert image.axes == read
    np.testing.assert_array_equal(image.data, data)
    assert image.pixel_size == pixel_size
    assert image.time_step == time_step
    (note,) = image.notes
    assert f"rows are {'Z' if 'Z' in stored else 'T'}" in note
    io.write(tmp_path / "b.ome.tif", image)
    assert io.read(tmp_path / "b.ome.tif").pixel_size == pixel_size


@pytest.mark.parametrize("axes", ["X", "Y", "T", "ZT", "CX"])
def test_a_line_is_no_image(tmp_path, axes):
    leica(tmp_path / "line.lif", axes, (6, 7)[: len(axes)])
    with pytest.raises(FormatError, match="no rows and columns"):
        io.read(tmp_path / "line.lif")


@pytest.mark.parametrize(
    ("stored", "shape", "channels"),
    [("λYX", (4, 5, 6), 4), ("λCYX", (4, 2, 5, 6), 8), ("ΛλYX", (2, 3, 5, 6), 6)],
)
def test_wavelengths_are_channels(tmp_path, stored, shape, channels):
    path = tmp_path / "spectrum.lif"
    data = leica(path, stored, shape)
    image = io.read(path)
    assert (image.axes, image.channels) == ("CYX", channels)
    assert sorted(image.data.flat) == sorted(data.flat)
    assert "emission wavelengths" in image.notes[0]
    assert image.channel_names == ()


@pytest.mark.parametrize(
    ("stored", "advice"),
    [
        ("MYX", "M mosaic tiles are read one by one with --axes TYX"),
        ("TMYX", "with --axes TZYX"),
        ("AYX", "give --axes with supported letters"),
    ],
)
def test_what_has_no_place_is_named(tmp_path, stored, advice):
    leica(tmp_path / "a.lif", stored, (2, 3, 5, 6)[-len(stored) :])
    with pytest.raises(FormatError, match=advice):
        io.read(tmp_path / "a.lif")


@pytest.mark.parametrize(("axis", "pixel_size"), [("T", {"X": 0.11}), ("Z", {"X": 0.11, "Y": 0.3})])
def test_a_single_row_is_a_line_scan(tmp_path, rng, axis, pixel_size):
    pixels = rng.integers(0, 4000, (20, 2, 1, 24)).astype(np.uint16)
    nd2_file.write(tmp_path / "a.nd2", pixels, f"{axis}CYX", ("x", "y"), ("FF0000", "00FF00"))
    image = io.read(tmp_path / "a.nd2")
    assert image.axes == "YCX"
    np.testing.assert_array_equal(image.data, pixels[:, :, 0])
    assert image.pixel_size == pixel_size
    assert image.channel_names == ("x", "y")


def block(value, **start):
    """Subblock of a CZI file of 2 x 3 pixels."""
    return SimpleNamespace(
        start=start,
        size={"T": 1, "H": 1, "Y": 2, "X": 3, "0": 1},
        samples=1,
        dtype=np.dtype(np.uint8),
        pixels=lambda: np.full((2, 3, 1), value, np.uint8),
    )


def test_phases_of_a_czi_are_channels_and_absent_planes_are_named():
    blocks = [block(1, T=0, H=0), block(2, T=0, H=1), block(3, T=1, H=0)]
    data, axes, absent = czi._assembled(blocks)
    assert data[:, :, 0, 0].tolist() == [[1, 2], [3, 0]]
    assert "1 of 4 planes are not in the file" in absent[0]
    image = dimensions.image_of(data, axes, channels={"H": "phases (H)"})
    assert image.axes == "TCYX"


def test_a_czi_without_its_metadata_is_read():
    xml, notes = czi._metadata(SimpleNamespace(metadata=lambda: "<broken"))
    assert czi._pixel_size(xml) == {}
    assert "metadata cannot be read" in notes[0]
