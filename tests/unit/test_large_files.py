"""Images that are not loaded: the same pixels, read by blocks; and written by blocks."""

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autodip import io
from autodip.errors import FormatError
from autodip.image import Image
from autodip.io import large, pyramid
from autodip.io.large import Stored

SHAPES = {"YX": (40, 50), "TYX": (5, 40, 50), "ZCYX": (5, 2, 40, 50), "TZCYX": (2, 2, 2, 20, 30)}
KINDS = ("plain.tif", "a.ome.tif", "imagej.tif", "a.npy", "a.ome.zarr", "old.ome.zarr", "tiles.tif")


@pytest.fixture(autouse=True)
def _everything_is_large(monkeypatch):
    monkeypatch.setattr(large, "LARGE", 1000)


def make(path, axes, rng):
    """File of a kind, and its pixels."""
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
    if image.axes == "TCZYX":  # the order of OME-Zarr
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
    level = (depth, data.draw(st.integers(1, rows)), data.draw(st.integers(1, columns)))
    whole = next(pyramid.levels(image, [level]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pyramid, "_BAND", 100)
        (by_rows,) = pyramid.levels(image, [level], tmp_path)
    assert np.array_equal(whole, by_rows)
    assert by_rows.dtype == image.dtype
