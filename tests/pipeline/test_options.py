"""One list of options, from which all others derive."""

import dataclasses
import inspect

import pytest

import autodip
from autodip.cli.denoise_command import command
from autodip.errors import ParameterError
from autodip.pipeline.options import SPECS, Options
from autodip.runs import defaults, manifest, selection
from autodip.runs.request import REPEATED

ALL = {**SPECS, **selection.SPECS}


def test_an_option_is_a_keyword_of_denoise_and_described_there():
    fields = [field.name for field in dataclasses.fields(Options)]
    own = [name for name in selection.SPECS if name not in fields]
    assert list(inspect.signature(autodip.denoise).parameters)[1:] == [*fields, *own, "progress"]
    text = inspect.getdoc(autodip.denoise)
    for name in ALL:
        assert name in text
    assert "keywords" not in text


def test_every_option_is_on_the_command_line_with_its_help():
    made = {parameter.name: parameter for parameter in command.params}
    for name, spec in ALL.items():
        assert made[name].help.startswith(spec.help)
    assert made["refine"].secondary_opts == ["--no-refine"]


def test_those_with_an_example_are_in_the_config_file():
    named = {name for name, spec in SPECS.items() if spec.example is not None}
    assert set(defaults.Defaults.model_fields) == {*named, "channels"}
    assert all(spec.help in defaults.template() for spec in map(SPECS.get, named))


def test_those_that_a_manifest_may_give():
    assert set(manifest.OPTIONS) == {name for name, spec in ALL.items() if spec.in_manifest}


def test_a_sidecar_decides_all_but_device_type_memory_and_standard_errors():
    assert set(SPECS) - set(REPEATED) == {"device", "dtype", "max_memory", "uncertainty"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"preset": "magic"},
        {"dtype": "int7"},
        {"seed": -1},
        {"seed": True},
        {"budget": 0},
        {"tile": 5},
        {"strategy": "group"},
        {"base": "builtin", "strategy": "magic"},
        {"base": "builtin", "budget": 3},
        {"max_memory": 0},
    ],
)
def test_wrong_values_are_refused_before_any_image(wrong):
    with pytest.raises(ParameterError):
        Options(**wrong)


def test_options_are_keywords_only():
    with pytest.raises(TypeError):
        Options("confocal")
