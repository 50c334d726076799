import numpy as np
import pytest

import autodip
from autodip.errors import ParameterError
from autodip.image.channels import PerChannel, number_named
from autodip.image.image import Hint, Image
from autodip.pipeline.options import Options

NAMES = ("DAPI", "GFP")


def test_one_name_is_for_all():
    assert PerChannel.of("actin", "specimen").at(1, NAMES) == "actin"
    assert PerChannel.of(None, "specimen").at(0, ()) is None
    assert PerChannel.of(None, "specimen").values() == []


@pytest.mark.parametrize(
    "said", ["DAPI=nucleus, GFP = actin", {"DAPI": "nucleus", "GFP": "actin"}, "0=nucleus,1=actin"]
)
def test_names_of_channels(said):
    names = PerChannel.of(said, "specimen")
    assert [names.at(n, NAMES) for n in range(3)] == ["nucleus", "actin", None]
    assert sorted(names.values()) == ["actin", "nucleus"]
    assert PerChannel.of(names, "specimen") is names
    names.check(2, NAMES, "specimen")


def test_a_channel_may_have_a_sign_of_equality():
    assert PerChannel.of("a=b=actin", "specimen").at(0, ("a=b",)) == "actin"


def test_what_wins():
    names = PerChannel(
        "mito", {"GFP": "actin"}, {"GFP": "nucleus", "DAPI": "nucleus", "Cy5": "mito"}
    )
    assert [names.at(n, NAMES) for n in range(3)] == ["nucleus", "actin", "mito"]
    names.check(2, NAMES, "specimen")  # the image need not have the channels of the defaults


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("DAPI=nucleus,actin", "'actin' is not CHANNEL=NAME"),
        ("DAPI=", "DAPI=nucleus,GFP=actin"),
        ("=nucleus", "is not CHANNEL=NAME"),
        ("DAPI=nucleus,DAPI=actin", "comes twice"),
    ],
)
def test_what_cannot_be_read(said, message):
    with pytest.raises(ParameterError, match=message):
        Options(specimen=said)


def test_channels_that_are_not_there():
    names = PerChannel.of("DAPI=nucleus,GPF=actin", "specimen")
    with pytest.raises(
        ParameterError, match="'GPF'; there are 2, numbered 0 to 1, named DAPI, GFP"
    ):
        names.check(2, NAMES, "specimen")
    names.check(1, ("DAPI",), "specimen")  # selected from several
    with pytest.raises(ParameterError, match="'DAPI'; there are 1"):
        names.check(1, (), "specimen")


def test_every_channel_is_chosen_for_on_its_own(sample):
    data = np.stack([sample[0], sample[0][::-1]])
    hints = ((Hint("specimen", "name", "DAPI"),), (Hint("specimen", "name", "TOMM20"),))
    image = Image(data, "CYX", channel_names=("one", "two"), hints=hints)
    said = {"one": "actin"}
    plans = autodip.plan(image, Options(specimen=said, microscope="two=2P", device="cpu"))
    assert [plan.description.specimen for plan in plans] == ["actin", "mito"]
    assert [plan.description.microscope for plan in plans] == [None, "twophoton"]
    assert plans[0].description.origin["specimen"] == "given as 'actin'"
    result = autodip.denoise(image, specimen=said, iterations=2, depth=1, width=2, refine=False)
    assert result.plans[0].description.specimen == "actin"
    with pytest.raises(ParameterError, match="'three'"):
        autodip.plan(image, Options(specimen={"three": "actin"}))


def test_upper_and_lower_case_make_no_difference():
    names = ("DAPI", "GFP", "gfp")
    assert number_named("dapi", names) == 0
    assert number_named("gfp", names) == 2
    assert number_named("Gfp", names) is None  # two channels are named so
    said = PerChannel.of("dapi=nucleus,GFP=actin", "specimen")
    assert [said.at(number, names) for number in range(3)] == ["nucleus", "actin", None]
    said.check(3, names, "specimen")
    image = Image(np.zeros((3, 4, 4)), "CYX", channel_names=names)
    assert image.channel_number("dapi") == 0
