"""Drawn scenes: their range, and that they are functions of the seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodip.errors import ParameterError
from autodip.physics.structures import KINDS, draw_scene


@settings(max_examples=30)
@given(st.sampled_from(KINDS), st.integers(0, 10**6), st.sampled_from([16, 33, 48]))
def test_brightness_is_from_0_to_1(kind, seed, size):
    scene = draw_scene(kind, size, np.random.default_rng(seed))
    assert (scene.shape, scene.dtype) == ((size, size), np.float32)
    assert scene.min() >= 0
    assert scene.max() == (0 if kind == "empty" else pytest.approx(1))


@pytest.mark.parametrize("kind", KINDS)
def test_one_seed_one_scene(kind):
    first, same, other = (draw_scene(kind, 32, np.random.default_rng(s)) for s in (1, 1, 2))
    assert (first == same).all()
    assert (first == other).all() == (kind in ("flat", "empty"))


def test_an_unknown_kind():
    with pytest.raises(ParameterError, match=r"'stars'; allowed are filaments, .*, empty"):
        draw_scene("stars", 32, np.random.default_rng(0))
