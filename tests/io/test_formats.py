"""NPZ, MRC, TIFF with several images or pyramids, and names of output files."""

import mrcfile
import numpy as np
import ome_types
import pytest
import tifffile

from autodip import io
from autodip.errors import FormatError, ParameterError
from autodip.image.image import Image
from autodip.io import pyramid


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 4000, (3, 40, 52)).astype(np.uint16)


def test_npz(tmp_path, pixels):
    path = tmp_path / "a.npz"
    np.savez(path, nuclei=pixels[0])
    image = io.read(path)
    io.write(path, image)
    with np.load(path) as archive:
        assert list(archive) == ["nuclei"]
    np.savez(path, image=pixels[0], truth=pixels[1])
    np.testing.assert_array_equal(io.read(path).data, pixels[0])
    np.testing.assert_array_equal(io.read(path, scene="truth").data, pixels[1])
    np.savez(path, noisy=pixels[0], truth=pixels[1])
    with pytest.raises(FormatError, match="2 images: 0 'noisy', 1 'truth'"):
        io.read(path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(FormatError, match="truncated"):
        io.read(path)
    np.save(tmp_path / "b.npy", pixels)
    (tmp_path / "b.npy").rename(tmp_path / "b.npz")
    with pytest.raises(FormatError, match="begins like a NPY"):
        io.read(tmp_path / "b.npz")


@pytest.mark.filterwarnings("ignore:Setting the dtype:DeprecationWarning")  # mrcfile, NumPy 2.5
def test_mrc_keeps_its_header(tmp_path, pixels):
    source, target = tmp_path / "a.mrc", tmp_path / "b.mrc"
    with mrcfile.new(source, data=pixels) as file:
        file.set_volume()
        file.voxel_size = (1000.0, 2000.0, 3000.0)
        file.header.origin = (5, 6, 7)
        file.set_extended_header(np.array(b"stage notes"))
        file.add_label("by a microscope")
    image = io.read(source)
    assert image.axes == "ZYX"
    assert image.pixel_size == {"X": 0.1, "Y": 0.2, "Z": 0.3}
    io.write(target, image)
    with mrcfile.open(target) as file:
        np.testing.assert_array_equal(file.data, pixels)
        assert file.is_volume()
        assert file.voxel_size.tolist() == (1000.0, 2000.0, 3000.0)
        assert file.header.origin.tolist() == (5, 6, 7)
        assert file.get_labels()[-1] == "by a microscope"
        assert file.extended_header.tobytes() == b"stage notes"
    assert mrcfile.validate(source) == mrcfile.validate(target)


def test_mrc_says_what_it_cannot(tmp_path, pixels):
    path = tmp_path / "a.mrc"
    with mrcfile.new(path, data=pixels) as file:
        file.set_image_stack()
    with pytest.raises(ParameterError, match="--axes TYX"):
        io.read(path)
    stack = io.read(path, "TYX")
    assert stack.pixel_size == {}
    with pytest.raises(FormatError, match="not uint8 of axes TYX"):
        io.write(path, stack, dtype="uint8")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(FormatError, match="truncated"):
        io.read(path, "TYX")
    path.write_bytes(b"no header")
    with pytest.raises(FormatError, match="readable"):
        io.read(path, "TYX")


def test_several_images_in_a_tiff(tmp_path, pixels):
    path, target = tmp_path / "a.tif", tmp_path / "b.tif"
    with tifffile.TiffWriter(path) as tif:
        tif.write(pixels[0], metadata=None, description="first", compression="zlib")
        tif.write(pixels[1, :20], metadata=None, description="second")
    with pytest.raises(FormatError, match=r"2 images: 0 '.*40 x 52.*', 1 '.*20 x 52.*'"):
        io.read(path)
    image = io.read(path, scene=1)
    np.testing.assert_array_equal(image.data, pixels[1, :20])
    io.write(target, image)
    with tifffile.TiffFile(target) as tif:
        assert tif.pages[0].description == "second"
        assert tif.pages[0].compression == 1


def test_several_images_in_an_ome_tiff(tmp_path, pixels):
    path, target = tmp_path / "a.ome.tif", tmp_path / "b.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as tif:
        for number, name in enumerate(("left", "right")):
            told = {"axes": "YX", "Name": name, "PhysicalSizeX": 0.1 * (number + 1)}
            tif.write(pixels[number], metadata=told)
    image = io.read(path, scene="1")
    np.testing.assert_array_equal(image.data, pixels[1])
    assert image.pixel_size == {"X": 0.2}
    io.write(target, image)
    with tifffile.TiffFile(target) as tif:
        (described,) = ome_types.from_xml(tif.ome_metadata).images
    assert described.name == "right"
    np.testing.assert_array_equal(io.read(target).data, pixels[1])


def with_levels(path, data, axes, **told):
    """TIFF with two reduced levels, as QuPath and Bio-Formats write them."""
    shared = {"photometric": "rgb" if "S" in axes else "minisblack", "tile": (16, 16)}
    plain = {"metadata": None} if path.name.startswith("plain") else {}
    with tifffile.TiffWriter(path, ome=".ome." in path.name) as tif:
        tif.write(data, subifds=2, **({"metadata": {"axes": axes, **told}} | plain), **shared)
        rows, columns = axes.index("Y"), axes.index("X")
        for step in (2, 4):
            part = [slice(None)] * data.ndim
            part[rows] = part[columns] = slice(None, None, step)
            tif.write(data[tuple(part)], subfiletype=1, **plain, **shared)


@pytest.mark.parametrize(
    ("name", "axes"),
    [
        ("a.ome.tif", "ZYX"),
        ("a.ome.tif", "CYX"),
        ("a.ome.tif", "YXS"),
        ("shaped.tif", "YXS"),
        ("plain.tif", "YXS"),
        ("plain.tif", "YX"),
    ],
)
def test_pyramids_stay(tmp_path, pixels, name, axes):
    source, target = tmp_path / name, tmp_path / f"again-{name}"
    data = np.moveaxis(pixels, 0, -1)[..., : 3 if "S" in axes else 1].squeeze()
    data = pixels if len(axes) == 3 and "S" not in axes else data
    with_levels(source, data, axes)
    io.write(target, io.read(source))
    with tifffile.TiffFile(target) as tif:
        (series,) = tif.series
        assert series.axes == axes
        levels = [level.asarray() for level in series.levels]
        assert series.levels[1].pages[0].is_tiled
    assert len(levels) == 3
    np.testing.assert_array_equal(levels[0], data)
    place = axes.index("Y")
    blocks = np.moveaxis(data, (place, place + 1), (0, 1)).reshape(20, 2, 26, 2, -1)
    mean = np.rint(blocks.mean(axis=(1, 3)))
    half = np.moveaxis(levels[1], (place, place + 1), (0, 1)).reshape(20, 26, -1)
    np.testing.assert_array_equal(half, mean)
    assert levels[2].shape[place] == 10


def test_part_of_a_pyramid(tmp_path, pixels):
    source, target = tmp_path / "a.ome.tif", tmp_path / "b.ome.tif"
    with_levels(source, pixels, "CYX", Channel={"Name": ["r", "g", "b"]})
    io.write(target, io.read(source).select(channel="g"))
    back = io.read(target)
    assert back.channel_names == ("g",)
    np.testing.assert_array_equal(back.data, pixels[1])
    with tifffile.TiffFile(target) as tif:
        assert [level.shape for level in tif.series[0].levels] == [(40, 52), (20, 26), (10, 13)]


@pytest.mark.parametrize(("old", "new"), [(7, 3), (7, 4), (8, 4), (9, 2), (10, 7), (5, 1), (1, 1)])
def test_reduced_levels(old, new):
    (level,) = pyramid.levels(np.full((old, 2), 9, np.uint8), [(new, 2)])
    np.testing.assert_array_equal(level, np.full((new, 2), 9))
    assert level.dtype == np.uint8


def test_blocks_that_are_not_whole():
    ramp = np.arange(7.0)
    assert [list(v) for v in pyramid.levels(ramp, [(4,), (2,)])] == [
        [0.5, 2.5, 4.5, 6],
        [1.5, 5.25],
    ]
    assert [list(v) for v in pyramid.levels(ramp, [(3,)])] == [[0.5, 2.5, 4.5]]
    assert pyramid.scaled(100, 100, 33) == 33
    assert pyramid.scaled(50, 100, 33) == 16
    assert pyramid.scaled(1, 100, 33) == 1


def test_imagej_becomes_ome_where_that_is_asked_for(tmp_path, pixels):
    path, target = tmp_path / "a.tif", tmp_path / "b.ome.tif"
    metadata = {
        "axes": "CYX",
        "unit": "um",
        "Labels": ["DAPI", "GFP", "RFP"],
        "LUTs": [np.outer(rgb, np.arange(256)).astype(np.uint8) for rgb in np.eye(3)],
    }
    tifffile.imwrite(path, pixels, imagej=True, resolution=(10.0, 10.0), metadata=metadata)
    image = io.read(path)
    assert image.channel_colours == ("FF0000", "00FF00", "0000FF")
    io.write(target, image, format="ome-tiff")
    back = io.read(target)
    assert back.source.flavour == "ome"
    for field in ("axes", "pixel_size", "channel_names", "channel_colours"):
        assert getattr(back, field) == getattr(image, field)


def test_floats_from_a_compressed_tiff_of_integers(tmp_path, pixels):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels[0], compression="zlib", predictor=2)
    io.write(path, io.read(path), dtype="float32")
    image = io.read(path)
    assert image.data.dtype == np.float32
    np.testing.assert_array_equal(image.data, pixels[0])


