"""Completion: what a shell is offered, and its installation."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autodip.cli.main import run


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("XDG_CONFIG_HOME", "ZDOTDIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHELL", "/usr/bin/bash")
    return tmp_path


@pytest.fixture
def offered(monkeypatch, capsys):
    """What a shell is offered for a line, whose last word is incomplete."""

    def call(line):
        words = line.split(" ")
        monkeypatch.setenv("COMP_WORDS", f"autodip {line}")
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        monkeypatch.setenv("_AUTODIP_COMPLETE", "bash_complete")
        with pytest.raises(SystemExit):
            run([])
        monkeypatch.delenv("_AUTODIP_COMPLETE")
        lines = capsys.readouterr().out.split()
        return [line.partition(",")[2] for line in lines if line.startswith("plain,")]

    return call


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("de", ["denoise", "demo"]),
        ("base v", ["validate"]),
        ("denoise --mic", ["--microscope"]),
        ("denoise --microscope l", ["light_sheet"]),
        ("denoise --specimen DAPI=nu", ["DAPI=nucleus", "DAPI=nucleolus"]),
        ("denoise --specimen 0=mito,1=T", ["0=mito,1=tubulin"]),
        ("params --preset b", ["balanced", "best"]),
        ("params --strategy group+s", ["group+ssim"]),
        ("denoise --format ome-z", ["ome-zarr", "ome-zarr-0.4"]),
        ("denoise --device m", ["mps"]),
        ("denoise --base b", ["builtin"]),
        ("benchmark sh", ["shah", "shared"]),
        ("benchmark fmd --methods noisy,zs", ["noisy,zs-n2n"]),
        ("benchmark fmd --where noise", ["noise_level="]),
        ("data fetch h", ["hagen"]),
        ("data list sh", ["shah", "shared"]),
        ("calibrate --grid s", ["small"]),
        ("study builtin --measures lpips,m", ["lpips,mse", "lpips,mean_gradient"]),
        ("base show bu", ["builtin"]),
        ("completion install --shell z", ["zsh"]),
        ("base add bu", []),
    ],
)
def test_values(offered, line, values):
    found = offered(line)
    assert set(found) == set(values) if line != "de" else found == values


def test_completion_does_without_torch():
    check = (
        "import os, sys, atexit; os.environ.update(COMP_WORDS='autodip denoise --preset b', "
        "COMP_CWORD='3', _AUTODIP_COMPLETE='bash_complete'); "
        "atexit.register(lambda: sys.stderr.write(str('torch' in sys.modules))); "
        "from autodip.cli.main import run; run([])"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, check=False)
    assert (b"plain,best" in done.stdout, done.stderr) == (True, b"False")


@pytest.mark.parametrize(
    ("shell", "startup"), [("bash", ".bashrc"), ("zsh", ".zshrc"), ("fish", None)]
)
def test_install_twice_and_uninstall(cli, home, shell, startup):
    own = "alias ll='ls -l'"
    if startup:
        (home / startup).write_text(own)
    code, out, _ = cli("completion", "install", "--shell", shell, "--json")
    script = json.loads(out)["script"]
    assert code == 0
    first = (home / startup).read_text() if startup else ""
    if startup:
        assert first.startswith(f"{own}\n# >>> autodip completion >>>")
        assert script in first
    assert "_AUTODIP_COMPLETE" in Path(script).read_text()
    code, out, _ = cli("completion", "install", "--shell", shell)
    assert (code, out.count("is up to date")) == (0, 2 if startup else 1)
    if startup:
        assert (home / startup).read_text() == first
    assert cli("completion", "uninstall", "--shell", shell)[0] == 0
    if startup:
        assert (home / startup).read_text() == f"{own}\n"
    assert "no completion was installed" in cli("completion", "uninstall", "--shell", shell)[1]


def test_the_shell_in_use(cli, home, monkeypatch):
    assert ".bashrc" in cli("completion", "install")[1]
    monkeypatch.setenv("SHELL", "/bin/csh")
    code, _, err = cli("completion", "install")
    assert (code, "specify --shell bash, zsh or fish" in err) == (2, True)


def test_a_startup_file_that_is_a_link_stays_one(cli, home):
    (home / "dotfiles").mkdir()
    (home / "dotfiles" / "bashrc").write_text("")
    (home / "dotfiles" / "bashrc").chmod(0o640)
    (home / ".bashrc").symlink_to("dotfiles/bashrc")
    assert cli("completion", "install")[0] == 0
    assert (home / ".bashrc").is_symlink()
    assert "autodip" in (home / "dotfiles" / "bashrc").read_text()
    assert (home / "dotfiles" / "bashrc").stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_bash_accepts_the_script(cli, home):
    assert cli("completion", "install")[0] == 0
    line = ". ~/.bashrc && complete -p autodip"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert "_autodip_completion" in done.stdout
