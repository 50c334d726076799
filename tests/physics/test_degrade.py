import dataclasses
import json

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from autodip.errors import ImageError, ParameterError
from autodip.physics.camera import Camera
from autodip.physics.correlation import white
from autodip.physics.degrade import CLEAN, match_brightness, own_noise, simulate_noisy
from autodip.physics.estimate import estimate_noise
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate

LAG = np.arange(-2, 3)
BLURRED = np.exp(-(LAG[:, None] ** 2 + LAG**2) / (4 * 0.7**2))
"""Autocorrelation of noise blurred by 0.7 pixels."""


def camera(correlation=None, **changes):
    lags = white() if correlation is None else correlation
    plain = Camera(
        gain=5.0,
        offset=100.0,
        read=12.0,
        floor=0.0,
        correlation=tuple(map(tuple, lags.tolist())),
        step=1.0,
        phase=0.0,
        minimum=None,
        maximum=None,
        dtype="uint16",
    )
    return dataclasses.replace(plain, **changes)


@pytest.fixture
def scene():
    """A smooth scene without noise, from 100 to 2100."""
    y, x = np.mgrid[:256, :256] / 256
    return 100 + 2000 * np.exp(-8 * ((y - 0.5) ** 2 + (x - 0.4) ** 2))


@pytest.mark.parametrize("correlation", [None, BLURRED], ids=["white", "correlated"])
def test_measuring_what_was_simulated_gives_the_camera_back(scene, rng, correlation):
    first = simulate_noisy(scene, camera(correlation), rng)
    measured = Camera.measure(first)
    assert measured.gain == pytest.approx(5, rel=0.2)
    assert measured.white == (correlation is None)
    truth = match_brightness(np.flipud(scene) / 7, first, measured)
    second = simulate_noisy(truth, measured, rng)
    again = Camera.measure(second)
    assert again.gain == pytest.approx(measured.gain, rel=0.2)
    assert estimate_noise(second).sigma == pytest.approx(estimate_noise(first).sigma, rel=0.2)
    assert again.neighbours == pytest.approx(measured.neighbours, abs=0.1)
    levels = np.array([300.0, 1000.0, 2000.0])
    assert again.variance(levels) == pytest.approx(measured.variance(levels), rel=0.2)
    assert first.dtype == second.dtype == np.uint16


@pytest.mark.parametrize("correlation", [None, BLURRED], ids=["white", "correlated"])
@pytest.mark.parametrize("photons", [None, 0.5, 4])
def test_mean_and_variance(rng, correlation, photons):
    known = camera(correlation, step=0.0, dtype="float64")
    for signal in (50.0, 110.0, 1000.0):  # the first is below the offset
        drawn = simulate_noisy(np.full((256, 256), signal), known, rng, photons=photons)
        variance = known.variance(np.array(signal)) / (photons or 1)
        assert drawn.mean() == pytest.approx(signal, abs=6 * np.sqrt(variance) / 256)
        assert drawn.var() == pytest.approx(variance, rel=0.05)


def test_the_floor_holds_below_the_offset():
    known = camera(read=0.0, floor=9.0)
    assert known.variance(np.array([0.0, 100.0, 200.0])).tolist() == [9, 9, 500]


def test_white_noise_of_few_photons_is_counted(rng):
    known = camera(read=0.0, step=0.0, dtype="float64")
    drawn = simulate_noisy(np.full((64, 64), 104.0), known, rng)
    assert set(np.unique(np.round((drawn - 100) / 5, 6))) <= set(range(10))
    assert (drawn == 100).mean() == pytest.approx(np.exp(-0.8), abs=0.03)


@pytest.mark.parametrize("gain", [0.0, 1e-12])
def test_more_photons_than_can_be_counted(rng, gain):
    drawn = simulate_noisy(np.full((128, 128), 1000.0), camera(gain=gain), rng)
    assert drawn.std() == pytest.approx(12, rel=0.05)


def test_one_seed_one_result(scene):
    known = camera()
    first, same, other = (
        simulate_noisy(scene, known, np.random.default_rng(seed)) for seed in (3, 3, 4)
    )
    assert (first == same).all()
    assert (first != other).any()


@pytest.mark.parametrize("photons", [0, -1, np.inf, np.nan])
def test_photons_that_cannot_be(scene, rng, photons):
    with pytest.raises(ParameterError, match=r"photons is .*above 0"):
        simulate_noisy(scene, camera(), rng, photons=photons)


