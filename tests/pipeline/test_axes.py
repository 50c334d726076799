"""Every subset and order of the axes is accepted and preserved."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autodip
from autodip.errors import ParameterError
from autodip.image.image import Image

QUICK = {"iterations": 1, "depth": 1, "width": 2, "skip": 0, "refine": False, "device": "cpu"}

axes_of_images = (
    st.sets(st.sampled_from("TCZS"), max_size=3)
    .flatmap(lambda more: st.permutations(sorted({*more, "Y", "X"})))
    .map("".join)
)


@settings(max_examples=25)
@given(axes_of_images, st.booleans(), st.randoms(use_true_random=False))
def test_axes_shape_and_order_stay(axes, independent, random):
    sides = {"Y": 20, "X": 17, "T": 2, "C": 2, "Z": 2, "S": 3}
    shape = tuple(sides[axis] for axis in axes)
    generator = np.random.default_rng(random.randrange(2**32))
    data = generator.integers(0, 1000, shape).astype(np.uint16)
    result = autodip.denoise(data, axes=axes, independent=independent, **QUICK)
    assert result.image.shape == shape
    assert result.image.dtype == data.dtype
    planes = {record.index for record in result.planes}
    assert planes == {index for index, _ in Image(data, axes).planes()}
    assert len(result.planes) == len(planes)
    assert len(result.plans) == (2 if "C" in axes else 3 if "S" in axes else 1)


@given(st.permutations("TZYX").map("".join))
@settings(max_examples=5)
def test_the_order_of_axes_does_not_matter(axes):
    data = np.random.default_rng(0).integers(0, 1000, (2, 3, 20, 17)).astype(np.uint16)
    turned = np.transpose(data, ["TZYX".index(axis) for axis in axes])
    alone = {"independent": True}  # the order of the planes is that of the axes
    result = autodip.denoise(turned, axes=axes, **alone, **QUICK).image
    wanted = autodip.denoise(data, axes="TZYX", **alone, **QUICK).image
    assert np.array_equal(np.transpose(result, [axes.index(axis) for axis in "TZYX"]), wanted)


def test_ambiguous_axes_are_asked_for():
    with pytest.raises(ParameterError, match=r'\(2, 20, 17\).*axes="TYX".*axes="ZYX"'):
        autodip.denoise(np.ones((2, 20, 17)))
