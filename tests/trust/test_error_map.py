import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

import autodip
from autodip.physics.estimate import estimate_noise
from autodip.prior.clean import first_plane
from autodip.prior.shots import fitted_truth
from autodip.trust import error_model
from autodip.trust.error_map import WIDTH, expected_psnr, standard_error, uncertain
from autodip.trust.error_model import load_error_model
from autodip.trust.local_features import REACH


@pytest.fixture(scope="module")
def blobs():
    """Noisy image of blobs with 5 to 60 photons, a blurred result of it, its noise."""
    rng = np.random.default_rng(3)
    light = gaussian_filter(rng.standard_normal((96, 96)), 4)
    light = 5 + 55 * (light - light.min()) / np.ptp(light)
    noisy = rng.poisson(light).astype(np.float64)
    return noisy, gaussian_filter(noisy, 1.5), estimate_noise(noisy)


def test_the_error_is_float32_finite_and_a_fraction_of_the_noise(blobs):
    noisy, result, noise = blobs
    error = standard_error(noisy, result, noise)
    assert error.dtype == np.float32
    assert error.shape == noisy.shape
    assert np.isfinite(error).all()
    assert (error > 0).all()
    assert 0.05 < np.median(error / noise.std(result)) < 1


def test_errors_of_a_fit_are_larger(blobs):
    noisy, result, noise = blobs
    factor = load_error_model().fitted
    assert factor > 1
    expected = factor * standard_error(noisy, result, noise)
    assert standard_error(noisy, result, noise, fitted=True) == pytest.approx(expected, rel=1e-6)


def test_the_same_input_has_the_same_map_and_is_not_changed(blobs):
    noisy, result, noise = blobs
    before = noisy.copy(), result.copy()
    assert np.array_equal(
        standard_error(noisy, result, noise), standard_error(noisy, result, noise)
    )
    assert np.array_equal(noisy, before[0])
    assert np.array_equal(result, before[1])


@settings(max_examples=12)
@given(exponent=st.floats(-12, 9), pedestal=st.floats(-300, 3000))
def test_the_map_follows_the_units_of_the_image(blobs, exponent, pedestal):
    noisy, result, noise = blobs
    factor = 10.0**exponent
    expected = factor * standard_error(noisy, result, noise).astype(np.float64)
    offset = factor * pedestal
    found = standard_error(
        factor * noisy + offset, factor * result + offset, noise.scaled(factor, offset)
    )
    ratio = found / expected
    assert np.median(ratio) == pytest.approx(1, abs=0.01)
    # With a pedestal, what the camera offset is taken for may be another level below all pixels.
    assert np.quantile(np.abs(ratio - 1), 0.98) < 0.05


def test_a_pixel_depends_on_those_within_reach(blobs):
    noisy, result, noise = blobs
    whole = standard_error(noisy, result, noise)
    part = standard_error(
        noisy[10:80, 10:80], result[10:80, 10:80], noise, darkest=float(noisy.min())
    )
    inner = np.s_[REACH:-REACH, REACH:-REACH]
    np.testing.assert_allclose(part[inner], whole[10:80, 10:80][inner], rtol=1e-4)


def test_structure_that_was_removed_raises_the_error(blobs):
    noisy, result, noise = blobs
    spoiled = result.copy()
    spoiled[40:50, 40:50] -= 25
    change = standard_error(noisy, spoiled, noise) / standard_error(noisy, result, noise)
    assert np.median(change[40:50, 40:50]) > 1.5
    assert np.median(change[:15, :15]) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 2), (5, 3), (7, 40)])
def test_small_images_have_a_map(blobs, shape):
    noisy, result, noise = blobs
    part = np.s_[: shape[0], : shape[1]]
    error = standard_error(noisy[part], result[part], noise)
    assert error.shape == shape
    assert np.isfinite(error).all()


def test_without_a_noise_model_the_error_is_what_was_removed():
    noisy = np.zeros((40, 40))
    assert not standard_error(noisy, noisy, None).any()
    result = noisy - 3e-200
    np.testing.assert_allclose(
        standard_error(1e190 * noisy, 1e190 * result, None), 3e-10, rtol=1e-3
    )


def test_negative_and_clipped_values_have_an_error(blobs):
    noisy, result, noise = blobs
    shifted = noise.scaled(1.0, -100.0)
    error = standard_error(noisy - 100, np.minimum(result - 100, -60), shifted)
    assert np.isfinite(error).all()
    assert (error > 0).all()


def test_the_expected_psnr_is_that_of_the_mean_squared_error_and_its_tails():
    result = np.tile(np.linspace(0, 100, 50), (50, 1))
    error = np.full(result.shape, 2.0, np.float32)
    assert expected_psnr(result, error, data_range=200) == pytest.approx(39.4)
    own = np.ptp(np.percentile(result, (0.1, 99.9)))
    assert expected_psnr(result, error) == pytest.approx(20 * np.log10(own / 2) - 0.6)
    tiny = expected_psnr(1e-30 * result, 1e-30 * error)
    assert tiny == pytest.approx(expected_psnr(result, error), abs=1e-3)


def test_the_expected_psnr_of_a_perfect_and_of_a_constant_result():
    result = np.arange(16.0).reshape(4, 4)
    assert expected_psnr(result, np.zeros((4, 4), np.float32)) == np.inf
    assert np.isnan(expected_psnr(np.ones((4, 4)), np.ones((4, 4), np.float32)))


def test_pixels_are_flagged_where_the_error_is_larger_than_usual():
    error = np.full((20, 20), 0.1, np.float32)
    assert not uncertain(error).any()
    error[3, 4] = 1
    assert list(zip(*np.nonzero(uncertain(error)), strict=True)) == [(3, 4)]
    assert not uncertain(np.zeros((4, 4), np.float32)).any()


def test_a_file_of_another_schema_is_refused(monkeypatch):
    monkeypatch.setattr(error_model, "SCHEMA", 99)
    error_model.load_error_model.cache_clear()
    with pytest.raises(autodip.errors.FormatError, match="schema 1, not 99"):
        error_model.load_error_model()
    error_model.load_error_model.cache_clear()


@pytest.mark.parametrize(
    ("noisy", "truth"),
    [
        ("w2s/avg1/fov001_ch0.tif", "w2s/avg400/fov001_ch0.tif"),
        ("fmd_confocal_fov1/raw/mouse_brain.tif", "fmd_confocal_fov1/gt/mouse_brain.tif"),
    ],
)
def test_nine_of_ten_pixels_of_real_images_lie_in_their_interval(shared, noisy, truth):
    part = np.s_[128:256, 128:256]
    noisy, truth = (first_plane(shared / "data" / name).astype(float) for name in (noisy, truth))
    result = autodip.denoise(noisy[part], preset="balanced", device="cpu").image
    noise = estimate_noise(noisy)
    fitted = fitted_truth(truth, noisy, noise)[part]
    error = standard_error(noisy[part], result, noise).astype(np.float64)
    doubt = noise.std(fitted) ** 2 / 50  # of the noise of a truth, which is a mean of 50 captures
    inside = np.abs(result - fitted) <= WIDTH * np.sqrt(error**2 + doubt)
    assert inside.mean() == pytest.approx(0.9, abs=0.08)
    real = float(np.mean((result - fitted) ** 2))
    predicted = float(np.mean(error**2 + doubt))
    assert abs(10 * np.log10(predicted / real)) < 2
