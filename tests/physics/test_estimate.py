"""The noise estimate on simulated images of every kind that once failed, and on real pairs."""

import json
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from scipy.ndimage import convolve, gaussian_filter

from autodip.physics.blocks import Spectra
from autodip.physics.estimate import estimate_noise
from autodip.physics.noise import Noise
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate

SIZE = 256


def scene(specimen):
    """A clean image from 0 to about 1."""
    truth = simulate(specimen, Optics(microscope="confocal"), size=SIZE)[1].astype(float)
    truth = gaussian_filter(truth, 1)  # a point of light covers some pixels
    return (truth - truth.min()) / np.ptp(truth)


@pytest.fixture(params=["nucleus", "mito"])
def structure(request):
    return scene(request.param)


def check(noisy, expected, std, *, strength=0.05, middle=None, correlation=(0.0, 0.0), within=0.05):
    """Compare an estimate with the standard deviation at each pixel of known brightness."""
    found = estimate_noise(noisy)
    assert found.std(expected).mean() == pytest.approx(np.mean(std), rel=strength)
    distance = np.abs(expected - np.median(expected))
    usual = distance <= np.quantile(distance, 0.2)
    assert found.std(expected[usual]).mean() == pytest.approx(
        np.mean(np.broadcast_to(std, expected.shape)[usual]), rel=middle or strength
    )
    assert found.correlation == pytest.approx(correlation, abs=within)
    return found


def moments(expose, times=40):
    """Mean and standard deviation of repeated exposures, smoothed where the truth is smooth."""
    images = np.stack([expose(np.random.default_rng(100 + n)) for n in range(times)])
    variance = images.var(axis=0, ddof=1)
    return images.mean(axis=0), np.sqrt(gaussian_filter(variance, 1))


@pytest.mark.parametrize("photons", [8, 60])
def test_dense_filaments(photons, rng):
    """Structure everywhere: no block is flat."""
    light = photons * (scene("actin") + 0.02)
    noisy = np.rint(2 * rng.poisson(light) + 10 + rng.normal(0, 2, light.shape))
    std = np.sqrt(4 * light + 4 + 1 / 12)
    check(noisy, 2 * light + 10, std, strength=0.1, within=0.08)


@pytest.mark.parametrize("photons", [8, 60])
def test_photons_and_read_noise(structure, photons, rng):
    light = photons * (structure + 0.02)
    noisy = np.rint(2 * rng.poisson(light) + 10 + rng.normal(0, 2, light.shape))
    check(noisy, 2 * light + 10, np.sqrt(4 * light + 4 + 1 / 12))


def test_excess_noise_of_a_multiplier(structure, rng):
    """The gain of each photon varies, so that the variance is 1.5 times that of photons."""
    light = 30 * (structure + 0.03)
    count = rng.poisson(light)
    noisy = np.rint(5 * rng.gamma(np.maximum(2 * count, 1), 0.5) * (count > 0) + 30)
    check(noisy, 5 * light + 30, np.sqrt(37.5 * light + 1 / 12), strength=0.06)


def test_rare_photons_of_many_grey_levels(structure, rng):
    """Most pixels hold no photon; neighbours along the lines are correlated."""
    light = 0.15 * structure / structure.mean()
    kernel = np.array([[0.12, 0.88]])
    photons = convolve(rng.poisson(light).astype(float), kernel, mode="reflect")
    noisy = np.maximum(np.rint(22 * photons + 6 + rng.normal(0, 0.85, light.shape)), 0)
    std = np.sqrt(22**2 * light * (kernel**2).sum() + 0.85**2 + 1 / 12)
    where = (0.0, float(np.mean(22**2 * light * kernel.prod() / std**2)))
    check(noisy, 22 * light + 6, std, strength=0.1, middle=0.2, correlation=where, within=0.06)


@pytest.mark.parametrize("black", [False, True], ids=["whole", "clipped"])
def test_read_noise_above_the_signal(structure, rng, black):
    def expose(generator):
        noisy = generator.poisson(16 * structure) + generator.normal(0, 22, structure.shape)
        return np.maximum(np.rint(noisy), 0) if black else noisy

    check(expose(rng), *moments(expose))


def test_clipping_at_black(structure, rng):
    """Half of the background is clipped, which reduces and bends its variance."""

    def expose(generator):
        noisy = 8 * generator.poisson(20 * structure) - 4
        return np.clip(np.rint(noisy + generator.normal(0, 6, noisy.shape)), 0, 255)

    check(expose(rng), *moments(expose), strength=0.06)


def test_constant_areas_are_left_out(structure, rng):
    light = 30 * (structure + 0.05)
    noisy = np.rint(4 * rng.poisson(light) + 20 + rng.normal(0, 3, light.shape))
    noisy[:40] = noisy[:, -25:] = noisy[150:190, 60:120] = 0
    inside = noisy > 0
    expected, std = 4 * light + 20, np.sqrt(16 * light + 9 + 1 / 12)
    check(noisy, expected[inside], std[inside])


def test_hot_pixels_are_left_out(structure, rng):
    light = 60 * (structure + 0.02)
    noisy = 2.0 * rng.poisson(light) + 100 + rng.normal(0, 3, light.shape)
    noisy.flat[rng.choice(noisy.size, 80, replace=False)] = 65535
    check(noisy, 2 * light + 100, np.sqrt(4 * light + 9))


