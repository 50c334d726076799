"""Describe, choose, price, fit into memory: each of them once."""

from types import SimpleNamespace

import numpy as np
import pytest

import autodip
from autodip.physics import estimate

QUICK = {"iterations": 2, "depth": 2, "width": 4, "device": "cpu"}


@pytest.fixture
def estimated(monkeypatch):
    """Shapes of the images whose noise was estimated."""
    shapes = []
    own = estimate.Spectra.of  # called once by every estimate

    def counted(image, **more):
        shapes.append(image.shape)
        return own(image, **more)

    monkeypatch.setattr(estimate, "Spectra", SimpleNamespace(of=counted))
    return shapes


@pytest.mark.parametrize(
    "options",
    [
        {"preset": "fast"},
        {"preset": "best"},
        {"budget": 1e6},
        {"base": "builtin", "microscope": "confocal"},
        {"base": "builtin", "strategy": "descriptor"},
        {"tile": 128},
        {"preset": "published"},
    ],
)
def test_the_noise_of_a_plane_is_estimated_once(sample, estimated, options):
    image = np.tile(sample[0], (3, 3))
    result = autodip.denoise(image, **{**QUICK, **options})
    assert estimated == [image.shape]
    noises = {plane.description.noise for plane in result.planes}
    assert noises == {result.plans[0].description.noise}


@pytest.mark.parametrize("options", [{}, {"independent": True}, {"tile": 128}])
def test_of_a_film_that_of_every_frame(sample, estimated, options):
    film = np.stack([np.tile(sample[0], (3, 3)) + number for number in range(3)])
    autodip.denoise(film, axes="TYX", preset="fast", **QUICK, **options)
    assert len(estimated) == 3


def test_of_a_large_plane_too(rng, estimated):
    plane = rng.poisson(20, (64, 1400)).astype(np.float32)  # compared by its centre
    autodip.denoise(plane, preset="fast", **QUICK)
    assert estimated == [plane.shape]


def test_a_plan_is_a_sequence_of_channels_with_everything_resolved(sample):
    image = autodip.Image(np.stack([sample[0]] * 2), "CYX", channel_names=("a", "b"))
    plan = autodip.plan(image, autodip.Options(device="auto", dtype="float32", seed=3))
    assert [channel.name for channel in plan] == ["a", "b"]
    assert (len(plan), plan[1].name) == (2, "b")
    assert plan.device in ("cpu", "cuda:0", "mps")
    assert (plan.dtype, plan.seed, plan.tiling) == (np.dtype("float32"), 3, None)


def test_the_description_of_a_plane_that_is_cut_has_its_whole_shape(sample):
    image = np.tile(sample[0], (3, 3))
    (channel,) = autodip.plan(image, autodip.Options(tile=128, device="cpu"))
    assert channel.description.shape == image.shape
