import numpy as np
import pytest

import autodip
from autodip.choose import presets
from autodip.errors import ParameterError
from autodip.fit.stopping import Discrepancy
from autodip.physics.correlation import draw
from autodip.physics.noise import Noise
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate
from autodip.pipeline import denoise
from autodip.pipeline.options import Options

WHITE = Noise(0.0, 4.0, 2.0, (0.0, 0.0), 4.0, saturated=0.0)


def test_value_is_one_for_the_truth(rng):
    truth = np.full((128, 128), 50.0)
    stop = Discrepancy(truth + 2 * rng.standard_normal(truth.shape), WHITE, 100, 1.0)
    assert stop.value(truth) == pytest.approx(1, abs=0.05)
    assert not stop.reached(truth + 1)
    assert stop.reached((truth + stop.noisy) / 2)


def test_correlation_of_the_noise_does_not_matter():
    lag = np.arange(-2, 3)
    blurred = np.exp(-(lag[:, None] ** 2 + lag**2) / 2)
    drawn = 2 * draw(blurred, (256, 256), np.random.default_rng(0))
    assert Discrepancy(drawn, WHITE, 100, 1.0).value(np.zeros((256, 256))) == pytest.approx(
        1, abs=0.05
    )


def test_looks_from_half_way_on():
    stop = Discrepancy(np.zeros((4, 4)), WHITE, 100, 1.0)
    assert [n for n in range(1, 101) if stop.due(n)] == [50, 60, 70, 80, 90, 100]


def test_no_noise_never_ends_a_fit():
    silent = Noise(0.0, 0.0, 0.0, (0.0, 0.0), 0.0, saturated=0.0)
    assert not Discrepancy(np.ones((4, 4)), silent, 10, 1.0).reached(np.ones((4, 4)))


@pytest.fixture(scope="module")
def noisy():
    return simulate("nucleus", Optics(microscope="widefield"), size=96)[0]


def fit_with(noisy, limit, iterations=60):
    plans = autodip.plan(noisy, Options(preset="fast", iterations=iterations, refine=False))
    fit = plans[0].choice.fit.replace(noise_limit=limit)
    choice = plans[0].choice.replace(fit=fit)
    *_, last = denoise.denoise_steps(noisy, Options(choices=(choice,)))
    return last.result.planes[0].history[-1, 0]


def test_a_fit_ends_where_only_noise_is_left(noisy):
    assert fit_with(noisy, 50.0) == 30
    assert fit_with(noisy, None) == 60
    assert fit_with(noisy, 1e-6) == 60


@pytest.mark.parametrize("preset", presets.CALIBRATED)
def test_our_presets_look_at_the_noise(preset):
    assert all(row.fit.noise_limit for row in presets.load(preset).rows)


@pytest.mark.parametrize("preset", ["original", "published"])
def test_the_references_do_not(preset):
    for row in presets.load(preset).rows:
        assert row.fit.noise_limit is None
        assert row.refine is None


def test_seeds_are_averaged(noisy):
    def run(seed, seeds):
        plan = autodip.plan(noisy, Options(preset="fast", iterations=5, refine=False))[0]
        choice = plan.choice.replace(fit=plan.choice.fit.replace(seeds=seeds, precision="float32"))
        image = noisy.astype(np.float64)
        *_, last = denoise.denoise_steps(image, Options(choices=(choice,), seed=seed))
        return last.result.image

    both = run(3, 2)
    assert both == pytest.approx((run(3, 1) + run(4, 1)) / 2, rel=1e-2)
    assert not np.allclose(both, run(3, 1))


def test_budget_takes_the_best_preset_that_fits(noisy):
    costs = {
        preset: autodip.plan(noisy, Options(preset=preset, device="cpu"))[0].cost.seconds
        for preset in presets.BY_QUALITY
    }
    assert costs["best"] > costs["balanced"] > costs["fast"]
    for preset, seconds in costs.items():
        plan = autodip.plan(noisy, Options(budget=seconds * 1.01, device="cpu"))[0]
        assert plan.choice.evidence.preset == preset
        assert any(preset in note for note in plan.choice.evidence.notes)
    with pytest.raises(ParameterError, match="fast, the cheapest"):
        autodip.plan(noisy, Options(budget=costs["fast"] / 2, device="cpu"))


def test_budget_counts_all_planes(noisy):
    one = autodip.plan(noisy, Options(preset="balanced", device="cpu"))[0].cost.seconds
    stack = np.stack([noisy] * 2)
    for planes, preset in ((2.02, "balanced"), (1.98, "fast")):
        options = Options(budget=one * planes, device="cpu", independent=True)
        plan = autodip.plan(stack, options, axes="TYX")[0]
        assert plan.choice.evidence.preset == preset


def test_a_film_costs_less_than_its_frames(noisy):
    film = np.stack([noisy] * 10)
    options = Options(preset="untrained", device="cpu")
    (alone,) = autodip.plan(film, options.replace(independent=True), axes="TYX")
    (course,) = autodip.plan(film, options, axes="TYX")
    assert (alone.fits, alone.followers) == (10, 0)
    assert (course.fits, course.followers) == (1, 9)
    assert course.following.iterations == pytest.approx(course.cost.iterations / 10, abs=1)
    assert course.seconds < alone.seconds == pytest.approx(10 * alone.cost.seconds)


@pytest.mark.parametrize("budget", [0, -1.0, float("nan"), float("inf")])
def test_a_budget_is_seconds(budget):
    with pytest.raises(ParameterError, match="budget"):
        Options(budget=budget)


def test_a_refined_result_says_so(noisy):
    result = autodip.denoise(noisy, preset="fast", iterations=2)
    assert result.planes[0].refined
    assert not autodip.denoise(noisy, preset="fast", iterations=2, refine=False).planes[0].refined


def test_without_a_noise_estimate_nothing_is_refined_and_it_is_said(noisy):
    result = autodip.denoise(noisy[:32, :32], preset="fast", iterations=2)
    assert not result.planes[0].refined
    assert result.choice.refine is None
    assert any("not refined" in note for note in result.choice.evidence.notes)


def test_an_image_without_noise_is_not_refined():
    areas = np.repeat([3.0, 9.0], 40)[:, None] * np.ones(80)
    result = autodip.denoise(areas, preset="untrained", iterations=2, depth=1, width=2)
    assert result.planes[0].description.noise.sigma == 0
    assert not result.planes[0].refined
