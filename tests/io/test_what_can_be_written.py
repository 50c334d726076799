"""What a format cannot store is known without the pixels: the check and the writer agree."""

import itertools

import numpy as np
import pytest
import tifffile

from autodip import io
from autodip.errors import AutodipError, FormatError
from autodip.image.image import Image

LENGTHS = {"T": 2, "C": 2, "Z": 3, "Y": 20, "X": 24, "S": 3}
TYPES = (
    *("uint8", "int8", "uint16", ">u2", "int16", "uint32", "int32", "uint64", "int64", "q", "Q"),
    *("float16", "float32", ">f4", "float64", "longdouble"),
)
AXES = (
    *("YX", "XY", "YXS", "SYX", "TYX", "ZYX", "CYX", "YXC", "YXT"),
    *("TZCYX", "TCZYX", "XYZCT", "CYXS", "TZCYXS"),
)


def pixels(axes, dtype="uint16"):
    shape = [LENGTHS[axis] for axis in axes]
    return (np.arange(np.prod(shape)) % 120).reshape(shape).astype(dtype)


def outcome(call, *arguments, **options):
    """Message of the error of autodip; None if there is none. Any other error fails the test."""
    try:
        call(*arguments, **options)
    except AutodipError as error:
        return str(error)
    return None


def ordered(data, axes):
    return np.transpose(data, [axes.index(axis) for axis in "TZCYXS" if axis in axes])


@pytest.mark.parametrize("name", list(io.FORMATS))
def test_the_check_passes_where_the_pixels_survive(tmp_path, name):
    target = tmp_path / f"image{io.FORMATS[name]}"
    for dtype, axes in [
        *itertools.product(TYPES, ("YX", "XY")),
        *itertools.product(("uint8", "float32"), AXES),
    ]:
        image = Image(pixels(axes, dtype), axes)
        checked = outcome(io.check, target, image, format=name)
        assert outcome(io.write, target, image, format=name) == checked, (dtype, axes)
        if checked is not None:
            continue
        stated = {"npy": axes, "npz": axes, "mrc": axes.translate({ord(a): None for a in "YX"})}
        stated["mrc"] += "YX"
        back = io.read(target, stated.get(name))
        seen = axes.replace("S", "C") if "zarr" in name else axes
        found, written = ordered(back.data, back.axes), ordered(image.data, seen)
        assert np.array_equal(np.squeeze(found), written), (dtype, axes)
        assert back.data.dtype.name == image.data.dtype.name
    assert list(tmp_path.iterdir()) == [target]


FLAVOURS = {
    "imagej.tif": ("YX", "uint16", {"imagej": True}),
    "hyperstack.tif": ("TZCYX", "uint16", {"imagej": True, "metadata": {"axes": "TZCYX"}}),
    "colours.tif": ("YXS", "uint8", {"imagej": True}),
    "film.ome.tif": ("TCYX", "uint16", {"ome": True, "metadata": {"axes": "TCYX"}}),
    "tiled.ome.tif": ("YX", "uint16", {"ome": True, "tile": (16, 16), "compression": "zlib"}),
    "plain.tif": ("YX", "uint16", {"metadata": None, "resolution": (5, 5)}),
    "inverted.tif": ("YX", "uint8", {"metadata": None, "photometric": "miniswhite"}),
    "lzw.tif": ("YX", "uint16", {"metadata": None, "compression": "lzw", "predictor": 2}),
    "shaped.tif": ("TYX", "uint16", {"metadata": {"axes": "TYX"}}),
    "palette.tif": (
        *("YX", "uint8"),
        {"metadata": None, "photometric": "palette", "colormap": np.ones((3, 256), "uint16")},
    ),
}


UNKNOWN_TO_OME = {"uint64", "int64", "float16"}
UNKNOWN_TO_IMAGEJ = {"int8", "uint32", "int32", "float64", *UNKNOWN_TO_OME}


@pytest.mark.parametrize("name", list(FLAVOURS))
def test_every_flavour_of_tiff(tmp_path, name):
    axes, own, options = FLAVOURS[name]
    options = {"photometric": "rgb" if "S" in axes else "minisblack", **options}
    tifffile.imwrite(tmp_path / name, pixels(axes, own), **options)
    image = io.read(tmp_path / name)
    refused = set()
    for dtype, form in itertools.product(TYPES[:-1], (None, "ome-tiff")):
        ending = io.FORMATS[form] if form else name[name.index(".") :]
        target = tmp_path / f"written{ending}"
        options = {"format": form, "dtype": dtype}
        checked = outcome(io.check, target, image, **options)
        assert outcome(io.write, target, image, **options) == checked, options
        if checked is None:
            assert np.array_equal(io.read(target).data.ravel(), image.data.ravel()), options
        else:
            refused.add((form, np.dtype(dtype).name))
    assert {dtype for form, dtype in refused if form == "ome-tiff"} <= UNKNOWN_TO_OME
    own_type = {dtype for form, dtype in refused if form is None}
    assert own_type <= (UNKNOWN_TO_IMAGEJ if image.source.flavour == "imagej" else UNKNOWN_TO_OME)
    assert (None, own) not in refused


def test_errors_of_the_libraries_become_one_line(tmp_path, monkeypatch):
    def broken(path, image):
        raise RuntimeError("first line\nsecond line")

    monkeypatch.setattr("autodip.io.npy.write", broken)
    with pytest.raises(FormatError, match=r"as \.npy \(first line\); choose another --format"):
        io.write(tmp_path / "a.npy", Image(pixels("YX"), "YX"))


def test_files_above_the_limit_of_classic_tiff_become_bigtiff(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", pixels("YX"), metadata=None)
    monkeypatch.setattr("autodip.io.tiff.writing._CLASSIC", 100)
    io.write(tmp_path / "b.tif", io.read(tmp_path / "a.tif"))
    with tifffile.TiffFile(tmp_path / "b.tif") as tif:
        assert tif.is_bigtiff
    assert np.array_equal(io.read(tmp_path / "b.tif").data, pixels("YX"))


@pytest.mark.parametrize(
    ("options", "format", "compressed"),
    [
        ({}, None, False),
        ({"imagej": True}, None, False),
        ({"ome": True}, None, False),
        ({"compression": "zlib"}, None, True),
        ({}, "ome-tiff", True),
        ({}, "npy", False),
        ({}, "npz", True),
        ({}, "mrc", False),
        ({}, "ome-zarr", True),
        ({}, "png", True),
    ],
)
def test_whether_pixels_are_compressed_is_known(tmp_path, options, format, compressed):
    tifffile.imwrite(tmp_path / "a.tif", pixels("YX"), **options)
    image = io.read(tmp_path / "a.tif")
    assert io.check(tmp_path / "out.tif", image, format=format) is compressed
