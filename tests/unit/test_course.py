import numpy as np
import pytest

from autodip import noise
from autodip.course import Course, unexplained
from autodip.params import Choice, Evidence, FitParams, NetParams
from autodip.pipeline import denoise
from autodip.scaling import Scale

NET = NetParams(2, 4, 0, input_channels=2)
WHY = Evidence("p", "t", "s", {}, {}, {})
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
    course.keep(result, result)
    return step.iterations, course.follows


def test_planes_follow_until_the_scene_changes(film):
    course = Course(CHOICE, 0, "cpu", Scale.of(film))
    assert run(course, film[0]) == (20, False)
    scene = np.where(np.sin(np.mgrid[:48, :48][0] / 5) > 0.3, 400.0, 100.0)
    course.keep(scene, scene)
    assert run(course, film[1]) == (2, True)
    scene = np.where(np.sin(np.mgrid[:48, :48][0] / 5) > 0.3, 400.0, 100.0)
    course.keep(scene, scene)
    assert run(course, film[4]) == (20, False)


def test_unexplained_structure():
    generator = np.random.default_rng(1)
    scene = 100 + 50 * generator.random((128, 128)).round()
    noisy = generator.normal(scene, 10)
    found = noise.Noise(0.0, 100.0, 10.0, (0.0, 0.0), 100.0, 0.0)
    assert unexplained(noisy, scene, found) < 0.05
    assert unexplained(noisy, scene[::-1], found) > 1.5
    assert unexplained(noisy, scene * 0.9, found) < 0.5
    assert unexplained(noisy, noisy, None) == 0
    flat = np.full((128, 128), 100.0)
    assert unexplained(generator.normal(flat, 10), flat, found) < 0.5


def test_a_plane_that_differs_more_takes_more_iterations(film):
    found = noise.estimate(np.tile(film[0], (3, 3)))
    course = Course(CHOICE.replace(fit=FitParams(60, average=0.9)), 0, "cpu", Scale.of(film))

    def iterations(plane):
        *_, step = course.steps(plane, found)
        fitted = course.scale.invert(step.output(), np.dtype(float))
        course.keep(fitted, fitted)
        return step.iteration

    assert iterations(film[0]) == 60
    still = iterations(film[1])
    assert course.follows
    moved = iterations(np.roll(film[2], 1, axis=0))
    assert course.follows
    assert 6 <= still < moved <= 60


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
