"""A TIFF file that is read can be written again: what does not fit is left out, and noted."""

import struct

import numpy as np
import pytest
import tifffile

from autodip import io
from autodip.errors import AutodipError, FormatError
from tests.helpers.ome_file import planes, write, xml


def patched(path, name, value):
    """Overwrite a tag that holds a short number."""
    with tifffile.TiffFile(path) as tif:
        place = tif.pages[0].tags[name].valueoffset
    content = bytearray(path.read_bytes())
    struct.pack_into("<H", content, place, value)
    path.write_bytes(content)


def unchanged(path, axes=None):
    """The image of a file, which is the same after it was written again."""
    image = io.read(path, axes)
    target = path.with_name("again.tif")
    io.write(target, image)
    again = io.read(target, axes)
    assert (again.axes, again.data.dtype) == (image.axes, image.data.dtype)
    np.testing.assert_array_equal(again.data, image.data)
    assert again.notes == ()
    return image


@pytest.mark.parametrize("unit", [0, 77, 65535])
def test_units_of_resolution(tmp_path, rng, unit):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, planes(rng), metadata=None, resolution=(5, 5))
    patched(path, "ResolutionUnit", unit)
    image = unchanged(path)
    assert image.notes == (f"the resolution with unit {unit} cannot be written again",)
    assert image.pixel_size == {}


KINDS = (0, 1, 2, 3, 4, 5, 8, 9, 10, 32803, 32844, 32845, 34892, 51177, 52527, 99, 65535)


@pytest.mark.parametrize("shape", [(20, 20), (20, 20, 3), (20, 20, 4), (3, 20, 20)])
@pytest.mark.parametrize("kind", KINDS)
def test_photometric_interpretations(tmp_path, rng, shape, kind):
    path = tmp_path / "a.tif"
    data = rng.integers(1, 255, shape).astype("uint8")
    colour = {"photometric": "rgb", "planarconfig": "separate" if shape[0] == 3 else "contig"}
    tifffile.imwrite(path, data, metadata=None, **(colour if len(shape) > 2 else {}))
    patched(path, "PhotometricInterpretation", kind)
    image = unchanged(path)
    np.testing.assert_array_equal(image.data, data)


@pytest.mark.parametrize("samples", [2, 3, 4, 5])
@pytest.mark.parametrize("config", ["contig", "separate"])
def test_samples(tmp_path, rng, samples, config):
    path = tmp_path / "a.tif"
    shape = (20, 20, samples) if config == "contig" else (samples, 20, 20)
    data = rng.integers(1, 60000, shape).astype("uint16")
    tifffile.imwrite(path, data, metadata=None, photometric="minisblack", planarconfig=config)
    np.testing.assert_array_equal(unchanged(path).data, data)


@pytest.mark.parametrize(
    "compression",
    ["lzw", "zlib", "zstd", "lzma", "packbits", "jpeg", "jpeg2000", "jpegxl", "png", "lerc"],
)
def test_compressions(tmp_path, rng, compression):
    path = tmp_path / "a.tif"
    data = rng.integers(1, 255, (20, 20)).astype("uint8")
    tifffile.imwrite(path, data, metadata=None, compression=compression)
    unchanged(path)


@pytest.mark.parametrize(
    "more",
    [
        {"byteorder": ">"},
        {"bigtiff": True},
        {"tile": (16, 32)},
        {"compression": "zlib", "predictor": 2, "tile": (16, 16)},
        {"photometric": "miniswhite"},
        {"datetime": "2020:01:01 00:00:00"},
        {"description": "Größe in µm 日本".encode()},
        {"description": "Größe in µm".encode("latin-1")},
        {"description": "x" * 2_000_000},
        {"extratags": [(33550, "d", 3, (1.0, 1.0, 0.0), True), (42113, "s", 0, "0", True)]},
        {"extratags": [(65000, "B", 4, b"abcd", True), (65002, "q", 1, 5, True)]},
        {"extratags": [(33432, "s", 0, "me", True), (700, "B", 4, b"<x/>", True)]},
        {"extratags": [(306, "s", 0, "yesterday", True)]},
        {"bitspersample": 12},
    ],
)
def test_encodings_and_tags(tmp_path, rng, more):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, planes(rng) % 4096, metadata=None, **more)
    assert unchanged(path).notes == ()


@pytest.mark.parametrize(
    "dtype", ["int8", "int16", "int32", "int64", "uint64", "float16", "float64"]
)
def test_types_of_pixels(tmp_path, rng, dtype):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, planes(rng).astype(dtype), metadata=None, compression="zlib")
    unchanged(path)


def test_tiles_that_are_no_multiples_of_16(tmp_path, rng):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, planes(rng), metadata=None, tile=(32, 32))
    for name in ("TileWidth", "TileLength"):
        patched(path, name, 20)
    image = unchanged(path)
    assert image.notes == ("the tag tile (20, 20) cannot be written again",)


