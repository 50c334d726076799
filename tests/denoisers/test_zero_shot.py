import importlib
import json

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from autodip.denoisers import fm2s, learn, n2v, noise2fast, zsn2n
from autodip.denoisers.context import Context, Denoised
from autodip.errors import ImageError

NAMES = ("zsn2n", "noise2fast", "fm2s", "n2v")


def shorten(monkeypatch, steps=2):
    monkeypatch.setattr(zsn2n, "ITERATIONS", steps)
    monkeypatch.setattr(noise2fast, "MOST_ITERATIONS", steps)
    monkeypatch.setattr(fm2s, "SAMPLES", steps)
    monkeypatch.setattr(fm2s, "STEPS", 1)
    monkeypatch.setattr(n2v, "ITERATIONS", steps)
    monkeypatch.setattr(n2v, "BATCH", 2)


@pytest.fixture
def short(monkeypatch):
    shorten(monkeypatch)


@pytest.fixture(autouse=True)
def _float32(monkeypatch):
    """The same numbers on every CPU."""
    monkeypatch.setattr(learn, "precision", lambda _device: "float32")


def method(name):
    return importlib.import_module(f"autodip.denoisers.{name}").denoise


def smooth_and_noisy(rng, shape=(64, 64), sigma=0.15):
    truth = gaussian_filter(rng.standard_normal(shape), 6, mode="reflect")
    truth = (truth - truth.min()) / np.ptp(truth)
    return truth, truth + rng.normal(0, sigma, shape)


def psnr(image, truth):
    return -10 * np.log10(np.mean((image - truth) ** 2))


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(32, 32), (33, 47), (64, 35), (70, 101)])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "float16", "float32", "float64"])
def test_takes_any_size_and_type(name, shape, dtype, rng):
    image = (100 * rng.random(shape)).astype(dtype)
    image.setflags(write=False)
    outcome = method(name)(image, Context())
    assert isinstance(outcome, Denoised)
    assert outcome.image.dtype == np.float64
    assert outcome.image.shape == shape
    assert np.isfinite(outcome.image).all()
    assert json.loads(json.dumps(dict(outcome.parameters))) == dict(outcome.parameters)
    assert outcome.parameters["iterations"] == 2


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides_and_nothing_else_is_disturbed(name, rng):
    image = rng.random((40, 40))
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002  (the global state is what is tested)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    first = method(name)(image, Context(seed=0)).image
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002
    torch.manual_seed(6)
    assert np.array_equal(first, method(name)(image, Context(seed=0)).image)
    assert not np.array_equal(first, method(name)(image, Context(seed=1)).image)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("name", NAMES)
def test_linear_units_do_not_matter(name, rng):
    image = rng.random((41, 38))
    plain = method(name)(image, Context()).image
    other = method(name)(300 * image - 70, Context()).image
    np.testing.assert_allclose(other, 300 * plain - 70, atol=0.01)


@pytest.mark.parametrize("name", NAMES)
def test_refuses_what_cannot_be_scaled(name):
    with pytest.raises(ImageError, match="constant"):
        method(name)(np.full((40, 40), 7, np.uint8), Context())
    with pytest.raises(ImageError, match="NaN"):
        method(name)(np.full((40, 40), np.nan), Context())


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("name", NAMES)
def test_bfloat16_gives_nearly_the_same(name, rng, monkeypatch):
    image = smooth_and_noisy(rng)[1]
    exact = method(name)(image, Context()).image
    monkeypatch.setattr(learn, "precision", lambda _device: "bfloat16")
    outcome = method(name)(image, Context())
    assert outcome.parameters["precision"] == "bfloat16"
    assert np.abs(outcome.image - exact).max() < 0.05


def test_precision_is_of_the_device(monkeypatch):
    monkeypatch.undo()
    assert learn.precision("cuda:0") == "float32"
    assert learn.precision("cpu") in ("float32", "bfloat16")


