"""Threads give the same bits; a forked process says what to do."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import autodip
from tests.helpers.blobs import blobs, recorded


@pytest.mark.parametrize(
    "options",
    [{"preset": "fast"}, {"preset": "untrained", "iterations": 3, "depth": 2, "width": 4}],
)
def test_threads_give_the_same_bits(options):
    images = [recorded(blobs(64, seed), seed) for seed in range(4)]

    def denoised(image):
        return autodip.denoise(image, device="cpu", **options).image

    expected = [denoised(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(denoised, images))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


FORKED = """
import os, warnings
import autodip
warnings.simplefilter("ignore")  # newer Python warns about the fork itself
noisy, _ = autodip.sample(size=64)
autodip.denoise(noisy, preset="fast")
child = os.fork()
if child == 0:
    try:
        autodip.denoise(noisy, preset="fast")
    except autodip.AutodipError as error:
        print(error, flush=True)
        os._exit(3)
    os._exit(0)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status))
"""

BEFORE = """
import os, warnings
import autodip
warnings.simplefilter("ignore")
noisy, _ = autodip.sample(size=64)
child = os.fork()
if child == 0:
    autodip.denoise(noisy, preset="fast")
    os._exit(5)
_, status = os.waitpid(child, 0)
autodip.denoise(noisy, preset="fast")
print(os.waitstatus_to_exitcode(status))
"""


def output(code):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.splitlines()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_says_what_to_do_in_place_of_waiting_for_ever():
    message, code = output(FORKED)
    assert "forked from one that has denoised already" in message
    assert '"spawn"' in message
    assert "--workers" in message
    assert code == "3"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_process_that_is_forked_before_may_denoise():
    assert output(BEFORE) == ["5"]
