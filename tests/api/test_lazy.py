"""Arrays that are not in memory: denoised when the result is read, to the same bits."""

import pickle
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import autodip
from autodip.api import lazy
from autodip.errors import MissingPackageError, ParameterError
from autodip.io import large
from tests.helpers.blobs import blobs, recorded

da = pytest.importorskip("dask.array", reason="dask is not installed")

FAST = {"preset": "fast", "device": "cpu"}
FIT = {
    **{"preset": "untrained", "iterations": 2, "depth": 2, "width": 4},
    **{"refine": False, "device": "cpu"},
}


@pytest.fixture(scope="module")
def film(sample):
    """Four frames, the second of which is constant and the last of which has a hot pixel."""
    frames = np.stack([sample[0], np.full_like(sample[0], 7), sample[0][::-1], sample[0].T])
    frames[3, 30, 30] = 60000
    return frames


@pytest.mark.parametrize(
    "options",
    [
        FAST,
        FIT,
        {**FAST, "independent": True},
        {**FIT, "independent": True},
        {**FAST, "keep_outliers": True, "dtype": "float32"},
    ],
)
def test_the_bits_are_those_of_an_array_in_memory(film, options):
    expected = autodip.denoise(film, axes="TYX", **options)
    result = autodip.denoise(da.from_array(film, chunks=(2, 32, -1)), axes="TYX", **options)
    assert da.Array in type(result.data).__mro__
    assert result.data.chunks == ((1,) * 4, (64,), (64,))
    np.testing.assert_array_equal(result.data[2, 10:20].compute(), expected.image[2, 10:20])
    np.testing.assert_array_equal(result.data, expected.image)
    np.testing.assert_array_equal(result, expected.image)
    assert [one.index for one in result.planes] == [one.index for one in expected.planes]
    assert [one.assessment for one in result.planes] == [one.assessment for one in expected.planes]
    assert [one.follows for one in result.planes] == [one.follows for one in expected.planes]


@pytest.mark.parametrize("options", [FAST, FIT])
def test_windows_are_blended_as_in_memory(rng, options):
    film = np.stack([recorded(blobs(150, seed), seed) for seed in (1, 2)])
    expected = autodip.denoise(film, axes="TYX", tile=128, **options)
    result = autodip.denoise(da.from_array(film), axes="TYX", tile=128, **options)
    np.testing.assert_array_equal(result.data[1], expected.image[1])
    np.testing.assert_array_equal(result.data, expected.image)
    assert [one.window for one in result.planes] == [one.window for one in expected.planes]


