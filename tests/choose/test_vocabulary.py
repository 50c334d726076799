import pytest

from autodip.choose import vocabulary
from autodip.errors import ParameterError


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("confocal", "confocal"),
        ("Spinning-Disk", "confocal"),
        ("CLSM", "confocal"),
        ("two-photon", "twophoton"),
        ("2P", "twophoton"),
        ("Multiphoton", "twophoton"),
        ("two photon microscopy", "twophoton"),
        ("confocal laser scanning microscope", "confocal"),
        ("wide-field", "widefield"),
        ("Wide Field", "widefield"),
        ("epifluorescence", "widefield"),
        ("unknown", None),
        ("Other", None),
        (None, None),
    ],
)
def test_microscopes(text, name):
    assert vocabulary.microscope(text) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("DAPI", "nucleus"),
        ("Hoechst 33342", "nucleus"),
        ("nuclei", "nucleus"),
        ("phalloidin", "actin"),
        ("F-actin", "actin"),
        ("MitoTracker", "mito"),
        ("TOMM20", "mito"),
        ("anti-TOMM20", "mito"),
        ("MitoTracker Red CMXRos", "mito"),
        ("H2B-GFP", "nucleus"),
        ("SiR-DNA", "nucleus"),
        ("Alexa Fluor 488 phalloidin", "actin"),
        ("mitochondria", "mito"),
    ],
)
def test_specimens(text, name):
    assert vocabulary.specimen(text) == name


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ParameterError, match=r"actin.*mito.*nucleus") as caught:
        vocabulary.specimen("zebrafish")
    assert "other" in str(caught.value)


@pytest.mark.parametrize("name", ["", "細胞核"])
def test_nothing_is_not_taken_for_unknown(name):
    with pytest.raises(ParameterError, match="Known are"):
        vocabulary.specimen(name)


def test_a_slip_is_recognised():
    with pytest.raises(ParameterError, match="Did you mean confocal"):
        vocabulary.microscope("confocl")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("LaserScanningConfocalMicroscopy", "confocal"),
        ("SpinningDiskConfocal", "confocal"),
        ("MultiPhotonMicroscopy", "twophoton"),
        ("WideField", "widefield"),
        ("Brightfield", None),
        ("confocal and widefield", None),
    ],
)
def test_microscopes_in_metadata(text, name):
    assert vocabulary.find_microscope(text) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ch1-DAPI (405)", "nucleus"),
        ("MitoTracker Deep Red", "mito"),
        ("Alexa Fluor 568 Phalloidin", "actin"),
        ("LifeAct-GFP", "actin"),
        ("Hoechst33342", "nucleus"),
        ("GFP", None),
        ("DAPI + phalloidin", None),
        ("", None),
    ],
)
def test_specimens_in_metadata(text, name):
    assert vocabulary.find_specimen(text) == name
