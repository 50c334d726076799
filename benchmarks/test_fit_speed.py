"""Seconds of an iteration, beside the plain implementation of the same network and fit."""

import pytest
import torch

from autodip.fit import fit
from autodip.params import FitParams, NetParams
from tests.helpers import oracle

SIZE = 256
NETS = {
    "4/32/4": NetParams(4, 32, 4),
    "7/asc_to512/4": NetParams(7, "asc_to512", 4),
    "5/4-8-16-32-64/4": NetParams(5, (4, 8, 16, 32, 64), 4),
}
ITERATIONS = 5


@pytest.fixture
def image():
    return torch.rand(SIZE, SIZE, generator=torch.Generator().manual_seed(0)).numpy()


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("who", ["plain", "autodip"])
def test_iterations(benchmark, image, name, who):
    net = NETS[name]
    benchmark.group = f"{ITERATIONS} iterations of {name} at {SIZE} x {SIZE}"

    def autodip():
        for _ in fit(image, net, FitParams(ITERATIONS)):
            pass

    def plain():
        z = torch.rand(1, net.input_channels, SIZE, SIZE) * 0.1
        target = torch.from_numpy(image)[None, None]
        oracle.fit(oracle.network(net.widths, net.skip), z, target, ITERATIONS)

    benchmark.pedantic({"plain": plain, "autodip": autodip}[who], rounds=5, warmup_rounds=1)