@pytest.mark.parametrize("axes", ["YXS", "SYX", "XYC"])
def test_axes_may_have_any_order(sample, axes):
    colours = np.stack([sample[0] // 8, sample[0].T // 9, np.full_like(sample[0], 50)])
    colours = np.moveaxis(colours.astype("uint8"), 0, axes.index({*"SC"}.intersection(axes).pop()))
    image = autodip.Image(colours, axes, alpha="S" in axes)
    expected = autodip.denoise(image, **FAST)
    result = autodip.denoise(image.replace(data=colours), **FAST)
    assert np.array_equal(result.image, expected.image)
    if "S" not in axes:
        result = autodip.denoise(da.from_array(colours), axes=axes, **FAST)
        np.testing.assert_array_equal(result.data, expected.image)


def test_transparency_is_copied(sample):
    from autodip.pipeline.denoise import denoise_on_demand  # noqa: PLC0415

    rgba = np.stack([sample[0] // 8, sample[0].T // 9, sample[0][::-1] // 9, sample[0] % 250], -1)
    image = autodip.Image(rgba.astype("uint8"), "YXS", alpha=True)
    result = denoise_on_demand(image, autodip.Options(**FAST))
    expected = autodip.denoise(image, **FAST).image
    np.testing.assert_array_equal(np.asarray(result.image), expected)


def test_only_the_planes_that_are_read_are_computed(film):
    seen = []
    result = autodip.denoise(da.from_array(film), axes="TYX", progress=seen.append, **FAST)
    assert seen == []
    result.data[2].compute()
    assert seen[-1].plane == 2  # with the first, whose noise the others are told
    assert seen[-1].planes == 4
    number = len(seen)
    result.data[2].compute()
    assert len(seen) == number
    result.data.compute()
    assert seen[-1].plane == 4


def test_several_threads_read_the_same_bits(film):
    expected = autodip.denoise(film, axes="TYX", **FAST).image
    result = autodip.denoise(da.from_array(film), axes="TYX", **FAST)
    with ThreadPoolExecutor(4) as pool:
        planes = list(pool.map(lambda n: result.data[n].compute(), [3, 2, 1, 0]))
    np.testing.assert_array_equal(np.stack(planes[::-1]), expected)
    np.testing.assert_array_equal(result.data.compute(num_workers=3), expected)


def test_xarray_of_dask_stays_lazy(film):
    xarray = pytest.importorskip("xarray", reason="xarray is not installed")
    array = xarray.DataArray(da.from_array(film), dims=("t", "y", "x"), attrs={"a": 1})
    result = autodip.denoise(array, frames="2:", **FAST)
    assert lazy.is_dask(result.data.data)
    assert lazy.is_dask(result.residual.data)
    expected = autodip.denoise(film[2:], axes="TYX", **FAST)
    np.testing.assert_array_equal(result.data, expected.image)
    np.testing.assert_array_equal(result.residual, expected.residual)
    assert result.data.attrs == {"a": 1}


class TestZarr:
    @pytest.fixture
    def zarr(self):
        return pytest.importorskip("zarr", reason="zarr is not installed")

    def test_arrays_become_dask(self, zarr, film):
        expected = autodip.denoise(film, axes="TYX", **FAST).image
        named = zarr.create_array({}, data=film, dimension_names=["time", "y", "x"])
        for given, axes in ((zarr.array(film), "TYX"), (named, None)):
            result = autodip.denoise(given, axes=axes, **FAST)
            assert lazy.is_dask(result.data)
            np.testing.assert_array_equal(result.data, expected)
        with pytest.raises(ParameterError, match="what its dimensions are"):
            autodip.denoise(zarr.array(film))

    def test_without_dask_the_result_can_be_indexed(self, zarr, film, monkeypatch):
        def missing(module, extra):
            raise MissingPackageError(module)

        monkeypatch.setattr(lazy, "require", missing)
        result = autodip.denoise(zarr.array(film), axes="TYX", **FAST)
        expected = autodip.denoise(film, axes="TYX", **FAST).image
        np.testing.assert_array_equal(result.data[2], expected[2])
        with pytest.raises(MissingPackageError):
            _ = result.residual

    def test_a_group_is_an_ome_zarr_image(self, zarr, film, tmp_path):
        image = autodip.Image(film, "TYX", pixel_size={"X": 0.1, "Y": 0.1}, time_step=2.0)
        autodip.write(tmp_path / "a.ome.zarr", image)
        result = autodip.denoise(zarr.open_group(tmp_path / "a.ome.zarr", mode="r"), **FAST)
        assert result.noisy.pixel_size == image.pixel_size
        np.testing.assert_array_equal(result.data, autodip.denoise(image, **FAST).image)
        result.save(tmp_path / "b.ome.zarr")
        assert autodip.read(tmp_path / "b.ome.zarr").time_step == 2.0

    def test_a_group_elsewhere_says_what_to_give(self, zarr):
        with pytest.raises(ParameterError, match=r'group\["0"\]'):
            autodip.denoise(zarr.group(store={}))


def test_more_than_the_memory_may_hold(blurring, tmp_path, monkeypatch):
    """Twice the pixels that may be held at a time are read, denoised and written."""
    for name in ("LARGE", "_BLOCK"):  # from where on a file is written in blocks, and their size
        monkeypatch.setattr(large, name, 2**20)
    side, frames = 128, 160
    plane = recorded(blobs(side)).astype(float)

    def frame(block_info=None):
        number = block_info[None]["array-location"][0][0]
        pixels = np.roll(plane, number, 1) if number % 60 == 0 else np.full_like(plane, number)
        return pixels[None]

    film = da.map_blocks(frame, dtype=plane.dtype, chunks=((1,) * frames, side, side))
    autodip.denoise(film[:2], axes="TYX", **FAST).data.compute()  # what is imported stays
    tracemalloc.start()
    try:
        result = autodip.denoise(film, axes="TYX", **FAST)
        autodip.write(tmp_path / "out.npy", result)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < film.nbytes / 2, peak
    written = np.load(tmp_path / "out.npy", mmap_mode="r")
    np.testing.assert_array_equal(written[7], film[7])
    np.testing.assert_array_equal(written[60], result.data[60])
    assert not np.array_equal(written[60], film[60].compute())


def test_it_stays_in_its_process(film):
    result = autodip.denoise(da.from_array(film), axes="TYX", **FAST)
    with pytest.raises(ParameterError, match="threads"):
        pickle.dumps(result.image)


def test_its_folder_is_deleted_with_it(film, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    result = autodip.denoise(da.from_array(film), axes="TYX", **FAST)
    data = result.data
    data[0].compute()
    assert list(tmp_path.glob("autodip-*/part-*"))
    del result, data
    assert not list(tmp_path.iterdir())


def test_there_is_no_bar_before_there_is_anything_to_show(film):
    with pytest.raises(ParameterError, match="ProgressBar"):
        autodip.denoise(da.from_array(film), axes="TYX", progress=True, **FAST)


def test_axes_are_needed_without_reading_anything():
    def frame():
        raise AssertionError("read")

    film = da.map_blocks(frame, dtype="uint8", chunks=((1, 1), 64, 64))
    with pytest.raises(ParameterError, match='axes="TYX"'):
        autodip.denoise(film)


def test_steps_compute_everything(film):
    *_, last = autodip.denoise_steps(da.from_array(film), autodip.Options(**FAST), axes="TYX")
    expected = autodip.denoise(film, axes="TYX", **FAST).image
    np.testing.assert_array_equal(last.result.image, expected)
    assert lazy.is_dask(last.result.data)
