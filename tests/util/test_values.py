from dataclasses import dataclass

import pytest

from autodip.errors import ParameterError
from autodip.util.values import Value


@dataclass(frozen=True)
class Inner(Value):
    number: int
    pair: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True)
class Outer(Value):
    inner: Inner
    perhaps: Inner | None = None
    several: tuple[Inner, ...] = ()
    grid: tuple[tuple[int, ...], ...] = ()


FULL = Outer(Inner(1), Inner(2, (3.0, 4.0)), (Inner(5), Inner(6)), ((1, 2), (3,)))


@pytest.mark.parametrize("value", [Outer(Inner(1)), FULL])
def test_nested_values_survive_the_round_trip(value):
    assert Outer.from_dict(value.to_dict()) == value


def test_a_dictionary_is_ready_for_json():
    assert FULL.to_dict()["several"] == [
        {"number": 5, "pair": [0.0, 1.0]},
        {"number": 6, "pair": [0.0, 1.0]},
    ]
    assert FULL.to_dict()["grid"] == [[1, 2], [3]]


def test_replace_keeps_the_type_and_the_other_fields():
    assert FULL.replace(perhaps=None) == Outer(FULL.inner, None, FULL.several, FULL.grid)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"inner": {"number": 1, "colour": 2}}, "Inner: unknown 'colour'; known are number, pair"),
        ({"inner": {}}, "Inner: number missing"),
        ({}, "Outer: inner missing"),
    ],
)
def test_wrong_keys_are_named(content, message):
    with pytest.raises(ParameterError, match=message):
        Outer.from_dict(content)
