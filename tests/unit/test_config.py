import platformdirs
import pytest

from autodip import config
from autodip.errors import ParameterError


def written(path, text):
    path.write_text(text)
    return path


def test_values_and_a_base_beside_the_file(tmp_path):
    path = written(tmp_path / "my.toml", 'base = "bases/mine"\nmicroscope = "2P"\n')
    assert config.read(path) == {"base": str(tmp_path / "bases" / "mine"), "microscope": "2P"}
    assert config.read(written(path, 'base = "/data/base"')) == {"base": "/data/base"}
    assert config.read(written(path, 'base = "builtin"')) == {"base": "builtin"}


def test_the_template_sets_nothing_and_every_line_of_it_can_be_used(tmp_path):
    assert config.read(written(tmp_path / "c.toml", config.template())) == {}
    said = (" = ", "# [")
    lines = [
        line.removeprefix("# ")
        for line in config.template().splitlines()
        if any(sign in line for sign in said)
    ]
    values = config.read(written(tmp_path / "c.toml", "\n".join(lines)))
    assert set(values) == set(config.Config.model_fields)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("presett = 'fast'", "presett is not known; known are base, strategy"),
        ("preset = 3", "preset is 3; it must be a text"),
        ("preset", "not readable as a config file in TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, message):
    path = written(tmp_path / "c.toml", text)
    with pytest.raises(ParameterError, match=message) as caught:
        config.read(path)
    assert str(path) in str(caught.value)


def test_where_it_is_looked_for(tmp_path, monkeypatch):
    named = tmp_path / "named.toml"
    monkeypatch.setenv(config.VARIABLE, str(named))
    assert config.find(None) == named
    assert config.find(tmp_path / "other") == tmp_path / "other"
    monkeypatch.delenv(config.VARIABLE)
    monkeypatch.setattr(platformdirs, "user_config_path", lambda _: tmp_path)
    assert config.find(None) is None
    written(tmp_path / "config.toml", "")
    assert config.find(None) == tmp_path / "config.toml"


def test_tables_of_channels(tmp_path):
    path = written(
        tmp_path / "c.toml", '[channels."FITC 2"]\nspecimen = "actin"\n[channels.DAPI]\n'
    )
    assert config.read(path) == {"channels": {"FITC 2": {"specimen": "actin"}, "DAPI": {}}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[channels.DAPI]\nspecimn = 'actin'",
            "channels.DAPI.specimn is not known; known are micro",
        ),
        ("[channels.DAPI]\nspecimen = 3", "channels.DAPI.specimen is 3; it must be a text"),
        ("channels = 'DAPI'", "it must be a table, as"),
    ],
)
def test_what_is_wrong_in_a_table_is_named(tmp_path, text, message):
    with pytest.raises(ParameterError, match=message):
        config.read(written(tmp_path / "c.toml", text))
