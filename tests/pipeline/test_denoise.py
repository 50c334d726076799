import dataclasses

import numpy as np
import pytest

import autodip
from autodip.compute import device
from autodip.errors import DeviceError, ImageError, OutOfMemoryError, ParameterError
from autodip.fit import counting
from autodip.image.image import Hint, Image
from autodip.image.kind import Kind

QUICK = {"iterations": 4, "depth": 2, "width": 4}


def test_denoise(sample):
    noisy, _ = sample
    result = autodip.denoise(noisy, microscope="confocal", specimen="mito", **QUICK)
    assert result.image.shape == noisy.shape
    assert result.image.dtype == noisy.dtype
    assert noisy.min() <= result.image.min() < result.image.max() <= noisy.max()
    assert result.choice.evidence.known == Kind("confocal", "mito")
    assert result.history.shape == (4, 2)
    assert result.assessment is not None
    assert result.planes[0].description.noise is not None


def test_the_input_is_not_changed(sample):
    noisy = sample[0].copy()
    autodip.denoise(noisy, **QUICK)
    np.testing.assert_array_equal(noisy, sample[0])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64", ">u2"])
def test_dtype_and_units_stay(sample, dtype):
    noisy = (sample[0] // 4).astype(dtype)
    result = autodip.denoise(noisy, **QUICK).image
    assert result.dtype == np.dtype(dtype)
    assert noisy.min() <= result.min() <= result.max() <= noisy.max()


def test_units_do_not_matter(sample):
    noisy = sample[0].astype(np.float64)
    one, other = (autodip.denoise(image, **QUICK).image for image in (noisy, 3 * noisy + 50))
    np.testing.assert_allclose(other, 3 * one + 50, rtol=1e-3)


def test_steps_can_be_watched_and_cancelled(sample):
    steps = autodip.denoise_steps(sample[0], autodip.Options(**QUICK))
    first = next(steps)
    assert (first.plane, first.planes, first.step.iteration) == (0, 1, 1)
    assert first.step.output().shape == sample[0].shape
    steps.close()
    *_, last = autodip.denoise_steps(sample[0], autodip.Options(**QUICK))
    assert last.result is not None


def test_every_plane_is_fitted_with_the_parameters_of_its_channel(sample):
    noisy, _ = sample
    stack = np.stack([np.stack([noisy, noisy[::-1]]), np.stack([noisy.T, noisy[:, ::-1]])])
    hints = (
        (Hint("specimen", "name", "DAPI"),),
        (Hint("specimen", "name", "phalloidin"),),
    )
    image = Image(stack, "TCYX", channel_names=("a", "b"), hints=hints)
    result = autodip.denoise(image, preset="published", iterations=2, depth=2, width=4)
    assert [p.choice.evidence.known.specimen for p in result.plans] == ["nucleus", "actin"]
    assert [p.choice.net.skip for p in result.plans] == [4, 0]
    assert [dict(p.index) for p in result.planes] == [
        {"T": t, "C": c} for t in (0, 1) for c in (0, 1)
    ]
    alone = autodip.denoise(
        stack[1, 0], preset="published", specimen="DAPI", iterations=2, depth=2, width=4
    )
    np.testing.assert_array_equal(result.image[1, 0], alone.image)


def test_constant_planes_pass_through_and_transparency_stays(sample):
    noisy = (sample[0] // 4).astype(np.uint8)
    rgba = np.stack(
        [noisy, np.full_like(noisy, 9), noisy.T, np.arange(64) * np.ones_like(noisy)], -1
    )
    image = Image(rgba.astype(np.uint8), "YXS", alpha=True)
    result = autodip.denoise(image, **QUICK)
    np.testing.assert_array_equal(result.image[..., 1], image.data[..., 1])
    np.testing.assert_array_equal(result.image[..., 3], image.data[..., 3])
    assert not np.array_equal(result.image[..., 0], image.data[..., 0])
    assert [p.assessment is None for p in result.planes] == [False, True, False]
    assert len(result.plans) == 3


def test_numpy_integers_are_integers(sample):
    result = autodip.denoise(sample[0], seed=np.int64(3), iterations=np.int64(2))
    assert result.seed == 3
    assert len(result.history) == 2


def test_a_choice_can_be_given(sample):
    choice = autodip.denoise(sample[0], **QUICK).choice
    options = autodip.Options(choices=(choice,))
    *_, last = autodip.denoise_steps(sample[0], options)
    np.testing.assert_array_equal(last.result.image, autodip.denoise(sample[0], **QUICK).image)
    with pytest.raises(ParameterError, match="use --depth 1"):
        autodip.plan(sample[0][:6], options)
    with pytest.raises(ParameterError, match="2 choices for 1 channels"):
        autodip.plan(sample[0], dataclasses.replace(options, choices=(choice, choice)))


@pytest.mark.parametrize(
    ("image", "options", "error", "message"),
    [
        (np.zeros((9, 9)), {}, ImageError, "all pixels are 0"),
        (np.eye(9) * np.nan, {}, ImageError, "NaN"),
        (np.arange(8.0).reshape(2, 4), {}, ImageError, "too small"),
        (np.eye(9), {"depth": 5}, ParameterError, "use --depth 2"),
        (np.eye(9), {"seed": -1}, ParameterError, "seed is -1"),
        (np.eye(9), {"preset": "magic"}, ParameterError, "known are original"),
        (np.eye(9), {"device": "cuda:99"}, DeviceError, "this machine has cpu"),
        (np.zeros((3, 9, 9)), {}, ParameterError, 'axes="TYX"'),
        (np.zeros((3, 9, 9)), {"axes": "YX"}, ParameterError, r"\(3, 9, 9\)"),
    ],
)
def test_errors_before_any_fit(image, options, error, message):
    with pytest.raises(error, match=message):
        autodip.denoise(image, **options)


def test_memory_is_checked_before_the_fit(sample, monkeypatch):
    monkeypatch.setattr(device, "free_memory", lambda name: 10**8)
    monkeypatch.setattr(counting, "_count", lambda net, shape: (1, 1, 10**6 * max(net.widths)))
    with pytest.raises(OutOfMemoryError, match="--width 16"):
        autodip.denoise(sample[0], preset="original")