def test_grey_levels_and_clipping_are_kept(scene, rng):
    """A 12-bit camera whose levels are spread over 16 bits, saturated, cut off at black."""
    known = camera(gain=100.0, read=300.0, offset=1000.0)
    noisy = simulate_noisy(20 * (scene - 40), known, rng)
    noisy = (noisy.clip(1008, 25600) // 16 * 16).astype(np.uint16)
    measured = Camera.measure(noisy)
    assert (measured.step, measured.phase) == (16, 0)
    assert (measured.minimum, measured.maximum) == (1008, 25600)
    again = simulate_noisy(match_brightness(scene, noisy, measured), measured, rng)
    assert not (again % 16).any()
    assert (again.min(), again.max()) == (1008, 25600)
    for end in (1008, 25600):
        assert np.mean(again == end) == pytest.approx(np.mean(noisy == end), rel=0.3)
    assert Camera.measure(again).step == 16


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_steps_of_numbers_between_0_and_1(scene, rng, dtype):
    noisy = simulate_noisy(scene, camera(), rng)
    scaled = (noisy.astype(dtype) - noisy.min()) / np.ptp(noisy)
    measured = Camera.measure(scaled)
    assert measured.step == pytest.approx(1 / np.ptp(noisy), rel=1e-3)
    assert simulate_noisy(scaled, measured, rng).dtype == dtype


def test_no_steps_where_there_are_none(scene, rng):
    measured = Camera.measure(scene + rng.normal(0, 20, scene.shape))
    assert (measured.step, measured.phase) == (0, 0)
    assert (measured.minimum, measured.maximum) == (None, None)


def test_quantisation_is_not_added_twice(scene, rng):
    """With steps as wide as the noise, simulating from the measured camera keeps the noise."""
    noisy = camera(gain=0.0, read=12.0, step=24.0).digitise(scene + rng.normal(0, 12, scene.shape))
    measured = Camera.measure(noisy)
    assert measured.step == 24
    again = simulate_noisy(scene, measured, rng)
    assert np.std(again - scene) == pytest.approx(np.std(noisy - scene), rel=0.1)


def test_brightness_is_that_of_the_true_image_not_widened_by_noise():
    noisy, truth = simulate("nucleus", Optics(photons=15), size=128, seed=1)
    measured = Camera.measure(noisy)
    found = match_brightness(truth / 3 - 50, noisy, measured)
    span = float(np.ptp(truth))
    assert found == pytest.approx(truth, abs=0.06 * span)
    assert noisy.min() < truth.min() - 0.1 * span


def test_brightness_below_zero_is_kept(scene, rng):
    """The camera clips part of the background's noise."""
    known = camera(offset=0.0, read=40.0)
    noisy = simulate_noisy(scene - 100, known, rng)
    found = match_brightness(scene, noisy, Camera.measure(noisy))
    assert np.percentile(found, 5) == pytest.approx(np.percentile(scene - 100, 5), abs=20)
    drawn = simulate_noisy(np.full((256, 256), -10.0), known, rng)
    assert (drawn == 0).mean() == pytest.approx(0.59, abs=0.03)


def test_a_clean_image_that_is_noisy_is_told(scene, rng):
    known = camera()
    assert own_noise(scene, known) < CLEAN
    added = np.sqrt(known.variance(scene)) * rng.standard_normal(scene.shape)
    assert own_noise(scene + added / 2, known) == pytest.approx(0.5, abs=0.1)
    assert own_noise(scene + added / 2, known, photons=4) == pytest.approx(1, abs=0.2)
    assert own_noise(np.full((64, 64), 500.0), known) == 0


def test_fine_structure_is_not_taken_for_noise(scene):
    """A mesh of fibres all over the image."""
    y, x = np.mgrid[:256, :256]
    mesh = 400 * np.sin(x * 1.1 + y * 0.3) * np.sin(y * 1.2 - 0.2 * x)
    assert own_noise(scene + gaussian_filter(mesh, 1), camera()) is None


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.zeros((32, 32)), "noise of this image of .*32, 32.* could not be estimated"),
        (np.full((64, 64), 7), "could not be estimated"),
        (np.arange(6400.0).reshape(80, 80), "no noise was found"),
    ],
)
def test_a_camera_that_cannot_be_measured(image, said):
    with pytest.raises(ImageError, match=said):
        Camera.measure(image)


@pytest.mark.parametrize(
    ("clean", "said"),
    [
        (np.full((64, 64), 3.0), "is 3 nearly everywhere"),
        (np.full((64, 64), np.nan), "NaN or infinite"),
    ],
)
def test_clean_images_without_use(scene, rng, clean, said):
    noisy = simulate_noisy(scene, camera(), rng)
    with pytest.raises(ImageError, match=said):
        match_brightness(clean, noisy, Camera.measure(noisy))


def test_a_noisy_image_of_nothing(scene, rng):
    noisy = simulate_noisy(np.full((128, 128), 500.0), camera(), rng)
    with pytest.raises(ImageError, match="no structure above its noise"):
        match_brightness(scene, noisy, Camera.measure(noisy))


def test_a_camera_is_written_as_json(scene, rng):
    measured = Camera.measure(simulate_noisy(scene, camera(BLURRED), rng))
    content = json.loads(json.dumps(measured.to_dict(), allow_nan=False))
    content["correlation"] = tuple(map(tuple, content["correlation"]))
    assert Camera(**content) == measured