def test_significant_bits_end_with_the_integers(tmp_path, pixels):
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, pixels, ome=True, metadata={"axes": "ZYX", "SignificantBits": 12})
    io.write(path, io.read(path))
    with tifffile.TiffFile(path) as tif:
        assert 'SignificantBits="12"' in tif.ome_metadata
    io.write(path, io.read(path), dtype="float32")
    with tifffile.TiffFile(path) as tif:
        assert "SignificantBits" not in tif.ome_metadata
    assert io.read(path).data.dtype == np.float32


def test_types_that_ome_does_not_know(tmp_path):
    image = Image(np.ones((4, 4), np.int64), "YX")
    with pytest.raises(FormatError, match="no pixels of type int64"):
        io.write(tmp_path / "a.ome.tif", image)
    io.write(tmp_path / "a.ome.tif", image, dtype="float32")


@pytest.mark.parametrize(
    ("name", "form", "expected"),
    [
        ("a.nd2", None, "a.ome.tif"),
        ("a.CZI", None, "a.ome.tif"),
        ("a.lif", "ome-zarr", "a.ome.zarr"),
        ("a.tif", None, "a.tif"),
        ("a.b.OME.TIFF", None, "a.b.OME.TIFF"),
        ("a.b.ome.tiff", "ome-zarr-0.4", "a.b.ome.zarr"),
        ("a.ome.tif", "tiff", "a.ome.tif"),
        ("a.zarr", "ome-zarr", "a.zarr"),
        ("a.tif", "ome-tiff", "a.ome.tif"),
        ("a.tiff", "tiff", "a.tiff"),
        ("a.png", "npz", "a.npz"),
        ("a.ome.zarr", "mrc", "a.mrc"),
        ("a", "png", "a.png"),
    ],
)
def test_output_name(name, form, expected):
    assert io.output_name(name, form) == expected


def test_unknown_formats(tmp_path):
    image = Image(np.ones((4, 4), np.uint8), "YX")
    with pytest.raises(ParameterError, match="known are mrc, npy"):
        io.write(tmp_path / "a.tif", image, format="jpeg")
    io.write(tmp_path / "a.npy", image)
    with pytest.raises(ParameterError, match=r"there is no image '1'; the file holds 0 'a.npy'"):
        io.read(tmp_path / "a.npy", scene="1")
    assert io.read(tmp_path / "a.npy", scene="0").axes == "YX"
