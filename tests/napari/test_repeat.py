import shlex
from pathlib import Path

import pytest

from autodip.errors import ParameterError
from autodip.napari import repeat
from autodip.napari.entries import Entries
from autodip.runs.selection import Selection


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("a.tif", "a_denoised.tif"),
        ("a.b.ome.tif", "a.b_denoised.ome.tif"),
        ("a.png", "a_denoised.tif"),
        ("a.nd2", "a_denoised.ome.tif"),
        ("a.ome.zarr", "a_denoised.ome.zarr"),
        ("a.2.mrc", "a.2_denoised.mrc"),
    ],
)
def test_the_output_lies_beside_the_input(name, target):
    assert repeat.target_of(Path("/data") / name) == Path("/data") / target


def test_paths_are_quoted_for_the_shell():
    path = Path("/my data/it's & $HOME.tif")
    command = repeat.command_of(path, Selection(channel="1", axes="TCYX"), Entries())
    words = shlex.split(command)
    assert words[:3] == ["autodip", "denoise", str(path)]
    assert words[-4:] == ["--axes", "TCYX", "--channel", "1"]


def test_the_preset_is_always_stated_so_that_no_config_file_changes_it():
    assert Entries().keywords() == {"preset": "balanced", "device": "auto"}
    assert Entries(budget=5.0).keywords() == {"budget": 5.0, "device": "auto"}


def test_names_for_each_channel():
    entries = Entries(microscopes=("confocal", "confocal"), specimens=("nucleus", "", "actin"))
    assert entries.keywords()["microscope"] == "confocal"
    assert entries.keywords()["specimen"] == "0=nucleus,2=actin"
    assert entries.of_channel(2).specimens == ("actin",)
    assert entries.options().per_channel("specimen").at(2, []) == "actin"


def test_unknown_values_are_refused():
    with pytest.raises(ParameterError, match="preset 'nice' is not known"):
        Entries(preset="nice").options()
