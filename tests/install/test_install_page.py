"""The lines of the page about installing, which a test cannot run, are at least right."""

import re
import subprocess
import sys
import tomllib

import pytest

from autodip.util.optional import install_command
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "install.md").read_text(encoding="utf-8")
LINES = [
    line
    for block in re.findall(r"```(?:bash|powershell)\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FOR_DEVELOPERS = {"dev", "docs"}
STARTS = (
    '"$HOME/autodip/bin/pip" ',
    ".venv/bin/",
    ".venv\\Scripts\\",
    "PIPX_DEFAULT_BACKEND=pip pipx install",
    "apptainer ",
    "autodip demo",
    "conda ",
    "docker ",
    "make demo",
    "module load ",
    "pipx uninstall",
    "py -m venv",
    "python -m pip",
    "python3 -m ",
    "uv ",
    "uvx ",
)


def test_every_line_is_of_a_known_kind():
    assert [line for line in LINES if not line.startswith(STARTS)] == []
    assert len(LINES) > 40


def test_extras_exist_and_all_are_described():
    named = set(re.findall(r'"(?:\.|autodip)\[([a-z,]+)\]"', "\n".join(LINES)))
    extras = set(PROJECT["optional-dependencies"])
    assert {extra for group in named for extra in group.split(",")} <= extras
    table = PAGE.partition("| extra |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", table)) == extras - FOR_DEVELOPERS


@pytest.mark.parametrize("command", ["install", "wheel"])
def test_pip_knows_the_options(command):
    shown = subprocess.run(
        [sys.executable, "-m", "pip", command, "--help"], capture_output=True, text=True, check=True
    )
    lines = [line for line in LINES if re.search(rf"(/pip\"?|-m pip) {command} ", line)]
    options = {option for line in lines for option in re.findall(r" (--?[a-z-]+)", line)}
    assert lines
    assert {option for option in options - {"-m"} if option not in shown.stdout} == set()


def test_files_that_are_named_exist():
    for name in ("environment.yml", "install/autodip.def", "install/Dockerfile"):
        assert any(name in line for line in LINES)
        assert (REPOSITORY / name).exists()
    for name in re.findall(r"\]\((?!http)([^)#]+)\)", PAGE):
        assert (REPOSITORY / "docs" / name).exists()


def test_targets_of_make_exist():
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"`make (\w+)[ `]", PAGE))
    assert {"demo", "clean"} <= targets
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


def test_the_message_about_a_missing_package():
    (shown,) = re.findall(r"^this needs the package 'nd2', .*$", PAGE, re.MULTILINE)
    (words,) = re.findall(r"-m pip install .*$|pip install --python .*$", install_command("nd2"))
    assert shown.endswith(words.rpartition("install ")[2])
