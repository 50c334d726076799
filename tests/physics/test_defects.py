"""Pixels that hold no measurement are found and filled; data are not mistaken for them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import gaussian_filter, rotate

from autodip import io
from autodip.physics.defects import Defects
from tests.helpers.blobs import blobs, recorded


@pytest.fixture(scope="module")
def noisy():
    return recorded(blobs())


def frame(shape, top, left, bottom=0, right=0):
    outside = np.ones(shape, bool)
    outside[top : shape[0] - bottom, left : shape[1] - right] = False
    return outside


@pytest.mark.parametrize("value", [0, 128, 65535])
@pytest.mark.parametrize("sides", [(14, 9), (1, 2), (0, 3, 5, 0), (1, 0), (40, 40, 20, 20)])
def test_a_border_of_one_value_is_empty(noisy, sides, value):
    outside = frame(noisy.shape, *sides)
    image = np.where(outside, value, noisy).astype(noisy.dtype)
    np.testing.assert_array_equal(Defects.of(image).empty, outside)


def test_the_corners_of_a_rotated_image_are_empty(noisy):
    image = rotate(noisy.astype(float), 17, order=1)
    outside = rotate(np.ones(noisy.shape), 17, order=1) == 0
    assert np.mean(Defects.of(image).empty != outside) < 0.002


def test_holes_and_saturated_areas_are_empty(noisy):
    image = noisy.copy()
    image[40:60, 50:75] = 0
    image[90:100, 20:31] = 65535
    expected = np.isin(image, (0, 65535))
    np.testing.assert_array_equal(Defects.of(image).empty, expected)


def test_pixels_that_are_no_numbers_are_empty(noisy):
    image = noisy.astype(np.float32)
    image[:5] = np.nan
    image[60, 60] = np.inf
    np.testing.assert_array_equal(Defects.of(image).empty, ~np.isfinite(image))
    assert np.isfinite(Defects.of(image).repaired(image)).all()


@pytest.mark.parametrize("photons", [0.005, 0.02, 0.1, 0.5, 2.0])
@pytest.mark.parametrize("grey", [1, 50])
def test_dark_pixels_are_data_where_photons_are_rare(photons, grey):
    rng = np.random.default_rng(7)
    image = (grey * rng.poisson(np.full((256, 256), photons))).astype(np.uint16)
    assert not Defects.of(image).any


@pytest.mark.parametrize("below", [0, 5])
def test_a_background_cut_at_0_is_data(noisy, below):
    image = np.clip(noisy.astype(int) - 100 - below, 0, None)
    assert Defects.of(image).empty.mean() < 0.02


@pytest.mark.parametrize("image", [np.zeros((80, 90)), np.full((64, 64), 7, np.uint8)])
def test_a_constant_plane_has_no_defects(image):
    assert not Defects.of(image).any


def test_a_single_lit_pixel_is_no_defect():
    image = np.zeros((64, 64), np.uint16)
    image[20, 30] = 1
    assert not Defects.of(image).any


@pytest.mark.parametrize("value", [65535, 1000, 600])
def test_hot_pixels_are_outliers(noisy, value, rng):
    image, places = noisy.copy(), rng.choice(noisy.size, 20, replace=False)
    image.flat[places] = value
    found = Defects.of(image)
    assert not found.bits.any()
    np.testing.assert_array_equal(found.outliers, np.argwhere(image == value))
    repaired = found.repaired(image)
    assert repaired.dtype == image.dtype
    assert repaired.max() < 300
    others = image != value
    np.testing.assert_array_equal(repaired[others], image[others])


def test_pairs_of_hot_pixels_and_dead_ones_are_outliers(noisy):
    image = noisy.copy()
    image[20:22, 30] = image[40, 40:42] = 4000
    image[80, 80] = 0
    assert len(Defects.of(image).outliers) == 5


@pytest.mark.parametrize("share", [0.003, 0.01, 0.02])
@pytest.mark.parametrize("values", [(65535,), (0,), (0, 65535), (400,), range(300, 5000)], ids=str)
def test_many_hot_and_dead_pixels_are_outliers(noisy, share, values, rng):
    image, bad = noisy.copy(), rng.random(noisy.shape) < share
    image[bad] = rng.choice(values, bad.sum())
    found = Defects.of(image)
    assert (bad & ~found.mask).sum() <= 0.1 * bad.sum()
    assert (found.mask & ~bad).sum() <= 2


@pytest.mark.parametrize("share", [0.001, 0.005])
def test_many_pairs_of_hot_pixels_are_outliers(noisy, share, rng):
    bad = rng.random(noisy.shape) < share
    bad |= np.roll(bad, 1, axis=1)
    found = Defects.of(np.where(bad, 4000, noisy))
    assert (bad & ~found.mask).sum() <= 0.05 * bad.sum()


@pytest.mark.parametrize("photons", [0.5, 1, 2, 5])
def test_photons_of_an_amplifying_detector_are_no_outliers(photons, rng):
    counts = rng.poisson(photons * blobs())
    image = 200 + 100 * rng.gamma(np.maximum(counts, 1e-9)) * (counts > 0)
    found = Defects.of(np.rint(image + rng.normal(0, 10, image.shape)))
    assert len(found.outliers) <= 2


@pytest.mark.parametrize("photons", [0.02, 0.15, 0.5])
def test_scanned_photons_are_no_outliers(photons, rng):
    light = photons * blobs(256) / blobs(256).mean()
    counts = rng.poisson(light).astype(float)
    image = 22 * (0.88 * counts + 0.12 * np.roll(counts, 1, axis=1))
    assert len(Defects.of(np.rint(image + rng.normal(6, 0.85, image.shape))).outliers) <= 2


@pytest.mark.parametrize("factor", [2, 3])
def test_an_image_enlarged_by_repetition_has_no_outliers(noisy, factor):
    assert not Defects.of(noisy.repeat(factor, axis=0).repeat(factor, axis=1)).any


def test_rows_of_an_averaged_image_are_no_outliers(rng):
    image = np.rint(20 + 30 * gaussian_filter(blobs(), 2) + rng.normal(0, 0.4, (128, 128)))
    for plane in (image, image.T):
        assert not len(Defects.of(plane).outliers)


def test_gaps_between_stitched_images_are_empty(noisy):
    image = noisy.copy()
    image[40:44] = image[:, 60:63] = 0
    np.testing.assert_array_equal(Defects.of(image).empty, image == 0)


def staggered(y, x):
    return (y // 4 == 15) | ((y < 60) & (x // 4 == 10)) | ((y > 63) & (x // 3 == 30))


def ragged(y, x):
    noise = np.random.default_rng(0).normal(size=y.shape)
    return gaussian_filter(noise, 4) > 0.02


def scale_bar(y, x):
    return (abs(y - 110) < 3) & (abs(x - 90) < 20)


@pytest.mark.parametrize("value", [0, 65535])
@pytest.mark.parametrize("shape", [staggered, ragged, scale_bar])
def test_areas_of_a_value_that_stands_apart_have_any_shape(noisy, shape, value):
    outside = shape(*np.indices(noisy.shape))
    found = Defects.of(np.where(outside, value, noisy).astype(np.uint16)).empty
    assert (found & ~outside).sum() == 0
    assert (outside & ~found).sum() <= 10


@pytest.mark.parametrize("value", [1e200, -1.7e308])
def test_numbers_that_overflow_are_no_measurement(noisy, value):
    image = noisy.astype(float)
    image[30, 30] = image[50:60, 50:60] = value
    found = Defects.of(image)
    np.testing.assert_array_equal(found.mask, image == value)
    assert np.abs(found.repaired(image)).max() < 1000


@pytest.mark.parametrize("value", [0, 4000])
@pytest.mark.parametrize("rows", [np.s_[33:34], np.s_[33:35], np.s_[:1], np.s_[127:]], ids=str)
def test_dead_and_hot_lines_of_a_detector_are_outliers(noisy, rows, value):
    image = noisy.astype(float)
    image[rows] += value if value else -image[rows] + 3 * np.sin(np.arange(128))
    expected = np.zeros(image.shape, bool)
    expected[rows] = True
    for turned, places in ((image, expected), (image.T, expected.T)):
        found = Defects.of(turned)
        assert not found.bits.any()
        np.testing.assert_array_equal(found.mask, places)


@pytest.mark.parametrize("width", [0.8, 1.0, 2.0])
def test_a_focused_line_is_no_outlier(width, rng):
    image = np.zeros((128, 128))
    image[60] = image[:, 30] = 1
    image = gaussian_filter(image, width)
    assert not Defects.of(rng.poisson(500 * image / image.max() + 10)).any


@pytest.mark.parametrize("width", [0.6, 0.8, 1.2])
def test_focused_spots_are_no_outliers(width, rng):
    image = np.zeros((128, 128))
    image[tuple(rng.integers(8, 120, (2, 30)))] = 1
    image = gaussian_filter(image, width)
    found = Defects.of(rng.poisson(2000 * image / image.max() + 5))
    assert not len(found.outliers)


def test_real_images_have_hardly_any_defects(shared):
    folder = shared / "data" / "fmd_test" / "raw"
    files = sorted(folder.glob("*_1.png"))
    assert len(files) == 12
    for path in files:
        found = Defects.of(io.read(path).data)
        assert not found.bits.any(), path.name
        assert len(found.outliers) <= 2, path.name


def test_an_empty_area_is_filled_with_its_surroundings(noisy):
    image = noisy.copy()
    image[:14] = 0
    filled = Defects.of(image).repaired(image)
    np.testing.assert_array_equal(filled[14:], image[14:])
    np.testing.assert_array_equal(filled[:14], image[15:29][::-1])


def test_hot_pixels_are_not_reflected_into_an_empty_area(noisy):
    image = noisy.copy()
    image[:14] = 0
    image[14, 40] = image[18, 80:82] = 65535
    assert Defects.of(image).repaired(image).max() < 300


def test_a_region_is_repaired_like_the_plane(noisy):
    image = noisy.copy()
    image[:14] = 0
    image[70, 70] = 60000
    found = Defects.of(image)
    whole, rows, columns = found.repaired(image), slice(30, 100), slice(20, 110)
    region = found.repaired(image[rows, columns], rows, columns)
    np.testing.assert_array_equal(region, whole[rows, columns])


@given(arrays(np.float32, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_repaired_pixels_are_finite_and_the_others_are_as_before(image):
    found = Defects.of(image)
    repaired = found.repaired(image)
    assert np.isfinite(repaired).all()
    np.testing.assert_array_equal(repaired[~found.mask], image[~found.mask])
