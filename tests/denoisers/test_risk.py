import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from autodip.denoisers.gaussian import SIGMAS, smooth
from autodip.denoisers.risk import STEP, Probe, least, risk
from autodip.errors import ImageError
from autodip.physics.correlation import autocorrelation, spectrum


@pytest.fixture
def truth(rng):
    """Dark background, as in most micrographs, with bright smooth structures."""
    field = gaussian_filter(rng.standard_normal((192, 192)), 6, mode="wrap")
    return 100 + 120 * np.maximum(field / field.std() - 0.5, 0)


@pytest.fixture(params=["white", "correlated"])
def noisy(request, rng, truth):
    """The truth with noise of standard deviation 12; in one case it is correlated."""
    field = rng.standard_normal(truth.shape)
    if request.param == "correlated":
        field = gaussian_filter1d(gaussian_filter1d(field, 0.6, axis=0), 0.6, axis=1)
        field /= field.std()
    return truth + 12 * field


def test_the_estimate_is_about_the_true_error(noisy, truth):
    probe = Probe.of(noisy)
    for sigma in (0.6, 1.0, 2.0, 4.0):
        result = smooth(noisy, sigma)
        moved = smooth(noisy + STEP * probe.field, sigma)
        error = np.mean((result - truth) ** 2)
        assert risk(noisy, result, moved, probe) == pytest.approx(error, abs=0.12 * 12**2)


def test_its_choice_is_about_the_best(noisy, truth):
    errors = [np.mean((smooth(noisy, s) - truth) ** 2) for s in SIGMAS]
    found = least(noisy, smooth, SIGMAS, Probe.of(noisy))
    assert np.mean((found.image - truth) ** 2) < 1.25 * min(errors)
    assert dict(found.risks)[found.setting] == min(r for _, r in found.risks)
    assert [s for s, _ in found.risks] == list(SIGMAS[: len(found.risks)])


def test_the_probe_is_drawn_like_the_noise(noisy):
    probe = Probe.of(noisy)
    drawn = autocorrelation(probe.field / probe.std)
    assert probe.field.std() == pytest.approx(12, rel=0.15)
    assert drawn[2, 3] == pytest.approx(probe.noise.correlation[1], abs=0.1)


def test_noise_that_cannot_be_told_is_an_error():
    with pytest.raises(ImageError, match=r"\(40, 40\)"):
        Probe.of(np.eye(40))


def test_spectrum_of_white_noise_is_flat():
    white = np.zeros((5, 5))
    white[2, 2] = 1
    assert spectrum(white, (20, 30)) == pytest.approx(1)
    white[2, 1] = white[2, 3] = 0.4
    power = spectrum(white, (20, 30))
    assert np.fft.ifft2(power).real[0, 1] == pytest.approx(0.4)
    assert power.mean() == pytest.approx(1)
