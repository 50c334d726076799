"""Images that are not loaded: the same pixels, read and written block by block."""

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autodip import io
from autodip.errors import FormatError
from autodip.image.image import Image
from autodip.io import large, pyramid
from autodip.io.large import Stored

SHAPES = {"YX": (40, 50), "TYX": (5, 40, 50), "ZCYX": (5, 2, 40, 50), "TZCYX": (2, 2, 2, 20, 30)}
KINDS = ("plain.tif", "a.ome.tif", "imagej.tif", "a.npy", "a.ome.zarr", "old.ome.zarr", "tiles.tif")


@pytest.fixture(autouse=True)
def _everything_is_large(monkeypatch):
    monkeypatch.setattr(large, "LARGE", 1000)


def make(path, axes, rng):
    """Write a file of the kind given by its name, and return its pixels."""
    data = rng.integers(0, 60000, SHAPES[axes]).astype(np.uint16)
    if path.name == "imagej.tif":
        tifffile.imwrite(path, data, imagej=True, metadata={"axes": axes})
    elif path.name == "tiles.tif":
        metadata = {"axes": axes}
        tifffile.imwrite(path, data, tile=(16, 16), compression="zlib", metadata=metadata)
    elif path.name == "plain.tif":
        tifffile.imwrite(path, data, metadata={"axes": axes})
    elif path.suffix == ".npy":
        np.save(path, data)
    else:
        image = Image(data, axes, pixel_size={"X": 0.1, "Y": 0.1})
        io.write(path, image, format="ome-zarr-0.4" if "old" in path.name else None)
    return data


@pytest.mark.parametrize("axes", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_pixels_are_those_of_the_loaded_image(tmp_path, rng, kind, axes):
    path = tmp_path / kind
    make(path, axes, rng)
    said = axes if kind == "a.npy" else None
    loaded = io.read(path, said)
    image = io.read(path, said, scratch=tmp_path)
    assert isinstance(image.data, (np.memmap, Stored))
    assert not isinstance(loaded.data, (np.memmap, Stored))
    assert image.axes == loaded.axes
    assert (image.data.shape, image.data.dtype) == (loaded.data.shape, loaded.data.dtype)
    assert image.pixel_size == loaded.pixel_size
    assert np.array_equal(np.asarray(image.data), loaded.data)
    for (index, plane), (other, wanted) in zip(image.planes(), loaded.planes(), strict=True):
        assert index == other
        assert np.array_equal(plane, wanted)
        part = image.block(index, slice(3, 17), slice(5, 30))
        assert np.array_equal(part, wanted[3:17, 5:30])


@pytest.mark.parametrize("kind", KINDS)
def test_a_selection_is_not_loaded_either(tmp_path, rng, kind):
    path = tmp_path / kind
    data = make(path, "TZCYX", rng)
    said = "TZCYX" if kind == "a.npy" else None
    image = io.read(path, said, scratch=tmp_path).select(slice(1, 2), "1")
    wanted = np.take(data[1:2], [1], image.axes.index("C"))
    if image.axes == "TCZYX":  # the axis order of OME-Zarr
        wanted = np.take(data[1:2], [1], 2).swapaxes(1, 2)
    assert isinstance(image.data, (np.memmap, Stored))
    assert np.array_equal(np.asarray(image.data), wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_a_mapped_image_is_written_like_a_loaded_one(tmp_path, rng, kind, monkeypatch):
    path = tmp_path / kind
    make(path, "ZCYX", rng)
    said = "ZCYX" if kind == "a.npy" else None
    image = io.read(path, said, scratch=tmp_path)
    np.save(tmp_path / "result.npy", np.asarray(image.data) + 1)
    mapped = np.load(tmp_path / "result.npy", mmap_mode="r")
    out = tmp_path / f"out.{kind}"
    io.write(out, image.replace(data=mapped))
    again = io.read(out, said)
    assert np.array_equal(again.data, mapped)
    assert np.array_equal(again.data.shape, image.data.shape)
    assert (again.pixel_size, again.axes) == (image.pixel_size, image.axes)


def test_big_endian_and_truncated_tiffs(tmp_path, rng):
    data = rng.integers(0, 60000, (40, 50)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "big.tif", data, byteorder=">")
    image = io.read(tmp_path / "big.tif", scratch=tmp_path)
    assert image.data.dtype.isnative
    assert np.array_equal(image.data, data)
    for name, more in (("plain.tif", {}), ("packed.tif", {"compression": "zlib"})):
        path = tmp_path / name
        tifffile.imwrite(path, data, **more)
        path.write_bytes(path.read_bytes()[:-500])
        with pytest.raises(FormatError, match=r"truncated|damaged|missing"):
            io.read(path, scratch=tmp_path)


def test_an_empty_store_is_refused(tmp_path, rng):
    make(tmp_path / "a.ome.zarr", "YX", rng)
    for chunk in (tmp_path / "a.ome.zarr").rglob("c/*/*"):
        chunk.unlink()
    with pytest.raises(FormatError, match="no pixels are stored"):
        io.read(tmp_path / "a.ome.zarr", scratch=tmp_path)


def test_small_images_and_other_formats_are_loaded(tmp_path, rng):
    small = np.zeros((4, 4), np.uint16)
    tifffile.imwrite(tmp_path / "small.tif", small)
    assert not isinstance(io.read(tmp_path / "small.tif", scratch=tmp_path).data, np.memmap)
    np.savez(tmp_path / "a.npz", rng.random((40, 50)))
    assert type(io.read(tmp_path / "a.npz", scratch=tmp_path).data) is np.ndarray


indices = st.one_of(
    st.integers(0, 5), st.slices(6).filter(lambda one: one.step is None or one.step != 0)
)


@given(st.tuples(indices, indices, indices), st.booleans())
def test_blocks_of_a_store(keys, rest):
    data = np.arange(216).reshape(6, 6, 6)
    stored = Stored(data)
    assert np.array_equal(stored[keys], data[keys])
    assert np.array_equal(stored[..., keys[2]], data[..., keys[2]])
    if rest:
        kept = range(1, 6, 2)
        part = stored.part(1, kept)
        assert part.shape == (6, 3, 6)
        assert np.array_equal(part[keys[0]], data[:, 1:6:2][keys[0]])
        assert np.array_equal(np.asarray(part.part(1, range(1, 3))), data[:, 3:6:2])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 4), st.data())
