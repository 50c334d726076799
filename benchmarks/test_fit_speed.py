"""Seconds per iteration, compared with the plain implementation of the same network and fit.

The CPU time of all threads is reported in addition to the wall-clock time; it is more reliable on
a machine that others use at the same time.
"""

import time

import pytest
import torch

from autodip.compute.device import computes_bfloat16
from autodip.fit.loop import fit, fit_many
from autodip.fit.params import FitParams, NetParams
from tests.helpers import oracle

SIZE = 512
THIN = NetParams(4, (16, 32, 64, 128), 4, input_channels=8)
NETS = {
    "4/32/4": NetParams(4, 32, 4),
    "7/asc_to512/4": NetParams(7, "asc_to512", 4),
    "5/4-8-16-32-64/4": NetParams(5, (4, 8, 16, 32, 64), 4),
    "4/16-32-64-128/4": THIN,
}
LEAN = {
    "lean": THIN.replace(lean=True),
    "half": THIN.replace(reduction=2),
    "lean half": THIN.replace(lean=True, reduction=2),
}
ITERATIONS = 8


@pytest.fixture
def image():
    return torch.rand(SIZE, SIZE, generator=torch.Generator().manual_seed(0)).numpy()


def measure(benchmark, run):
    """Time three rounds; an extra column has the shortest CPU time per iteration, in ms."""
    seconds = []

    def timed():
        start = time.process_time()
        run()
        seconds.append(time.process_time() - start)

    benchmark.pedantic(timed, rounds=3, warmup_rounds=1)
    benchmark.extra_info["cpu_ms"] = round(1e3 * min(seconds) / ITERATIONS, 1)


def autodip(image, net, precision="float32"):
    for _ in fit(image, net, FitParams(ITERATIONS, precision=precision)):
        pass


def plain(image, net, device="cpu", iterations=ITERATIONS):
    z = (torch.rand(1, net.input_channels, SIZE, SIZE) * 0.1).to(device)
    target = torch.from_numpy(image)[None, None].to(device)
    network = oracle.network(net.widths, net.skip, net.input_channels).to(device)
    oracle.fit(network, z, target, iterations)


def bfloat16(image, net):
    if not computes_bfloat16("cpu"):
        pytest.skip("this processor does not compute bfloat16")
    autodip(image, net, "bfloat16")


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("who", [plain, autodip, bfloat16])
def test_iterations(benchmark, image, name, who):
    benchmark.group = f"{ITERATIONS} iterations of {name} at {SIZE} x {SIZE}"
    measure(benchmark, lambda: who(image, NETS[name]))


@pytest.mark.parametrize("name", LEAN)
@pytest.mark.parametrize("who", [autodip, bfloat16])
def test_lean_networks(benchmark, image, name, who):
    benchmark.group = f"{ITERATIONS} iterations of {THIN} and lean ones at {SIZE} x {SIZE}"
    measure(benchmark, lambda: who(image, LEAN[name]))


@pytest.mark.parametrize("at_once", [1, 2, 4])
def test_four_fits(benchmark, image, at_once):
    benchmark.group = f"{ITERATIONS} iterations of four fits of {LEAN['lean half']}"

    def run():
        for first in range(0, 4, at_once):
            seeds = range(first, first + at_once)
            for _ in fit_many([image], LEAN["lean half"], FitParams(ITERATIONS), seeds=seeds):
                pass

    measure(benchmark, run)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("who", ["plain, one at a time", "autodip, at once"])
def test_sixteen_images_on_an_accelerator(benchmark, image, who):
    """Time for 16 images: the plain loop compared with one batch in bfloat16."""
    iterations, images = 200, [image] * 16
    benchmark.group = f"{iterations} iterations for 16 images of {THIN} on CUDA"

    def run():
        if who.startswith("plain"):
            for one in images:
                plain(one, THIN, "cuda", iterations)
        else:
            params = FitParams(iterations, precision="bfloat16")
            for _ in fit_many(images, THIN, params, device="cuda"):
                pass
        torch.cuda.synchronize()

    measure(benchmark, run)
