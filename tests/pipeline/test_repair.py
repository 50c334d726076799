"""Empty areas, outliers and banding in the pipeline."""

import numpy as np
import pytest

import autodip
from autodip.errors import ImageError
from autodip.image.image import Image
from autodip.pipeline import repair
from autodip.pipeline.repair import RepairedImage
from tests.helpers.blobs import blobs, error, level, recorded

FAST = {"preset": "fast", "device": "cpu"}


@pytest.fixture(scope="module")
def truth():
    return level(blobs())


@pytest.fixture(scope="module")
def noisy():
    return recorded(blobs())


@pytest.fixture(scope="module")
def usual(noisy, truth):
    """Error without any defect."""
    return error(autodip.denoise(noisy, **FAST).image, truth)


@pytest.mark.parametrize("value", [0, np.nan])
@pytest.mark.parametrize(
    "place", [np.s_[:14], np.s_[:, :1], np.s_[40:80, 50:90], np.s_[:, 60:]], ids=str
)
def test_empty_areas_come_back_unchanged_and_cost_nothing(noisy, truth, usual, place, value):
    image = noisy.astype(np.float32 if np.isnan(value) else noisy.dtype)
    image[place] = value
    inside = np.ones(image.shape, bool)
    inside[place] = False
    result = autodip.denoise(image, **FAST)
    np.testing.assert_array_equal(result.image[place], image[place])
    assert error(result.image, truth, inside) < 1.15 * usual
    assert "hold no measurement" in result.notes[0]


def test_a_border_is_no_part_of_a_fit(noisy, truth):
    image, quick = noisy.copy(), {"preset": "untrained", "iterations": 150, "device": "cpu"}
    image[:14] = image[:, :9] = 0
    inner = np.s_[14:, 9:]
    errors = [error(autodip.denoise(one, **quick).image, truth, inner) for one in (noisy, image)]
    assert errors[1] < 1.1 * errors[0]


def test_hot_pixels_are_replaced_or_come_back_unchanged(noisy, truth, usual, rng):
    image = noisy.copy()
    image.flat[rng.choice(image.size, 20, replace=False)] = 65535
    hot = image == 65535
    result = autodip.denoise(image, **FAST)
    assert error(result.image, truth) < 1.1 * usual
    assert result.notes == (
        "20 hot or dead pixels replaced; --keep-outliers returns them unchanged",
    )
    (found,) = result.repairs.values()
    np.testing.assert_array_equal(found.defects.outliers, np.argwhere(hot))
    kept = autodip.denoise(image, **FAST, keep_outliers=True)
    assert (kept.image[hot] == 65535).all()
    np.testing.assert_array_equal(kept.image[~hot], result.image[~hot])


@pytest.mark.parametrize("axis", [0, 1])
def test_noise_common_to_a_row_or_column_is_subtracted(noisy, truth, axis, rng):
    offsets = rng.normal(0, 12, (128, 1))
    image = np.rint(noisy + (offsets if axis == 0 else offsets.T)).astype(np.uint16)
    result = autodip.denoise(image, **FAST)
    assert error(result.image, truth) < 0.4 * error(image, truth)
    assert f"common to a {('row', 'column')[axis]}" in result.notes[0]
    assert result.image.mean() == pytest.approx(image.mean(), rel=1e-3)


def test_planes_of_a_film_are_repaired_each(noisy):
    film = np.stack([noisy, noisy, noisy]).astype(np.float32)
    film[1, :, :20] = np.nan
    film[2] = np.nan
    result = autodip.denoise(film, axes="TYX", **FAST)
    np.testing.assert_array_equal(np.isnan(result.image), np.isnan(film))
    assert [dict(index)["T"] for index in result.repairs] == [1, 2]


def test_windows_are_repaired_as_well(noisy, truth):
    image = np.tile(noisy, (2, 2))
    image[:, :140] = 0
    result = autodip.denoise(image, **FAST, tile=128)
    np.testing.assert_array_equal(result.image[:, :140], 0)
    assert error(result.image[:, 140:], np.tile(truth, (2, 2))[:, 140:]) < 3


