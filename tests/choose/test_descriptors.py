import numpy as np
import pytest

from autodip.choose.descriptors import NAMES, descriptors
from autodip.errors import ImageError
from autodip.physics.estimate import estimate_noise
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate


@pytest.fixture(scope="module")
def cells():
    return simulate("nucleus", Optics(microscope="confocal"), size=128)[0]


def test_all_are_there_and_finite(cells):
    found = descriptors(cells)
    assert tuple(found) == NAMES
    assert np.isfinite(list(found.values())).all()
    assert found == descriptors(cells)


@pytest.mark.parametrize(("factor", "shift"), [(3.7, 0), (1e-6, 0), (1, 5000), (1e12, -3e12)])
def test_units_do_not_matter(cells, factor, shift):
    other = descriptors(factor * cells.astype(float) + shift)
    assert other == pytest.approx(descriptors(cells), abs=2e-3)


def test_known_noise_gives_the_same_at_less_cost(cells):
    known = descriptors(cells, noise=estimate_noise(cells))
    assert known == pytest.approx(descriptors(cells), abs=1e-6)


def test_more_noise_is_told(rng):
    truth = np.sin(np.linspace(0, 9, 128)) * np.sin(np.linspace(0, 7, 128))[:, None] / 2
    quiet, loud = (
        descriptors(truth + sigma * rng.standard_normal(truth.shape)) for sigma in (0.02, 0.2)
    )
    assert quiet["noise_level"] == pytest.approx(np.log10(0.02), abs=0.15)
    assert loud["noise_level"] - quiet["noise_level"] == pytest.approx(1, abs=0.2)
    assert loud["photons"] < quiet["photons"]


def test_photons_are_counted(rng):
    shape = np.hypot(*np.mgrid[-1:1:128j, -1:1:128j])
    image = rng.poisson(50 * np.exp(-4 * shape**2)).astype(float)
    found = descriptors(image)
    mean = 50 * np.exp(-4 * shape**2).mean()
    assert 10 ** found["photons"] == pytest.approx(mean, rel=0.4)
    assert found["shot_share"] > 0.5
    assert abs(found["correlation_y"]) < 0.1


def test_correlated_noise_is_told_along_its_axis(rng):
    white = rng.standard_normal((129, 128))
    found = descriptors(10 + white[1:] + white[:-1])
    assert found["correlation_y"] == pytest.approx(0.5, abs=0.1)
    assert abs(found["correlation_x"]) < 0.1


@pytest.mark.parametrize(("period", "octave"), [(3, 1), (6, 2), (12, 3), (24, 4), (48, 5)])
def test_an_octave_holds_its_frequencies(rng, period, octave):
    wave = np.sin(2 * np.pi * np.arange(192) / period)
    image = wave + 0.01 * rng.standard_normal((192, 192))
    shares = {k: v for k, v in descriptors(image).items() if k.startswith("octave")}
    assert max(shares, key=shares.get) == f"octave_{octave}"
    assert shares[f"octave_{octave}"] > -0.2


def test_noise_is_no_fine_structure(rng):
    smooth = np.exp(-(np.hypot(*np.mgrid[-2:2:256j, -2:2:256j]) ** 2))
    found = descriptors(smooth + 0.1 * rng.standard_normal(smooth.shape))
    assert found["octave_1"] < -2
    assert found["octave_6"] > -0.1


def test_sparse_is_told_from_full():
    spots = np.zeros((128, 128))
    spots[8::16, 8::16] = 1
    even = np.tile(np.linspace(0, 1, 128), (128, 1))
    sparse, full = descriptors(spots), descriptors(even)
    assert sparse["gini"] > 0.8
    assert full["gini"] == pytest.approx(1 / 3, abs=0.05)
    assert sparse["foreground"] < 0.1
    assert full["foreground"] == pytest.approx(0.8, abs=0.05)
    assert sparse["skewness"] > 1
    assert abs(full["skewness"]) < 0.1
    assert sparse["gradient_spread"] > full["gradient_spread"]


@pytest.mark.parametrize("shape", [(8, 8), (40, 300), (63, 63), (65, 90)])
def test_small_images_have_them_too(rng, shape):
    found = descriptors(rng.poisson(3, shape))
    assert np.isfinite(list(found.values())).all()


def test_below_the_size_of_the_estimate_noise_is_white(rng):
    image = 5 + 0.5 * rng.standard_normal((48, 48)) + np.linspace(0, 10, 48)
    found = descriptors(image)
    assert (found["correlation_y"], found["correlation_x"], found["shot_share"]) == (0, 0, 0)
    assert found["noise_level"] == pytest.approx(np.log10(0.05), abs=0.15)


@pytest.mark.parametrize("pixel", [0, 255])
def test_one_odd_pixel_is_enough(pixel):
    image = np.full((64, 64), 100, np.uint8)
    image[30, 30] = pixel
    assert np.isfinite(list(descriptors(image).values())).all()


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.ones((64, 64)), "constant"),
        (np.full((64, 64), np.nan), "NaN"),
        (np.zeros((2, 64, 64)), "two dimensions"),
        (np.zeros((7, 64)), "8 pixels"),
    ],
)
def test_refusals_say_why(image, said):
    with pytest.raises(ImageError, match=said):
        descriptors(image)
