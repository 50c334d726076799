import pytest

from autodip.image.kind import Kind

BOTH = Kind("confocal", "mito")


@pytest.mark.parametrize(
    ("kind", "groups"),
    [
        (BOTH, [BOTH, Kind("confocal"), Kind(specimen="mito"), Kind()]),
        (Kind("confocal"), [Kind("confocal"), Kind()]),
        (Kind(specimen="mito"), [Kind(specimen="mito"), Kind()]),
        (Kind(), [Kind()]),
    ],
)
def test_fallbacks_go_from_the_most_specific_group_to_any(kind, groups):
    assert list(kind.fallbacks()) == groups
    assert all(group.includes(kind) for group in groups)


def test_a_group_includes_what_it_leaves_open():
    assert Kind("confocal").includes(BOTH)
    assert not Kind("widefield").includes(BOTH)
    assert not BOTH.includes(Kind("confocal"))


def test_words():
    assert (BOTH.words, Kind(specimen="mito").words, Kind().words) == (
        "confocal and mito",
        "mito",
        "",
    )
    assert (BOTH.missing, Kind("confocal").missing) == ((), ("specimen",))
