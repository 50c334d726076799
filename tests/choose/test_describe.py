import numpy as np

from autodip.choose.describe import describe
from autodip.image.image import Hint

IMAGE = np.zeros((8, 8))
HINTS = [
    Hint("microscope", "OME Channel AcquisitionMode", "SpinningDiskConfocal"),
    Hint("specimen", "OME Channel Fluor", "Cy5"),
    Hint("specimen", "OME Channel Name", "Ch2 Hoechst"),
]


def test_metadata_is_used_when_nothing_is_given():
    description = describe(IMAGE, hints=HINTS)
    assert (description.microscope, description.specimen) == ("confocal", "nucleus")
    assert description.origin["microscope"].startswith("OME Channel AcquisitionMode")
    assert "'Ch2 Hoechst'" in description.origin["specimen"]


def test_what_is_given_wins():
    description = describe(IMAGE, microscope="2p", specimen="other", hints=HINTS)
    assert (description.microscope, description.specimen) == ("twophoton", None)
    assert description.origin["microscope"] == "given as '2p'"
    assert description.origin["specimen"] == "given as 'other'"


def test_nothing_known():
    description = describe(IMAGE)
    assert (description.microscope, description.specimen, description.noise) == (None, None, None)
    assert set(description.origin.values()) == {"unknown"}
