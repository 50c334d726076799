import numpy as np
import pytest

from autodip.pictures.contrast import grey, limits
from autodip.pictures.encode import data_url, png


def test_limits_ignore_pixels_that_are_not_finite():
    image = np.array([[0, 1, 2], [np.nan, np.inf, 3]])
    assert limits(image, 0, 100) == (0, 3)


@pytest.mark.parametrize("value", [0, 7, -1e30, 1e-300])
def test_a_constant_image_has_limits_that_differ(value):
    low, high = limits(np.full((4, 4), float(value)))
    assert low < high
    assert not grey(np.full((4, 4), float(value)), low, high).any()


def test_an_image_without_finite_pixels():
    image = np.full((2, 2), np.nan)
    assert limits(image) == (0, 1)
    assert not grey(image, 0, 1).any()


def test_grey_is_linear_between_the_limits_and_clipped_beyond():
    image = np.array([[-5, 0, 1, 2, 9, np.inf, -np.inf]])
    assert grey(image, 0, 2).tolist() == [[0, 0, 128, 255, 255, 255, 0]]


def test_a_picture_is_encoded_as_png():
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert png(pixels).startswith(b"\x89PNG")
    assert data_url(pixels).startswith("data:image/png;base64,iVBOR")
