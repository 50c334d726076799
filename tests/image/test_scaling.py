import numpy as np
import pytest

from autodip.errors import ImageError
from autodip.image.scaling import Scale, to_dtype


def test_extremes_go_to_0_and_1():
    image = np.array([[5, 10], [7, 25]], np.uint8)
    scaled = Scale.of(image).apply(image)
    assert scaled.min() == 0
    assert scaled.max() == 1
    assert scaled.dtype == np.float64


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinite_are_counted_and_located(bad):
    image = np.ones((4, 5), np.float32)
    image[2, 3] = image[3, 1] = bad
    with pytest.raises(ImageError, match=r"2 of 20 pixels .* first at \(2, 3\)"):
        Scale.of(image)


def test_constant_image():
    with pytest.raises(ImageError, match="all pixels are 7"):
        Scale.of(np.full((3, 3), 7))


def test_range_that_overflows():
    with pytest.raises(ImageError, match="overflows"):
        Scale.of(np.array([[-1.7e308, 1.7e308]]))


def test_integers_are_rounded_and_clipped_not_wrapped():
    values = np.array([-3.0, 0.4, 0.6, 254.5, 300.0])
    np.testing.assert_array_equal(to_dtype(values, np.dtype(np.uint8)), [0, 0, 1, 254, 255])


@pytest.mark.parametrize("name", ["uint64", "int64", "uint32", "int16"])
def test_no_integer_type_wraps(name):
    dtype = np.dtype(name)
    top = to_dtype(np.array([1e30, -1e30]), dtype)
    assert top[0] > 0.99 * np.iinfo(dtype).max
    assert top[1] == np.iinfo(dtype).min
