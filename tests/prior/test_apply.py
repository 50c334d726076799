"""Application of a prior, with a network that blurs and with one that was never trained."""

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve, gaussian_filter

from autodip.physics.anscombe import Stabiliser
from autodip.physics.estimate import estimate_noise
from autodip.prior.apply import apply_prior, denoise_stable
from autodip.prior.architecture import PriorNet
from autodip.prior.observation import LAGS, correlation_at, estimated, observe
from tests.helpers.blurring_prior import BINOMIAL, blurring_net


def photons(truth, seed=0, gain=2.0, black=100.0):
    return black + gain * np.random.default_rng(seed).poisson(truth).astype(float)


def last(images, **options):
    *_, done = apply_prior(blurring_net(), images, list(map(estimate_noise, images)), **options)
    return done


class Listener(torch.nn.Module):
    """Network that changes nothing and notes what it is given."""

    multiple = 16

    def __init__(self):
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(1))
        self.given = []

    def forward(self, noisy, conditions):
        self.given.append((noisy[:, 0].numpy().copy(), conditions.numpy().copy()))
        return noisy


@pytest.fixture
def slanted(rng):
    """Noise whose correlation differs along both axes and both diagonals."""
    kernel = np.array([[0, 0, 0.7], [0.1, 1, 0.3], [0.4, 0, 0]])
    noise = convolve(rng.standard_normal((96, 96)), kernel, mode="wrap")
    return noise / noise.std()


@pytest.mark.parametrize("shape", [(64, 64), (65, 79), (70, 131)])
@pytest.mark.parametrize("options", [{"passes": 1}, {"passes": 2, "orientations": 8, "grain": 0.1}])
def test_shapes_and_number_of_passes(shape, options):
    images = [photons(np.full(shape, level), level) for level in (20, 30)]
    noises = list(map(estimate_noise, images))
    done = list(apply_prior(blurring_net(), images, noises, **options))
    assert [(one.number, one.passes) for one in done] == [
        (number, options["passes"]) for number in range(1, options["passes"] + 1)
    ]
    assert done[0].observed == [estimated(noise) for noise in noises]
    for one in done:
        assert [image.shape for image in one.images] == [shape, shape]
        assert all(image.dtype == np.float64 for image in one.images)
    if len(done) > 1:
        assert all(one.fault is not None for one in done[1].observed)


def test_the_network_is_given_the_whole_image_in_its_place(rng):
    stable = 10 + rng.standard_normal((2, 50, 71))
    filtered = denoise_stable(blurring_net(), stable, None)
    wanted = [convolve(one, BINOMIAL, mode="reflect") for one in stable]
    # The network subtracts the mean of the surroundings before it filters.
    assert filtered == pytest.approx(np.stack(wanted), abs=0.02)
    assert denoise_stable(Listener(), stable, None, orientations=8) == pytest.approx(
        stable, abs=1e-5
    )


def test_every_orientation_is_told_the_noise_as_it_is_turned(slanted):
    stable, listener = 10 + slanted, Listener()
    observed = observe(stable, slanted)
    assert np.ptp(observed.correlation) > 0.3
    denoise_stable(listener, stable[None], [observed], orientations=8)
    assert len({noisy.tobytes() for noisy, _ in listener.given}) == 8
    for (noisy,), (told,) in listener.given:
        inner = noisy[32:-32, 32:-32] - 10
        own = correlation_at(inner / inner.std(), LAGS)
        assert told[4:-1, 0, 0] == pytest.approx(own, abs=0.02)
        assert (told[-1] == 1).all()
        assert 1 + told[0] == pytest.approx(observed.deviation(noisy)[::2, ::2], abs=1e-4)


@pytest.mark.parametrize(("level", "given"), [(10, 10), (55, 55), (2000, 62), (1e6, 62)])
def test_the_network_is_given_no_image_brighter_than_those_of_its_training(rng, level, given):
    stable, listener = level + rng.standard_normal((1, 64, 64)), Listener()
    stable[0, 3, 4] = 0  # a dead pixel
    observed = [observe(stable[0], stable[0] - level)]
    result = denoise_stable(listener, stable, observed)
    assert result == pytest.approx(stable, abs=1e-4 * level)
    ((noisy, told),) = listener.given
    assert np.median(noisy) == pytest.approx(given, abs=1)
    assert told[0, 0].mean() == pytest.approx(observed[0].deviation(stable[0]).mean() - 1, abs=0.1)


def test_without_an_observation_the_noise_is_unknown(rng):
    listener = Listener()
    denoise_stable(listener, rng.standard_normal((1, 64, 64)), None)
    ((_, told),) = listener.given
    assert not told.any()


