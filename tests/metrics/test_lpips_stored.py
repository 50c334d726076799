"""LPIPS values: a simulated pair in both conventions, and the published pair if available.

The published pair is ``ex_ref.png``, ``ex_p0.png``, ``ex_p1.png`` in the folder ``imgs`` of
https://github.com/richzhang/PerceptualSimilarity; no package contains it. Put the three files
into a folder and set AUTODIP_LPIPS_PAIR to its path.
"""

import os
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import torch

from autodip.metrics import alexnet
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate

STORED = {False: 0.2418409, True: 0.2744154}
"""LPIPS of the simulated pair without and with rescaling, by the function below."""


def convolve(x, weight, bias, stride, padding):
    """Convolution of x (channels, Y, X) by windows, in float64."""
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(1, 2))
    return np.einsum(
        "cyxij,ocij->oyx", windows[:, ::stride, ::stride], weight, optimize=True
    ) + bias.reshape(-1, 1, 1)


def pool(x):
    """Maximum over 3 x 3 pixels, at every second pixel."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
    return windows[:, ::2, ::2].max((3, 4))


def features(x, tensors):
    """Outputs of AlexNet's five convolutions, each with unit norm in every pixel."""
    x = (x - np.reshape([-0.030, -0.088, -0.188], (3, 1, 1))) / np.reshape(
        [0.458, 0.448, 0.450], (3, 1, 1)
    )
    found = []
    for number, stride, padding in [(0, 4, 2), (3, 1, 2), (6, 1, 1), (8, 1, 1), (10, 1, 1)]:
        x = pool(x) if number in (3, 6) else x
        weight, bias = (tensors[f"features.{number}.{key}"] for key in ("weight", "bias"))
        x = np.maximum(convolve(x, weight, bias, stride, padding), 0)
        found.append(x / (np.sqrt((x**2).sum(0)) + 1e-10))
    return found


def numpy_lpips(image, truth, tensors):
    """LPIPS v0.1 of two images (3, Y, X) in the input range of the network, in NumPy alone."""
    layers = zip(features(image, tensors), features(truth, tensors), strict=True)
    return sum(
        np.tensordot(tensors[f"lin{k}.model.1.weight"].ravel(), (a - b) ** 2, 1).mean()
        for k, (a, b) in enumerate(layers)
    )


@pytest.fixture
def weights(shared):
    return shared / "weights" / "lpips_alex_v0.1.npz"


@pytest.fixture
def tensors(weights):
    with np.load(weights) as file:
        return {key: file[key].astype(np.float64) for key in file.files}


@pytest.mark.parametrize("rescale", [False, True])
def test_simulated_pair(weights, tensors, rescale):
    noisy, truth = simulate("actin", Optics(microscope="confocal"), size=96, seed=1)
    pair = [np.clip(image / 800, 0, 1) for image in (noisy, truth)]
    inputs = [np.stack([2 * image - 1 if rescale else image] * 3) for image in pair]
    assert numpy_lpips(*inputs, tensors) == pytest.approx(STORED[rescale], abs=1e-6)
    assert alexnet.load(weights)(*pair, rescale=rescale) == pytest.approx(STORED[rescale], abs=1e-5)


@pytest.fixture
def published(shared):
    """Reference and two distortions of it, RGB in [-1, 1], shape (3, Y, X)."""
    folder = Path(os.environ.get("AUTODIP_LPIPS_PAIR", shared / "lpips_pair"))
    names = ("ex_ref.png", "ex_p0.png", "ex_p1.png")
    if not all((folder / name).exists() for name in names):
        pytest.skip("no published pair; name its folder in AUTODIP_LPIPS_PAIR")
    images = (imagecodecs.imread(str(folder / name))[..., :3] for name in names)
    return [image.transpose(2, 0, 1) / 127.5 - 1 for image in images]


@pytest.mark.parametrize(("distortion", "figure"), [(1, 0.722), (2, 0.138)])
def test_published_pair(published, weights, tensors, distortion, figure):
    reference, other = published[0], published[distortion]
    assert numpy_lpips(reference, other, tensors) == pytest.approx(figure, abs=0.0005)
    pair = torch.from_numpy(np.stack([reference, other]).astype(np.float32))
    model = alexnet.load(weights)
    found = model.compare(*(tuple(model._layers(one)) for one in pair.split(1)))
    assert found == pytest.approx(figure, abs=0.0005)
