import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodip.errors import ParameterError
from autodip.image.windows import Window, blend, seam, starts, windows

sizes = st.integers(1, 200)


@given(sizes, st.integers(1, 64), st.data())
def test_windows_cover_an_axis_and_overlap(length, side, data):
    overlap = data.draw(st.integers(0, (side - 1) // 2))
    first = starts(length, side, overlap)
    assert first[0] == 0
    assert first[-1] + side >= length
    assert first[-1] == 0 or first[-1] + side == length
    for one, other in itertools.pairwise(first):
        assert overlap <= one + side - other < side


def test_no_more_windows_than_needed():
    assert starts(100, 100, 20) == (0,)
    assert starts(180, 100, 20) == (0, 80)
    assert starts(181, 100, 20) == (0, 40, 81)


@pytest.mark.parametrize(("side", "overlap"), [(0, 0), (10, 5), (10, -1)])
def test_wrong_overlap(side, overlap):
    with pytest.raises(ParameterError, match="below half of the side"):
        starts(100, side, overlap)


@given(sizes, sizes, st.integers(3, 64))
def test_blending_the_parts_of_a_plane_gives_the_plane(rows, columns, side):
    plane = np.random.default_rng(rows * columns).random((rows, columns))
    parts = windows(plane.shape, side, side // 3)
    blended = list(blend(plane.shape, ((one, plane[one.slices]) for one in parts)))
    assert [part.start for part, _ in blended] == [0] + [part.stop for part, _ in blended[:-1]]
    np.testing.assert_allclose(np.concatenate([pixels for _, pixels in blended]), plane)


def test_results_cross_over_linearly():
    parts = windows((1, 16), 10, 4)
    assert [one.columns for one in parts] == [slice(0, 10), slice(6, 16)]
    ((_, pixels),) = blend((1, 16), [(one, np.full((1, 10), k)) for k, one in enumerate(parts)])
    np.testing.assert_allclose(pixels[0, :6], 0)
    np.testing.assert_allclose(pixels[0, 6:10], (np.arange(4) + 0.5) / 4)
    np.testing.assert_allclose(pixels[0, 10:], 1)


def test_rows_are_handed_on_as_soon_as_they_are_final():
    taken = []

    def parts():
        for one in windows((300, 40), 40, 10):
            taken.append(one)
            yield one, np.ones(one.shape)

    steps = blend((300, 40), parts())
    rows, pixels = next(steps)
    assert len(taken) == 2
    assert rows.stop == taken[1].rows.start == len(pixels)
    assert max(len(pixels) for _, pixels in steps) <= 40


def test_missing_windows_are_noticed():
    everything = windows((60, 60), 30, 10)
    whole = [(one, np.ones(one.shape)) for one in everything]
    with pytest.raises(ParameterError, match="rows from 50 on"):
        list(
            blend((80, 60), [*whole[:6], (Window(slice(20, 50), slice(0, 60)), np.ones((30, 60)))])
        )
    with pytest.raises(ParameterError, match="a part of row 0"):
        list(blend((60, 60), whole[1:]))


def test_a_seam_is_seen():
    plane = np.random.default_rng(0).random((120, 120))
    parts = windows(plane.shape, 50, 10)
    assert seam(plane, parts) == pytest.approx(1, abs=0.1)
    edge = parts[1].columns.start
    plane[:, edge:] += 2
    assert seam(plane, parts) > 1.5
    assert seam(plane, [Window(slice(0, 120), slice(0, 120))]) == 1
