import dataclasses

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from autodip.errors import ImageError, ParameterError
from autodip.physics.estimate import estimate_noise
from autodip.prior import shots
from autodip.prior.held_out_score import Examination
from autodip.prior.observation import Observation
from autodip.prior.recorruption import STRENGTH, autocovariance, draw_noise, noise_model
from autodip.prior.tuning import Tuned, TuneParams, tune
from tests.helpers.priors import QUICK, coloured, own_image, stripes, trained

PAIRS = [own_image(number) for number in range(4)]


@pytest.fixture(scope="module")
def net():
    return trained()


def result_of(net, images, params=QUICK, **others):
    *steps, last = tune(net, images, params, **others)
    assert isinstance(last, Tuned)
    assert [step.step for step in steps] == list(range(1, params.steps + 1))
    return last


def true_decibels(net, images):
    """Mean PSNR of a prior against the truth."""
    read, _ = shots.read_shots(images, 0)
    return np.mean(Examination(net, read, 0).decibels(net))


def test_pairs_improve_what_they_show(net):
    found = result_of(net, PAIRS)
    assert found.after > found.before + 0.7
    assert found.net is not None
    assert dict(found.counts) == {"pair": 4}
    assert (found.held_out, found.measures) == ("1 of 4 fields of view", ("pair",))
    new = [own_image(9)]
    assert true_decibels(found.net, new) > true_decibels(net, new) + 0.7


def test_repeated_captures_need_no_truth(net):
    images = [own_image(n, truth=False, capture=c) for n in range(4) for c in range(2)]
    found = result_of(net, images)
    assert (found.measures, dict(found.counts)) == (("capture",), {"capture": 8})
    assert found.net is not None
    new = [own_image(9)]
    gain = true_decibels(found.net, new) - true_decibels(net, new)
    assert gain > 0.7
    assert found.after - found.before == pytest.approx(gain, abs=1.5)


def test_single_noisy_images_improve_it_too(net):
    images = [own_image(n, truth=False) for n in range(4)]
    found = result_of(net, images, QUICK.replace(steps=60))
    assert (found.measures, dict(found.counts)) == (("single",), {"single": 4})
    assert found.net is not None
    new = [own_image(9)]
    assert true_decibels(found.net, new) > true_decibels(net, new) + 0.3


def test_targets_of_correlated_noise_are_unbiased(rng):
    """Errors of input and target are uncorrelated, if the noise drawn has the same correlation."""
    shape = (64, 64)
    wide = np.mean([autocovariance(n, n) for n in (coloured(rng, shape) for _ in range(40))], 0)
    white = np.zeros_like(wide)
    white[3, 3] = 1

    def bias(covariance):
        found = []
        for _ in range(60):
            noise, drawn = coloured(rng, shape), draw_noise(covariance, shape, rng)
            response = np.tanh(gaussian_filter(noise + STRENGTH * drawn, 1, mode="wrap"))
            found.append(np.mean(response * (noise - drawn / STRENGTH)))
        return np.mean(found)

    assert abs(bias(wide)) < 0.01
    assert abs(bias(white)) > 0.05


class Box(torch.nn.Module):
    """Mean of 7 x 7 pixels in place of a network."""

    multiple = 16

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.full((1, 1, 7, 7), 1 / 49))

    def forward(self, noisy, _):
        return torch.nn.functional.conv2d(noisy, self.weight, padding=3)


def test_noise_is_measured_by_brightness_and_lag(rng):
    shape = (192, 192)
    light = gaussian_filter(rng.standard_normal(shape), 12)
    stable = 12 + 3 * light / light.std()
    strength = np.where(stable > 12, 1.2, 0.8)
    drawn = coloured(rng, shape)
    noisy = stable + strength * drawn
    model = noise_model(Box(), noisy, Observation(0.0, 1.0, (0.0,) * 8), rng)
    variance = model.covariance[3, 3] * model.deviation**2
    assert np.sqrt(variance[stable > 13].mean()) == pytest.approx(1.2, rel=0.06)
    assert np.sqrt(variance[stable < 11].mean()) == pytest.approx(0.8, rel=0.06)
    true, found = autocovariance(drawn, drawn), model.covariance
    assert np.abs(found / found[3, 3] - true / true[3, 3]).max() < 0.1


def test_what_does_not_help_is_not_kept(net):
    found = result_of(net, PAIRS, QUICK.replace(steps=2, rate=1e-9))
    assert found.net is None
    assert found.after == pytest.approx(found.before, abs=0.02)


def test_it_must_be_better_than_every_rival(net):
    good = result_of(net, PAIRS).net
    found = result_of(net, PAIRS, QUICK.replace(steps=2), rivals=(good,))
    assert found.net is None
    assert found.before > found.after


def test_the_same_seed_gives_the_same_weights(net):
    one, other = (result_of(net, PAIRS, QUICK.replace(steps=8)) for _ in range(2))
    assert one.after == other.after
    assert all(
        np.array_equal(a, b)
        for a, b in zip(one.net.parameters(), other.net.parameters(), strict=True)
    )
    another = result_of(net, PAIRS, QUICK.replace(steps=8, seed=1))
    assert another.after != one.after


def test_a_truth_of_other_intensities_is_fitted():
    (shot,), _ = shots.read_shots([own_image(0, stretched=True)], 0)
    assert np.abs(shot.truth - 3 * stripes(0)).max() < 3
    light = 3 * stripes(0)
    noisy = light + 4 * np.random.default_rng(0).standard_normal(light.shape)
    noisy.flat[::50] += 1000
    noise = estimate_noise(light + 4 * np.random.default_rng(0).standard_normal(light.shape))
    fitted = shots.fitted_truth(light, noisy, noise)
    assert np.abs(fitted - light).max() < 2


def test_captures_are_brought_to_one_brightness():
    bright = own_image(0, truth=False)
    noisy = bright.read()[0]
    dim = dataclasses.replace(bright, name="dim", read=lambda: (0.5 * noisy + 20, None))
    one, other = shots.read_shots([bright, dim], 0)[0]
    assert one.data == other.data == "capture"
    assert np.abs(one.others[0] - one.noisy).max() < 1e-6


def test_tiles_are_held_out_of_one_field():
    read, _ = shots.read_shots([own_image(0)], 0)
    wide = dataclasses.replace(read[0], noisy=np.zeros((96, 256)), truth=np.zeros((96, 256)))
    divided = shots.divide([wide], 0)
    assert divided.training[0].noisy.shape == (96, 192)
    assert divided.held_out[0].truth.shape == (96, 64)
    with pytest.raises(ImageError, match=r"1 fields of view.*\(96, 96\).*three fields"):
        shots.divide(read, 0)


def test_unusable_images_are_named(net):
    small = dataclasses.replace(PAIRS[0], name="small", read=lambda: (np.ones((40, 40)), None))
    odd = dataclasses.replace(PAIRS[0], name="odd", read=lambda: (np.eye(96), np.ones((95, 96))))
    flat = dataclasses.replace(PAIRS[0], name="flat", read=lambda: (np.ones((96, 96)), None))
    found = result_of(net, [*PAIRS, small, odd, flat], QUICK.replace(steps=1))
    assert [line.split(":")[0] for line in found.unused] == ["small", "odd", "flat"]
    assert "at least 64 pixels" in found.unused[0]
    assert "(96, 96), its truth (95, 96)" in found.unused[1]
    with pytest.raises(ImageError, match=r"none of the 1 images.*small.*\(40, 40\)"):
        result_of(net, [small])


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"rate": 0.0}, {"told": 2.0}, {"seed": -1}])
def test_parameters_are_checked(wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        TuneParams(**wrong)
