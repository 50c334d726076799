"""ND2, LIF and CZI.

The CZI files were written by pylibCZIrw, Zeiss's own library. The ND2 and LIF files are generated
by helpers in the form that the packages nd2 and liffile read; no microscope wrote them.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from autodip import io
from autodip.errors import FormatError, MissingPackageError, ParameterError
from tests.helpers import lif_file, nd2_file

DATA = Path(__file__).parents[1] / "data"
NAMES, COLOURS = ("DAPI", "Alexa 488"), ("0000FF", "00FF00")
STEPS = {"X": 1e-7, "Y": 2e-7, "Z": 3e-7, "T": 2.5}


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 4000, (2, 2, 3, 2, 20, 24)).astype(np.uint16)


@pytest.fixture
def nikon(tmp_path, pixels):
    """Two frames, two positions, three slices, two channels."""
    nd2_file.write(tmp_path / "cells.nd2", pixels, "TPZCYX", NAMES, COLOURS)
    return tmp_path / "cells.nd2"


@pytest.fixture
def leica(tmp_path, pixels):
    """A stack of two channels, a plane, and a mosaic."""
    stack = pixels[:, 0].swapaxes(1, 2)
    images = {
        "Series001": (stack, "TCZYX"),
        "Overview": ((pixels[0, 0, 0, 0] // 16).astype(np.uint8), "YX"),
        "Tiles": (pixels[0, 0, :, 0], "MYX"),
    }
    lif_file.write(tmp_path / "cells.lif", images, STEPS, NAMES, ["Blue", "Green"])
    return tmp_path / "cells.lif"


@pytest.fixture
def zeiss(tmp_path):
    """Two scenes, two frames, two channels, two slices; Zstandard with separated bytes."""
    return Path(shutil.copy(DATA / "two_scenes.czi", tmp_path))


def zeiss_pixels(scene):
    frame, channel, z, y, x = np.mgrid[:2, :2, :2, :12, :16]
    return (1000 * scene + 500 * frame + 100 * channel + 30 * z + 3 * y + x).astype(np.uint16)


def test_nd2(nikon, pixels):
    for number, scene in ((0, 0), (1, "well 1")):
        image = io.read(nikon, scene=scene)
        assert image.axes == "TZCYX"
        np.testing.assert_array_equal(image.data, pixels[:, number])
        assert image.pixel_size == {"X": 0.11, "Y": 0.11, "Z": 0.3}
        assert image.time_step == 2.5
        assert image.channel_names == NAMES
        assert image.channel_colours == COLOURS
        assert "LaserScanningConfocalMicroscopy" in [hint.text for hint in image.hints[1]]


def test_nd2_of_one_plane_without_times(tmp_path, pixels):
    nd2_file.write(tmp_path / "a.nd2", pixels[0, 0, 0], "CYX", NAMES, COLOURS)
    image = io.read(tmp_path / "a.nd2")
    assert image.axes == "CYX"
    assert image.time_step is None
    np.testing.assert_array_equal(image.data, pixels[0, 0, 0])


def test_lif(leica, pixels):
    image = io.read(leica, scene="Series001")
    assert image.axes == "TCZYX"
    np.testing.assert_array_equal(image.data, pixels[:, 0].swapaxes(1, 2))
    assert image.pixel_size == {"X": 0.1, "Y": 0.2, "Z": 0.3}
    assert image.time_step == 2.5
    assert image.channel_names == NAMES
    assert image.channel_colours == COLOURS
    assert [hint.text for hint in image.hints[1]] == ["Confocal", "Alexa 488"]
    overview = io.read(leica, scene=1)
    assert (overview.axes, overview.data.dtype) == ("YX", np.uint8)
    with pytest.raises(FormatError, match="M mosaic tiles"):
        io.read(leica, scene="Tiles")
    assert io.read(leica, "zyx", scene="Tiles").data.shape == (3, 20, 24)


def test_czi(zeiss):
    for scene in (0, 1):
        image = io.read(zeiss, scene=scene)
        assert image.axes == "TCZYX"
        np.testing.assert_array_equal(image.data, zeiss_pixels(scene))
        assert image.pixel_size == {"X": 0.1, "Y": 0.1, "Z": 0.3}
        assert image.channel_names == ("DAPI", "GFP")
        assert image.channel_colours == ("0000FF", "00FF00")
        assert image.hints[0][0].text == "DAPI"


def test_czi_of_two_tiles_in_colours():
    image = io.read(DATA / "mosaic_rgb.czi")
    assert image.axes == "YXS"
    y, x = np.mgrid[:10, :16]
    red_green_blue = np.stack([y + x + 12, y + x + 11, y + x + 10], -1)
    np.testing.assert_array_equal(image.data, red_green_blue)


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("nikon", "2 images: 0 'well 0', 1 'well 1'"),
        ("leica", "3 images: 0 'Series001', 1 'Overview', 2 'Tiles'"),
        ("zeiss", "2 images: 0, 1;"),
    ],
)
def test_which_of_several_must_be_said(request, name, listed):
    path = request.getfixturevalue(name)
    with pytest.raises(FormatError, match=listed):
        io.read(path)
    with pytest.raises(ParameterError, match="there is no image 'other'"):
        io.read(path, scene="other")


@pytest.mark.parametrize("name", ["nikon", "leica", "zeiss"])
@pytest.mark.parametrize("form", ["ome-tiff", "ome-zarr", "ome-zarr-0.4"])
def test_written_in_an_open_format(request, tmp_path, name, form):
    path = request.getfixturevalue(name)
    image = io.read(path, scene=0)
    target = tmp_path / io.output_name(path.name, form)
    io.write(target, image, format=form)
    back = io.read(target)
    order = [image.axes.index(a) for a in back.axes]
    np.testing.assert_array_equal(back.data, image.data.transpose(order))
    assert back.data.dtype == image.data.dtype
    for field in ("pixel_size", "time_step", "channel_names", "channel_colours"):
        assert getattr(back, field) == getattr(image, field)
    if form == "ome-tiff":
        assert back.axes == image.axes


def test_nd2_keeps_its_metadata_in_ome_tiff(nikon, tmp_path):
    image = io.read(nikon, scene=1).select(slice(1, 2), "Alexa 488")
    io.write(tmp_path / "a.ome.tif", image)
    back = io.read(tmp_path / "a.ome.tif")
    assert back.channel_names == ("Alexa 488",)
    assert "LaserScanningConfocalMicroscopy" in [hint.text for hint in back.hints[0]]
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tif:
        assert 'Name="well 1"' in tif.ome_metadata
        assert tif.ome_metadata.count("<Plane ") == 3
        assert 'PositionX="10.0"' in tif.ome_metadata


@pytest.mark.parametrize("name", ["nikon", "leica", "zeiss"])
@pytest.mark.parametrize("part", [0.05, 0.4, 0.8])
def test_damaged(request, name, part):
    path = request.getfixturevalue(name)
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(FormatError, match=r"readable|truncated"):
        io.read(path, scene=0)


@pytest.mark.parametrize("suffix", [".nd2", ".lif", ".czi"])
def test_other_content(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"II*\0" + bytes(200))
    with pytest.raises(FormatError, match="begins like a TIFF"):
        io.read(path)


@pytest.mark.parametrize("suffix", [".nd2", ".lif", ".czi"])
def test_they_are_not_written(tmp_path, suffix, nikon):
    with pytest.raises(FormatError, match="allowed endings are"):
        io.write(tmp_path / f"a{suffix}", io.read(nikon, scene=0))


@pytest.mark.parametrize(
    ("suffix", "package"),
    [(".nd2", "nd2"), (".lif", "liffile"), (".czi", "czifile"), (".mrc", "mrcfile")],
)
def test_missing_package(tmp_path, monkeypatch, suffix, package):
    monkeypatch.setitem(sys.modules, package, None)
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"content")
    with pytest.raises(MissingPackageError, match=rf'pip install.* "{package}[<>]'):
        io.read(path)
