import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from autodip.errors import ImageError, ParameterError
from autodip.metrics import alexnet, weights
from autodip.metrics.fidelity import psnr, ssim


@pytest.fixture
def pair(rng):
    truth = rng.integers(0, 256, (40, 50)).astype(np.uint8)
    noisy = np.clip(truth + rng.normal(0, 9, truth.shape), 0, 255).astype(np.uint8)
    return noisy, truth


def test_psnr_is_its_formula(pair):
    noisy, truth = pair
    mse = ((noisy.astype(float) - truth.astype(float)) ** 2).mean()
    assert psnr(noisy, truth, data_range=255) == pytest.approx(10 * np.log10(255**2 / mse))
    assert psnr(truth, truth, data_range=255) == float("inf")


def test_ssim_is_its_formula(pair):
    a, b = (p.astype(float) for p in pair)

    def blur(image):
        return gaussian_filter(image, 1.5, truncate=3.5)

    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    covariance = blur(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    figure = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    figure /= (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
    assert ssim(*pair, data_range=255) == pytest.approx(figure[5:-5, 5:-5].mean(), abs=1e-6)


def test_wrong_input_is_named(pair):
    noisy, truth = pair
    with pytest.raises(ImageError, match=r"\(40, 50\) and \(39, 50\)"):
        psnr(noisy, truth[1:], data_range=255)
    with pytest.raises(ParameterError, match="data range is 0"):
        ssim(noisy, truth, data_range=0)
    with pytest.raises(ImageError, match="second image has NaN"):
        psnr(noisy, np.full(truth.shape, np.nan), data_range=1)
    with pytest.raises(ImageError, match="11 x 11"):
        ssim(noisy[:8], truth[:8], data_range=255)


def test_lpips_without_weights_is_none(monkeypatch, tmp_path):
    monkeypatch.delenv(weights.VARIABLE, raising=False)
    monkeypatch.setattr(weights.platformdirs, "user_cache_path", lambda name: tmp_path / name)
    assert alexnet.load() is None


def test_lpips_checks_its_images(tmp_path):
    rng = np.random.default_rng(0)
    tensors = {key: rng.random(shape) for key, shape in weights.SHAPES.items()}
    np.savez(tmp_path / "w.npz", **tensors)
    distance = alexnet.load(tmp_path / "w.npz")
    with pytest.raises(ImageError, match="32 pixels or more"):
        distance(np.zeros((20, 40)), np.zeros((20, 40)))
    with pytest.raises(ImageError, match=r"32 pixels or more a side; got \(3, 40, 40\)"):
        distance.features(np.zeros((3, 40, 40)))
    features = [distance.features(np.zeros((40, side))) for side in (40, 80)]
    with pytest.raises(ImageError, match="of one shape; the features"):
        distance.compare(*features)
    with pytest.raises(ImageError, match="of one shape"):
        distance(np.zeros((40, 40)), np.zeros((40, 41)))
