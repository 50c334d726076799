"""autodip.write takes what denoise takes, and replaces nothing unless that is said."""

import numpy as np
import pytest

import autodip
from autodip.errors import FormatError, OutputError, ParameterError


@pytest.fixture
def noisy():
    return autodip.sample(size=64)[0]


def test_arrays_images_and_results(noisy, tmp_path):
    result = autodip.denoise(noisy, preset="fast")
    for name, given in (("a", noisy.data), ("b", noisy), ("c", result), ("d", noisy.data.tolist())):
        autodip.write(tmp_path / f"{name}.tif", given)
        wanted = result.image if name == "c" else noisy.data
        np.testing.assert_array_equal(autodip.read(tmp_path / f"{name}.tif").data, wanted)
    assert autodip.read(tmp_path / "c.tif").pixel_size == noisy.pixel_size


@pytest.mark.parametrize("ending", [".tif", ".ome.tif", ".png", ".npy", ".ome.zarr"])
def test_nothing_is_replaced_unless_that_is_said(ending, noisy, tmp_path):
    if "zarr" in ending:
        pytest.importorskip("zarr", reason="zarr is not installed")
    path = tmp_path / f"a{ending}"
    autodip.write(path, noisy)
    with pytest.raises(OutputError, match=f"a{ending} exists; write with overwrite=True"):
        autodip.write(path, noisy)
    autodip.write(path, noisy.data[::-1].copy(), overwrite=True)
    np.testing.assert_array_equal(autodip.read(path).data, noisy.data[::-1])
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_a_file_is_replaced_by_itself(noisy, tmp_path):
    path = tmp_path / "a.tif"
    autodip.write(path, noisy)
    image = autodip.read(path)
    autodip.write(path, image.replace(data=image.data + 1), overwrite=True)
    np.testing.assert_array_equal(autodip.read(path).data, noisy.data + 1)


def test_more_dimensions_need_axes(noisy, tmp_path):
    film = np.stack([noisy.data] * 3)
    with pytest.raises(ParameterError, match='axes="TYX"'):
        autodip.write(tmp_path / "a.ome.tif", film)
    autodip.write(tmp_path / "new" / "a.ome.tif", film, axes="TYX", dtype=np.float32)
    read = autodip.read(tmp_path / "new" / "a.ome.tif")
    assert (read.axes, read.data.dtype) == ("TYX", np.float32)


def test_dask_is_written(noisy, tmp_path):
    da = pytest.importorskip("dask.array", reason="dask is not installed")
    autodip.write(tmp_path / "a.npy", da.from_array(noisy.data))
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), noisy.data)


def test_what_cannot_be_written_leaves_nothing(noisy, tmp_path):
    with pytest.raises(FormatError, match="allowed endings"):
        autodip.write(tmp_path / "a.jpg", noisy)
    with pytest.raises(FormatError):
        autodip.write(tmp_path / "a.png", noisy.data.astype(float))
    with pytest.raises(OutputError, match="is a folder"):
        autodip.write(tmp_path, noisy, overwrite=True)
    assert list(tmp_path.iterdir()) == []