def test_lattice_of_a_colour_camera(rng):
    """White noise on every second pixel, interpolated: correlated up to 2 pixels."""
    y, x = np.mgrid[:SIZE, :SIZE] / 40
    truth = 200 + 40 * np.sin(x) * np.cos(y)
    mask = np.zeros(truth.shape)
    mask[::2, ::2] = 1
    kernel = np.outer([0.5, 1, 0.5], [0.5, 1, 0.5])
    noise = convolve(mask * rng.normal(0, 8, truth.shape), kernel, mode="wrap")
    found = check(truth + noise, truth, noise.std(), correlation=(0.667, 0.667), strength=0.07)
    diagonal, second = found.autocorrelation[3][3], found.autocorrelation[2][4]
    assert (diagonal, second) == pytest.approx((0.444, 0.167), abs=0.06)


@pytest.mark.parametrize("axis", [0, 1], ids=["y", "x"])
def test_noise_correlated_along_one_axis(rng, axis):
    noise = rng.normal(0, 6, (SIZE, SIZE))
    noise += 0.6 * np.roll(noise, 1, axis)
    wanted = np.zeros(2)
    wanted[axis] = 0.6 / 1.36
    level = np.full(noise.shape, 100.0)
    check(level + noise, level, 6 * np.sqrt(1.36), correlation=tuple(wanted))


def test_in_other_units(structure, rng):
    noisy = 60 * structure + rng.normal(0, 2, structure.shape)
    one, other = estimate_noise(noisy), estimate_noise(5 * noisy + 300)
    scaled = one.scaled(5, 300)
    assert (other.sigma, other.gain) == pytest.approx((scaled.sigma, scaled.gain), abs=1e-6)
    np.testing.assert_allclose(other.std(5 * noisy + 300), 5 * one.std(noisy), rtol=1e-6)


def test_the_estimate_is_repeatable_and_survives_json(structure, rng):
    noisy = rng.poisson(40 * structure + 3)
    found = estimate_noise(noisy)
    assert found == estimate_noise(noisy)
    assert Noise.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_records_without_a_curve_follow_the_line():
    old = {"gain": 2.0, "constant": 1.0, "sigma": 3.0, "correlation": [0.1, 0.0], "floor": 4.0}
    noise = Noise.from_dict({**old, "saturated": 0.0})
    assert noise.curve is None
    np.testing.assert_allclose(noise.std(np.array([0.0, 4.0])), [2.0, 3.0])


@pytest.mark.parametrize("number", [1, 2, 3, 10])
@pytest.mark.parametrize(("low", "grey"), [(0, 1), (0, 1000), (100, 37), (0.0, 1e-12)])
def test_few_single_photons(number, low, grey, rng):
    image = np.full((128, 128), low, float)
    image.flat[rng.choice(image.size, number, replace=False)] += grey
    found = estimate_noise(image)
    assert found.gain == pytest.approx(grey, rel=1e-3)
    assert found.std(np.array([low])) == 0
    assert found.std(np.array([image.mean()])) == pytest.approx(image.std())


def test_a_small_area_with_structure_is_no_set_of_single_photons(rng):
    image = np.zeros((256, 256))
    image[20:28, 20:28] = rng.poisson(100, (8, 8))
    assert estimate_noise(image).absent


def test_blocks_of_a_large_image_are_fewer_per_area():
    assert len(Spectra.of(np.random.default_rng(0).random((1500, 1500))).mean) < 17_000


def residual(noisy, truth):
    """Noisy image minus the local fit of the truth, its gradient and a plane, blocks of 32 x 32."""
    shift = np.gradient(gaussian_filter(truth, 0.7))
    result = np.zeros([n // 32 * 32 for n in truth.shape])
    plane = np.mgrid[:32, :32] / 32
    for top in range(0, result.shape[0], 32):
        for left in range(0, result.shape[1], 32):
            place = np.s_[top : top + 32, left : left + 32]
            terms = [np.ones((32, 32)), truth[place], *(part[place] for part in shift), *plane]
            matrix = np.stack([term.ravel() for term in terms], axis=1)
            fit = matrix @ np.linalg.lstsq(matrix, noisy[place].ravel(), rcond=1e-6)[0]
            result[place] = noisy[place] - fit.reshape(32, 32)
    return result * np.sqrt(1024 / (1024 - 6))


@pytest.mark.parametrize("kind", ["zebrafish", "actin", "mouse_brain", "nucleus", "mito"])
def test_real_confocal_images(shared, kind):
    """Of a field of view that is in no test set; the truth is the mean of 50 captures."""
    folder: Path = shared / "data" / "fmd_confocal_fov1"
    noisy, truth = (
        imagecodecs.imread(str(folder / part / f"{kind}.tif")).astype(float)
        for part in ("raw", "gt")
    )
    noise = residual(noisy, truth) / np.sqrt(0.98)
    found = estimate_noise(noisy)
    assert np.sqrt(np.mean(found.std(truth) ** 2)) == pytest.approx(noise.std(), rel=0.05)
    z = noise / found.std(truth)
    for lag, place in (((0, 1), (2, 3)), ((1, 0), (3, 2)), ((1, 1), (3, 3)), ((0, 2), (2, 4))):
        here, there = z[lag[0] :, lag[1] :], z[: z.shape[0] - lag[0], : z.shape[1] - lag[1]]
        correlation = float((here * there).mean() / (z**2).mean())
        assert found.autocorrelation[place[0]][place[1]] == pytest.approx(correlation, abs=0.07)