def test_levels_do_not_depend_on_the_rows_reduced_at_once(tmp_path, rows, columns, depth, data):
    shape = (depth, rows, columns)
    image = np.random.default_rng(0).integers(0, 1000, shape).astype(np.uint16)
    level = tuple(data.draw(st.integers(1, length)) for length in shape)
    whole = next(pyramid.levels(image, [level]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pyramid, "_BAND", 100)
        (by_rows,) = pyramid.levels(image, [level], tmp_path)
    assert np.array_equal(whole, by_rows)
    assert by_rows.dtype == image.dtype


orders = (
    st.sets(st.sampled_from("TCZ"))
    .flatmap(lambda more: st.permutations(sorted({*more, "Y", "X"})))
    .map("".join)
)
SIDES = {"T": 3, "C": 2, "Z": 2, "Y": 30, "X": 37}
ORDERED = {"imagej.tif": "TZCYX", "be.tif": "TZCYX"}  # ImageJ has a fixed order of axes
MADE = ("imagej.tif", "be.tif", "plain.tif", "a.npy", "a.ome.tif", "a.ome.zarr", "old.ome.zarr")


def made(path, axes):
    """Write a file with axes in an order; return the axes to give to the reader, or None."""
    axes = "".join(sorted(axes, key=ORDERED[path.name].index)) if path.name in ORDERED else axes
    shape = tuple(SIDES[axis] for axis in axes)
    data = np.random.default_rng(0).integers(0, 60000, shape).astype(np.uint16)
    if path.name in ORDERED:
        byteorder = ">" if path.name == "be.tif" else "<"
        tifffile.imwrite(path, data, imagej=True, metadata={"axes": axes}, byteorder=byteorder)
    elif path.name == "plain.tif":
        tifffile.imwrite(path, data, photometric="minisblack", metadata={"axes": axes})
    elif path.suffix == ".npy":
        np.save(path, data)
    else:
        size = {"X": 0.1, "Y": 0.1}
        image = Image(data, axes, pixel_size=size, channel_names=("A", "B") if "C" in axes else ())
        io.write(path, image, format="ome-zarr-0.4" if "old" in path.name else None)
    return axes if path.suffix == ".npy" or path.name == "plain.tif" else None


def same(image, loaded):
    """Assert that an image that is not loaded equals one that is."""
    described = vars(image.replace(data=loaded.data, source=None))
    assert described == vars(loaded.replace(source=None))
    assert np.array_equal(np.asarray(image.data), loaded.data)
    assert list(image.indices()) == [index for index, _ in loaded.planes()]
    for index, plane in loaded.planes():
        assert np.array_equal(image.block(index), plane)
        rows, columns = slice(2, 9), slice(None, 30, 3)
        assert np.array_equal(image.block(index, rows, columns), plane[rows, columns])


def files(path):
    return {one.relative_to(path): one.read_bytes() for one in path.rglob("*") if one.is_file()}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(MADE), orders, st.sampled_from(["0:2", "::2", "::-1", "2:0:-2"]))
