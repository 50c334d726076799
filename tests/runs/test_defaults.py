import platformdirs
import pytest

from autodip.errors import ParameterError
from autodip.runs import defaults


def written(path, text):
    path.write_text(text)
    return path


def test_values_and_a_base_beside_the_file(tmp_path):
    path = written(tmp_path / "my.toml", 'base = "bases/mine"\nmicroscope = "2P"\n')
    assert defaults.read(path) == {"base": str(tmp_path / "bases" / "mine"), "microscope": "2P"}
    assert defaults.read(written(path, 'base = "/data/base"')) == {"base": "/data/base"}
    assert defaults.read(written(path, 'base = "builtin"')) == {"base": "builtin"}


def test_the_template_sets_nothing_and_every_line_of_it_can_be_used(tmp_path):
    assert defaults.read(written(tmp_path / "c.toml", defaults.template())) == {}
    said = (" = ", "# [")
    lines = [
        line.removeprefix("# ")
        for line in defaults.template().splitlines()
        if any(sign in line for sign in said)
    ]
    values = defaults.read(written(tmp_path / "c.toml", "\n".join(lines)))
    assert set(values) == set(defaults.Defaults.model_fields)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("presett = 'fast'", "presett is not known; known are microscope, specimen"),
        ("preset = 3", "preset is 3; it must be a string"),
        ("preset", "not readable as a config file in TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, message):
    path = written(tmp_path / "c.toml", text)
    with pytest.raises(ParameterError, match=message) as caught:
        defaults.read(path)
    assert str(path) in str(caught.value)


def test_where_it_is_looked_for(tmp_path, monkeypatch):
    named = tmp_path / "named.toml"
    monkeypatch.setenv(defaults.VARIABLE, str(named))
    assert defaults.find(None) == named
    assert defaults.find(tmp_path / "other") == tmp_path / "other"
    monkeypatch.delenv(defaults.VARIABLE)
    monkeypatch.setattr(platformdirs, "user_config_path", lambda _: tmp_path)
    assert defaults.find(None) is None
    written(tmp_path / "config.toml", "")
    assert defaults.find(None) == tmp_path / "config.toml"


def test_tables_of_channels(tmp_path):
    path = written(
        tmp_path / "c.toml", '[channels."FITC 2"]\nspecimen = "actin"\n[channels.DAPI]\n'
    )
    assert defaults.read(path) == {"channels": {"FITC 2": {"specimen": "actin"}, "DAPI": {}}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[channels.DAPI]\nspecimn = 'actin'",
            "channels.DAPI.specimn is not known; known are micro",
        ),
        ("[channels.DAPI]\nspecimen = 3", "channels.DAPI.specimen is 3; it must be a string"),
        ("channels = 'DAPI'", "it must be a table such as"),
    ],
)
def test_what_is_wrong_in_a_table_is_named(tmp_path, text, message):
    with pytest.raises(ParameterError, match=message):
        defaults.read(written(tmp_path / "c.toml", text))
