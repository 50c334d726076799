import json
from importlib import resources

import pytest

from autodip.choose.familiarity import Familiarity, familiarity

SEEN = json.loads((resources.files("autodip") / "data" / "prior_seen.json").read_text())
FIRST = dict(zip(SEEN["names"], SEEN["descriptors"][0], strict=True))


def test_a_training_example_is_familiar():
    found = familiarity(FIRST)
    assert found.distance == pytest.approx(0, abs=1e-9)
    assert 0 < found.usual < found.limit
    assert found.examples == len(SEEN["descriptors"])
    assert not found.outside
    assert found.note == ""


def test_what_is_far_from_all_examples_is_outside():
    found = familiarity({name: value + 1e3 for name, value in FIRST.items()})
    assert found.outside
    assert "unlike all images" in found.note
    assert "99 % of these have one within" in found.note
    assert "compare with --preset untrained" in found.note


def test_between_the_two_limits_an_image_is_unlike_most():
    found = Familiarity(distance=2.5, usual=2.0, limit=3.0, examples=300)
    assert not found.outside
    assert "unlike most images" in found.note
    assert "90 % of these have one within 2.0" in found.note
    assert Familiarity.from_dict(found.to_dict()) == found


def test_descriptors_in_common_are_enough_and_none_is_no_answer():
    name = SEEN["names"][0]
    assert familiarity({name: FIRST[name], "other": 5.0}).distance == pytest.approx(0, abs=1e-9)
    assert familiarity({"other": 5.0}) is None
