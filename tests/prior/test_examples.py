"""Training examples, the cameras that record them, and what is observed of their noise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from autodip.physics.detection import Detector, expose
from autodip.prior.cameras import draw_detector
from autodip.prior.clean import Clean, draw_scenes
from autodip.prior.examples import draw_example, shares_of
from autodip.prior.observation import LAGS, observe


@pytest.fixture(scope="module")
def pool():
    return list(draw_scenes(11, 64, 0, weight=1.0, photons=300.0))


@settings(max_examples=60)
@given(st.integers(0, 10**9), st.floats(3, 1000), st.sampled_from([0.0, 0.45, 1.0]))
def test_every_camera_records(seed, peak, correlated):
    detector = draw_detector(np.random.default_rng(seed), peak, correlated=correlated)
    assert Detector.from_dict(detector.to_dict()) == detector
    if correlated in (0.0, 1.0):
        assert detector.white_noise == (correlated == 0)
    light = np.full((detector.needed(24),) * 2, peak)
    seen = expose(light, detector, 24, np.random.default_rng(seed))
    assert np.isfinite(seen.image).all()
    assert np.isfinite(seen.mean).all()
    assert seen.gain > 0


def test_all_faults_and_kinds_of_correlation_are_drawn():
    drawn = [draw_detector(np.random.default_rng(seed), 50.0) for seed in range(800)]
    plain = Detector()
    for field in plain.to_dict():
        if field != "columns":
            assert any(getattr(one, field) != getattr(plain, field) for one in drawn), field
    assert np.mean([not one.white_noise for one in drawn]) == pytest.approx(0.45, abs=0.05)


def test_an_example_is_a_function_of_its_seed(pool):
    shares = shares_of(pool)
    first, same, other = (draw_example(pool, shares, 32, (0, n, 0)) for n in (1, 1, 2))
    for name in ("noisy", "truth", "deviation", "correlation"):
        one = getattr(first, name)
        assert one.dtype == np.float32
        assert (one == getattr(same, name)).all()
        assert (one != getattr(other, name)).any()
    assert first.noisy.shape == first.truth.shape == first.deviation.shape == (32, 32)
    assert first.correlation.shape == (len(LAGS),)


def test_noise_has_the_strength_that_is_told_and_the_bias_of_the_transform(pool):
    """A square root is concave: its mean is about 1 / (4 sqrt(photons)) below that of the mean."""
    shares = shares_of(pool)
    drawn = [draw_example(pool, shares, 64, (7, n)) for n in range(60)]
    noise = [(one.noisy - one.truth) / one.deviation for one in drawn]
    assert np.median([part.mean() for part in noise]) == pytest.approx(-0.07, abs=0.05)
    # Black and white clip the noise of some, which is then weaker than any line.
    assert np.median([part.std() for part in noise]) == pytest.approx(1, abs=0.06)
    assert np.median([one.deviation.mean() for one in drawn]) == pytest.approx(0.9, abs=0.1)


def test_examples_are_cut_as_often_as_their_weight():
    pool = [Clean(np.ones((32, 32), np.float32), weight, 1.0, 100.0) for weight in (1.0, 3.0)]
    assert shares_of(pool).tolist() == [0.25, 1.0]


@pytest.mark.parametrize("sigma", [0.0, (0.4, 0.4), (0.9, 0.5), (0.0, 1.0), (1.2, 1.2)])
def test_correlation_of_known_kernels(sigma, rng):
    noise = gaussian_filter(rng.standard_normal((512, 512)), sigma, mode="wrap")
    noise /= noise.std()
    impulse = np.zeros((64, 64))
    impulse[32, 32] = 1
    power = np.abs(np.fft.fft2(gaussian_filter(impulse, sigma, mode="wrap"))) ** 2
    lags = np.fft.ifft2(power).real / power.mean()
    y, _ = np.mgrid[:512, :512] / 512
    found = observe(10 + 20 * y + noise, noise)
    assert found.correlation == pytest.approx([lags[lag] for lag in LAGS], abs=0.03)


@pytest.mark.parametrize(("slope", "constant"), [(0.0, 1.0), (0.03, 0.4), (-0.02, 1.6)])
def test_strength_by_brightness(slope, constant, rng):
    y, _ = np.mgrid[:256, :256] / 256
    truth = 5 + 25 * y
    deviation = np.sqrt(slope * truth + constant)
    noise = deviation * rng.standard_normal(truth.shape)
    found = observe(truth + noise, noise)
    assert np.abs(found.deviation(truth + noise) / deviation - 1).max() < 0.1


def test_hot_pixels_are_not_noise(rng):
    noise = rng.standard_normal((256, 256))
    noise[rng.random(noise.shape) < 5e-4] += 50
    found = observe(np.full(noise.shape, 10.0) + noise, noise)
    assert found.deviation(np.full((8, 8), 10.0)).mean() < 1.2
