"""Filters and waves respond to noise as they state."""

import math

import numpy as np
import pytest

from autodip.trust.periodic import waves
from autodip.trust.shape_bank import Filter, ShapeBank
from autodip.trust.standard_residual import StandardResidual


def residual(values, correlation=None):
    return StandardResidual(values, np.ones_like(values), np.zeros_like(values), correlation)


def test_the_response_to_noise_has_standard_deviation_1(rng):
    for response in ShapeBank(residual(rng.normal(size=(256, 256)))).responses():
        # The mean of few independent values has a spread itself.
        wide = 1 + response.filter.across * response.filter.along / 20
        assert response.values.std() == pytest.approx(1, abs=0.05 * wide), response.filter


@pytest.mark.parametrize("one", [Filter(2.0, 2.0), Filter(1.5, 6.0, 0.7)])
def test_kernel_and_transfer_function_are_the_same_filter(one):
    kernel, side = one.kernel(), 96
    grid = np.zeros((side, side))
    grid[: len(kernel), : len(kernel)] = kernel
    grid = np.roll(grid, (-(len(kernel) // 2), -(len(kernel) // 2)), (0, 1))
    frequency = np.fft.fftfreq(side)
    expected = one.transfer(frequency[:, None], frequency[None, :])
    np.testing.assert_allclose(np.fft.fft2(grid).real, expected, atol=0.02)


def test_noise_exceeds_the_limit_as_rarely_as_stated():
    chance, planes = 0.2, 60
    generator = np.random.default_rng(1)
    above = []
    for _ in range(planes):
        bank = ShapeBank(residual(generator.normal(size=(128, 128))))
        first = next(iter(bank.responses()))
        above.append(np.abs(first.values).max() > first.limit(chance))
    spread = math.sqrt(chance * (1 - chance) / planes)
    assert np.mean(above) <= chance + 3 * spread


def test_noise_holds_no_waves(rng):
    assert list(waves(residual(rng.normal(size=(128, 128))), 0.01)) == []


def test_the_amplitude_of_a_wave(rng):
    y, x = np.mgrid[:96, :96]
    pattern = 3 * np.cos(2 * np.pi * (0.2 * x + 0.1 * y))
    found = max(
        waves(residual(rng.normal(size=(96, 96)) + pattern), 0.01), key=lambda w: w.deviation
    )
    assert found.period == pytest.approx(1 / math.hypot(0.2, 0.1), rel=0.05)
    assert abs(found.amplitude(pattern)) == pytest.approx(3, rel=0.15)
