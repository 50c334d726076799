"""Recipes, images and workflows agree with pyproject.toml."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.conftest import REPOSITORY

INSTALL = REPOSITORY / "install"
WORKFLOWS = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BUILD = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]
CPU_INDEX = "https://download.pytorch.org/whl/cpu"


def text(path):
    return (REPOSITORY / path).read_text(encoding="utf-8")


def versions(requirements, torch="torch"):
    """Allowed versions by name, with the name that conda-forge has for torch."""
    found = {one.name: one.specifier for one in map(Requirement, requirements)}
    return {torch if name == "torch" else name: one for name, one in found.items()}


def conda(lines):
    """Allowed versions by name, of requirements as conda writes them."""
    pairs = (line.partition(" ")[::2] for line in lines if isinstance(line, str))
    return {name: SpecifierSet(version) for name, version in pairs}


def test_pythons():
    named = {line for line in PROJECT["classifiers"] if re.search(r"Python :: 3\.\d+", line)}
    wheel = yaml.safe_load(text(".github/workflows/wheel.yml"))
    tested = wheel["jobs"]["install"]["strategy"]["matrix"]["python"]
    assert named == {f"Programming Language :: Python :: {version}" for version in tested}
    assert SpecifierSet(PROJECT["requires-python"]) == SpecifierSet(f">={tested[0]}")


def test_a_plugin_for_napari_is_announced_as_such():
    if "napari.manifest" in PROJECT.get("entry-points", {}):
        assert "Framework :: napari" in PROJECT["classifiers"]
    assert any(line.startswith("napari>=") for line in PROJECT["optional-dependencies"]["napari"])


def test_conda_recipe():
    recipe = yaml.safe_load(text("install/conda/recipe.yaml"))
    minimum = recipe["context"]["python_min"]
    assert PROJECT["requires-python"] == f">={minimum}"
    run = [line.replace("${{ python_min }}", minimum) for line in recipe["requirements"]["run"]]
    own = versions(PROJECT["dependencies"], "pytorch")
    assert conda(run) == {"python": SpecifierSet(PROJECT["requires-python"]), **own}
    host = conda(line for line in recipe["requirements"]["host"] if "python_min" not in line)
    assert host == {"pip": SpecifierSet(), **versions(BUILD["requires"])}
    scripts = [f"{name} = {target}" for name, target in PROJECT["scripts"].items()]
    assert recipe["build"]["python"]["entry_points"] == scripts
    about = recipe["about"]
    assert (about["summary"], about["license"]) == (PROJECT["description"], PROJECT["license"])
    assert about["homepage"] in PROJECT["urls"].values()


def test_conda_recipe_is_understood_by_rattler_build():
    rattler = pytest.importorskip("rattler_build", reason="needs py-rattler-build")
    recipe = rattler.Stage0Recipe.from_file(INSTALL / "conda/recipe.yaml")
    (variant,) = recipe.render(rattler.VariantConfig())
    assert variant.recipe.to_dict()["package"]["name"] == "autodip"


def test_conda_environment():
    environment = yaml.safe_load(text("environment.yml"))
    assert environment["channels"] == ["conda-forge"]
    own = versions(PROJECT["dependencies"], "pytorch-cpu")
    python = {"python": SpecifierSet(PROJECT["requires-python"]), "pip": SpecifierSet()}
    assert conda(environment["dependencies"]) == {**python, **own}
    assert environment["dependencies"][-1] == {"pip": ["-e .[formats]"]}


def test_images_use_the_tested_python_and_the_tested_versions():
    """The oldest Python that is allowed, which is that of CI."""
    python = PROJECT["requires-python"].removeprefix(">=")
    assert f"ARG PYTHON={python}\n" in text("install/Dockerfile")
    assert f"From: python:{python}-slim\n" in text("install/autodip.def")
    for name in ("install/Dockerfile", "install/autodip.def"):
        content = text(name)
        assert f"CPU_INDEX={CPU_INDEX}\n" in content
        assert '-c constraints.txt ".[formats]"' in content
    assert "\nUSER 1000\n" in text("install/Dockerfile")


def test_images_get_all_files_that_the_build_needs():
    needed = {"LICENSE", "README.md", "constraints.txt", "pyproject.toml", "src"}
    listed = {line[1:] for line in text(".dockerignore").splitlines() if line.startswith("!")}
    files = text("install/autodip.def").partition("%files")[2].partition("%post")[0]
    assert listed == {line.split()[0] for line in files.splitlines() if line.strip()} == needed
    assert all((REPOSITORY / name).exists() for name in needed)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_use_versions_of_actions_and_few_rights(path):
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    used = re.findall(r"uses: (\S+)", path.read_text(encoding="utf-8"))
    assert used
    assert [one for one in used if not re.search(r"^\./|@v\d+$|@release/v\d+$", one)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_keep_to_their_schema(path):
    pytest.importorskip("check_jsonschema", reason="needs check-jsonschema")
    command = [sys.executable, "-m", "check_jsonschema"]
    command += ["--builtin-schema", "vendor.github-workflows", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_only_a_switched_on_release_publishes_and_without_a_token():
    publish = yaml.safe_load(text(".github/workflows/release.yml"))["jobs"]["publish"]
    assert publish["if"] == "vars.PUBLISH_TO_PYPI == 'true'"
    assert publish["permissions"] == {"id-token": "write"}
    assert "password" not in json.dumps(publish)


@pytest.mark.parametrize(
    ("tool", "path"), [("hadolint", "install/Dockerfile"), ("shellcheck", ".ci/run")]
)
def test_linters_have_no_complaint(tool, path):
    places = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = shutil.which(tool, path=places)
    if command is None:
        pytest.skip(f"needs {tool}")
    done = subprocess.run(
        [command, str(REPOSITORY / path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
