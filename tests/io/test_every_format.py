"""Every writable format: other libraries read back what was written."""

import struct
import tempfile
from pathlib import Path

import numpy as np
import ome_types
import ome_zarr_models
import PIL.Image
import pytest
import tifffile
import zarr
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ome_zarr.io import parse_url
from ome_zarr.reader import Reader

from autodip import io
from autodip.errors import FormatError
from autodip.image.image import Image

OME_TYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"]
ZARR_TYPES = [*OME_TYPES, "uint64", "int64", "float16"]
MRC_TYPES = ["int8", "int16", "uint16", "float16", "float32"]
PILLOW_TYPES = ("uint8", "uint16", "float32")

sizes = st.floats(0.01, 20).map(lambda size: float(f"{size:.4g}"))
colours = st.integers(0, 0xFFFFFF).map(lambda number: f"{number:06X}")


@st.composite
def images(draw, letters, dtypes, order=None):
    """Image with some of the axes, Y and X among them, and with all possible metadata."""
    axes = "".join(a for a in letters if a in "YX" or draw(st.booleans()))
    if order is not None:
        axes = "".join(draw(st.permutations(axes)))
    shape = tuple(3 if a == "S" else draw(st.integers(1, 7 if a in "YX" else 3)) for a in axes)
    generator = np.random.default_rng(draw(st.integers(0, 2**16)))
    data = generator.integers(0, 120, shape).astype(draw(st.sampled_from(dtypes)))
    count = data.shape[axes.index("C")] if "C" in axes else 1
    named = "S" not in axes
    return Image(
        data,
        axes,
        pixel_size={a: draw(sizes) for a in "XYZ" if a in axes},
        time_step=draw(sizes) if "T" in axes else None,
        channel_names=tuple(f"dye {n}" for n in range(count)) if named else (),
        channel_colours=tuple(draw(colours) for _ in range(count)) if named else (),
    )


def told_by_ome(image):
    """The image without axes of length 1, whose existence is not stated by OME."""
    single = [n for n, a in enumerate(image.axes) if a in "TCZ" and image.data.shape[n] == 1]
    axes = "".join(a for n, a in enumerate(image.axes) if n not in single)
    return image.replace(data=image.data.squeeze(tuple(single)), axes=axes)


def kept(before, after, *, fields=("pixel_size", "time_step", "channel_names", "channel_colours")):
    """Assert that two images are the same."""
    assert after.axes == before.axes
    assert after.data.dtype == before.data.dtype
    np.testing.assert_array_equal(after.data, before.data)
    for name in fields:
        assert getattr(after, name) == getattr(before, name), name


@settings(max_examples=15)
@given(images("TCZYX", ZARR_TYPES), st.sampled_from(["ome-zarr", "ome-zarr-0.4"]))
def test_ome_zarr(image, version):
    with tempfile.TemporaryDirectory() as folder:
        path, again = Path(folder) / "a.ome.zarr", Path(folder) / "b.ome.zarr"
        io.write(path, image, format=version)
        first = io.read(path)
        kept(image, first)
        io.write(again, first)
        second = io.read(again)
        kept(image, second)
        assert second.source.version == first.source.version
        for written in (path, again):
            check_with_ome_zarr_py(written, image, first.source.version)


def check_with_ome_zarr_py(path, image, version):
    (node,) = Reader(parse_url(path))()
    np.testing.assert_array_equal(np.asarray(node.data[0]), image.data)
    assert "".join(axis["name"] for axis in node.metadata["axes"]).upper() == image.axes
    scale = node.metadata["coordinateTransformations"][0][0]["scale"]
    known = {**image.pixel_size, "T": image.time_step or 1.0}
    assert scale == [known.get(axis, 1.0) for axis in image.axes]
    names = image.channel_names if "C" in image.axes else (*image.channel_names, "dye 0")[:1]
    assert tuple(node.metadata["channel_names"]) == names
    group = zarr.open_group(path, mode="r")
    if version == "0.5":
        ome_zarr_models.v05.Image.from_zarr(group)
    else:
        ome_zarr_models.v04.image.ImageAttrs.model_validate(dict(group.attrs))


