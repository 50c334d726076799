"""The build of torch that make installs."""

import importlib.util
import subprocess
import sys
from urllib.error import URLError

import pytest

from tests.conftest import REPOSITORY

SCRIPT = REPOSITORY / "install" / "torch_build.py"
CPU = "--extra-index-url https://download.pytorch.org/whl/cpu"


@pytest.fixture
def script(monkeypatch):
    """The script on a Linux without an NVIDIA GPU that reaches PyTorch's index."""
    spec = importlib.util.spec_from_file_location("torch_build", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.setattr(module, "has_nvidia_gpu", lambda: False)
    monkeypatch.setattr(module, "is_reachable", lambda: True)
    return module


def test_without_a_gpu_the_cpu_build_is_taken(script):
    assert script.options("auto") == CPU


@pytest.mark.parametrize(
    ("name", "value"),
    [("has_nvidia_gpu", lambda: True), ("is_reachable", lambda: False)],
)
def test_with_a_gpu_or_without_a_network_it_is_left_to_pip(script, monkeypatch, name, value):
    monkeypatch.setattr(script, name, value)
    assert script.options("auto") == ""
    assert script.options("cpu") == CPU


def test_elsewhere_what_pip_finds_has_no_cuda(script, monkeypatch):
    monkeypatch.setattr(script.sys, "platform", "darwin")
    assert script.options("auto") == ""


def test_the_choice_of_the_user_is_taken(script):
    assert script.options("cpu") == CPU
    assert script.options("default") == ""


def test_a_gpu_is_there_if_its_tool_succeeds(monkeypatch, script):
    monkeypatch.undo()
    for command, there in ((None, False), ("/bin/false", False), ("/bin/true", True)):
        monkeypatch.setattr(script.shutil, "which", lambda name, command=command: command)
        assert script.has_nvidia_gpu() is there


def test_an_index_that_does_not_answer(monkeypatch, script):
    monkeypatch.undo()

    def fails(url, timeout):
        raise URLError("no network")

    monkeypatch.setattr(script, "urlopen", fails)
    assert script.is_reachable() is False


def test_the_makefile_passes_the_options(tmp_path):
    plan = subprocess.run(
        ["make", "--dry-run", "demo", "TORCH=cpu", f"VENV={tmp_path / 'new'}"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "install/torch_build.py cpu) -e ." in plan.stdout


def test_an_unknown_build_is_refused():
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "gpu"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "auto" in done.stderr
