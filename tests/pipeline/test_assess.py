import numpy as np
import pytest

from autodip.physics.noise import Noise
from autodip.pipeline.assess import assess

NOISE = Noise(gain=0, constant=4, sigma=2, correlation=(0, 0), floor=4, saturated=0)


@pytest.fixture
def truth():
    return 100 + 50 * np.sin(np.arange(128) / 9)[:, None] * np.ones(128)


def test_just_the_noise_removed(truth, rng):
    found = assess(truth + rng.normal(0, 2, truth.shape), truth, NOISE)
    assert found.removed_to_noise == pytest.approx(1, abs=0.05)
    assert max(map(abs, found.residual_correlation)) < 0.05
    assert abs(found.mean_shift) < 0.1
    assert found.notes == ()


def test_structure_removed(truth, rng):
    noisy = truth + rng.normal(0, 2, truth.shape)
    found = assess(noisy, np.full_like(truth, 100), NOISE)
    assert found.removed_to_noise > 3
    assert found.residual_correlation[0] > 0.8
    assert "structure" in found.notes[0]


def test_noise_left(truth, rng):
    noisy = truth + rng.normal(0, 2, truth.shape)
    assert "fewer iterations" in assess(noisy, noisy, NOISE).notes[0]


def test_mean_shift_has_the_sign_of_the_result(truth):
    assert assess(truth, truth + 3, NOISE).mean_shift == pytest.approx(3)


def test_without_a_noise_estimate(truth):
    assert assess(truth, truth, None).removed_to_noise is None