@pytest.mark.parametrize("place", [np.s_[:, :14], np.s_[:60], np.s_[50:]], ids=str)
def test_large_planes_are_examined_in_bands(noisy, monkeypatch, place):
    image = noisy.copy()
    image[20, 100] = image[100, 100] = 60000
    image[place] = 0
    index = ()
    whole = RepairedImage.of(Image(image, "YX")).repairs[index].defects
    monkeypatch.setattr(repair, "_BAND", image.size // 3)
    bands = RepairedImage.of(Image(image, "YX")).repairs[index].defects
    np.testing.assert_array_equal(bands.empty, whole.empty)
    np.testing.assert_array_equal(bands.outliers, whole.outliers)


def test_an_image_without_numbers_is_refused():
    with pytest.raises(ImageError, match="all pixels are NaN"):
        autodip.denoise(np.full((80, 80), np.nan), **FAST)


@pytest.mark.parametrize("photons", [0.2, 3.0, 40.0])
def test_few_grey_levels_are_not_rounded_away(photons, rng):
    image = rng.poisson(photons * blobs()).astype(np.uint16)
    result = autodip.denoise(image, **FAST)
    assert result.image.dtype == np.float32
    assert result.image.mean() == pytest.approx(image.mean(), rel=0.01)
    assert any("float32" in note for note in result.notes)


def test_many_grey_levels_keep_their_type(noisy):
    result = autodip.denoise(noisy, **FAST)
    assert (result.image.dtype, result.notes) == (np.uint16, ())


def test_a_specified_type_is_kept_and_the_loss_reported(rng):
    image = rng.poisson(0.5 * blobs()).astype(np.uint8)
    result = autodip.denoise(image, **FAST, dtype="uint8")
    assert result.image.dtype == np.uint8
    assert any("rounded to uint8" in note for note in result.notes)


@pytest.mark.parametrize("value", [1e30, -1e30, 1e300])
def test_a_single_huge_pixel_is_an_outlier(noisy, truth, usual, value):
    image = noisy.astype(np.float64)
    image[5, 5] = value
    assert error(autodip.denoise(image, **FAST).image, truth) < 1.1 * usual


@pytest.mark.parametrize("value", [0, 255])
def test_an_empty_channel_does_not_change_the_data_type(noisy, value):
    channels = np.stack([noisy, np.full_like(noisy, value)])
    result = autodip.denoise(channels, axes="CYX", **FAST)
    assert result.image.dtype == noisy.dtype
    assert not result.notes
    np.testing.assert_array_equal(result.image[1], channels[1])


@pytest.mark.parametrize("number", [1, 3])
def test_single_lit_pixels_keep_their_light(number, rng):
    image = np.zeros((128, 128), np.uint16)
    image.flat[rng.choice(image.size, number, replace=False)] = 1000
    result = autodip.denoise(image, **FAST).image
    assert result.mean() == pytest.approx(image.mean(), rel=0.01)
    assert np.abs(result).max() < 10


def test_an_image_with_nothing_below_1e100_is_refused(noisy):
    with pytest.raises(ImageError, match="all pixels are NaN, infinite or above 1e100"):
        autodip.denoise(noisy * 1e200, **FAST)


@pytest.mark.parametrize("share", [0.005, 0.01])
def test_many_hot_pixels_cost_little(noisy, truth, usual, share, rng):
    image = noisy.copy()
    image[rng.random(image.shape) < share] = 65535
    assert error(autodip.denoise(image, **FAST).image, truth) < 1.1 * usual


def test_a_scale_bar_costs_little(noisy, truth, usual):
    image = noisy.copy()
    image[110:116, 70:110] = 65535
    others = image < 65535
    assert error(autodip.denoise(image, **FAST).image, truth, others) < 1.15 * usual
