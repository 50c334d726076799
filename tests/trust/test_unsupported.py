"""Structure that is planted in a result, or erased from it, is found; noise is not."""

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, gaussian_filter

from autodip.physics.noise import Noise
from autodip.trust.unsupported import support_of

SIDE, SIGMA = 128, 2.0
NOISE = Noise(gain=0, constant=4, sigma=SIGMA, correlation=(0, 0), floor=4, saturated=0)
Y, X = np.mgrid[:SIDE, :SIDE].astype(float)


def disc(y, x, radius):
    return 1 / (1 + np.exp(np.hypot(Y - y, X - x) - radius))


TRUTH = 50 + 60 * disc(30, 90, 14)


def filament():
    line = np.zeros((SIDE, SIDE))
    line[90, 30:90] = 1
    return 2.5 * gaussian_filter(line, 1.2) / 0.33


PLANTED = {
    "spot": 7 * np.exp(-((Y - 70) ** 2 + (X - 40) ** 2) / 2 / 1.5**2),
    "filament": filament(),
    "blob": 1.2 * disc(90, 60, 13),
    "periodic pattern": 2.5
    * np.cos(2 * np.pi * X / 4)
    * np.exp(-((Y - 80) ** 2 + (X - 60) ** 2) / 2 / 10**2),
    "ring": 4 * np.exp(-0.5 * ((distance_transform_edt(TRUTH < 80) - 6) / 2) ** 2),
}
CENTRES = {
    "spot": (70, 40),
    "filament": (90, 60),
    "blob": (90, 60),
    "periodic pattern": (80, 60),
    "ring": (30, 90),
}


def noisy_image(seed, truth=TRUTH):
    return truth + np.random.default_rng(seed).normal(0, SIGMA, truth.shape)


def test_nothing_is_listed_if_the_result_is_the_truth():
    assert [support_of(noisy_image(seed), TRUTH, NOISE).count for seed in range(12)] == [0] * 12


def test_nor_if_the_noise_is_correlated():
    # Lags beyond 2 pixels, which no estimate contains, are below 0.01.
    single = np.zeros((33, 33))
    single[16, 16] = 1
    lags = gaussian_filter(single, 0.7 * np.sqrt(2))[14:19, 14:19]
    lags = lags / lags[2, 2]
    noise = NOISE.replace(
        correlation=(lags[1, 2], lags[2, 1]), autocorrelation=tuple(map(tuple, lags))
    )
    as_white = 0
    for seed in range(6):
        grain = gaussian_filter(np.random.default_rng(seed).normal(size=TRUTH.shape), 0.7)
        noisy = TRUTH + SIGMA * grain / grain.std()
        assert support_of(noisy, TRUTH, noise).count == 0
        as_white += support_of(noisy, TRUTH, NOISE).count
    assert as_white > 0


@pytest.mark.parametrize("kind", PLANTED)
def test_structure_that_only_the_result_has(kind):
    found = support_of(noisy_image(0), TRUTH + PLANTED[kind], NOISE)
    first = found.places[0]
    assert (first.direction, first.kind) == ("added", kind)
    y, x = CENTRES[kind]
    assert abs(first.y - y) <= 8
    assert abs(first.x - x) <= 8
    assert first.brightness > 0.3
    assert first.deviation > 5
    if kind != "ring":
        assert abs(first.share) < 0.5


@pytest.mark.parametrize("kind", ["spot", "filament", "blob"])
def test_structure_that_only_the_noisy_image_has(kind):
    first = support_of(noisy_image(0, TRUTH + PLANTED[kind]), TRUTH, NOISE).places[0]
    assert (first.direction, first.kind) == ("lost", kind)
    assert first.brightness < -0.3


def test_places_in_different_parts_are_counted_one_by_one():
    result = TRUTH + PLANTED["spot"] + np.roll(PLANTED["spot"], (40, 50), (0, 1))
    found = support_of(noisy_image(1), result, NOISE)
    assert found.count == 2
    ys, xs = zip(*sorted((place.y, place.x) for place in found.places), strict=True)
    assert ys == pytest.approx((70, 110), abs=1)
    assert xs == pytest.approx((40, 90), abs=1)


def test_a_single_outlier_is_no_structure():
    noisy = noisy_image(2)
    noisy[60, 60] += 100 * SIGMA
    assert support_of(noisy, TRUTH, NOISE).count == 0


def test_what_rounding_to_grey_values_does_is_not_listed():
    faint = 3.4 + 0.4 * disc(64, 64, 20)
    noise = NOISE.replace(constant=0.09, sigma=0.3, floor=0.09)
    noisy = faint + np.random.default_rng(0).normal(0, 0.3, faint.shape)
    assert support_of(noisy, faint.round(), noise).count > 0
    assert support_of(noisy, faint.round().astype(np.uint8), noise).count == 0


def test_it_is_the_same_in_other_units():
    noisy, result = noisy_image(3), TRUTH + PLANTED["filament"]
    usual, tiny = (
        support_of(factor * noisy, factor * result, NOISE.scaled(factor, 0)).places[0]
        for factor in (1.0, 1e-9)
    )
    assert tiny.deviation == usual.deviation
    assert tiny.brightness == pytest.approx(1e-9 * usual.brightness, rel=1e-3)


@pytest.mark.parametrize("noise", [None, NOISE.replace(constant=0.0, sigma=0.0, floor=0.0)])
def test_without_noise_nothing_is_tested(noise):
    assert support_of(noisy_image(0), TRUTH, noise) is None


def test_small_images_are_not_tested():
    assert support_of(TRUTH[:31], TRUTH[:31], NOISE) is None
    assert support_of(TRUTH[:32, :40], TRUTH[:32, :40], NOISE).count == 0
