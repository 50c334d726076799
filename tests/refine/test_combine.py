"""Refinement of a pilot: what it adds back, what it leaves, and its parts against plain code."""

import numpy as np
import pytest
import torch
from scipy.fft import dctn, idctn
from scipy.ndimage import gaussian_filter

from autodip.physics.correlation import draw, white
from autodip.physics.estimate import estimate_noise
from autodip.refine.combine import refine
from autodip.refine.groups import _bayes, _similar, estimate_groups
from autodip.refine.local import Blocks, block_covariance, return_excess, wiener
from autodip.refine.refinement import RefineParams

SIZE = 128


def psnr(image, truth):
    return 10 * np.log10(np.ptp(truth) ** 2 / np.mean((image - truth) ** 2))


@pytest.fixture(scope="module")
def truth():
    """Filaments and blobs: a smooth background with thin bright lines."""
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    lines = np.exp(-(((x - y + 0.3 * np.sin(6 * y)) / 0.02) ** 2))
    blobs = np.exp(-((x - 0.7) ** 2 + (y - 0.3) ** 2) / 0.01)
    return 20 + 80 * blobs + 100 * lines


def noisy_with(truth, correlation, seed=0):
    field = draw(correlation, truth.shape, np.random.default_rng(seed))
    return truth + np.sqrt(truth) * 2 * field


def coloured():
    """Autocorrelation of white noise blurred by a Gaussian of 0.7 pixels."""
    lag = np.arange(-2, 3)
    return np.exp(-(lag[:, None] ** 2 + lag**2) / (4 * 0.7**2))


@pytest.mark.parametrize("correlation", [white(), coloured()], ids=["white", "correlated"])
def test_returns_what_a_blurred_pilot_lacks(truth, correlation):
    pilot = gaussian_filter(truth, 3)
    gains = []
    for seed in range(3):
        noisy = noisy_with(truth, correlation, seed)
        result = refine(noisy, pilot, estimate_noise(noisy), RefineParams())
        assert psnr(result, truth) > psnr(noisy, truth) + 3
        assert psnr(result, truth) > psnr(gaussian_filter(noisy, 1), truth)
        gains.append(psnr(result, truth) - psnr(pilot, truth))
    # Estimated from so few pixels, the gain of correlated noise is wrong by a factor now and then.
    assert np.median(gains) > 3
    assert min(gains) > 2


def test_keeps_units(truth):
    noisy = noisy_with(truth, white())
    pilot = gaussian_filter(noisy, 2)
    one = refine(noisy, pilot, estimate_noise(noisy), RefineParams())
    other = refine(7 * noisy, 7 * pilot, estimate_noise(7 * noisy), RefineParams())
    assert other / 7 == pytest.approx(one, rel=1e-3, abs=1e-2)
    assert one.mean() == pytest.approx(noisy.mean(), rel=0.01)


@pytest.mark.parametrize("shape", [(64, 64), (65, 90), (101, 67)])
def test_any_shape(shape):
    rng = np.random.default_rng(1)
    noisy = 100 + 10 * rng.standard_normal(shape)
    result = refine(noisy, np.full(shape, 100.0), estimate_noise(noisy), RefineParams())
    assert result.shape == shape
    assert result.std() < 3


def test_a_perfect_pilot_is_kept(truth):
    """Nothing but noise is in the residual, so nothing comes back."""
    root = np.sqrt(truth)
    noisy = root + np.random.default_rng(2).standard_normal(truth.shape)
    blocks = Blocks.of(noisy, white(), "cpu")
    kept = return_excess(blocks, root, 1.5).image
    assert np.abs(kept - root).mean() < 0.1


def test_excess_is_returned_where_the_pilot_is_wrong(truth):
    noisy = truth + np.random.default_rng(2).standard_normal(truth.shape)
    blocks = Blocks.of(noisy, white(), "cpu")
    returned = return_excess(blocks, gaussian_filter(truth, 3), 1.1).image
    assert psnr(returned, truth) > 35