# Reduced training, and the gain in dB that it reaches with room to spare.
QUICK = {
    "zsn2n": (4, {"ITERATIONS": 120}),
    "noise2fast": (6, {"PATIENCE": 30, "CHANNELS": 16}),
    "fm2s": (3, {"SAMPLES": 10}),
    "n2v": (4, {"ITERATIONS": 60, "BATCH": 4, "CHANNELS": 8}),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_noisy_smooth_image_gets_better(name, rng, monkeypatch):
    gain, settings = QUICK[name]
    module = importlib.import_module(f"autodip.denoisers.{name}")
    for key, value in settings.items():
        monkeypatch.setattr(module, key, value)
    truth, noisy = smooth_and_noisy(rng)
    assert psnr(module.denoise(noisy, Context()).image, truth) > psnr(noisy, truth) + gain


def test_halves_of_zsn2n_are_means_of_diagonals(rng):
    image = rng.random((7, 9))
    anti, main = (half[0, 0].numpy() for half in zsn2n.halves(torch.tensor(image)[None, None]))
    assert anti.shape == main.shape == (3, 4)
    for y in range(3):
        for x in range(4):
            block = image[2 * y : 2 * y + 2, 2 * x : 2 * x + 2]
            assert anti[y, x] == pytest.approx((block[0, 1] + block[1, 0]) / 2)
            assert main[y, x] == pytest.approx((block[0, 0] + block[1, 1]) / 2)


def test_loss_of_zsn2n_is_that_of_the_paper(rng):
    network = learn.build(zsn2n._network, Context())
    noisy = torch.tensor(rng.random((1, 1, 12, 14)), dtype=torch.float32)
    first, second = zsn2n.halves(noisy)
    with torch.no_grad():
        clean1, clean2 = first - network(first), second - network(second)
        after1, after2 = zsn2n.halves(noisy - network(noisy))
        residual = ((clean1 - second) ** 2).mean() + ((clean2 - first) ** 2).mean()
        consistency = ((clean1 - after1) ** 2).mean() + ((clean2 - after2) ** 2).mean()
        expected = (residual + consistency) / 2
        torch.testing.assert_close(zsn2n.loss(network, noisy), expected)


def test_halves_of_noise2fast_are_the_colours_of_a_chequerboard():
    image = np.arange(7 * 9.0).reshape(7, 9)
    along_y, along_x = noise2fast.halves(torch.tensor(image)[None, None])
    even, odd = (half[0, 0].numpy() for half in along_y)
    assert even.shape == odd.shape == (3, 8)
    for y in range(3):
        for x in range(8):
            assert even[y, x] == image[2 * y + x % 2, x]
            assert odd[y, x] == image[2 * y + 1 - x % 2, x]
    even, odd = (half[0, 0].numpy() for half in along_x)
    assert even.shape == odd.shape == (6, 4)
    for y in range(6):
        for x in range(4):
            assert even[y, x] == image[y, 2 * x + y % 2]
            assert odd[y, x] == image[y, 2 * x + 1 - y % 2]


def test_noise2fast_averages_what_follows_the_best(monkeypatch):
    monkeypatch.setattr(noise2fast, "PATIENCE", 3)
    noisy = torch.zeros(1, 1, 2, 2)
    watch = noise2fast._Watch(torch.zeros_like(noisy))
    levels = [5.0, 1.0, 2.0, 3.0, 4.0, 9.0]
    seen = [watch.see(torch.full_like(noisy, level), noisy) for level in levels[:5]]
    assert seen == [True, True, True, True, False]
    assert (watch.iterations, watch.best_iteration, watch.averaged) == (5, 2, 4)
    assert torch.equal(watch.mean(), torch.full_like(noisy, 2.5))


@pytest.mark.parametrize("side", [32, 64])
def test_masked_pixels_of_n2v_are_stratified_and_gone(side):
    generator = torch.Generator().manual_seed(0)
    cut = torch.arange(3.0 * side * side).reshape(3, 1, side, side)
    masked, at = n2v.mask(cut, generator)
    cells = side // n2v.CELL
    assert at.shape == (3, cells**2)
    for patch, changed, places in zip(cut, masked, at, strict=True):
        y, x = places // side, places % side
        assert len(set((y // n2v.CELL * cells + x // n2v.CELL).tolist())) == cells**2
        values = patch.flatten()
        kept = torch.ones(side**2, dtype=torch.bool)
        kept[places] = False
        assert torch.equal(changed.flatten()[kept], values[kept])
        assert not torch.isin(changed, values[places]).any()
        sources = changed.flatten()[places] - values[0]
        assert (sources // side - y).abs().max() <= n2v.RADIUS
        assert (sources % side - x).abs().max() <= n2v.RADIUS


def test_n2v_predicts_a_masked_pixel_without_seeing_it(rng):
    cut = torch.tensor(rng.random((2, 1, 32, 32)), dtype=torch.float32, requires_grad=True)
    masked, at = n2v.mask(cut, torch.Generator().manual_seed(0))
    output = learn.build(n2v._UNet, Context())(masked)
    output.flatten(1).gather(1, at).square().sum().backward()
    slope = cut.grad.flatten(1)
    assert not slope.gather(1, at).any()
    assert (slope != 0).float().mean() > 0.9


def test_patches_of_n2v_are_turned_parts_of_the_image(rng):
    image = torch.tensor(rng.random((1, 1, 45, 51)))
    cut = n2v.patches(image, torch.Generator().manual_seed(0))
    assert cut.shape == (n2v.BATCH, 1, 40, 40)
    assert torch.isin(cut, image).all()


@pytest.mark.parametrize("correlation", [(0.0, 0.0), (0.5, 0.5), (0.0, 0.7), (0.6, 0.4)])
def test_noise_of_fm2s_is_as_strong_and_as_correlated_as_measured(correlation, rng):
    image = np.full((150, 160), 0.4)
    noise = fm2s.Noise(0.01, 0.001, 0.07, correlation, 0.0, saturated=0.0)
    added = fm2s.add_noise(image, noise, 2, rng) - image
    assert added.shape == (2, 150, 160)
    strength = np.hypot(fm2s.REGIONAL, fm2s.OVERALL) * np.sqrt(0.01 * 0.4 + 0.001)
    assert added.std() == pytest.approx(strength, rel=0.05)
    along_y = np.mean(added[:, 1:] * added[:, :-1]) / added.var()
    along_x = np.mean(added[..., 1:] * added[..., :-1]) / added.var()
    assert (along_y, along_x) == pytest.approx(correlation, abs=0.03)
    assert abs(np.mean(added[0] * added[1])) / added.var() < 0.05


def test_fm2s_takes_the_wide_filter_for_correlated_noise(short, rng):
    white = rng.standard_normal((96, 96))
    assert fm2s.denoise(white, Context()).parameters["median"] == fm2s.NARROW
    blurred = gaussian_filter(white, 0.8)
    assert fm2s.denoise(blurred, Context()).parameters["median"] == fm2s.WIDE
