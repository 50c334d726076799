import numpy as np
import pytest

from autodip.errors import ParameterError
from autodip.physics.optics import Optics, psf
from autodip.physics.simulation import simulate, simulate_film


@pytest.mark.parametrize("microscope", ["confocal", "twophoton", "widefield"])
def test_psf(microscope):
    spread = psf(Optics(microscope=microscope))
    assert spread.sum() == pytest.approx(1)
    assert spread.argmax() == spread.size // 2
    np.testing.assert_allclose(spread, spread.T)


def test_first_dark_ring_lies_at_0_61_wavelengths_over_na():
    optics = Optics(microscope="twophoton", na=0.5, wavelength=1.0, pixel_size=0.122)
    profile = psf(optics)[16, 16:]
    assert profile[10] < 1e-4 * profile[0]


@pytest.mark.parametrize("specimen", ["nucleus", "actin", "mito"])
def test_noise_is_poisson_gaussian_around_the_truth(specimen):
    optics = Optics(gain=10, offset=200, read_noise=5, photons=50)
    noisy, truth = simulate(specimen, optics, size=128)
    assert noisy.dtype == np.uint16
    assert noisy.shape == truth.shape == (128, 128)
    assert truth.max() == pytest.approx(10 * 50 + 200, rel=0.01)
    z = (noisy - truth) / np.sqrt(10 * (truth - 200) + 25)
    assert z.mean() == pytest.approx(0, abs=0.05)
    assert z.std() == pytest.approx(1, abs=0.05)


def test_frames_of_a_film_drift_by_a_pixel():
    noisy, truth = simulate_film(frames=3, size=64)
    assert noisy.shape == truth.shape == (3, 64, 64)
    np.testing.assert_array_equal(truth[1, :, :-1], truth[0, :, 1:])
    assert not np.array_equal(noisy[1, :, :-1], noisy[0, :, 1:])


def test_seed_repeats():
    np.testing.assert_array_equal(simulate(size=64)[0], simulate(size=64)[0])
    assert not np.array_equal(simulate(size=64)[0], simulate(size=64, seed=1)[0])


def test_unknown_names():
    with pytest.raises(ParameterError, match="nucleus, actin, mito"):
        simulate("liver")
    with pytest.raises(ParameterError, match="confocal, twophoton, widefield"):
        psf(Optics(microscope="sted"))