def test_wiener_is_its_formula_for_one_block():
    """An image with a period of 2 pixels, so that all blocks are equal."""
    image = np.tile([[3.0, 5.0], [1.0, 2.0]], (40, 40))
    pilot = np.tile([[2.0, 4.0], [1.5, 2.5]], (40, 40))
    result = wiener(Blocks.of(image, white(), "cpu"), pilot)
    block, guide = dctn(image[:8, :8], norm="ortho"), dctn(pilot[:8, :8], norm="ortho")
    gain = guide**2 / (guide**2 + 1)
    gain[0, 0] = 1
    expected = idctn(gain * block, norm="ortho")
    # Inside, each pixel is the mean over the 16 blocks that cover it, at their 4 x 4 offsets.
    mean = np.mean([[expected[i::2, j::2] for j in (0, 1)] for i in (0, 1)], axis=(2, 3))
    assert result[20:22, 20:22] == pytest.approx(mean, rel=1e-4)


def test_blocks_are_put_together_again(truth):
    blocks = Blocks.of(truth, white(), "cpu")
    weight = torch.ones(1, blocks.coefficients.shape[1])
    assert blocks.assemble(blocks.coefficients, weight) == pytest.approx(truth, rel=1e-4)


def test_covariance_of_white_noise_is_the_identity():
    assert block_covariance(white(), 6, "cpu").numpy() == pytest.approx(np.eye(36), abs=1e-6)


def test_covariance_holds_the_correlation():
    covariance = block_covariance(coloured(), 6, "cpu").numpy()
    assert covariance[14, 15] == pytest.approx(coloured()[2, 3], abs=0.05)
    assert np.linalg.eigvalsh(covariance).min() > 0


def test_bayes_is_its_formula():
    rng = np.random.default_rng(0)
    noisy, guide = rng.standard_normal((2, 1, 10, 4))
    covariance = np.diag([1.0, 2.0, 3.0, 4.0])
    estimate, weight = _bayes(
        torch.tensor(noisy), torch.tensor(guide), torch.tensor(covariance)[None], 0.0
    )
    mean, signal = guide[0].mean(0), np.cov(guide[0].T)
    gain = signal @ np.linalg.inv(signal + covariance)
    assert estimate[0].numpy() == pytest.approx(mean + (noisy[0] - mean) @ gain.T)
    assert float(weight) == pytest.approx(1 / (np.trace(gain) + 1))


def test_similar_patches_are_the_nearest():
    image = np.random.default_rng(3).standard_normal((16, 18))
    params = RefineParams(patch=4, step=3, window=3, similar=5)
    margin = params.patch + params.window
    padded = np.pad(image, margin, mode="symmetric")
    found = _similar(torch.tensor(padded, dtype=torch.float32), image.shape, params).numpy()
    width = padded.shape[1]

    def patch(corner):
        y, x = divmod(int(corner), width)
        return padded[y : y + 4, x : x + 4]

    for row in found[:: len(found) // 7]:
        own = row[0]
        y, x = divmod(int(own), width)
        every = sorted(
            np.mean((patch((y + dy) * width + x + dx) - patch(own)) ** 2)
            for dy in range(-3, 4)
            for dx in range(-3, 4)
        )
        got = sorted(np.mean((patch(other) - patch(own)) ** 2) for other in row)
        assert got == pytest.approx(every[:5], abs=1e-5)


@pytest.mark.parametrize("correlation", [white(), coloured()], ids=["white", "correlated"])
def test_a_share_of_the_noise_is_kept(truth, correlation):
    noisy = noisy_with(truth, correlation)
    pilot, found = gaussian_filter(noisy, 2), estimate_noise(noisy)
    none, some = (refine(noisy, pilot, found, RefineParams(keep=keep)) for keep in (0, 0.2))
    assert some == pytest.approx(none + 0.2 * (noisy - none))


def test_a_flat_guide_averages(truth):
    """Patches of a constant guide have no covariance: only the guide's mean is left."""
    noisy = 5 + np.random.default_rng(4).standard_normal((64, 64))
    flat = np.full((64, 64), 5.0)
    result = estimate_groups(
        noisy, flat, np.ones((64, 64)), white(), params=RefineParams(mean_share=0.0), device="cpu"
    )
    assert result == pytest.approx(flat, abs=1e-4)


def test_repeats_itself(truth):
    noisy = noisy_with(truth, white())
    pilot, found = gaussian_filter(noisy, 2), estimate_noise(noisy)
    once, again = (refine(noisy, pilot, found, RefineParams()) for _ in range(2))
    assert (once == again).all()
