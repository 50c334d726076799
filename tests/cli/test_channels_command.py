"""Microscope and specimen of single channels, on the command line and in the config file."""

import json

import numpy as np
import pytest
import tifffile

from autodip import io
from tests.cli.conftest import sidecar


@pytest.fixture
def two(tmp_path, sample):
    path = tmp_path / "two.ome.tif"
    metadata = {"axes": "CYX", "Channel": {"Name": ["DAPI", "GFP"]}}
    data = np.stack([sample[0], sample[0][::-1]])
    tifffile.imwrite(path, data, photometric="minisblack", metadata=metadata)
    return path


@pytest.fixture
def chosen(cli, two):
    def call(*arguments):
        code, out, err = cli("params", two, "--json", *arguments)
        assert code == 0, err
        channels = json.loads(out)["results"][0]["channels"]
        return [(c["description"]["microscope"], c["description"]["specimen"]) for c in channels]

    return call


def test_names_of_channels(chosen):
    assert chosen() == [(None, "nucleus"), (None, None)]
    assert chosen("--specimen", "GFP=actin") == [(None, "nucleus"), (None, "actin")]
    assert chosen("--specimen", "1=mito", "--microscope", "DAPI=2P,GFP=confocal") == [
        ("twophoton", "nucleus"),
        ("confocal", "mito"),
    ]
    assert chosen("--specimen", "GFP=actin", "--channel", "GFP") == [(None, "actin")]


def test_wrong_names(cli, two, tmp_path):
    for said, code, message in (
        ("GFP=acton", 2, "Did you mean actin"),
        ("GFP=actin,", 2, "is not CHANNEL=NAME"),
        ("GPF=actin", 1, "named DAPI, GFP. Did you mean GFP?"),
    ):
        found, _, err = cli("denoise", two, "-o", tmp_path / "out", "--specimen", said)
        assert (found, message in err) == (code, True), err
    assert not (tmp_path / "out" / two.name).exists()


def test_tables_of_the_config_file(chosen, tmp_path):
    path = tmp_path / "c.toml"
    path.write_text(
        'microscope = "confocal"\n[channels.GFP]\nspecimen = "actin"\n'
        '[channels.Cy5]\nspecimen = "mito"\n[channels.DAPI]\nmicroscope = "widefield"\n'
    )
    config = ("--config", path)
    assert chosen(*config) == [("widefield", "nucleus"), ("confocal", "actin")]
    assert chosen(*config, "--specimen", "GFP=mito") == [
        ("widefield", "nucleus"),
        ("confocal", "mito"),
    ]
    assert chosen(*config, "--specimen", "mito") == [("widefield", "mito"), ("confocal", "mito")]
    assert chosen(*config, "--microscope", "2P") == [
        ("twophoton", "nucleus"),
        ("twophoton", "actin"),
    ]


def test_config_commands(cli, tmp_path):
    path = tmp_path / "c.toml"
    path.write_text('[channels.GFP]\nspecimen = "cells!"\n')
    code, _, err = cli("config", "validate", path)
    assert (code, "cells!" in err) == (2, True)
    path.write_text('[channels.GFP]\nspecimen = "actin"\n')
    assert cli("config", "validate", path)[0] == 0
    assert "channel GFP: specimen actin" in cli("config", "show", path)[1]


def test_the_sidecar_has_each_channel_and_repeats_the_run(denoise, cli, two, tmp_path):
    out = tmp_path / "a" / two.name
    assert denoise(two, "-o", out.parent, "--specimen", "GFP=actin")[0] == 0
    found = [channel["description"]["specimen"] for channel in sidecar(out)["channels"]]
    assert found == ["nucleus", "actin"]
    params = out.with_name(out.name + ".autodip.json")
    assert cli("denoise", two, "-o", tmp_path / "b", "--params", params)[0] == 0
    assert np.array_equal(io.read(tmp_path / "b" / two.name).data, io.read(out).data)
