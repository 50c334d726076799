"""Noise common to a row is estimated; structure is not mistaken for it."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from autodip import io
from autodip.physics.banding import band_offsets
from tests.helpers.blobs import blobs, recorded


@pytest.mark.parametrize("spread", [4.0, 12.0, 40.0])
def test_offsets_of_rows_are_found(spread, rng):
    offsets = rng.normal(0, spread, 128)
    image = recorded(blobs()) + offsets[:, None]
    found, none = band_offsets(image)
    assert none is None
    expected = offsets - offsets.mean()
    assert np.corrcoef(found, expected)[0, 1] > 0.85
    # What changes from row to row is known; slow changes may be structure.
    assert np.std(np.diff(found - expected)) < 0.2 * np.std(np.diff(expected))
    np.testing.assert_allclose(band_offsets(image.T)[1], found)


def test_rows_and_columns_may_both_have_offsets(rng):
    rows, columns = rng.normal(0, 12, (2, 128))
    image = recorded(blobs()) + rows[:, None] + columns
    for found, expected in zip(band_offsets(image), (rows, columns), strict=True):
        assert np.corrcoef(found, expected)[0, 1] > 0.85


def test_there_are_none_without_banding(rng):
    for seed in range(5):
        image = recorded(blobs(seed=seed))
        assert band_offsets(image) == (None, None)
    gradient = np.arange(128.0)[:, None] * 3 + rng.normal(0, 2, (128, 128))
    assert band_offsets(gradient) == (None, None)


def test_stripes_that_are_blurred_as_by_a_microscope_are_structure(rng):
    stripes = gaussian_filter(rng.uniform(0, 200, (128, 1)), (1.5, 0))
    assert band_offsets(stripes + rng.normal(0, 3, (128, 128))) == (None, None)


def test_small_planes_are_left_alone(rng):
    assert band_offsets(rng.normal(0, 1, (63, 200))) == (None, None)


def test_real_images_of_cameras_and_scans_have_none(shared):
    for path in sorted((shared / "data" / "fmd_test" / "raw").glob("*_1.png")):
        plane = io.read(path).data
        assert band_offsets(plane) == (None, None), path.name
