"""The reference of the command line, and the pictures of a terminal."""

import importlib.util
import re

import pytest

from tests.conftest import REPOSITORY
from tests.helpers import commands

DOCS = REPOSITORY / "docs"


def script(name):
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_that_of_the_commands(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    text = script("make_command_line").page()
    assert (DOCS / "command-line.md").read_text(encoding="utf-8") == text, (
        "run python docs/make_command_line.py"
    )
    for name in commands.every():
        assert f"\n## autodip {' '.join(name)}\n" in text


@pytest.mark.parametrize("name", script("make_terminal_pictures").COMMANDS)
def test_pictures_are_there_and_fetch_nothing(name):
    drawn = (DOCS / "pictures" / f"{name}.svg").read_text(encoding="utf-8")
    assert "autodip" in drawn
    assert not re.findall(r"(?:url|href)[(=]\"?https?:", drawn)


def test_a_picture_shows_the_command_and_its_output():
    drawn = script("make_terminal_pictures").picture("autodip info <a>", "shape\n  64 x 64")
    assert "&lt;a&gt;" in drawn
    assert "64&#160;x&#160;64" in drawn
