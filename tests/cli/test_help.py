"""The help of every command: groups, values, examples, and a suggestion for what is misspelt."""

import json
import re
import subprocess
import sys

import click
import pytest

from autodip.bases.criteria import CRITERIA
from autodip.choose import vocabulary
from autodip.choose.from_base import STRATEGIES
from autodip.choose.presets import PRESETS
from autodip.cli import signals
from autodip.cli.option_groups import GROUPS
from tests.helpers import commands

EVERY = commands.every()
NAMES = [" ".join(name) for name in EVERY]
COMPUTING = {
    *("denoise", "params", "info", "metrics", "demo", "calibrate", "base add", "simulate-pairs"),
    *("benchmark", "study", "prior train", "prior tune", "prior study", "doctor"),
}


@pytest.mark.parametrize("name", NAMES)
def test_the_help_of_every_command(cli, name):
    code, out, err = cli(*name.split(), "--help")
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    assert out.isascii() or not re.search("[╭│─\x1b]", out)
    assert "\nExamples:\n  autodip " in out
    assert "-h, --help" in out
    assert ("--threads N" in out) == (name in COMPUTING)
    first = out.split("\n\n")[1]
    assert first.strip().endswith((".", ")"))


@pytest.mark.parametrize("name", NAMES)
def test_every_option_is_in_one_group(name):
    listed = [one for names in GROUPS.values() for one in names]
    assert len(listed) == len(set(listed))
    options = [one for one in EVERY[tuple(name.split())].params if isinstance(one, click.Option)]
    assert {one.name for one in options} <= set(listed)
    assert all(one.help for one in options)
    assert "--json" in [flag for one in options for flag in one.opts]


def test_every_group_has_options():
    used = {one.name for command in EVERY.values() for one in command.params}
    assert {name for names in GROUPS.values() for name in names} - used == {"help"}


def test_allowed_values_are_listed(cli):
    _, out, _ = cli("denoise", "--help")
    words = " ".join(out.split())
    for known in (PRESETS, STRATEGIES, CRITERIA):
        assert ", ".join(known) in words
    for known in (vocabulary.MICROSCOPES, vocabulary.SPECIMENS):
        assert f"({', '.join(known)}, or another name)" in words
    assert "[default: balanced]" in words


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("denose",), "Did you mean denoise?"),
        (("PARMS",), "Did you mean params?"),
        (("base", "shw"), "Did you mean show?"),
        (("denoise", "a.tif", "-o", "b", "--Prest", "fast"), "did you mean --preset?"),
        (("denoise", "a.tif", "-o", "b", "--preset", "Publishd"), "Did you mean published?"),
        (("params", "a.tif", "--base", "x", "--strategy", "GROUP+SSMI"), "mean group+ssim?"),
        (("params", "a.tif", "--base", "x", "--criterion", "Combind"), "mean combined?"),
        (("params", "a.tif", "--microscope", "Confocl"), "Did you mean confocal?"),
        (("params", "a.tif", "--specimen", "0=Mitochondira"), "Did you mean mito?"),
        (("benchmark", "Shard", "--root", ".", "-o", "o"), "Did you mean shared?"),
        (
            ("benchmark", "shared", "--root", ".", "-o", "o", "--methods", "noisy,Balancd"),
            "Did you mean balanced?",
        ),
        (("data", "fetch", "hagn"), "Did you mean hagen?"),
        (("study", "builtin", "-o", "o", "--measures", "LPPS"), "Did you mean lpips?"),
        (("denoise", "a.tif", "-o", "b", "--format", "ome-tif"), "Did you mean ome-tiff?"),
        (("demo", "--specimen", "nucleous"), "Did you mean nucleus?"),
    ],
)
def test_what_was_meant(cli, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    code, out, err = cli(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert words in err
    assert err.startswith("autodip: ")
    assert cli(*arguments, "--json")[0] == 2


def test_upper_and_lower_case_are_the_same_where_the_word_is_known(cli, cells):
    code, out, err = cli("PARAMS", cells, "--preset", "Fast", "--json")
    assert code == 0, err
    assert json.loads(out)["results"][0]["channels"][0]["choice"]["evidence"]["preset"] == "fast"


@pytest.mark.parametrize("name", NAMES)
def test_errors_are_json_as_well(cli, tmp_path, monkeypatch, name):
    """Wrong usage, and an input that is missing."""
    monkeypatch.chdir(tmp_path)
    code, out, err = cli(*name.split(), "--nonsense", "--json")
    content = json.loads(out)
    assert (code, content["code"]) == (2, 2)
    assert "no such option --nonsense" in content["error"]
    assert content["error"] in err
    assert "Usage" not in err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("info", "none.tif"), 1),
        (("metrics", "none.tif", "none.tif"), 1),
        (("params", "none.tif"), 1),
        (("denoise", "none.tif", "-o", "o"), 1),
        (("base", "show", "none"), 1),
        (("base", "validate", "none"), 1),
        (("base", "merge", "none", "-o", "o"), 1),
        (("base", "add", "mine", "none.tif", "none.tif"), 1),
        (("study", "none", "-o", "o"), 1),
        (("calibrate", "none", "-o", "o"), 1),
        (("calibrate", "-o", "o"), 2),
        (("calibrate", "--noisy", "a", "-o", "o"), 2),
        (("prior", "tune", "none", "-o", "o"), 1),
        (("prior", "study", "none", "-o", "o"), 1),
        (("prior", "train", "none.yaml", "--data", ".", "-o", "o"), 1),
        (("simulate-pairs", "none.tif", "-o", "o"), 2),
        (("benchmark", "shared", "--root", "none", "-o", "o"), 1),
        (("benchmark", "shared", "-o", "o"), 2),
        (("data", "list", "fmd", "--root", "none"), 1),
        (("config", "validate", "none.toml"), 2),
        (("weights", "install", "--from", "none.npz"), 1),
        (("cite", "none.tif.autodip.json"), 2),
    ],
)
def test_a_failure_is_an_object_with_an_error(cli, tmp_path, monkeypatch, arguments, code):
    monkeypatch.chdir(tmp_path)
    found, out, err = cli(*arguments, "--json")
    assert found == code, err
    assert json.loads(out)["error"]
    assert err.startswith("autodip: ")


