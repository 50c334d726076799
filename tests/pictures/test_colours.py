import numpy as np
from numpy.testing import assert_array_equal

from autodip.pictures.colours import colour_bar, coloured


def test_the_ends_and_what_is_unknown():
    drawn = coloured(np.array([[0.0, 1.0, 2.0, 5.0, -3.0, np.nan]]), 0, 2)
    assert_array_equal(drawn[0, 0], (0, 0, 4))  # the first and the last colour of inferno
    assert_array_equal(drawn[0, 2], (252, 255, 164))
    assert_array_equal(drawn[0, 3], drawn[0, 2])
    assert_array_equal(drawn[0, 4], drawn[0, 0])
    assert_array_equal(drawn[0, 5], (128, 128, 128))


def test_it_becomes_brighter_all_the_way():
    bar = colour_bar(256, 3)
    assert bar.shape == (3, 256, 3)
    assert_array_equal(bar[0], bar[2])
    luminance = bar[0].astype(float) @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(luminance) >= -0.5).all()
    assert len(np.unique(bar[0], axis=0)) > 200