@pytest.mark.parametrize("turn", [np.rot90, np.fliplr, np.flipud, np.transpose])
def test_with_all_orientations_a_turned_image_gives_the_turned_result(slanted, turn):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = PriorNet((4, 6)).eval()
    stable = 10 + np.linspace(0, 3, 96)[:, None] + slanted
    one, other = (
        denoise_stable(net, image[None], [observe(image, noise)], orientations=8)[0]
        for image, noise in ((stable, slanted), (turn(stable), turn(slanted)))
    )
    assert other == pytest.approx(turn(one), abs=1e-3)
    single = denoise_stable(net, stable[None], [observe(stable, slanted)])[0]
    assert np.abs(single - one).max() > 0.01


def test_shifted_copies_come_back_to_their_place(slanted):
    listener = Listener()
    result = denoise_stable(listener, 10 + slanted[None], None, orientations=32)
    assert result == pytest.approx(10 + slanted[None], abs=1e-5)
    assert len({noisy.tobytes() for noisy, _ in listener.given}) == 32


def test_observed_noise_is_told_at_once():
    image = photons(np.full((80, 80), 30.0))
    noises = [estimate_noise(image)]
    *_, first = apply_prior(blurring_net(), [image], noises)
    (only,) = apply_prior(blurring_net(), [image], noises, observed=first.observed)
    assert only.observed == list(first.observed)
    assert only.images[0] == pytest.approx(first.images[0], abs=1e-6)


def test_an_estimate_tells_strength_one_and_the_correlation(slanted):
    noise = estimate_noise(100 + 5 * slanted)
    told = estimated(noise)
    assert (told.slope, told.constant) == (0, 1)
    inner = dict(zip(LAGS, told.correlation, strict=True))
    assert inner[1, 0] == pytest.approx(noise.correlation[0])
    assert inner[0, 1] == pytest.approx(noise.correlation[1])
    old = noise.replace(autocorrelation=None, curve=None)
    assert dict(zip(LAGS, estimated(old).correlation, strict=True))[0, 1] == inner[0, 1]


def test_images_do_not_affect_each_other():
    images = [photons(np.full((80, 80), level), level) for level in (20, 60)]
    together, alone = last(images), last(images[1:])
    assert together.images[1] == pytest.approx(alone.images[0], abs=1e-3)
    one, other = together.observed[1], alone.observed[0]
    assert one.correlation == other.correlation
    assert (one.slope, one.constant) == pytest.approx((other.slope, other.constant), abs=1e-3)


@pytest.mark.parametrize("level", [3, 20, 200])
def test_the_mean_of_a_flat_field_is_kept(level):
    noisy = photons(np.full((160, 160), level))
    (result,) = last([noisy], passes=2).images
    assert result.mean() == pytest.approx(noisy.mean(), rel=1e-9)


STRUCTURES = {
    "flat": lambda y, x: np.full(y.shape, 30.0),
    "gradient": lambda y, x: 5 + 0.4 * y,
    "blobs": lambda y, x: 10 + 80 * np.sin(y / 11) ** 2 * np.cos(x / 9) ** 2,
    "lines": lambda y, x: 20 + 60 * np.exp(-(((x - y) % 24 - 12) ** 2) / 6),
}


@pytest.mark.parametrize("grain", [0.03, 0.2])
@pytest.mark.parametrize(("correlated", "within"), [(False, 2.0), (True, 3.0)])
@pytest.mark.parametrize("name", STRUCTURES)
def test_the_error_grows_no_more_than_by_the_grain(name, correlated, within, grain):
    """A blur leaves so much correlated noise that the bootstrap underestimates its error."""
    truth = STRUCTURES[name](*map(np.float64, np.mgrid[:160, :160]))
    noise = photons(truth, black=0.0) / 2 - truth
    noisy = truth + (gaussian_filter(noise, 0.7) * 2 if correlated else noise)
    change = Stabiliser.of(estimate_noise(noisy), noisy.min())

    def error(share):
        (result,) = last([noisy], grain=share).images
        return np.mean((change.forward(result) - change.forward(truth)) ** 2)

    none, some = error(0.0), error(grain)
    assert some != none
    assert some < none * (1 + within * grain)


def test_outliers_are_not_returned(rng):
    noisy = photons(np.full((96, 96), 50.0))
    hot = noisy.copy()
    hot[40, 40] += 3000
    noises = [estimate_noise(noisy)]
    *_, plain = apply_prior(blurring_net(), [hot], noises)
    *_, grainy = apply_prior(blurring_net(), [hot], noises, grain=0.1)
    returned = (grainy.images[0] - plain.images[0])[40, 40]
    assert 0 <= returned < noisy.std()
