"""Ring correlation, whiteness, affine PSNR and multi-scale SSIM against other implementations."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import correlate1d, gaussian_filter

from autodip.errors import ImageError, MissingPackageError, ParameterError
from autodip.metrics.affine import affine_psnr, fit_affine
from autodip.metrics.fidelity import psnr
from autodip.metrics.frc import Frc, frc
from autodip.metrics.multiscale import ms_ssim
from autodip.metrics.residual import whiteness
from autodip.metrics.scores import resolved
from autodip.metrics.single_frc import binomial_split, single_image_frc
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate

seeds = st.integers(0, 2**32 - 1)
scales = st.floats(0.01, 100) | st.floats(-100, -0.01)
offsets = st.floats(-1000, 1000)


# Fourier ring correlation


def tukey(side, share):
    """Tukey window by its definition."""
    at = np.arange(side) / (side - 1)
    at = np.minimum(at, 1 - at)
    rising = at < share / 2
    return np.where(rising, (1 - np.cos(2 * np.pi * at / share)) / 2, 1)


def naive_frc(a, b, spacing, share):
    """Every coefficient of the full transform, one at a time."""
    window = np.ones(())
    for side in a.shape:
        window = window[..., None] * tukey(side, share)
    faded = [window * (x - (window * x).sum() / window.sum()) for x in (a, b)]
    first, second = (np.fft.fftn(x) for x in faded)
    extent = min(n * d for n, d in zip(a.shape, spacing, strict=True))
    sums = {}
    for index in np.ndindex(a.shape):
        signed = [(i + n // 2) % n - n // 2 for i, n in zip(index, a.shape, strict=True)]
        cycles = [k / (n * d) for k, n, d in zip(signed, a.shape, spacing, strict=True)]
        ring = int(np.floor(np.sqrt(sum(c * c for c in cycles)) * extent + 0.5))
        if ring == 0 or ring / extent > 1 / (2 * max(spacing)) + 1e-9:
            continue
        row = sums.setdefault(ring, [0.0, 0.0, 0.0, 0])
        row[0] += (first[index] * np.conj(second[index])).real
        row[1] += abs(first[index]) ** 2
        row[2] += abs(second[index]) ** 2
        row[3] += 1
    rows = [sums[ring] for ring in sorted(sums)]
    return (
        np.array(sorted(sums)) / extent,
        np.array([c / np.sqrt(p * q) for c, p, q, _ in rows]),
        np.array([n for *_, n in rows]),
    )


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [
        ((32, 32), 1.0),
        ((31, 48), 0.065),
        ((40, 27), (0.1, 0.2)),
        ((16, 18, 21), 1.0),
        ((16, 24, 20), (0.31, 0.1, 0.097)),
    ],
)
def test_frc_is_its_formula(rng, shape, spacing):
    common = gaussian_filter(rng.normal(size=shape), 1)
    a, b = (100 + common + 0.2 * rng.normal(size=shape) for _ in range(2))
    curve = frc(a, b, pixel_size=spacing)
    sizes = (spacing,) * len(shape) if isinstance(spacing, float) else spacing
    frequency, correlation, pixels = naive_frc(a, b, sizes, 0.25)
    np.testing.assert_allclose(curve.frequency, frequency)
    np.testing.assert_allclose(curve.correlation, correlation, atol=1e-10)
    np.testing.assert_array_equal(curve.pixels, pixels)


@given(seeds, scales, offsets, st.sampled_from([0.0, 0.25, 1.0]))
def test_frc_of_an_image_with_itself_is_1(seed, scale, offset, taper):
    image = np.random.default_rng(seed).random((20, 33))
    curve = frc(image, scale * image + offset, taper=taper)
    np.testing.assert_allclose(curve.correlation, np.sign(scale), atol=1e-6)
    assert curve.resolution() == (None if scale > 0 else np.inf)


@given(seeds)
def test_frc_of_independent_noise_is_about_0(seed):
    a, b = np.random.default_rng(seed).normal(size=(2, 64, 80))
    curve = frc(a, b)
    assert abs(np.average(curve.correlation, weights=curve.pixels)) < 0.1
    spread = curve.correlation * np.sqrt(curve.pixels)
    assert 0.4 < spread.std() < 2


@pytest.mark.parametrize("cut", [0.1, 0.2, 0.35])
@pytest.mark.parametrize("threshold", ["1/2", "1/7", "half-bit", "3-sigma"])
def test_resolution_is_where_the_common_part_ends(rng, cut, threshold):
    size, pixel = (256, 300), 0.1
    y, x = np.meshgrid(*(np.fft.fftfreq(n) for n in size), indexing="ij")
    common = np.fft.fft2(rng.normal(size=size))
    common = np.fft.ifft2(np.where(np.hypot(y, x) <= cut, common, 0)).real
    a, b = (common + 0.5 * rng.normal(size=size) for _ in range(2))
    exact = frc(a, b, pixel_size=pixel, taper=0)  # periodic, so no border needs a taper
    ring = exact.frequency[0]
    assert 1 / exact.resolution(threshold, smooth=1) == pytest.approx(cut / pixel, abs=1.5 * ring)
    # The taper and the running mean each shift an abrupt cut-off by a ring or two.
    found = frc(a, b, pixel_size=pixel).resolution(threshold)
    assert 1 / found == pytest.approx(cut / pixel, abs=3 * ring)


def test_thresholds_and_crossing():
    frequency = np.array([1.0, 2, 3, 4, 5])
    correlation = np.array([0.9, 0.5, 0.32, 0.1, 0.0])
    pixels = np.array([8, 100, 200, 400, 800])
    curve = Frc(frequency, correlation, pixels)
    for name, at_100 in [
        ("1/2", 1 / 2),
        ("1/7", 1 / 7),
        ("half-bit", (0.2071 + 0.19102) / (1.2071 + 0.09102)),
        ("3-sigma", 3 / np.sqrt(50)),
    ]:
        assert curve.threshold(name)[1] == pytest.approx(at_100)
    crossing = 3 + (0.32 - 1 / 7) / (0.32 - 0.1)
    assert curve.resolution(smooth=1) == pytest.approx(1 / crossing)
    # By hand: 3 / sqrt(n / 2) is above 1 in the first ring, so the search does not start there.
    above, under = 0.32 - 3 / np.sqrt(100), 0.1 - 3 / np.sqrt(200)
    fine = 3 + above / (above - under)
    assert curve.resolution("3-sigma", smooth=1) == pytest.approx(1 / fine)
    assert curve.smoothed(3)[1] == pytest.approx((0.9 * 8 + 0.5 * 100 + 0.32 * 200) / 308)
    assert curve.smoothed(3)[4] == pytest.approx((0.1 * 400 + 0) / 1200)
    assert Frc(frequency, correlation - 1, pixels).resolution() == np.inf
    with pytest.raises(ParameterError, match="allowed are '1/2', '1/7'"):
        curve.resolution("0.5")
    with pytest.raises(ParameterError, match="odd"):
        curve.smoothed(2)


def test_half_against_the_truth_is_a_seventh_between_two_halves(rng):
    """Rosenthal and Henderson 2003; the noise is so strong that both cross at 0.25."""
    y, x = np.meshgrid(*(np.fft.fftfreq(256),) * 2, indexing="ij")
    radius = np.hypot(y, x)
    truth = np.fft.ifft2(np.fft.fft2(rng.normal(size=(256, 256))) * np.exp(-8 * radius)).real
    signal_to_noise = (1 / 7) / (1 - 1 / 7)
    sigma = np.exp(-8 * 0.25) / np.sqrt(signal_to_noise)
    one, other = (truth + rng.normal(0, sigma, truth.shape) for _ in range(2))
    halves = frc(one, other).resolution("1/7", smooth=9)
    whole = frc((one + other) / 2, truth).resolution("1/2", smooth=9)
    assert 1 / halves == pytest.approx(0.25, abs=0.02)
    assert 1 / whole == pytest.approx(0.25, abs=0.02)


def test_what_is_resolved_of_the_truth(rng):
    truth = rng.random((64, 64))
    reasons = []
    assert resolved(truth, truth, reasons) == 2
    assert resolved(gaussian_filter(truth, 2), truth, reasons) < 4  # a blur changes no phase
    assert reasons == []
    assert resolved(np.zeros((64, 64)), truth, reasons) is None
    assert resolved(truth[:8], truth[:8], reasons) is None
    assert "nothing" in reasons[0]
    assert "16 pixels or more" in reasons[1]


def test_frc_checks_its_images(rng):
    image = rng.random((20, 20))
    with pytest.raises(ImageError, match="16 pixels or more"):
        frc(image[:10], image[:10])
    with pytest.raises(ImageError, match=r"one shape.*\(20, 20\) and \(19, 20\)"):
        frc(image, image[1:])
    with pytest.raises(ImageError, match="second image has NaN"):
        frc(image, np.full(image.shape, np.nan))
    with pytest.raises(ParameterError, match="pixel size is 0"):
        frc(image, image, pixel_size=0)
    with pytest.raises(ParameterError, match="2 axes"):
        frc(image, image, pixel_size=(1, 1, 1))
    with pytest.raises(ParameterError, match="taper is 2"):
        frc(image, image, taper=2)
    assert not frc(np.ones((20, 20)), image).correlation.any()


# A single image with split photons


@given(seeds, st.floats(0.5, 50), st.floats(-100, 100))
def test_halves_sum_to_the_whole(seed, gain, offset):
    photons = np.random.default_rng(seed).poisson(7, (12, 13))
    first, second = binomial_split(gain * photons + offset, gain=gain, offset=offset, seed=seed)
    np.testing.assert_array_equal(first + second, photons)
    assert min(first.min(), second.min()) >= 0
    again, _ = binomial_split(gain * photons + offset, gain=gain, offset=offset, seed=seed)
    np.testing.assert_array_equal(first, again)


def test_halves_of_poisson_counts_are_independent_and_poisson(rng):
    mean = 6.0
    first, second = binomial_split(rng.poisson(mean, (500, 500)), gain=1, seed=3)
    for half in (first, second):
        assert half.mean() == pytest.approx(mean / 2, rel=0.01)
        assert half.var() == pytest.approx(mean / 2, rel=0.02)
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] == pytest.approx(0, abs=0.01)


def test_split_rounds_and_clips():
    first, second = binomial_split(np.array([[90.0, 108, 131]]), gain=10, offset=100)
    np.testing.assert_array_equal(first + second, [[0, 1, 3]])
    with pytest.raises(ParameterError, match="gain 0"):
        binomial_split(np.ones((2, 2)), gain=0)
    with pytest.raises(ImageError, match="NaN"):
        binomial_split(np.full((2, 2), np.nan), gain=1)


@pytest.mark.parametrize("specimen", ["mito", "actin", "nucleus"])
@pytest.mark.parametrize("read_noise", [0.0, 15.0])
def test_one_capture_tells_what_two_tell(specimen, read_noise):
    """Mean over three fields of view; a single one scatters slightly more."""
    gain, dark, pixel = 20.0, 100.0, 0.06
    optics = Optics(microscope="confocal", pixel_size=pixel, photons=100, gain=gain, offset=dark)
    offset = dark - read_noise**2 / gain
    pairs = []
    for seed in range(3):
        _, truth = simulate(specimen, optics, size=256, seed=seed)
        rng = np.random.default_rng(seed)
        light = rng.poisson((truth - dark) / gain, (2, *truth.shape))
        a, b = gain * light + dark + rng.normal(0, read_noise, light.shape)
        single = single_image_frc(a, gain=gain, offset=offset, pixel_size=pixel)
        pairs.append([frc(a, b, pixel_size=pixel).resolution(), single.resolution()])
    two, one = np.mean(pairs, axis=0)
    assert one == pytest.approx(two, rel=0.1)
    assert np.array(pairs)[:, 1] == pytest.approx(np.array(pairs)[:, 0], rel=0.15)


def test_halves_tell_less_than_the_whole(rng):
    photons = rng.poisson(20 * np.exp(gaussian_filter(rng.normal(size=(64, 64)), 1)))
    half = single_image_frc(photons, gain=1, whole=False).correlation
    np.testing.assert_allclose(half, frc(*binomial_split(photons, gain=1)).correlation)
    whole = single_image_frc(photons, gain=1).correlation
    positive = half > 0
    np.testing.assert_allclose(whole[positive], (2 * half / (1 + half))[positive])


def test_noise_alone_resolves_nothing_in_one_image(rng):
    curve = single_image_frc(rng.poisson(30, (128, 128)), gain=1)
    assert abs(np.average(curve.correlation, weights=curve.pixels)) < 0.1


# Whiteness of the residual


def naive_autocorrelation(residual):
    residual = residual - residual.mean()
    rows, columns = residual.shape
    found = np.zeros((5, 5))
    for dy in range(-2, 3):
        for dx in range(-2, 3):
            products = [
                residual[y, x] * residual[y + dy, x + dx]
                for y in range(max(0, -dy), min(rows, rows - dy))
                for x in range(max(0, -dx), min(columns, columns - dx))
            ]
            found[2 + dy, 2 + dx] = np.mean(products)
    return found / found[2, 2]


def test_whiteness_is_its_formula(rng):
    noisy, result, sigma = rng.random((3, 17, 12))
    noise = np.full((5, 5), 0.1)
    noise[2, 2] = 1
    found = whiteness(noisy, result, sigma=sigma + 1, noise=noise)
    expected = naive_autocorrelation((noisy - result) / (sigma + 1))
    np.testing.assert_allclose(found.autocorrelation, expected)
    others = np.delete((expected - noise).ravel(), 12)
    assert found.excess == pytest.approx(np.sqrt((others**2).mean()))
    assert found.chance == pytest.approx(1 / np.sqrt(17 * 12))


@given(seeds, st.floats(0.01, 100), offsets)
def test_whiteness_of_noise_is_chance(seed, scale, offset):
    noise = np.random.default_rng(seed).normal(size=(64, 64))
    found = whiteness(scale * noise + offset, np.zeros(noise.shape), sigma=scale)
    assert found.excess < 2.5 * found.chance


def test_removed_structure_is_seen(rng):
    truth = 50 + 100 * gaussian_filter(rng.normal(size=(96, 96)), 2)
    noisy = truth + rng.normal(size=truth.shape)
    good = whiteness(noisy, truth)
    blurred = whiteness(noisy, gaussian_filter(truth, 3))
    assert good.excess < 3 * good.chance
    assert blurred.excess > 0.3


def test_correlated_noise_is_no_structure(rng):
    kernel = np.array([0.25, 0.5, 0.25])
    noise = rng.normal(size=(200, 200))
    for axis in (0, 1):
        noise = correlate1d(noise, kernel, axis=axis)
    line = np.convolve(kernel, kernel)[2 - 2 : 2 + 3] / np.sum(kernel**2)
    known = np.outer(line, line)
    plain = whiteness(noise, np.zeros(noise.shape))
    told = whiteness(noise, np.zeros(noise.shape), noise=known)
    assert told.excess < 0.1 * plain.excess


def test_whiteness_checks_its_images(rng):
    image = rng.random((20, 20))
    assert whiteness(image, image) is None
    with pytest.raises(ImageError, match="one shape"):
        whiteness(image, image[1:])
    with pytest.raises(ImageError, match="NaN"):
        whiteness(image, np.full(image.shape, np.nan))
    with pytest.raises(ParameterError, match="sigma must be above 0"):
        whiteness(image, image, sigma=0.0)
    with pytest.raises(ParameterError, match="sigma must be above 0"):
        whiteness(image, image, sigma=np.ones(20))
    with pytest.raises(ParameterError, match=r"\(3, 3\), not \(5, 5\)"):
        whiteness(image, 0 * image, noise=np.ones((3, 3)))


# PSNR after the best linear fit


def test_affine_fit_is_least_squares(rng):
    result, truth = rng.random((2, 30, 20))
    expected = np.polyfit(result.ravel(), truth.ravel(), 1)
    assert fit_affine(result, truth) == pytest.approx(tuple(expected))
    mse = ((np.polyval(expected, result) - truth) ** 2).mean()
    assert affine_psnr(result, truth, data_range=2) == pytest.approx(10 * np.log10(4 / mse))


@given(seeds, scales, offsets)
def test_affine_psnr_ignores_scale_and_offset(seed, scale, offset):
    truth, noise = np.random.default_rng(seed).random((2, 16, 15))
    result = truth + 0.2 * noise
    figure = affine_psnr(result, truth, data_range=1)
    assert affine_psnr(scale * result + offset, truth, data_range=1) == pytest.approx(figure)
    assert figure >= psnr(result, truth, data_range=1) - 1e-9


def test_affine_edge_cases(rng):
    truth = rng.integers(0, 256, (20, 20)).astype(np.uint8)
    assert fit_affine(np.full(truth.shape, 0.1), truth) == (0, truth.mean())
    figure = affine_psnr(np.zeros(truth.shape), truth, data_range=255)
    assert figure == pytest.approx(10 * np.log10(255**2 / truth.var()))
    assert affine_psnr(truth // 2 * 2, truth // 2, data_range=255) > 200
    with pytest.raises(ImageError, match="different shapes"):
        fit_affine(truth, truth[1:])
    with pytest.raises(ImageError, match="NaN"):
        fit_affine(truth, np.full(truth.shape, np.nan))
    with pytest.raises(ParameterError, match="data range is 0"):
        affine_psnr(truth, truth, data_range=0)


# Multi-scale SSIM


def naive_ms_ssim(a, b, data_range):
    """Explicit windows and 2 x 2 means."""
    at = np.arange(-5, 6)
    window = np.exp(-(at**2) / (2 * 1.5**2))
    window /= window.sum()

    def blur(image):
        for axis in (0, 1):
            image = correlate1d(image, window, axis=axis)
        return image[5:-5, 5:-5]

    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    figure = 1.0
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        mean_a, mean_b = blur(a), blur(b)
        var_a, var_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
        factor = (2 * (blur(a * b) - mean_a * mean_b) + c2) / (var_a + var_b + c2)
        if scale == 4:
            factor = factor * (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
        figure *= max(factor.mean(), 0) ** weight
        a, b = (
            (x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) / 4
            for x in (a[: len(a) // 2 * 2, : a.shape[1] // 2 * 2] for a in (a, b))
        )
    return figure


def test_ms_ssim_is_its_formula(rng):
    pytest.importorskip("pytorch_msssim")
    truth = 120 + 400 * gaussian_filter(rng.normal(size=(191, 208)), 2)
    noisy = truth + rng.normal(0, 20, truth.shape)
    found = ms_ssim(noisy, truth, data_range=255)
    assert found == pytest.approx(naive_ms_ssim(noisy[:176], truth[:176], 255), abs=1e-6)
    assert 0.5 < found < 0.99
    assert ms_ssim(truth, truth, data_range=255) == pytest.approx(1)
    assert ms_ssim(240 - truth, truth, data_range=255) == 0


def test_ms_ssim_checks_its_images(rng, monkeypatch):
    image = rng.random((180, 180))
    with pytest.raises(ImageError, match="176 x 176"):
        ms_ssim(image[:170], image[:170], data_range=1)
    with pytest.raises(ImageError, match="different shapes"):
        ms_ssim(image, image[1:], data_range=1)
    monkeypatch.setitem(sys.modules, "pytorch_msssim", None)
    with pytest.raises(MissingPackageError, match=r'pip install.* "pytorch-msssim>=1\.0"'):
        ms_ssim(image, image, data_range=1)