@pytest.mark.parametrize("kind", ["plain", "ome"])
def test_single_pages_keep_their_tags(tmp_path, rng, kind):
    path, target = tmp_path / "a.tif", tmp_path / "b.tif"
    data, first = planes(rng, 3), xml(t=3) if kind == "ome" else "page 0"
    with tifffile.TiffWriter(path) as tif:
        for n, plane in enumerate(data):
            text = first.encode() if n == 0 else f"page {n}"
            extra = [(65000, "s", 0, f"stage {n}", True)]
            tif.write(plane, description=text, extratags=extra, metadata=None, contiguous=False)

    def tags():
        with tifffile.TiffFile(target) as tif:
            return [(p.description[:6], p.tags[65000].value) for p in tif.pages]

    image = io.read(path, "TYX")
    assert image.notes == ()
    io.write(target, image)
    start = "<?xml " if kind == "ome" else "page 0"
    assert tags() == [(start, "stage 0"), ("page 1", "stage 1"), ("page 2", "stage 2")]
    io.write(target, image.select(frames=slice(1, 3)))
    start = "<?xml " if kind == "ome" else "page 1"
    assert tags() == [(start, "stage 1"), ("page 2", "stage 2")]
    np.testing.assert_array_equal(io.read(target, "TYX").data, data[1:])


def test_tags_that_point_into_the_old_file(tmp_path, rng):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, planes(rng), metadata=None, extratags=[(65000, "I", 1, 8, True)])
    with tifffile.TiffFile(path) as tif:
        place = tif.pages[0].tags[65000].offset
    content = bytearray(path.read_bytes())
    struct.pack_into("<H", content, place, 34853)
    path.write_bytes(content)
    assert unchanged(path).notes == ("GPS metadata cannot be written again and are left out",)


def test_tiles_that_are_not_stored(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.ones((64, 64), "uint16"), tile=(16, 16), metadata=None)
    with tifffile.TiffFile(path) as tif:
        places = [tif.pages[0].tags[name].valueoffset for name in ("TileByteCounts", "TileOffsets")]
    content = bytearray(path.read_bytes())
    for missing, words in ((2, "2 of 16 strips or tiles are not stored"), (16, None)):
        for n in range(missing):
            struct.pack_into("<H", content, places[0] + 2 * n, 0)
            struct.pack_into("<I", content, places[1] + 4 * n, 0)
        path.write_bytes(content)
        if words:
            assert words in io.read(path).notes[0]
        else:
            with pytest.raises(FormatError, match="no pixels"):
                io.read(path)


@pytest.mark.parametrize("scratch", [True, False])
@pytest.mark.parametrize("compression", [None, "zlib", "zstd"])
def test_shapes_that_the_file_cannot_hold(tmp_path, scratch, compression, monkeypatch):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.ones((16, 16), "uint8"), metadata=None, compression=compression)
    for name in ("ImageWidth", "ImageLength", "RowsPerStrip"):
        patched(path, name, 60000)
    folder = tmp_path / "scratch" if scratch else None
    with pytest.raises(FormatError, match=r"shape \(60000, 60000\), but only \d+ bytes"):
        io.read(path, scratch=folder)
    assert folder is None or not folder.exists()


def test_images_of_constant_pixels_are_held(tmp_path):
    path = tmp_path / "a.tif"
    for compression in ("zlib", "lzw", "zstd", "packbits"):
        tifffile.imwrite(path, np.ones((1500, 1500), "uint8"), compression=compression)
        assert io.read(path).data.min() == 1


def test_damaged_values(tmp_path, rng):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, planes(rng, 3), photometric="minisblack", metadata={"axes": "ZYX"})
    content = path.read_bytes()
    for shape in (b"[5, 20, 20]", b"[2, 20, 20]", b"[3, 99, 20]", b"[3, :0, 20]", b"[3, 20, -1]"):
        path.write_bytes(content.replace(b"[3, 20, 20]", shape))
        with pytest.raises(AutodipError):
            io.read(path)
    many = [(330, "I", 1000, (8,) * 1000, True)]
    tifffile.imwrite(path, planes(rng), metadata=None, extratags=[(65000, *many[0][1:])])
    with tifffile.TiffFile(path) as tif:
        place = tif.pages[0].tags[65000].offset
    content = bytearray(path.read_bytes())
    struct.pack_into("<H", content, place, 330)
    path.write_bytes(content)
    with pytest.raises(FormatError, match="more than 256 reduced images"):
        io.read(path)


def test_names_of_scenes(tmp_path, rng):
    path = tmp_path / "a.ome.tif"
    data = planes(rng, 2)
    with tifffile.TiffWriter(path, ome=True) as tif:
        for name, plane in zip(("Pos0", "Pos1"), data, strict=True):
            tif.write(plane, photometric="minisblack", metadata={"axes": "YX", "Name": name})
    np.testing.assert_array_equal(io.read(path, scene="Pos1").data, data[1])
    with pytest.raises(FormatError, match=r"2 images: 0 'Pos0', 1 'Pos1'"):
        io.read(path)


def test_description_that_looks_like_ome(tmp_path, rng):
    path = write(tmp_path / "a.tif", planes(rng), "made by OMEGA <OMEx>")
    assert unchanged(path).source.flavour == "plain"
