"""Methods for tests of the benchmark; each runs in a process of its own."""

import os
from pathlib import Path

import numpy as np

from autodip.benchmark.method import Method
from autodip.denoisers.context import Context, Denoised

LOG = "AUTODIP_TEST_LOG"
"""Environment variable with the file that counts the calls."""


def method(name, *, version="1", seconds=0.0, random=False):
    return Method(
        name,
        name,
        f"{__name__}:{name.replace('-', '_')}",
        version,
        "test",
        seconds=seconds,
        random=random,
    )


def half(image: np.ndarray, context: Context) -> Denoised:
    with Path(os.environ[LOG]).open("a") as file:
        file.write(f"{os.getpid()} {context.seed} {context.truth is not None}\n")
    return Denoised(image * 0.5, {"factor": 0.5})


def oracle(image: np.ndarray, context: Context) -> Denoised:
    return Denoised(context.truth.astype(float), {})


def hungry(image: np.ndarray, context: Context) -> Denoised:
    block = np.ones(40_000_000)
    return Denoised(image + 0 * block[0], {})


def fails(image: np.ndarray, context: Context) -> Denoised:
    raise ArithmeticError("no luck")


def dies(image: np.ndarray, context: Context) -> Denoised:
    os._exit(3)


def not_finite(image: np.ndarray, context: Context) -> Denoised:
    return Denoised(np.full(image.shape, np.nan), {})