FOLDER_FOR_A_FILE = [
    ("info", "folder"),
    ("metrics", "folder", "a.png"),
    ("metrics", "a.png", "folder"),
    ("metrics", "a.png", "a.png", "--noisy", "folder"),
    ("denoise", "a.png", "-o", "o", "--params", "folder"),
    ("denoise", "a.png", "-o", "o", "--config", "folder"),
    ("params", "a.png", "--config", "folder"),
    ("config", "validate", "folder"),
    ("config", "show", "folder"),
    ("simulate-pairs", "a.png", "--like", "folder", "-o", "o"),
    ("simulate-pairs", "a.png", "--detector", "folder", "-o", "o"),
    ("weights", "install", "--from", "folder"),
    ("base", "add", "mine", "folder", "a.png"),
    ("base", "add", "mine", "a.png", "folder"),
    ("prior", "train", "folder", "--data", ".", "-o", "o"),
    ("cite", "folder"),
]


@pytest.mark.parametrize("arguments", FOLDER_FOR_A_FILE, ids=" ".join)
def test_a_folder_in_place_of_a_file_is_called_a_folder(
    cli, cells, tmp_path, monkeypatch, arguments
):
    monkeypatch.chdir(tmp_path)
    cells.rename("a.png")
    (tmp_path / "folder").mkdir()
    code, out, err = cli(*arguments)
    assert code in (1, 2)
    assert "folder: this is a folder, and a file is needed here" in err
    assert out == ""
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["nonsense"]])
def test_no_command_is_imported_before_it_is_needed(arguments):
    check = (
        "import sys; from autodip.cli.main import run; "
        f"run({arguments}); sys.exit('numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stop", [KeyboardInterrupt(), signals.Stopped(2)])
def test_ctrl_c_ends_every_command_with_130(cli, monkeypatch, name, stop):
    def stopped(**given):
        raise stop

    command = EVERY[tuple(name.split())]
    monkeypatch.setattr(command, "callback", stopped)
    monkeypatch.setattr(command, "params", [])
    code, out, err = cli(*name.split())
    assert (code, out) == (130, "")
    assert err == "autodip: interrupted\n"
