"""Where the noisy images of a run do not support the structure of the results, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autodip.runs.plane_records import PlaneRecord
from autodip.trust.unsupported_place import Direction, UnsupportedPlace

_NAMED = 3
"""Number of places that a note names."""

_IN_WORDS: Mapping[Direction, tuple[str, str, str]] = {
    "added": (
        "holds structure that the noisy image does not support",
        "hold structure that the noisy image does not support",
        "Do not interpret it",
    ),
    "lost": (
        "lacks structure that the noisy image supports",
        "lack structure that the noisy image supports",
        "Compare with the noisy image there",
    ),
}


@dataclass(frozen=True)
class Located:
    """A place in a plane of an image.

    Parameters
    ----------
    index : mapping of str to int
        Position of the plane along the axes other than Y and X.
    place : UnsupportedPlace
        Its centre counts from the corner of the plane, even if the plane was computed in windows.
    """

    index: Mapping[str, int]
    place: UnsupportedPlace

    @property
    def words(self) -> str:
        """Kind and position."""
        axes = "".join(f", {axis} {number}" for axis, number in self.index.items())
        return f"{self.place.kind} at row {self.place.y}, column {self.place.x}{axes}"


def located(planes: Iterable[PlaneRecord]) -> list[Located]:
    """Places that are listed in the records, the clearest first, each once.

    In the overlap of two windows both may have found it.
    """
    found = sorted(_all(planes), key=lambda one: -one.place.deviation)
    kept: list[Located] = []
    for one in found:
        if not any(_same(one, other) for other in kept):
            kept.append(one)
    return kept


def _all(planes: Iterable[PlaneRecord]) -> Iterator[Located]:
    for plane in planes:
        support = plane.assessment.support if plane.assessment else None
        for place in support.places if support else ():
            moved = place
            if plane.window is not None:
                top, left = plane.window.rows.start, plane.window.columns.start
                moved = place.replace(y=place.y + top, x=place.x + left)
            yield Located(plane.index, moved)


def _same(one: Located, other: Located) -> bool:
    """Whether two places of a plane are the same: the centre of one lies in the other."""
    a, b = one.place, other.place
    return (
        one.index == other.index
        and a.direction == b.direction
        and abs(a.y - b.y) <= max(a.height, b.height) / 2
        and abs(a.x - b.x) <= max(a.width, b.width) / 2
    )


def support_notes(planes: Sequence[PlaneRecord]) -> Iterator[str]:
    """One note on structure that was added, and one on structure that was lost."""
    places = located(planes)
    for direction, (one, several, advice) in _IN_WORDS.items():
        mine = [place for place in places if place.place.direction == direction]
        if not mine:
            continue
        verb = f"1 place {one}" if len(mine) == 1 else f"{len(mine)} places {several}"
        named = "; ".join(place.words for place in mine[:_NAMED])
        more = "; …" if len(mine) > _NAMED else ""
        them = "it" if len(mine) == 1 else "them"
        yield f"{verb}: {named}{more}. {advice}; the report and the sidecar list {them}"


def numbers_of_places(planes: Sequence[PlaneRecord]) -> dict[str, int | None]:
    """Number of places by the columns of a summary; None if no plane was tested."""
    if not is_tested(planes):
        return {"unsupported": None, "lost": None}
    directions = [one.place.direction for one in located(planes)]
    return {"unsupported": directions.count("added"), "lost": directions.count("lost")}


def is_tested(planes: Iterable[PlaneRecord]) -> bool:
    """Whether any plane was tested."""
    return any(one.assessment is not None and one.assessment.support is not None for one in planes)