def test_any_axes_in_any_order(tmp_path_factory, kind, axes, frames):
    folder = tmp_path_factory.mktemp("axes")
    said = made(folder / kind, axes)
    loaded, image = (io.read(folder / kind, said, scratch=one) for one in (None, folder / "s"))
    assert isinstance(image.data, (np.memmap, Stored))
    same(image, loaded)
    part = slice(*(int(n) if n else None for n in (*frames.split(":"), "", "")[:3]))
    if "T" in image.axes:
        same(image.select(part), loaded.select(part))
    if "C" in image.axes:
        same(image.select(channel="1"), loaded.select(channel="1"))
    np.save(folder / "result.npy", loaded.data[::-1])
    mapped = np.load(folder / "result.npy", mmap_mode="r")
    (folder / "x").mkdir()
    (folder / "y").mkdir()
    io.write(folder / "x" / kind, image.replace(data=mapped))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(large, "LARGE", 2**28)
        io.write(folder / "y" / kind, loaded.replace(data=np.array(mapped)))
    assert files(folder / "x") == files(folder / "y")


@pytest.mark.parametrize("name", ["out.tif", "out.ome.tif", "out.npy", "out.ome.zarr"])
@pytest.mark.parametrize("dtype", [None, "float32"])
def test_a_store_goes_into_every_format(tmp_path, name, dtype):
    image = Image(np.arange(2 * 300 * 310, dtype=np.uint32).reshape(2, 300, 310), "CYX")
    io.write(tmp_path / "a.ome.zarr", image)
    stored = io.read(tmp_path / "a.ome.zarr", scratch=tmp_path)
    io.write(tmp_path / name, stored, dtype=dtype)
    again = io.read(tmp_path / name, "CYX")
    assert again.data.dtype == (dtype or np.uint32)
    assert np.array_equal(again.data, image.data)
    assert {path.name for path in tmp_path.iterdir()} == {"a.ome.zarr", name}


@pytest.mark.parametrize("name", ["a.tif", "big.tif", "packed.tif", "a.npy"])
def test_an_image_is_written_over_its_own_file(tmp_path, rng, name):
    path, data = tmp_path / name, rng.integers(0, 60000, (40, 50)).astype(np.uint16)
    if name == "a.npy":
        np.save(path, data)
    else:
        byteorder = ">" if name == "big.tif" else "<"
        compression = "zlib" if name == "packed.tif" else None
        tifffile.imwrite(path, data, byteorder=byteorder, compression=compression)
    image = io.read(path, scratch=tmp_path / "s")
    io.write(path, image.select())
    assert np.array_equal(io.read(path).data, data)
    assert np.array_equal(image.data, data)


def test_images_that_share_a_scratch_folder_keep_their_pixels(tmp_path, rng):
    data = rng.integers(0, 60000, (2, 40, 50)).astype(np.uint16)
    for number, plane in enumerate(data):
        tifffile.imwrite(tmp_path / f"{number}.tif", plane, compression="zlib")
    images = [io.read(tmp_path / f"{number}.tif", scratch=tmp_path / "s") for number in (0, 1)]
    assert all(np.array_equal(image.data, plane) for image, plane in zip(images, data, strict=True))


UUID = "urn:uuid:0000000{}-0000-4000-8000-000000000000"
SET = """<?xml version="1.0"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="{own}"><Image ID="Image:0">
<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="50" SizeY="40" SizeC="1" SizeZ="1"
SizeT="{frames}"><Channel ID="Channel:0:0" SamplesPerPixel="1"/>
<TiffData IFD="0" PlaneCount="{frames}"><UUID FileName="b.ome.tif">{other}</UUID></TiffData>
</Pixels></Image></OME>"""


@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize("more", [{}, {"byteorder": ">"}, {"compression": "zlib"}])
def test_planes_in_another_file_of_the_set(tmp_path, rng, frames, more):
    data = rng.integers(0, 60000, (frames, 40, 50)).astype(np.uint16)
    for number, (name, pixels) in enumerate((("a", np.zeros_like(data[:1])), ("b", data))):
        own, other = UUID.format(number), UUID.format(1)
        xml = SET.format(own=own, other=other, frames=frames)
        path = tmp_path / f"{name}.ome.tif"
        tifffile.imwrite(path, pixels, description=xml, metadata=None, **more)
    for scratch in (None, tmp_path / "s"):
        assert np.array_equal(io.read(tmp_path / "a.ome.tif", scratch=scratch).data, data.squeeze())
    whole = (tmp_path / "b.ome.tif").read_bytes()
    (tmp_path / "b.ome.tif").write_bytes(whole[:-500])
    for scratch in (None, tmp_path / "s"):
        with pytest.raises(FormatError, match=r"truncated|damaged|missing"):
            io.read(tmp_path / "a.ome.tif", scratch=scratch)
