import pytest

from autodip.choose.choice import Choice, Evidence
from autodip.errors import ParameterError
from autodip.fit.params import FitParams, NetParams, deepest, parse_width
from autodip.image.kind import Kind

EVIDENCE = Evidence(
    preset="published",
    table="published 1",
    source="a paper",
    group=Kind("confocal"),
    known=Kind("confocal"),
    origin={"microscope": "given", "specimen": "unknown"},
    notes=("one",),
)


@pytest.mark.parametrize(
    ("shape", "depth"),
    [((512, 512), 8), ((513, 513), 9), ((256, 900), 7), ((3, 3), 1), ((2, 9), 0), ((1, 1), 0)],
)
def test_deepest(shape, depth):
    assert deepest(shape) == depth


@pytest.mark.parametrize(
    ("text", "width"),
    [("32", 32), ("8,16,32", (8, 16, 32)), ("asc_to512", "asc_to512"), (" 4 , 8 ", (4, 8))],
)
def test_parse_width(text, width):
    assert parse_width(text) == width


@pytest.mark.parametrize("text", ["", "wide", "8;16", "8,", "1.5"])
def test_parse_width_says_what_is_allowed(text):
    with pytest.raises(ParameterError, match="asc_to512"):
        parse_width(text)


def test_widths():
    assert NetParams(8, "asc_to512").widths == (4, 8, 16, 32, 64, 128, 256, 512)
    assert NetParams(4, "asc_to512").widths == (64, 128, 256, 512)
    assert NetParams(3, 7).widths == (7, 7, 7)
    assert NetParams(3, (1, 2, 3)).with_depth(2).widths == (1, 2)
    assert NetParams(8, "asc_to512").with_depth(7).widths == (8, 16, 32, 64, 128, 256, 512)


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (NetParams, {"depth": 0, "width": 8}, "depth is 0"),
        (NetParams, {"depth": 10, "width": 8}, "from 1 to 9"),
        (NetParams, {"depth": True, "width": 8}, "depth is True"),
        (NetParams, {"depth": 2, "width": 0}, "width is 0"),
        (NetParams, {"depth": 2, "width": [8]}, "one width for each of the 2"),
        (NetParams, {"depth": 2, "width": [8, 0]}, "width is 0"),
        (NetParams, {"depth": 2, "width": "wide"}, "width is 'wide'"),
        (NetParams, {"depth": 2, "width": 8, "skip": -1}, "skip is -1"),
        (NetParams, {"depth": 2, "width": 8, "downsample": "lanczos"}, "stride, avg, max"),
        (NetParams, {"depth": 2, "width": 8, "upsample": "cubic"}, "bilinear, nearest"),
        (NetParams, {"depth": 2, "width": 8, "colour": 1}, "unknown 'colour'; known are depth"),
        (NetParams, {"depth": 2}, "width missing"),
        (NetParams, {"depth": 2, "width": 8, "lean": 1}, "lean is 1"),
        (NetParams, {"depth": 2, "width": 8, "reduction": 3}, "from 1 to 2"),
        (FitParams, {"iterations": 1, "precision": "float16"}, "float32, bfloat16"),
        (FitParams, {"iterations": 0}, "iterations is 0"),
        (FitParams, {"iterations": 1.5}, "whole number"),
        (FitParams, {"iterations": 1, "learning_rate": 0}, "above 0"),
        (FitParams, {"iterations": 1, "average": 1}, "average is 1"),
        (FitParams, {"iterations": 1, "start_at_mean": 1}, "true or false"),
    ],
)
def test_wrong_values_are_named(kind, values, message):
    with pytest.raises(ParameterError, match=message) as caught:
        kind.from_dict(values)
    assert isinstance(caught.value, ValueError)


def test_choice_survives_the_round_trip():
    choice = Choice(NetParams(2, (4, 8)), FitParams(10, average=0.9), EVIDENCE)
    assert Choice.from_dict(choice.to_dict()) == choice


def test_notes_are_added():
    choice = Choice(NetParams(2, 4), FitParams(10), EVIDENCE)
    assert choice.evidence.replace(notes=("one", "two")).notes == ("one", "two")


def test_lean_and_half_networks_are_named_and_survive_the_round_trip():
    net = NetParams(4, (16, 32, 64, 128), 4, lean=True, reduction=2)
    assert str(net) == "4/16-32-64-128/4 lean half"
    assert str(net.replace(lean=False)) == "4/16-32-64-128/4 half"
    assert str(net.replace(reduction=1)) == "4/16-32-64-128/4 lean"
    assert NetParams.from_dict(net.to_dict()) == net
    assert net.reduced((5, 8)) == (3, 4)


def test_older_records_without_the_newer_values_are_read():
    older = {"depth": 2, "width": 4, "skip": 4, "downsample": "stride", "upsample": "bilinear"}
    net = NetParams.from_dict(older)
    assert (net.lean, net.reduction) == (False, 1)
    assert FitParams.from_dict({"iterations": 3}).precision == "float32"
