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


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("zebrafish", "zebrafish"),
        ("mouse_brain", "mouse_brain"),
        ("Mouse brain", "mouse_brain"),
        ("alpha-actinin 2", "alpha_actinin_2"),
        ("actinin", "actinin"),
        ("細胞核", "細胞核"),
        ("ER", "er"),
        ("endoplasmic reticulum", "er"),
        ("Microtubules", "tubulin"),
        ("membrane", "membrane"),
        ("nucleoli", "nucleolus"),
    ],
)
def test_new_specimens(text, name):
    assert vocabulary.specimen(text) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("light sheet", "light_sheet"),
        ("LightSheet", "light_sheet"),
        ("SPIM", "light_sheet"),
        ("TIRF", "tirf"),
        ("STED", "sted"),
        ("3D-SIM", "sim"),
        ("FLIM", "flim"),
    ],
)
def test_new_microscopes(text, name):
    assert vocabulary.microscope(text) == name


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("tubulin", ""),
        ("DAPI", ""),
        ("other", ""),
        ("mouse_brain", "a new name"),
        ("actinin", "a new name, not actin"),
    ],
)
def test_notes_on_new_names(text, note):
    assert vocabulary.note_on("specimen", text) == note


@pytest.mark.parametrize("name", ["", "---", "a\nb", "x" * 61, "cells<script>"])
def test_names_are_plain_words(name):
    with pytest.raises(ParameterError, match="give plain words, such as actin"):
        vocabulary.specimen(name)


@pytest.mark.parametrize("name", ["nucleous", "mitocondria", "tubulim", "NUCLUES", "acton"])
def test_misspelt_names_are_refused(name):
    with pytest.raises(ParameterError, match=r"Did you mean \w+\? Known are actin"):
        vocabulary.specimen(name)


def test_words_of_data_sets_are_never_refused():
    assert vocabulary.documented("microscope", "confocl") == "confocl"
    assert vocabulary.documented("specimen", "F-actin_Nonlinear") == "actin"
    assert vocabulary.documented("specimen", None) is None


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
