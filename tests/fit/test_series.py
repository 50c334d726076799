import numpy as np
import pytest

from autodip import denoise
from autodip.choose.choice import Choice, Evidence
from autodip.fit.params import FitParams, NetParams
from autodip.fit.series import Change, Course
from autodip.image.scaling import Scale
from autodip.physics import noise

NET = NetParams(2, 4, 0, input_channels=2)
WHY = Evidence(preset="p", table="t", source="s", group={}, known={}, origin={})
CHOICE = Choice(NET, FitParams(20, average=0.9), WHY)


@pytest.fixture(scope="module")
def film():
    """Four noisy frames of a scene, then another scene; uint16 (T, Y, X)."""
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[:48, :48]
    one = 100 + 300 * (np.sin(rows / 5) > 0.3)
    other = 100 + 300 * (np.sin(columns / 4) > 0.5)
    true = np.stack([one, one, one, one, other])
    return generator.poisson(true).astype(np.uint16)


def run(course, plane):
    *_, step = course.steps(plane, None)
    result = course.scale.invert(step.output(), np.dtype(float))
    course.keep(result)
    return step.iterations, course.follows


def test_planes_follow_until_the_scene_changes(film):
    course = Course(CHOICE.net, CHOICE.fit, 0, "cpu", Scale.of(film))
    assert run(course, film[0]) == (20, False)
    course.keep(np.where(np.sin(np.mgrid[:48, :48][0] / 5) > 0.3, 400.0, 100.0))
    assert run(course, film[1]) == (2, True)
    course.keep(np.where(np.sin(np.mgrid[:48, :48][0] / 5) > 0.3, 400.0, 100.0))
    assert run(course, film[4]) == (20, False)


def test_change():
    generator = np.random.default_rng(1)
    scene = 100 + 50 * generator.random((128, 128)).round()
    noisy = generator.normal(scene, 10)
    found = noise.Noise(0.0, 100.0, 10.0, (0.0, 0.0), 100.0, saturated=0.0)
    still = Change.of(noisy, scene, found)
    assert still.unexplained < 0.05
    assert still.share == 0.1
    other = Change.of(noisy, scene[::-1], found)
    assert other.unexplained > 1.5
    assert other.share == 1
    bleached = Change.of(noisy, scene * 0.9, found)
    assert bleached.unexplained < 0.5
    assert 0.1 < bleached.share < 1
    assert Change.of(noisy, noisy, None).unexplained == 0
    assert Change.of(noisy, scene, None).share == 0.1
    flat = np.full((128, 128), 100.0)
    assert Change.of(generator.normal(flat, 10), flat, found).unexplained < 0.5


def test_a_film_is_denoised_from_frame_to_frame(film):
    quick = {"iterations": 20, "depth": 2, "width": 4, "refine": False}
    result = denoise(film, axes="TYX", **quick)
    assert next(plane.follows for plane in result.planes) is False
    assert all(len(p.history) == (2 if p.follows else 20) for p in result.planes)
    alone = denoise(film, axes="TYX", independent=True, **quick)
    assert not any(plane.follows for plane in alone.planes)
    assert result.image.dtype == np.uint16
    (frame,) = denoise(film[:1], axes="TYX", **quick).image
    assert np.array_equal(frame, alone.image[0])


def test_published_fits_are_independent(film):
    quick = {"iterations": 2, "depth": 2, "width": 4, "preset": "published"}
    assert not any(plane.follows for plane in denoise(film[:2], axes="TYX", **quick).planes)
