"""The standard errors of a result in Python, in the container that was given."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import autodip
from autodip.errors import OutputError
from autodip.runs import sidecar

FAST = {"preset": "fast", "device": "cpu"}


@pytest.fixture(scope="module")
def film(sample):
    frames = np.stack([sample[0], sample[0][::-1]])
    return autodip.Image(frames, "TYX", pixel_size={"X": 0.1, "Y": 0.1})


@pytest.fixture(scope="module")
def result(film):
    return autodip.denoise(film, uncertainty=True, **FAST)


def test_of_an_image_it_is_an_image(film, result):
    errors = result.uncertainty
    assert errors.pixel_size == film.pixel_size
    assert errors.caption == "Standard error of every pixel, in the units of the image"
    assert errors.data is result.maps["sd"]
    assert autodip.denoise(film, **FAST).uncertainty is None


def test_of_an_array_it_is_an_array(film, result):
    found = autodip.denoise(film.data, axes="TYX", uncertainty=True, **FAST).uncertainty
    assert type(found) is np.ndarray
    assert_array_equal(found, result.maps["sd"])


def test_of_xarray_it_keeps_the_coordinates_and_the_units(film, result):
    xr = pytest.importorskip("xarray", reason="xarray is not installed")
    given = xr.DataArray(
        film.data,
        dims=("time", "y", "x"),
        coords={"time": [0.0, 2.0]},
        name="cells",
        attrs={"units": "photons", "long_name": "fluorescence"},
    )
    found = autodip.denoise(given, uncertainty=True, **FAST).uncertainty
    assert found.dims == given.dims
    assert_array_equal(found.coords["time"], given.coords["time"])
    assert (found.name, found.attrs["units"]) == ("cells_standard_error", "photons")
    assert found.attrs["long_name"] == "standard error"
    assert given.attrs["long_name"] == "fluorescence"
    assert_array_equal(found.values, result.maps["sd"])
    assert autodip.denoise(given.rename(None), uncertainty=True, **FAST).uncertainty.name == (
        "standard_error"
    )


def test_of_dask_and_zarr_it_is_computed_on_demand(film, result, tmp_path):
    da = pytest.importorskip("dask.array", reason="dask is not installed")
    lazy = autodip.denoise(da.from_array(film.data), axes="TYX", uncertainty=True, **FAST)
    seen = lazy.uncertainty
    assert isinstance(seen, da.Array)
    assert (seen.dtype, seen.chunks) == (np.float32, ((1, 1), (64,), (64,)))
    assert_array_equal(seen[1, 10:20].compute(), result.maps["sd"][1, 10:20])
    assert_array_equal(seen, result.maps["sd"])
    assert_array_equal(lazy.data, result.image)
    zarr = pytest.importorskip("zarr", reason="zarr is not installed")
    store = zarr.create_array(tmp_path / "a.zarr", shape=film.data.shape, dtype="u2")
    store[:] = film.data
    by_zarr = autodip.denoise(store, axes="TYX", uncertainty=True, **FAST)
    assert_array_equal(by_zarr.uncertainty, result.maps["sd"])
    by_zarr.save(tmp_path / "a.npy")
    assert_array_equal(np.load(tmp_path / "a.sd.npy"), result.maps["sd"])


def test_it_is_saved_with_the_result(result, tmp_path):
    target = result.save(tmp_path / "a.ome.tif", report=True)
    path = tmp_path / "a.sd.ome.tif"
    assert_array_equal(autodip.read(path).data, result.maps["sd"])
    stated = sidecar.read(sidecar.beside(target)).output["maps"]["sd"]
    assert (stated["file"], stated["bytes"]) == (path.name, path.stat().st_size)
    page = (tmp_path / "a.ome.tif.autodip.html").read_text(encoding="utf-8")
    assert 'id="error"' in page
    sidecar.beside(target).unlink()
    target.unlink()
    (tmp_path / "a.ome.tif.autodip.html").unlink()
    with pytest.raises(OutputError, match=r"a\.sd\.ome\.tif exists; write with overwrite=True"):
        result.save(target)
    result.save(target, overwrite=True)


def test_saving_a_result_without_deletes_that_of_the_earlier_one(film, result, tmp_path):
    target = result.save(tmp_path / "a.tif")
    autodip.denoise(film, **FAST).save(target, overwrite=True)
    assert not (tmp_path / "a.sd.tif").exists()


def test_the_summary_states_the_median(result):
    errors = result.planes[0].errors
    line = f"standard error {errors.median:.3g} in the median, {errors.to_noise:.2f} times the"
    assert line in result.summary()
