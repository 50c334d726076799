import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from autodip.compute.initial import initialised
from autodip.fit.network import SkipNet, build, set_mean
from autodip.fit.params import NetParams, deepest
from tests.helpers import oracle

SHAPES = [(32, 32), (33, 47), (40, 21)]
NETS = [
    NetParams(3, 8, 4),
    NetParams(3, (4, 8, 6), 2, input_channels=5),
    NetParams(2, 6, 0),
    NetParams(4, "asc_to512", 4),
    NetParams(2, 5, 3, downsample="avg"),
    NetParams(2, 5, 0, downsample="max", upsample="nearest"),
]


@pytest.mark.parametrize(("params", "shape"), list(itertools.product(NETS, SHAPES)))
def test_same_output_as_the_oracle(params, shape):
    if params.depth > deepest(shape):
        pytest.fail("choose test shapes that the depth allows")
    net = build(params, seed=3)
    plain = oracle.network(
        params.widths, params.skip, params.input_channels, params.downsample, params.upsample
    )
    oracle.copy_weights(net, plain)
    z = torch.rand(1, params.input_channels, *shape, generator=torch.Generator().manual_seed(1))
    ours, theirs = net(z), plain(z)
    assert ours.shape == (1, 1, *shape)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_same_gradients_as_the_oracle():
    params = NetParams(3, 8, 4)
    net, plain = build(params, 0), oracle.network(params.widths)
    oracle.copy_weights(net, plain)
    z = torch.rand(1, 32, 35, 30)
    net(z).square().mean().backward()
    plain(z).square().mean().backward()
    for a, b in zip(net.parameters(), plain.parameters(), strict=True):
        if a.grad is None:  # a bias that batch normalisation cancels
            assert b.grad.abs().max() < 1e-6
        else:
            torch.testing.assert_close(a.grad, b.grad, atol=1e-6, rtol=1e-3)


def test_weights_are_those_that_torch_itself_draws_from_the_seed():
    params = NetParams(3, (4, 8, 6), 2, input_channels=5)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        plain = SkipNet(params).state_dict()
    assert all(
        torch.equal(plain[name], weight) for name, weight in build(params, 7).state_dict().items()
    )


def test_a_layer_without_known_initial_weights_is_refused():
    with pytest.raises(TypeError, match="PReLU"):
        initialised(torch.nn.PReLU, 0)


def test_weights_depend_on_the_seed_alone():
    params = NetParams(2, 4)
    torch.manual_seed(11)
    first = build(params, 0)
    state = torch.get_rng_state()
    torch.manual_seed(99)
    again, other = build(params, 0), build(params, 1)
    pairs = zip(first.parameters(), again.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert not torch.equal(first.head.weight, other.head.weight)
    torch.manual_seed(11)
    assert torch.equal(state, torch.get_rng_state())


def test_threads_that_build_at_the_same_time_do_not_disturb_each_other():
    params = NetParams(4, 16)
    alone = [build(params, seed).state_dict() for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda k: build(params, k % 4).state_dict(), range(40)))
    for number, weights in enumerate(together):
        assert all(torch.equal(weights[name], w) for name, w in alone[number % 4].items())


@pytest.mark.parametrize("mean", [0.0, 0.02, 0.7, 1.0])
def test_first_output_lies_around_the_mean(mean):
    net = build(NetParams(2, 8), 0)
    set_mean(net, mean)
    bias = torch.sigmoid(net.head.bias).item()
    assert bias == pytest.approx(mean, abs=2e-4)


def test_coarsest_scale_allowed_by_deepest_runs_and_one_more_does_not():
    for side in (3, 5, 9, 17, 33):
        depth = deepest((side, 64))
        assert build(NetParams(depth, 4), 0)(torch.rand(1, 32, side, 64)).shape[2] == side
        with pytest.raises((RuntimeError, ValueError)):
            build(NetParams(depth + 1, 4), 0)(torch.rand(1, 32, side, 64))
