"""What the wheel and the sdist contain."""

import subprocess
import sys
import tarfile
import zipfile
from email import message_from_string

import pytest

from tests.conftest import REPOSITORY

pytest.importorskip("hatch_vcs", reason="needs hatchling and hatch-vcs")
SOURCES = REPOSITORY / "src"
MEGABYTES = 8
"""A wheel above this has something in it that does not belong there."""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Folder with a wheel and an sdist of this repository."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, timeout=120)
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_string(archive.read(name).decode())


def test_the_wheel_contains_the_package_and_its_data_alone(wheel):
    own = {
        path.relative_to(SOURCES).as_posix()
        for path in (SOURCES / "autodip").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == own
    assert {"autodip/py.typed", "autodip/data/prior.safetensors", "autodip/__main__.py"} <= names


def test_the_wheel_is_small_and_pure(wheel):
    assert wheel.name.endswith("-py3-none-any.whl")
    assert wheel.stat().st_size < MEGABYTES * 1e6


def test_licence_and_command(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (entry_points,) = (name for name in names if name.endswith("/entry_points.txt"))
        assert "autodip = autodip.cli.main:main" in archive.read(entry_points).decode()
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_metadata(metadata):
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"
    urls = dict(line.split(", ") for line in metadata.get_all("Project-URL"))
    assert all(url.startswith("https://") for url in urls.values())


def test_classifiers_are_known(metadata):
    known = pytest.importorskip("trove_classifiers").classifiers
    assert set(metadata.get_all("Classifier")) <= known


def test_the_sdist_has_what_the_build_and_the_tests_need(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = ("LICENSE", "README.md", "pyproject.toml", "constraints.txt", "Makefile")
    assert {*needed, "src/autodip/data/prior.safetensors", "tests/conftest.py"} <= names
    assert not any(name.startswith((".venv", "dist/")) for name in names)
