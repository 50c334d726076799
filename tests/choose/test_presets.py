import dataclasses
import json

import pytest

from autodip.choose import presets
from autodip.errors import ParameterError
from autodip.image.kind import Kind

ROW = {
    "microscope": None,
    "specimen": None,
    "net": {"depth": 2, "width": 4},
    "fit": {"iterations": 1},
}
CONTENT = {"schema": 1, "name": "mine", "version": "1", "source": "measured", "rows": [ROW]}


@pytest.mark.parametrize("preset", presets.PRESETS)
def test_every_preset_is_valid_and_names_its_source(preset):
    loaded = presets.load(preset)
    assert loaded.name == preset
    assert len(loaded.source) > 30
    assert loaded.find(Kind()) is not None


def test_unknown_preset():
    with pytest.raises(ParameterError, match="known are original, published"):
        presets.load("magic")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": 2}, "schema 2"),
        ({"colour": 1}, "unknown colour"),
        ({"rows": [ROW, ROW]}, "one row"),
        ({"rows": [{**ROW, "microscope": "confocal"}]}, "nothing is known"),
        ({"rows": [{**ROW, "net": {"depth": 2, "width": 4, "colour": 1}}]}, "colour"),
    ],
)
def test_wrong_tables_are_refused(changes, message):
    with pytest.raises(ParameterError, match=message):
        presets.parse(json.loads(json.dumps({**CONTENT, **changes})))


def test_keys():
    assert presets.load("published").keys == ("microscope", "specimen")
    assert presets.load("original").keys == ()


def test_our_presets_apply_a_learned_prior_and_untrained_fits_as_balanced():
    for preset in presets.PRESETS:
        priors = [row.prior for row in presets.load(preset).rows]
        assert all(priors) if preset in presets.BY_QUALITY else not any(priors), preset
    balanced, untrained = (presets.load(name).rows for name in ("balanced", "untrained"))
    assert [dataclasses.replace(row, prior=None) for row in balanced] == list(untrained)


def test_a_prior_of_a_table_is_checked():
    wrong = {**CONTENT, "rows": [{**ROW, "prior": {"passes": 9}}]}
    with pytest.raises(ParameterError, match="passes is 9"):
        presets.parse(wrong)
