"""The learned prior in the pipeline: planes, channels, tiles, and what is fitted all the same."""

import dataclasses

import numpy as np
import pytest

import autodip
from autodip.image.image import Image
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate
from autodip.pipeline import memory
from autodip.pipeline.denoise import denoise_steps
from autodip.pipeline.execute import compute
from autodip.pipeline.options import Options
from autodip.pipeline.parts import Tasks, cut
from autodip.pipeline.workspace import Workplace
from autodip.prior.setting import digest_of

pytestmark = pytest.mark.usefixtures("blurring")

ON_CPU = {"device": "cpu", "dtype": "float64"}


@pytest.fixture(scope="module")
def plane():
    """A noisy plane of 150 x 210 pixels."""
    return simulate("actin", Optics(), size=210, seed=3)[0][:150]


def run(image, workplace=None, axes=None, **options):
    steps = denoise_steps(image, Options(**{**ON_CPU, **options}), axes=axes, workplace=workplace)
    *_, last = steps
    return last.result


def without_noise(plane):
    """Two areas, each of one grey value."""
    areas = np.full_like(plane, 3)
    areas[len(areas) // 2 :] = 9
    return areas


def quick_fit(choice):
    """The same choice with a network that is fitted in no time, where the prior cannot be used."""
    return choice.replace(
        net=choice.net.replace(depth=1, width=2), fit=choice.fit.replace(iterations=2)
    )


def test_the_default_applies_the_learned_prior(plane, blurring):
    result = run(plane)
    assert result.image.shape == plane.shape
    assert result.choice.prior.sha256 == digest_of(str(blurring))
    (record,) = result.planes
    assert record.history[:, 0].tolist() == [1, 2]
    assert (record.reason, record.refined, record.follows) == ("", False, False)
    assert record.observed is not None
    assert record.assessment.removed_to_noise == pytest.approx(0.9, abs=0.15)
    assert 0.3 * plane.std() < result.image.std() < plane.std()
    assert (run(plane).image == result.image).all()


@pytest.mark.parametrize(("preset", "passes"), [("fast", 2), ("balanced", 2), ("best", 2)])
def test_steps_are_passes(plane, preset, passes):
    steps = list(denoise_steps(plane, Options(**ON_CPU, preset=preset)))
    assert [one.step.iteration for one in steps[:-1]] == list(range(1, passes + 1))
    assert {one.step.iterations for one in steps[:-1]} == {passes}
    assert steps[0].step.output().shape == plane.shape


@pytest.mark.parametrize("explicit", [{"iterations": 2}, {"refine": False}, {"depth": 1}])
def test_explicit_parameters_of_a_fit_bring_the_fit_back(plane, explicit):
    quick = {"iterations": 2, "depth": 1, "width": 2}
    result = run(plane, **{**quick, **explicit})
    assert result.choice.prior is None
    assert result.planes[0].observed is None
    assert any("learned prior is not used" in note for note in result.choice.evidence.notes)
    assert (run(plane, preset="untrained", **{**quick, **explicit}).image == result.image).all()


def test_units_do_not_matter(plane):
    one, other = run(plane.astype(float)).image, run(3.0 * plane + 50).image
    assert other == pytest.approx(3 * one + 50, rel=2e-3)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_the_data_type_stays(plane, dtype):
    result = run((plane // 4).clip(0, 255).astype(dtype), dtype=None)
    assert result.image.dtype == dtype


def test_a_constant_plane_is_passed_through(plane):
    film = np.stack([plane, np.full_like(plane, 7), plane[::-1]])
    result = run(film, axes="TYX")
    assert (result.image[1] == 7).all()
    assert [one.assessment is None for one in result.planes] == [False, True, False]
    assert {one.reason for one in result.planes} == {""}
    assert [one.observed is None for one in result.planes] == [False, True, False]


def test_frames_are_told_the_noise_observed_in_the_first(plane):
    film = np.stack([plane, plane[::-1], plane[:, ::-1]])
    together = run(film, axes="TYX")
    assert (together.plans[0].fits, together.plans[0].followers) == (1, 2)
    assert [one.follows for one in together.planes] == [False, True, True]
    assert len({one.observed for one in together.planes}) == 1
    assert [len(one.history) for one in together.planes] == [2, 1, 1]
    assert (together.image[0] == run(plane).image).all()
    own = run(film[1]).image
    assert np.sqrt(np.mean((together.image[1] - own) ** 2)) < 0.1 * np.std(film[1] - own)


def test_independent_frames_do_not_affect_each_other(plane):
    film = np.stack([plane, plane[::-1], plane[:, ::-1]])
    together = run(film, axes="TYX", independent=True)
    assert (together.plans[0].fits, together.plans[0].followers) == (3, 0)
    for number, frame in enumerate(film):
        assert (together.image[number] == run(frame).image).all()


def test_the_noise_of_every_frame_is_estimated_once(plane, monkeypatch):
    from autodip.physics import estimate  # noqa: PLC0415

    own, shapes = estimate.Spectra.of, []
    monkeypatch.setattr(
        estimate.Spectra,
        "of",
        lambda image, **more: shapes.append(image.shape) or own(image, **more),
    )
    run(np.stack([plane, plane[::-1], plane[:, ::-1]]), axes="TYX")
    assert shapes == [plane.shape] * 3


def test_channels_have_their_own_noise(plane):
    both = np.stack([plane, 5 * plane[::-1].astype(float)])
    result = run(both, axes="CYX")
    assert len(result.plans) == 2
    assert (result.image[0] == run(plane.astype(float)).image).all()
    assert (result.image[1] == run(both[1]).image).all()
    sigmas = [plan.description.noise.sigma for plan in result.plans]
    assert sigmas[1] == pytest.approx(5 * sigmas[0], rel=0.05)


def test_a_plane_too_small_for_a_noise_estimate_is_fitted_and_it_is_said(plane):
    result = run(plane[:40, :40], **{"microscope": "other"})
    assert result.choice.prior is None
    assert any("needs the noise of the image" in note for note in result.choice.evidence.notes)
    notes = autodip.plan(plane[:4, :40], Options(device="cpu"))[0].choice.evidence.notes
    assert any(note.startswith("full resolution") for note in notes)  # concerns the fit


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (lambda plane: plane[:40, :40], "its noise could not be estimated"),
        (lambda plane: plane[:12, :40], "it has fewer than 16 pixels along an axis"),
        (without_noise, "no noise was found in it"),
    ],
    ids=["small", "tiny", "without noise"],
)
def test_where_a_given_choice_cannot_be_used_the_reason_is_recorded(plane, image, reason):
    choice = quick_fit(autodip.plan(plane, Options(device="cpu"))[0].choice)
    result = run(image(plane), choices=(choice,))
    (record,) = result.planes
    assert record.reason.startswith(reason)
    assert record.observed is None
    assert len(record.history) == 2


def test_an_empty_background_of_value_0_is_no_hindrance(sample):
    noisy = np.pad(np.maximum(sample[0].astype(float) - 250, 0), 64)
    record = (result := run(noisy)).planes[0]
    assert record.reason == ""
    np.testing.assert_array_equal(result.image[:60], noisy[:60])
    assert record.observed is not None
    removed = (noisy - result.image)[64:-64, 64:-64]
    assert abs(removed.mean()) < 0.2 * removed.std()


def test_planes_that_cannot_be_estimated_are_fitted_among_others(plane):
    film = np.stack([plane, without_noise(plane), plane[::-1]])
    choice = quick_fit(autodip.plan(plane, Options(device="cpu"))[0].choice)
    result = run(film, axes="TYX", choices=(choice,), independent=True)
    assert [bool(one.reason) for one in result.planes] == [False, True, False]
    assert (result.image[2] == run(plane[::-1], choices=(choice,)).image).all()


@pytest.mark.parametrize("at_once", [1, 3])
def test_tiles_agree_with_the_whole_plane(plane, monkeypatch, at_once):
    large = np.tile(plane, (2, 1))
    whole = run(large, tile=0)
    monkeypatch.setattr(memory, "at_once", lambda plans, machine: at_once)
    tiled = run(large, tile=128)
    assert len(tiled.planes) == len(tiled.tiling.windows(large.shape)) > 4
    assert len({one.description.noise for one in tiled.planes}) == 1
    sigma = whole.planes[0].description.noise.sigma
    difference = np.abs(tiled.image - whole.image)[8:-8, 8:-8]
    assert np.sqrt(np.mean(difference**2)) < 0.02 * sigma
    assert any("windows of 128 x 128" in note for note in tiled.choice.evidence.notes)


def test_a_stopped_run_resumes_with_what_was_observed(plane, tmp_path):
    film = np.stack([plane, without_noise(plane), plane[::-1]])
    choice = quick_fit(autodip.plan(plane, Options(device="cpu"))[0].choice)
    options = Options(**ON_CPU, choices=(choice,))
    place = Workplace(tmp_path / "work", {"file": "a"})
    running = denoise_steps(film, options, axes="TYX", workplace=place)
    while next(running).plane < 2:
        pass
    running.close()
    resumed, undisturbed = (run(film, w, axes="TYX", choices=(choice,)) for w in (place, None))
    assert (resumed.image == undisturbed.image).all()
    for one, other in zip(resumed.planes, undisturbed.planes, strict=True):
        assert (one.observed, one.reason) == (other.observed, other.reason)
    assert [bool(one.reason) for one in resumed.planes] == [False, True, False]


def test_other_weights_do_not_resume(plane, tmp_path, blurring):
    film = np.stack([plane, plane[::-1]])
    place = Workplace(tmp_path / "work", {"file": "a"})
    choices = [run(film, place, axes="TYX").choice]
    blurring.write_bytes(_retouched(blurring))
    result = run(film, place, axes="TYX")
    choices.append(result.choice)
    assert len({choice.prior.sha256 for choice in choices}) == 2
    assert result.planes[0].history[0, 1] > 0


def _retouched(path):
    """Content of the file with another note, so that it has another hash."""
    from autodip.prior.learned import load_prior, save_prior  # noqa: PLC0415

    copy = path.with_name("copy.safetensors")
    save_prior(load_prior(str(path)), copy, {"note": "other"})
    return copy.read_bytes()


def test_a_task_needs_nothing_but_itself(plane):
    image = Image(plane, "YX")
    plan = autodip.plan(image, Options(**ON_CPU, tile=128))
    task = Tasks(image, plan).of(cut(image, plan)[1])
    (done,) = compute(None, [task.loaded()])
    (again,) = compute(None, [dataclasses.replace(task)])
    assert (done.pixels == again.pixels).all()
    assert done.pixels.dtype == np.float64
