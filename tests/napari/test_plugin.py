import tomllib
from importlib import resources

import pytest

from tests.conftest import REPOSITORY

npe2 = pytest.importorskip("npe2", reason="the manifest is checked where npe2 is installed")


@pytest.fixture
def manifest():
    return npe2.PluginManifest.from_file(str(resources.files("autodip.napari") / "napari.yaml"))


def test_the_manifest_names_what_is_there(manifest):
    pytest.importorskip("qtpy.QtWidgets", reason="there is no binding of Qt", exc_type=ImportError)
    manifest.validate_imports()
    assert [one.display_name for one in manifest.contributions.widgets] == ["Denoise"]
    keys = [one.key for one in manifest.contributions.sample_data]
    assert keys == ["still", "film", "channels"]


def test_napari_finds_it_in_the_package(manifest):
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    entries = project["entry-points"]["napari.manifest"]
    assert entries == {manifest.name: "autodip.napari:napari.yaml"}
    extra = " ".join(project["optional-dependencies"]["napari"])
    assert not {"PyQt", "PySide"} & {word[:4] for word in extra.split()}
    assert "Qt" not in extra.replace("qtpy", "")
