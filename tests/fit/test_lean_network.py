import numpy as np
import pytest
import torch
from torch import nn

from autodip.compute import device
from autodip.fit import network as networks
from autodip.fit.loop import fit
from autodip.fit.optimise import random_input
from autodip.fit.params import FitParams, NetParams, deepest
from tests.helpers import oracle

LEAN = NetParams(3, (4, 8, 6), 2, input_channels=5, lean=True)
HALF = LEAN.replace(reduction=2)


def conv(channels_in, channels, kernel, stride=1):
    layers = [nn.ReflectionPad2d(1)] if kernel == 3 else []
    layers.append(nn.Conv2d(channels_in, channels, kernel, stride, bias=False))
    return [*layers, nn.BatchNorm2d(channels), nn.LeakyReLU(0.2)]


def scale(channels_in, widths, skip):
    width, inner = widths[0], widths[:2][-1]
    deeper = conv(channels_in, width, 3, 2)
    if len(widths) > 1:
        deeper.append(scale(width, widths[1:], skip))
    deeper = nn.Sequential(*deeper, nn.Upsample(scale_factor=2, mode="bilinear"))
    branch = nn.Sequential(*conv(channels_in, skip, 1))
    return nn.Sequential(oracle.Join(branch, deeper), *conv(skip + inner, width, 3))


def plain(params):
    """The lean network, implemented independently from its description."""
    head = nn.Conv2d(params.widths[0], 1, 1)
    double = [nn.Upsample(scale_factor=2, mode="bilinear")] * (params.reduction == 2)
    body = scale(params.input_channels, params.widths, params.skip)
    return nn.Sequential(body, head, *double, nn.Sigmoid())


@pytest.mark.parametrize("params", [LEAN, HALF], ids=str)
@pytest.mark.parametrize("shape", [(32, 32), (33, 47), (21, 40)])
def test_output_and_gradients_equal_the_plain_network(params, shape):
    net, other = networks.build(params, 0), plain(params)
    oracle.copy_weights(net, other)
    z = torch.rand(1, 5, *shape)
    ours, theirs = net(z), other(z)
    assert ours.shape == (1, 1, shape[0] * params.reduction, shape[1] * params.reduction)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
    ours.square().mean().backward()
    theirs.square().mean().backward()
    for a, b in zip(net.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad, atol=1e-6, rtol=1e-3)


def test_a_lean_network_has_few_weights():
    full = NetParams(4, (16, 32, 64, 128), 4, input_channels=8)
    count = {
        lean: sum(p.numel() for p in networks.build(full.replace(lean=lean), 0).parameters())
        for lean in (False, True)
    }
    assert count == {False: 572545, True: 352273}


@pytest.mark.parametrize(
    ("shape", "size"), [((40, 50), (20, 25)), ((41, 51), (21, 26)), ((5, 9), (3, 5))]
)
def test_half_resolution_keeps_the_size_of_the_image(shape, size):
    net = HALF.replace(width=4, depth=deepest(shape, 2))
    assert random_input(net, FitParams(1), shape, 0).shape == (1, 5, *size)
    (step,) = fit(np.zeros(shape), net, FitParams(1))
    assert step.output().shape == shape


@pytest.mark.parametrize("shape", [(3, 3), (4, 4), (5, 5), (6, 7), (9, 40), (10, 40), (511, 600)])
def test_deepest_of_half_resolution_is_that_of_the_random_input(shape):
    assert deepest(shape, 2) == deepest(HALF.reduced(shape))


def test_a_network_too_deep_for_half_the_resolution_is_refused():
    with pytest.raises(ValueError, match="depth 3"):
        next(fit(np.zeros((16, 16)), HALF, FitParams(1)))
    next(fit(np.zeros((16, 16)), LEAN, FitParams(1)))


def test_a_lean_half_network_denoises(sample):
    noisy, truth = sample
    low, range_ = noisy.min(), np.ptp(noisy)
    net = NetParams(3, (8, 16, 32), 4, input_channels=8, lean=True, reduction=2)
    params = FitParams(80, learning_rate=0.02, start_at_mean=True, average=0.9)
    *_, last = fit((noisy - low) / range_, net, params)
    error = np.mean((last.output() * range_ + low - truth) ** 2)
    assert error < 0.5 * np.mean((noisy - truth) ** 2)


@pytest.mark.parametrize("size", [2, 3, 8])
def test_gradient_of_doubling(size):
    x = torch.rand(1, 3, size, size + 1, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: networks._double(x, "bilinear"), x)


def test_bfloat16_stays_near_float32():
    z = torch.rand(1, 5, 40, 40)
    net = networks.build(HALF, 0)
    a, b = net(z), net(z.to(torch.bfloat16))
    assert b.dtype == torch.float32
    assert 0 < (a - b).abs().max() < 0.05
    b.mean().backward()
    assert all(p.grad.dtype == torch.float32 for p in net.parameters())


def test_bfloat16_only_where_the_device_computes_it(sample, monkeypatch):
    noisy, _ = sample
    image = (noisy - noisy.min()) / np.ptp(noisy)

    def run(precision):
        *_, last = fit(image, LEAN, FitParams(3, precision=precision))
        return last.output()

    monkeypatch.setattr("autodip.fit.optimise.computes_bfloat16", lambda device: False)
    np.testing.assert_array_equal(run("bfloat16"), run("float32"))
    monkeypatch.setattr("autodip.fit.optimise.computes_bfloat16", lambda device: True)
    assert not np.array_equal(run("bfloat16"), run("float32"))


def test_devices_without_bfloat16(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False)
    assert not device.computes_bfloat16("cpu")
    assert not device.computes_bfloat16("mps")
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True, raising=False)
    assert device.computes_bfloat16("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for capability, there in (((7, 5), False), ((8, 0), True), ((9, 0), True)):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _, c=capability: c)
        assert device.computes_bfloat16("cuda:1") == there
