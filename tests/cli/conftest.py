import json

import imagecodecs
import pytest

from autodip.cli.main import run

QUICK = ("--iterations", "3", "--depth", "2", "--width", "4")


@pytest.fixture
def cli(capsys):
    """Run a command in this process; return exit code, standard output and standard error."""

    def call(*arguments):
        code = run([str(a) for a in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def denoise(cli):
    """``autodip denoise`` with a network that takes hardly any time."""
    return lambda *arguments: cli("denoise", *arguments, *QUICK)


@pytest.fixture
def cells(tmp_path, sample):
    """An 8-bit PNG to denoise."""
    path = tmp_path / "cells.png"
    path.write_bytes(imagecodecs.png_encode((sample[0] // 4).clip(0, 255).astype("uint8")))
    return path


def sidecar(path):
    return json.loads(path.with_name(path.name + ".autodip.json").read_text())
