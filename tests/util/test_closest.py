import pytest

from autodip.util.closest import closest, meant, not_known


@pytest.mark.parametrize(
    ("name", "found"),
    [("BALANCD", "balanced"), ("Best", "best"), ("xyz", None), ("", None)],
)
def test_the_closest_name(name, found):
    assert closest(name, ("best", "balanced")) == found


def test_sentences():
    assert meant("bset", ["best"]) == " Did you mean best?"
    assert meant("q", ["best"]) == ""
    assert not_known("preset", "bset", ["best", "fast"]) == (
        "preset 'bset' is not known. Did you mean best? Known are best, fast"
    )
    assert not_known("preset", "q", ["best"]) == "preset 'q' is not known; known are best"
