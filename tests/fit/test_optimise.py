import numpy as np
import pytest
import torch

from autodip.errors import FitError, ParameterError
from autodip.fit import network as networks
from autodip.fit.loop import fit, fit_many
from autodip.fit.params import FitParams, NetParams

NETS = [
    NetParams(3, (4, 8, 6), 3, input_channels=5),
    NetParams(2, 16, 0, downsample="avg", upsample="nearest"),
    NetParams(3, (8, 16, 16), 4, input_channels=8, lean=True, reduction=2),
]
SEEDS = [0, 7, 3]


@pytest.fixture
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def images(sample):
    noisy, _ = sample
    image = (noisy - noisy.min()) / np.ptp(noisy)
    return [image, image[::-1].copy(), 0.5 * image.T]


def results(images, net, params, seeds):
    return [
        [step.output() for step in fit(image, net, params, seed=s)]
        for image, s in zip(images, seeds, strict=True)
    ]


def test_stacked_weights_compute_each_network():
    for params in NETS:
        nets = [networks.build(params, s) for s in SEEDS]
        z = torch.rand(1, 3 * params.input_channels, 17, 22)
        both = networks.SkipNet(params, 3)
        outputs = torch.func.functional_call(both, networks.stack(nets), (z,))
        parts = [net(part) for net, part in zip(nets, z.chunk(3, 1), strict=True)]
        torch.testing.assert_close(outputs, torch.cat(parts, 1), atol=1e-5, rtol=0)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("net", NETS, ids=str)
def test_each_fit_goes_the_way_it_goes_alone(images, net):
    params = FitParams(12, average=0.8, start_at_mean=True)
    expected = results(images, net, params, SEEDS)
    for i, steps in enumerate(fit_many(images, net, params, seeds=SEEDS)):
        for k, step in enumerate(steps):
            np.testing.assert_allclose(step.output(), expected[k][i], rtol=1e-4)


def test_first_step_in_single_precision(images):
    expected = results(images, NETS[0], FitParams(1), SEEDS)
    (steps,) = fit_many(images, NETS[0], FitParams(1), seeds=SEEDS)
    for step, wanted in zip(steps, expected, strict=True):
        np.testing.assert_allclose(step.output(), wanted[0], rtol=1e-4)


def test_one_image_with_several_seeds(images):
    *_, steps = fit_many(images[:1], NETS[0], FitParams(3), seeds=[4, 5], every=2)
    assert [step.iteration for step in steps] == [3, 3]
    assert not np.array_equal(steps[0].output(), steps[1].output())


def test_several_images_with_one_seed(images):
    stacked = np.stack(images)
    (steps,) = fit_many(stacked, NETS[0], FitParams(1))
    first = [step.output() for step in steps]
    assert all(image.shape == images[0].shape for image in first)
    # Weights and input are the same; the first output does not depend on the images.
    np.testing.assert_allclose(first[0], first[1], rtol=1e-5)
    assert steps[0].loss != steps[2].loss


def spoil(monkeypatch, calls, value, fit=0, side_by_side=True):
    """Spoil the output of one of the fits at the given passes, counted from 1."""
    done = [0]
    original = networks.SkipNet.forward

    def forward(self, z):
        several = self.head.groups > 1
        if several == side_by_side:
            done[0] += 1
            if done[0] in calls:
                with torch.no_grad():
                    self.head.bias[fit] = value
        return original(self, z)

    monkeypatch.setattr(networks.SkipNet, "forward", forward)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("value", [30.0, float("nan")])
def test_a_fit_that_blows_up_is_restored_alone(images, monkeypatch, value):
    params = FitParams(14, checkpoint_every=5, average=0.5)
    net = NETS[0]
    expected = results(images, net, params, SEEDS)
    with monkeypatch.context() as patch:
        spoil(patch, {10}, value, side_by_side=False)
        second = [s.output() for s in fit(images[1], net, params, seed=SEEDS[1])]
    spoil(monkeypatch, {10}, value, fit=1)
    for i, steps in enumerate(fit_many(images, net, params, seeds=SEEDS)):
        assert [step.fallbacks for step in steps] == [0, int(i >= 9), 0]
        for k, wanted in enumerate([expected[0], second, expected[2]]):
            np.testing.assert_allclose(steps[k].output(), wanted[i], rtol=1e-4)


def test_a_hopeless_fit_is_named_by_its_seed(images, monkeypatch):
    spoil(monkeypatch, set(range(3, 1000)), float("nan"), fit=1)
    params = FitParams(200, checkpoint_every=2)
    with pytest.raises(FitError, match="seed 7"):
        list(fit_many(images, NETS[0], params, seeds=SEEDS))


@pytest.mark.parametrize(
    ("count", "seeds", "message"),
    [(3, [1, 2], "3 images and 2 seeds"), (0, [1], "0 images"), (2, [], "0 seeds")],
)
def test_numbers_must_match(images, count, seeds, message):
    with pytest.raises(ParameterError, match=message):
        next(fit_many(images[:count], NETS[0], FitParams(1), seeds=seeds))


def test_shapes_must_match(images):
    with pytest.raises(ParameterError, match="single shape"):
        next(fit_many([images[0], images[1][:-1]], NETS[0], FitParams(1)))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_recorded_iterations_equal_those_of_the_cpu(images):
    params = FitParams(30, checkpoint_every=10, average=0.9)
    *_, recorded = fit_many(images, NETS[0], params, seeds=SEEDS, device="cuda")
    *_, plain = fit_many(images, NETS[0], params, seeds=SEEDS)
    for a, b in zip(recorded, plain, strict=True):
        assert a.loss == pytest.approx(b.loss, rel=0.1)
        assert np.abs(a.output() - b.output()).mean() < 0.02
