import numpy as np
import pytest

from autodip.physics.anscombe import Stabiliser
from autodip.physics.noise import Noise


def noise(gain, constant, floor=0.0, sigma=5.0):
    return Noise(gain, constant, sigma, (0.0, 0.0), floor, saturated=0.0)


@pytest.mark.parametrize(("photons", "read"), [(5, 0.5), (20, 1.0), (100, 3.0), (1000, 0.0)])
def test_noise_becomes_that_of_variance_one(rng, photons, read):
    gain, black = 2.5, 100.0
    grey = black + gain * (rng.poisson(photons, 200_000) + read * rng.standard_normal(200_000))
    transform = Stabiliser(gain, black, read)
    stable = transform.forward(grey)
    assert stable.std() == pytest.approx(1, abs=0.06)
    assert transform.inverse(stable.mean()) == pytest.approx(
        black + gain * photons, rel=0.01, abs=0.1
    )


def test_the_inverse_is_unbiased_where_the_algebraic_one_is_not(rng):
    transform = Stabiliser(1.0, 0.0, 0.0)
    mean = transform.forward(rng.poisson(2.0, 500_000)).mean()
    assert transform.inverse(mean) == pytest.approx(2, abs=0.02)
    assert (mean / 2) ** 2 - 3 / 8 < 1.8


def test_the_inverse_has_no_step_where_the_table_ends():
    transform = Stabiliser(1.0, 0.0, 0.0)
    end = 2 * np.sqrt(200 + 3 / 8)
    below, above = transform.inverse(np.array([end - 0.2, end + 0.2]))
    assert above - below == pytest.approx(end * 0.2, rel=0.01)


def test_black_is_where_the_line_of_variances_ends():
    transform = Stabiliser.of(noise(gain=2.0, constant=-40.0), darkest=30.0)
    assert (transform.gain, transform.black, transform.read) == (2.0, 20.0, 0.0)


def test_read_out_noise_is_what_is_left_at_black():
    transform = Stabiliser.of(noise(gain=2.0, constant=36.0), darkest=0.0)
    assert (transform.black, transform.gain * transform.read) == (0.0, 6.0)


def test_no_photon_number_is_negative():
    transform = Stabiliser.of(noise(gain=2.0, constant=-400.0), darkest=30.0)
    assert transform.black == 30.0


def test_noise_alike_at_every_brightness_is_left_alike(rng):
    transform = Stabiliser.of(noise(gain=0.0, constant=25.0, floor=25.0), darkest=-10.0)
    grey = np.linspace(0, 200, 50)
    spread = transform.forward(grey + 5) - transform.forward(grey)
    assert spread == pytest.approx(1, rel=0.05)
    assert transform.inverse(transform.forward(grey)) == pytest.approx(grey, abs=0.1)
