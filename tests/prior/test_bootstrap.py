"""What a smoothing result hides of the noise, and how wrong it is, found by drawing noise again."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from autodip.physics.correlation import autocorrelation, white
from autodip.prior.bootstrap import corrected, redraw
from autodip.prior.observation import Fault, observe

SIDE = 256


def result_of(stable):
    """A smooth image with a share of the noise, which is thereby hidden from the residual."""
    smooth = gaussian_filter(stable, 4)
    return smooth + 0.12 * (stable - smooth)


@pytest.fixture(params=[0.0, 0.6], ids=["white", "correlated"])
def noise(request):
    rng = np.random.default_rng(5)
    drawn = gaussian_filter(rng.standard_normal((SIDE, SIDE)), request.param)
    return 1.3 * drawn / drawn.std()


@pytest.fixture(params=["flat", "gradient", "blobs"])
def truth(request):
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    return {
        "flat": np.full(y.shape, 12.0),
        "gradient": 5 + 20 * y,
        "blobs": 12 + 8 * np.sin(9 * y) * np.cos(7 * x),
    }[request.param]


def test_the_strength_is_recovered(truth, noise):
    stable = truth + noise
    true = observe(stable, noise)
    redrawn = redraw(stable, result_of(stable), autocorrelation(noise))
    found = corrected(redrawn, result_of(redrawn.stable))

    def wrong(one):
        return abs(one.deviation(truth).mean() / true.deviation(truth).mean() - 1)

    assert wrong(found) < max(0.6 * wrong(redrawn.observed), 0.03)


def test_the_fault_is_that_of_the_result(truth, noise):
    stable = truth + noise
    result = result_of(stable)
    redrawn = redraw(stable, result, autocorrelation(noise))
    fault = corrected(redrawn, result_of(redrawn.stable)).fault
    power = np.mean(noise**2)
    # A result is taken for a truth with the noise left in it, which is in part removed again.
    ratio = fault.error * power / np.mean((result - truth) ** 2)
    assert 1 / 1.8 < ratio < 1.8
    removed = stable - result
    assert fault.removed == pytest.approx(np.mean(removed**2) / power, rel=0.1)
    assert fault.overlap == pytest.approx(np.mean((result - truth) * removed) / power, abs=0.03)


def test_noise_is_drawn_as_it_was_observed(noise):
    stable = np.full(noise.shape, 12.0) + noise
    flat, correlation = np.full(noise.shape, 12.0), autocorrelation(noise)
    redrawn = redraw(stable, flat, correlation)
    again = observe(redrawn.stable, redrawn.noise)
    assert again.correlation == pytest.approx(redrawn.observed.correlation, abs=0.05)
    assert redrawn.noise.std() == pytest.approx(noise.std(), rel=0.03)
    assert (redraw(stable, flat, correlation).noise == redrawn.noise).all()
    assert (redraw(stable, flat, correlation, seed=1).noise != redrawn.noise).any()


@pytest.mark.parametrize("growth", [0.0, 0.03, 0.5])
@pytest.mark.parametrize("overlap", [0.0, 0.01, 0.1])
def test_the_share_uses_up_the_allowed_growth(growth, overlap):
    fault = Fault(0.05, overlap, 0.9)
    share = fault.share(growth)
    added = 2 * share * overlap + share**2 * fault.removed
    assert added == pytest.approx(growth * fault.error, abs=1e-9)


def test_an_error_that_returning_would_reduce_is_no_reason_to_return_more():
    assert Fault(0.05, -0.02, 0.9).share(0.03) == Fault(0.05, 0.0, 0.9).share(0.03)
    assert Fault(0.0, 0.0, 0.0).share(0.03) == 0


def test_the_noise_of_an_image_simulated_with_the_same_seed_is_not_drawn_again():
    noise = np.random.default_rng(0).standard_normal((SIDE, SIDE))
    redrawn = redraw(noise, np.zeros_like(noise), white(), seed=0)
    assert abs(np.mean(noise * redrawn.noise)) < 0.03
