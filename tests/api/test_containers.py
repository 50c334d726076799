"""What may be given to autodip.denoise, and what comes back."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

import autodip
from autodip.errors import AutodipError, FormatError, ImageError, ParameterError

QUICK = {"preset": "fast", "device": "cpu"}


@pytest.fixture(scope="module")
def film(sample):
    """Three frames (T, Y, X)."""
    return np.stack([sample[0], sample[0][::-1], np.roll(sample[0], 5, 1)])


@pytest.fixture(scope="module")
def wanted(film):
    return autodip.denoise(film, axes="TYX", **QUICK).image


def test_a_path_is_read(sample, tmp_path):
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, sample[0], resolution=(1e4, 1e4), resolutionunit="CENTIMETER")
    expected = autodip.denoise(sample[0], **QUICK)
    for given in (path, str(path)):
        result = autodip.denoise(given, **QUICK)
        np.testing.assert_array_equal(result.image, expected.image)
        assert isinstance(result.data, autodip.Image)
        assert result.data.pixel_size["X"] == pytest.approx(1)
        assert result.container.original.path == path


@pytest.mark.parametrize("make", [np.asarray, np.ndarray.tolist], ids=["array", "list"])
def test_an_array_comes_back_as_an_array(sample, make):
    result = autodip.denoise(make(sample[0].astype(float)), **QUICK)
    assert type(result.data) is np.ndarray
    assert result.data is result.image


def test_an_image_comes_back_as_an_image(sample):
    image = autodip.Image(sample[0], "YX", pixel_size={"X": 0.2, "Y": 0.2})
    result = autodip.denoise(image, **QUICK)
    assert result.data.pixel_size == image.pixel_size
    assert result.noisy.data is image.data


@pytest.mark.parametrize("frames", [slice(1, 3), "1:3", slice(-2, None)])
def test_frames_are_selected(film, frames):
    expected = autodip.denoise(film[1:], axes="TYX", **QUICK).image
    result = autodip.denoise(film, axes="TYX", frames=frames, **QUICK)
    np.testing.assert_array_equal(result.image, expected)


def test_one_frame_one_channel_and_the_mean(film):
    one = autodip.denoise(film, axes="TYX", frames=np.int64(1), **QUICK)
    assert one.image.shape == (1, 64, 64)
    channel = autodip.denoise(film, axes="CYX", channel=2, **QUICK).image
    np.testing.assert_array_equal(channel[0], autodip.denoise(film[2], **QUICK).image)
    mean = autodip.denoise(film, axes="TYX", average=True, **QUICK)
    assert mean.image.shape == (1, 64, 64)
    assert mean.noisy.data.dtype == np.float32


def test_a_scene_is_one_of_a_file(sample, tmp_path):
    np.savez(tmp_path / "two.npz", a=sample[0], b=sample[0].T.copy())
    result = autodip.denoise(tmp_path / "two.npz", scene="b", **QUICK)
    np.testing.assert_array_equal(result.noisy.data, sample[0].T)
    with pytest.raises(ParameterError, match="give the path"):
        autodip.denoise(sample[0], scene="b")


class TestXarray:
    @pytest.fixture
    def array(self, film):
        xarray = pytest.importorskip("xarray", reason="xarray is not installed")
        step = {"units": "nm"}
        return xarray.DataArray(
            film,
            dims=("time", "row", "x"),
            coords={
                "row": ("row", 65.0 * np.arange(64), step),
                "x": ("x", 130.0 * np.arange(64), step),
                "time": np.datetime64("2026-01-01T00:00") + 2 * np.arange(3).astype("m8[s]"),
            },
            attrs={"objective": "63x"},
            name="cells",
        )

    def test_dimensions_are_axes_and_all_comes_back(self, array, wanted):
        result = autodip.denoise(array, **QUICK)
        assert result.noisy.axes == "TYX"
        assert result.noisy.pixel_size == {"X": 0.13, "Y": 0.065}
        assert result.noisy.time_step == 2.0
        np.testing.assert_array_equal(result.data, wanted)
        for name in array.coords:
            assert result.data.coords[name].identical(array.coords[name])
        assert (result.data.attrs, result.data.name) == (array.attrs, "cells")
        assert result.residual.dims == array.dims

    def test_the_selected_part_has_its_coordinates(self, array):
        result = autodip.denoise(array, frames="1:", **QUICK)
        assert (result.data.time == array.time[1:]).all()
        assert autodip.denoise(array, average=True, **QUICK).data.shape == (1, 64, 64)

    def test_channels_have_the_names_of_their_coordinates(self, array):
        two = array.isel(time=slice(2)).rename(time="channel", row="Y", x="X")
        two = two.assign_coords(channel=["DAPI", "phalloidin"])
        plan = autodip.plan(two)
        assert [one.choice.evidence.known.specimen for one in plan] == ["nucleus", "actin"]
        one = autodip.denoise(two, channel="phalloidin", **QUICK)
        assert list(one.data.channel.values) == ["phalloidin"]
        assert one.data.identical(two[1:].copy(data=one.image))

    def test_a_colour_loses_its_dimension(self, array):
        colours = array.drop_vars("time").astype("uint8").rename(time="rgb").transpose(..., "rgb")
        assert autodip.denoise(colours, channel=1, **QUICK).data.dims == ("row", "x")

    def test_other_names_need_axes(self, array, wanted):
        other = array.rename(time="stage")
        with pytest.raises(ParameterError, match=r"'stage' of \('stage', 'row', 'x'\)"):
            autodip.denoise(other)
        np.testing.assert_array_equal(autodip.denoise(other, axes="TYX", **QUICK).data, wanted)

    @pytest.mark.parametrize(
        ("values", "units"),
        [([0, 1, 3], "µm"), ([0, 1, 2], "furlong"), ([0, 1, 2], ""), ([0, np.nan, 2], "µm")],
    )
    def test_what_is_no_grid_in_known_units_is_no_pixel_size(self, array, values, units):
        part = array.isel(x=slice(3)).assign_coords(x=("x", values, {"units": units}))
        found = autodip.api.containers.opened(part, autodip.api.containers.Selection())
        assert found.image.pixel_size == {"Y": 0.065}

    def test_a_dataset_holds_several(self, array):
        with pytest.raises(ParameterError, match=r'dataset\["name"\]: cells'):
            autodip.denoise(array.to_dataset())


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (np.eye(9) > 0, ImageError, "a mask, not an image"),
        (np.ma.masked_less(np.eye(9), 1), ParameterError, r"filled\(np.nan\)"),
        (["a.tif", Path("b.tif")], ParameterError, "one image is denoised at a time"),
        (None, ParameterError, "NoneType is not an image"),
        (7, ParameterError, "int is not an image"),
        ([[1, 2], [3]], ParameterError, "list cannot be read as an array"),
        (np.zeros((3, 9, 9)), ParameterError, 'axes="TYX"'),
        ("missing.tif", FormatError, "there is no such file"),
        ("confocal", FormatError, "there is no such file"),
    ],
)
def test_what_is_no_image_is_refused_with_what_to_do(given, error, message):
    with pytest.raises(error, match=message):
        autodip.denoise(given)


def test_a_folder_is_called_a_folder(tmp_path):
    with pytest.raises(ParameterError, match=r"is a folder.*autodip denoise"):
        autodip.denoise(tmp_path)


def test_the_parameters_of_a_saved_result_repeat_it(sample, tmp_path):
    from autodip.cli.main import run  # noqa: PLC0415

    tifffile.imwrite(tmp_path / "in.tif", np.stack([sample[0], sample[0].T]))
    result = autodip.denoise(tmp_path / "in.tif", axes="TYX", frames="1:2", seed=3, **QUICK)
    saved = result.save(tmp_path / "out.tif")
    sidecar = f"{saved}.autodip.json"
    content = json.loads(Path(sidecar).read_text())
    assert content["input"]["file"] == "in.tif"
    assert content["output"]["file"] == "out.tif"
    again = tmp_path / "again.tif"
    given = [str(tmp_path / "in.tif"), "-o", str(again), "--params", sidecar, "-q"]
    assert run(["denoise", *given]) == 0
    np.testing.assert_array_equal(tifffile.imread(again), tifffile.imread(saved))


def test_all_errors_are_of_one_class():
    with pytest.raises(AutodipError, match="Did you mean iterations"):
        autodip.denoise(np.eye(9), iteration=5)
