"""Notes and numbers on structure that only one of the images has."""

from autodip.image.windows import Window
from autodip.pipeline.assess import Assessment
from autodip.runs.plane_records import PlaneRecord
from autodip.runs.unsupported_structure import located, numbers_of_places, support_notes
from autodip.trust.unsupported_place import SupportTest, UnsupportedPlace


def place(y, x, **values):
    usual = {"direction": "added", "kind": "spot", "height": 9, "width": 9, "share": 0.1}
    return UnsupportedPlace(
        **{**usual, "brightness": 3.0, "deviation": 8.0, "y": y, "x": x, **values}
    )


def record(*places, index=None, window=None):
    support = SupportTest(limit=5.5, count=len(places), places=places)
    assessment = Assessment(1.0, (0.0, 0.0), 0.0, (), support)
    return PlaneRecord(index=index or {}, window=window, assessment=assessment)


def test_no_places_no_notes():
    assert list(support_notes([record()])) == []
    assert numbers_of_places([record()]) == {"unsupported": 0, "lost": 0}


def test_untested_planes_have_no_numbers():
    untested = PlaneRecord(index={}, assessment=Assessment(1.0, (0.0, 0.0), 0.0))
    assert numbers_of_places([untested]) == {"unsupported": None, "lost": None}


def test_one_note_for_each_direction():
    lost = place(70, 7, direction="lost", kind="filament")
    added, missing = support_notes([record(place(5, 6), place(50, 60), lost, index={"T": 3})])
    assert added == (
        "2 places hold structure that the noisy image does not support: spot at row 5, column 6, "
        "T 3; spot at row 50, column 60, T 3. Do not interpret it; the report and the sidecar list "
        "them"
    )
    assert missing == (
        "1 place lacks structure that the noisy image supports: filament at row 70, column 7, T 3. "
        "Compare with the noisy image there; the report and the sidecar list it"
    )


def test_windows_that_overlap_do_not_count_a_place_twice():
    left = Window(slice(0, 64), slice(0, 64))
    right = Window(slice(0, 64), slice(40, 104))
    planes = [record(place(30, 50), window=left), record(place(31, 11), window=right)]
    (only,) = located(planes)
    assert (only.place.y, only.place.x) in {(30, 50), (31, 51)}
    assert numbers_of_places(planes) == {"unsupported": 1, "lost": 0}
