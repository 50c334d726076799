"""The tool that ends commands at random moments, with few of them."""

import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def test_a_benchmark_that_was_killed_and_resumed_is_as_undisturbed(tmp_path):
    """Those of the other commands are in their own files."""
    tool = [sys.executable, REPOSITORY / "benchmarks" / "kills.py", tmp_path / "work", "benchmark"]
    done = subprocess.run([*tool, "--count", "1"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    ended, resumed, different = map(int, done.stdout.splitlines()[-1].split("|")[3:6])
    assert (ended, different) == (1, 0)
    assert resumed >= 1  # a run that ends before it is killed is not counted
