"""Threads: few where others use the cores, and the same result with any number."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

import autodip
from autodip.compute import threads
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate

TOLERANCE = {"fast": 1e-5, "balanced": 1e-5, "untrained": 0.01}
"""Root mean square of the difference between one thread and two, in deviations of the image.

The last bits of a convolution depend on the number of threads, and a fit amplifies this with every
iteration: 0.0006 was measured after 60 iterations, and 0.04 after 300. The learned prior, which is
applied a few times, gave the same bits.
"""


@pytest.mark.parametrize("preset", TOLERANCE)
def test_two_threads_and_one_give_the_same(preset):
    noisy, _ = simulate("mito", Optics(microscope="confocal"), size=96, seed=4)
    noisy = noisy.astype(np.float32)  # the result is not rounded
    quick = {"iterations": 60} if preset == "untrained" else {}
    results = []
    for number in (1, 2):
        torch.set_num_threads(number)
        results.append(autodip.denoise(noisy, preset=preset, device="cpu", **quick))
    one, two = results
    assert [c.choice for c in one.plan] == [c.choice for c in two.plan]
    difference = np.subtract(one.image, two.image, dtype=float)
    assert np.sqrt(np.mean(difference**2)) <= TOLERANCE[preset] * noisy.std()


@pytest.mark.parametrize(
    ("variables", "first", "spins", "count"),
    [
        ({}, "torch", "True", "1000"),
        ({}, "os", "False", "1000"),
        ({"GOMP_SPINCOUNT": "7"}, "torch", "False", "7"),
        ({"OMP_WAIT_POLICY": "passive"}, "torch", "False", "None"),
    ],
)
def test_it_is_known_whether_threads_spin(variables, first, spins, count):
    code = (
        f"import os, {first}; from autodip.compute import threads; "
        "print(threads.SPINS, os.environ.get('GOMP_SPINCOUNT'))"
    )
    environ = {
        k: v for k, v in os.environ.items() if k not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    }
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, env={**environ, **variables}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [spins, count]


def test_threads_that_spin_are_no_more_than_free_cores(monkeypatch):
    monkeypatch.setattr(threads, "SPINS", True)
    torch.set_num_threads(4)
    for free, expected in ((-1, 1), (0, 1), (2, 2), (9, 4)):
        monkeypatch.setattr(threads, "count_free", lambda free=free: free)
        with threads.free_cores("cpu"):
            assert torch.get_num_threads() == expected
        assert torch.get_num_threads() == 4
    monkeypatch.setattr(threads, "count_free", lambda: 1)
    with threads.free_cores("cuda:0"):
        assert torch.get_num_threads() == 4
    monkeypatch.setattr(threads, "SPINS", False)
    with threads.free_cores("cpu"):
        assert torch.get_num_threads() == 4


def test_free_cores_are_counted():
    assert threads.count_free() <= (os.cpu_count() or 1) + 1