@settings(max_examples=15)
@given(images("TCZYXS", OME_TYPES, order="any"))
def test_any_axes_to_ome_zarr(image):
    """OME-Zarr has a fixed order of axes, and channels in place of colour samples."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.zarr"
        if {"C", "S"} <= set(image.axes):
            with pytest.raises(FormatError, match="channels and colour samples"):
                io.write(path, image)
            return
        io.write(path, image)
        back = io.read(path)
        seen = image.axes.replace("S", "C")
        assert back.axes == "".join(a for a in "TCZYX" if a in seen)
        order = [seen.index(a) for a in back.axes]
        np.testing.assert_array_equal(back.data, image.data.transpose(order))
        assert back.pixel_size == image.pixel_size


@settings(max_examples=25)
@given(images("TZCYX", OME_TYPES, order="any"))
def test_ome_tiff(image):
    """In a TIFF, axes Y and X come last; the order of the other axes is preserved."""
    with tempfile.TemporaryDirectory() as folder:
        path, again = Path(folder) / "a.ome.tif", Path(folder) / "b.ome.tif"
        io.write(path, image)
        first, image = io.read(path), told_by_ome(image)
        order = [image.axes.index(a) for a in first.axes]
        assert first.axes == "".join(a for a in image.axes if a not in "YX") + "YX"
        kept(image.replace(data=image.data.transpose(order), axes=first.axes), first)
        io.write(again, first)
        kept(first, io.read(again))
        for written in (path, again):
            check_with_pillow_and_ome_types(written, first)


def check_with_pillow_and_ome_types(path, image):
    with tifffile.TiffFile(path) as tif:
        ome = ome_types.from_xml(tif.ome_metadata, validate=True)
        assert tif.pages[0].compression == 8
    pixels = ome.images[0].pixels
    for axis in "TCZYX":
        assert getattr(pixels, f"size_{axis.lower()}") == image.size(axis)
    assert [c.name for c in pixels.channels] == list(image.channel_names)
    told = [c.color.as_hex(format="long").lstrip("#").upper() for c in pixels.channels]
    assert told == list(image.channel_colours)
    if image.data.dtype.name not in PILLOW_TYPES:
        return
    with PIL.Image.open(path) as pages:
        for number, (_, plane) in enumerate(image.planes()):
            pages.seek(number)
            np.testing.assert_array_equal(np.asarray(pages), plane)


@settings(max_examples=15)
@given(images("TZCYXS", ["uint8", "uint16"]))
def test_colours_in_ome_tiff(image):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.ome.tif"
        io.write(path, image)
        first, image = io.read(path), told_by_ome(image)
        kept(image, first, fields=("pixel_size", "time_step"))
        np.testing.assert_array_equal(tifffile.imread(path).ravel(), image.data.ravel())
        io.write(path, first)
        kept(first, io.read(path))


@given(images("TCZYXS", ZARR_TYPES, order="any"), st.sampled_from([".npy", ".npz"]))
def test_numpy(image, suffix):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        io.write(path, image)
        kept(image, io.read(path, image.axes), fields=())
        stored = np.load(path) if suffix == ".npy" else np.load(path)["image"]
        np.testing.assert_array_equal(stored, image.data)


@settings(max_examples=25)
@given(images("ZYX", MRC_TYPES), st.sampled_from(["T", "Z", "C"]))
def test_mrc(image, first):
    """Voxel sizes are stored as the total length of an axis, in single precision."""
    assume(image.size("Z") > 1 or len(image.axes) == 2)  # a stack of one plane is a plane
    image = image.replace(axes=image.axes.replace("Z", first))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.mrc"
        io.write(path, image)
        back = io.read(path, image.axes)
        kept(image, back, fields=())
        for axis in set(image.axes) & set("XYZ"):
            assert back.pixel_size[axis] == pytest.approx(image.pixel_size[axis], rel=1e-6)
        io.write(path, back)
        kept(image, io.read(path, image.axes), fields=())
        content = path.read_bytes()
        columns, rows, sections = struct.unpack("<3i", content[:12])
        assert (columns, rows) == (image.size("X"), image.size("Y"))
        assert sections == image.data.size // (rows * columns)
        assert struct.unpack("<i", content[88:92])[0] == (first == "Z" and len(image.axes) == 3)
        stored = np.frombuffer(content[1024:], image.data.dtype.newbyteorder("<"))
        np.testing.assert_array_equal(stored, image.data.ravel())


@settings(max_examples=15)
@given(images("TCZYX", OME_TYPES), st.sampled_from(OME_TYPES))
def test_another_type_of_pixels(image, dtype):
    with tempfile.TemporaryDirectory() as folder:
        for name in ("a.ome.tif", "a.zarr", "a.npz"):
            path = Path(folder) / name
            axes = image.axes if name == "a.npz" else None
            io.write(path, image, dtype=dtype)
            back = io.read(path, axes)
            assert back.data.dtype == dtype
            np.testing.assert_array_equal(back.data.ravel(), image.data.ravel())
            io.write(path, back, dtype="float32")
            again = io.read(path, axes)
            assert again.data.dtype == np.float32
            np.testing.assert_array_equal(again.data, back.data)
