"""Commands that install what is missing, wherever autodip itself was installed from."""

import sys
from importlib import metadata

import pytest

from autodip.errors import MissingPackageError
from autodip.util import optional

REQUIRES = [
    "click>=8.1",
    "czifile>=2019.7.2.3; extra == 'czi'",
    "nd2>=0.10; extra == 'nd2'",
    'pywin32>=300; (sys_platform == "no-such-system") and extra == "nd2"',
    "autodip[czi,nd2]; extra == 'formats'",
    "pyyaml>=6; extra == 'formats'",
]


@pytest.fixture
def installed(monkeypatch):
    """Versions of the packages that are installed; to be filled by a test."""
    versions = {}

    def version(name):
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    optional.unmet_version.cache_clear()
    monkeypatch.setattr(metadata, "requires", lambda name: REQUIRES)
    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setattr(sys, "executable", "/my lab/env/bin/python3")
    monkeypatch.setattr(optional, "find_spec", lambda name: name)
    monkeypatch.setattr(optional.shutil, "which", lambda name: "/usr/bin/python")
    yield versions
    optional.unmet_version.cache_clear()


def test_the_packages_themselves_are_named_and_the_python_that_is_running(installed):
    assert optional.install_command("czi") == (
        '"/my lab/env/bin/python3" -m pip install "czifile>=2019.7.2.3"'
    )


def test_extras_that_an_extra_includes(installed):
    words = '"czifile>=2019.7.2.3" "nd2>=0.10" "pyyaml>=6"'
    assert optional.install_command("formats").endswith(f" -m pip install {words}")


def test_what_is_installed_is_left_out_unless_it_is_too_old(installed):
    installed.update(nd2="0.11", pyyaml="5.4")
    words = '"czifile>=2019.7.2.3" "pyyaml>=6"'
    assert optional.install_command("formats").endswith(f" install {words}")


def test_all_are_named_if_all_are_installed_but_cannot_be_imported(installed):
    installed.update(nd2="0.11")
    assert optional.install_command("nd2").endswith(' install "nd2>=0.10"')


def test_an_active_environment_needs_no_path(installed, monkeypatch):
    monkeypatch.setattr(optional.shutil, "which", lambda name: "/my lab/env/bin/python")
    assert optional.install_command("nd2") == 'python -m pip install "nd2>=0.10"'


def test_an_environment_of_uv_has_no_pip(installed, monkeypatch):
    monkeypatch.setattr(optional, "find_spec", lambda name: None)
    assert optional.install_command("nd2") == (
        'uv pip install --python "/my lab/env/bin/python3" "nd2>=0.10"'
    )


def test_the_extra_is_named_if_its_packages_are_unknown(installed, monkeypatch):
    assert optional.install_command("new").endswith(' install "autodip[new]"')

    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", missing)
    assert optional.install_command("nd2").endswith(' install "autodip[nd2]"')


def test_a_version_that_does_not_suit_is_as_good_as_none(installed, monkeypatch):
    monkeypatch.setitem(sys.modules, "nd2", optional)
    installed.update(nd2="0.9")
    with pytest.raises(MissingPackageError, match=r'needs nd2>=0\.10, but version 0\.9 .*"nd2>='):
        optional.require("nd2", "nd2")


@pytest.mark.parametrize("versions", [{"nd2": "0.12"}, {}], ids=["newer", "unknown"])
def test_a_version_that_suits(installed, monkeypatch, versions):
    monkeypatch.setitem(sys.modules, "nd2", optional)
    installed.update(versions)
    assert optional.require("nd2", "nd2") is optional


def test_the_error_names_the_command(installed):
    with pytest.raises(MissingPackageError, match=r"'no_such_module', .*czifile>="):
        optional.require("no_such_module", "czi")
