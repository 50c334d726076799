"""Every public name has an example in its docstring, and the examples run."""

import doctest
import importlib

import numpy as np
import pytest

import autodip
from autodip.metrics import weights

NAMES = [
    *((autodip, name) for name in autodip.__all__ if name != "__version__"),
    *((autodip.metrics, name) for name in autodip.metrics.__all__),
]


@pytest.fixture(autouse=True)
def _own_weights(tmp_path, monkeypatch):
    """LPIPS has random weights, with which equal images are equal all the same."""
    random = np.random.default_rng(0).random
    np.savez(tmp_path / "w.npz", **{key: random(shape) for key, shape in weights.SHAPES.items()})
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path / "w.npz"))


@pytest.mark.parametrize(
    ("package", "name"), NAMES, ids=[f"{package.__name__}.{name}" for package, name in NAMES]
)
def test_the_examples_of_a_public_name_run(package, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    finder = doctest.DocTestFinder(recurse=False)
    if name == "ms_ssim":
        pytest.importorskip("pytorch_msssim", reason="pytorch-msssim is not installed")
    examples = finder.find(getattr(package, name), name, module=False, globs={})
    assert sum(len(one.examples) for one in examples) > 0
    run(examples)


@pytest.mark.parametrize("name", ["autodip", "autodip.metrics"])
def test_the_example_of_a_package_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    finder = doctest.DocTestFinder(recurse=False)
    run(finder.find(importlib.import_module(name), name, globs={}))


def run(examples):
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for one in examples:
        assert runner.run(one).failed == 0
