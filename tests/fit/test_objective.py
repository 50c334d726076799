"""The objective of the fit: ``term(operator(output), target)`` plus regularisers."""

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve

from autodip.errors import ParameterError
from autodip.fit.loop import fit, fit_many
from autodip.fit.objective import Objective
from autodip.fit.operators import Blur, Downsample, Identity
from autodip.fit.params import FitParams, NetParams
from autodip.fit.regularisers import total_variation
from autodip.fit.series import Series
from autodip.fit.terms import huber, mean_square, weighted
from autodip.physics.optics import Optics, psf

NET = NetParams(3, 16, 2, input_channels=8)
FIT = FitParams(60, average=0.9)


def fitted(image, objective=None, params=FIT):
    *_, last = fit(image, NET, params, seed=1, objective=objective)
    return last.output()


@pytest.fixture(scope="module")
def image():
    y, x = np.mgrid[:48, :48] / 47
    return 0.2 + 0.6 * ((np.hypot(y - 0.5, x - 0.4) < 0.25) | (abs(x - 0.85) < 0.03))


def test_the_defaults_change_no_bit(image):
    said = Objective(mean_square, Identity(), ())
    assert np.array_equal(fitted(image), fitted(image, said))


def test_blur_is_the_convolution(rng):
    kernel = rng.random((5, 3))
    plane = torch.tensor(rng.random((1, 1, 20, 17)))
    seen = Blur(kernel)(plane)[0, 0].numpy()
    expected = convolve(plane[0, 0].numpy(), kernel / kernel.sum(), mode="mirror")
    np.testing.assert_allclose(seen, expected, atol=1e-12)


def test_with_a_point_spread_function_the_fit_deconvolves(image):
    kernel = psf(Optics(pixel_size=0.12))[10:23, 10:23]
    blurred = Blur(kernel)(torch.tensor(image)[None, None])[0, 0].numpy()
    params = FitParams(400, average=0.9)
    plain, sharper = (
        fitted(blurred, None, params),
        fitted(blurred, Objective(operator=Blur(kernel)), params),
    )
    assert np.mean((sharper - image) ** 2) < 0.7 * np.mean((plain - image) ** 2)


def test_downsampling_gives_an_image_of_more_pixels(image):
    measured = image.reshape(24, 2, 24, 2).mean((1, 3))
    result = fitted(measured, Objective(operator=Downsample(2)), FitParams(200, average=0.9))
    assert result.shape == image.shape
    assert np.abs(result.reshape(24, 2, 24, 2).mean((1, 3)) - measured).mean() < 0.05


def test_several_fits_share_an_objective(image):
    objective = Objective(operator=Downsample(2))
    measured = image.reshape(24, 2, 24, 2).mean((1, 3))
    *_, steps = fit_many([measured, measured.T], NET, FIT, seeds=[1, 1], objective=objective)
    alone = fitted(measured, objective)
    assert steps[1].output().shape == (48, 48)
    np.testing.assert_allclose(steps[0].output(), alone, atol=0.02)


def test_a_series_keeps_its_objective(image):
    measured = image.reshape(24, 2, 24, 2).mean((1, 3))
    series = Series(NET, FIT, seeds=[1], objective=Objective(operator=Downsample(2)))
    for _ in range(2):  # the second image starts from the weights of the first
        *_, (step,) = series.fit(measured)
        assert step.output().shape == (48, 48)


def test_total_variation_smooths_the_result(image, rng):
    noisy = np.clip(image + rng.normal(0, 0.1, image.shape), 0, 1)

    def rough(result):
        return np.abs(np.diff(result, axis=0)).mean()

    params = FitParams(300, average=0.9)
    smooth = fitted(noisy, Objective(regularisers=(total_variation(0.3),)), params)
    assert rough(smooth) < 0.7 * rough(fitted(noisy, None, params))


def test_pixels_of_weight_zero_are_ignored(image):
    spoiled = image.copy()
    spoiled[20:24, 20:24] = 1
    weights = torch.ones(1, 1, 48, 48)
    weights[..., 20:24, 20:24] = 0
    params = FitParams(300, average=0.9)
    masked = fitted(spoiled, Objective(weighted(weights)), params)
    followed = fitted(spoiled, None, params)
    assert masked[20:24, 20:24].mean() < followed[20:24, 20:24].mean()


def test_huber_equals_the_mean_square_within_delta():
    one, other = torch.rand(1, 1, 5, 5) * 0.1, torch.zeros(1, 1, 5, 5)
    assert torch.allclose(huber(0.2)(one, other), mean_square(one, other))
    assert huber(0.01)(one, other) < mean_square(one, other)


@pytest.mark.parametrize(
    "make", [lambda: Blur(np.ones((2, 3))), lambda: Blur(np.zeros((3, 3))), lambda: Downsample(0)]
)
def test_wrong_operators_are_refused(make):
    with pytest.raises(ParameterError):
        make()
