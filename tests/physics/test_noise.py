import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from autodip.physics.correlation import autocorrelation, draw, white
from autodip.physics.estimate import estimate_noise
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate


@pytest.fixture
def scene():
    """A smooth scene without noise, from 100 to 2100."""
    y, x = np.mgrid[:256, :256] / 256
    return 100 + 2000 * np.exp(-8 * ((y - 0.5) ** 2 + (x - 0.4) ** 2))


def test_gain_and_constant_of_poisson_gaussian_noise(scene, rng):
    noisy = 5 * rng.poisson((scene - 100) / 5) + 100 + rng.normal(0, 12, scene.shape)
    noise = estimate_noise(noisy)
    assert noise.gain == pytest.approx(5, rel=0.15)
    assert noise.constant == pytest.approx(144 - 5 * 100, abs=120)
    assert max(map(abs, noise.correlation)) < 0.08
    expected = np.sqrt(5 * (scene - 100) + 144)
    assert np.median(noise.std(scene) / expected) == pytest.approx(1, abs=0.1)


def test_plain_gaussian_noise_has_no_gain(scene, rng):
    noise = estimate_noise(scene + rng.normal(0, 20, scene.shape))
    assert noise.sigma == pytest.approx(20, rel=0.1)
    assert noise.gain * 2000 < 0.2 * 400


def test_correlated_noise_is_noticed_and_not_underestimated(scene, rng):
    noise = gaussian_filter(rng.standard_normal(scene.shape), 0.7)
    found = estimate_noise(scene + 20 * noise / noise.std())
    assert found.correlation[0] == pytest.approx(0.58, abs=0.12)
    assert found.correlation[1] == pytest.approx(0.58, abs=0.12)
    assert found.sigma == pytest.approx(20, rel=0.3)


def test_units_scale_with_the_image(scene, rng):
    noisy = scene + rng.normal(0, 20, scene.shape)
    once, tenfold = estimate_noise(noisy), estimate_noise(10 * noisy)
    assert tenfold.sigma == pytest.approx(10 * once.sigma)
    assert tenfold.correlation == pytest.approx(once.correlation)


def test_saturation_is_counted():
    noisy, _ = simulate("nucleus", Optics(photons=300))
    top = np.quantile(noisy, 0.98)
    assert estimate_noise(np.minimum(noisy, top)).saturated == pytest.approx(0.02, abs=0.005)
    assert estimate_noise(noisy).saturated == 0


@pytest.mark.parametrize("factor", [1e-90, 1e90])
def test_extreme_units(scene, rng, factor):
    noisy = scene + rng.normal(0, 20, scene.shape)
    assert estimate_noise(noisy * factor).sigma == pytest.approx(
        estimate_noise(noisy).sigma * factor
    )


def test_beyond_extreme_units_it_is_not_told(rng):
    assert estimate_noise(rng.random((64, 64)) * 1e200) is None
    assert estimate_noise(np.full((64, 64), 3.0)) is None


@pytest.mark.parametrize("shape", [(63, 500), (64, 20)])
def test_too_small_to_tell(shape, rng):
    assert estimate_noise(rng.random(shape)) is None


@pytest.mark.parametrize(
    "image",
    [
        np.eye(100),
        np.tile([0.0, 1.0], (64, 40)),
        np.arange(6400.0).reshape(80, 80),
    ],
)
def test_artificial_images_give_finite_figures(image):
    noise = estimate_noise(image)
    values = [noise.gain, noise.constant, noise.sigma, noise.floor, *noise.correlation]
    assert np.isfinite(values).all()
    assert np.isfinite(noise.std(image)).all()


@pytest.mark.parametrize("lag1", [0.0, 0.5, 0.6])
def test_correlation_is_not_biased(lag1):
    """Choosing flat blocks hides part of the correlation; the bootstrap restores it."""
    lag = np.abs(np.arange(-2, 3))
    wanted = np.outer(lag1 ** (lag**1.5), lag1 ** (lag**1.5)) if lag1 else white()
    drawn = draw(wanted, (256, 256), np.random.default_rng(5))
    found = autocorrelation(100 + drawn)
    assert found == pytest.approx(wanted, abs=0.08)


def test_strength_of_correlated_noise():
    """Noise blurred by 0.7 pixels, as in some cameras, is estimated to within a tenth."""
    lag = np.arange(-2, 3)
    blurred = np.exp(-(lag[:, None] ** 2 + lag**2) / (4 * 0.7**2))
    drawn = draw(blurred, (256, 256), np.random.default_rng(6))
    y, x = np.mgrid[:256, :256] / 40
    found = estimate_noise(200 + 40 * np.sin(x) * np.cos(y) + 5 * drawn)
    assert found.sigma == pytest.approx(5, rel=0.1)
