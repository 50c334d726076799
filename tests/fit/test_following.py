import numpy as np
import pytest

from autodip.errors import ParameterError
from autodip.fit.loop import fit
from autodip.fit.params import FitParams, NetParams
from autodip.fit.series import Series, warm

NET = NetParams(3, (8, 16, 32), 4, input_channels=8)
PARAMS = FitParams(100, learning_rate=0.02, start_at_mean=True, average=0.95)


@pytest.fixture(scope="module")
def film():
    """Four frames of blobs that drift, (noisy, true) each, in [0, 1]."""
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[:64, :64]
    frames = []
    for shift in range(4):
        true = (
            0.2 + 0.5 * np.sin((rows + shift / 4) / 7) ** 2 * np.cos((columns - shift / 4) / 9) ** 2
        )
        frames.append((np.clip(true + generator.normal(0, 0.1, true.shape), 0, 1), true))
    return frames


def last(steps):
    *_, (step,) = steps
    return step


def error(step, true):
    return float(np.mean((step.output() - true) ** 2))


def test_the_first_image_is_fitted_as_alone(film):
    series = Series(NET, PARAMS, seeds=[3])
    *_, alone = fit(film[0][0], NET, PARAMS, seed=3)
    np.testing.assert_array_equal(last(series.fit(film[0][0])).output(), alone.output())


def test_following_images_need_a_tenth_of_the_iterations(film):
    series = Series(NET, PARAMS)
    steps = [last(series.fit(noisy)) for noisy, _ in film]
    assert [step.iterations for step in steps] == [100, 10, 10, 10]
    for step, (noisy, true) in zip(steps[1:], film[1:], strict=True):
        *_, alone = fit(noisy, NET, PARAMS)
        *_, short = fit(noisy, NET, PARAMS.replace(iterations=10))
        assert error(step, true) < 1.3 * error(alone, true)
        assert error(step, true) < error(short, true) / 2


def test_anew_starts_from_the_seed(film):
    series = Series(NET, PARAMS)
    last(series.fit(film[0][0]))
    again = last(series.fit(film[1][0], anew=True))
    *_, alone = fit(film[1][0], NET, PARAMS)
    np.testing.assert_array_equal(again.output(), alone.output())


def test_several_seeds(film):
    series = Series(NET, PARAMS.replace(iterations=5), seeds=[0, 1])
    for noisy, _ in film[:2]:
        *_, steps = series.fit(noisy)
        assert len(steps) == 2
        assert not np.array_equal(steps[0].output(), steps[1].output())


def test_shapes_must_match(film):
    series = Series(NET, PARAMS.replace(iterations=2))
    last(series.fit(film[0][0]))
    with pytest.raises(ParameterError, match="images of one shape"):
        last(series.fit(film[0][0][:32]))


def test_warm_keeps_the_last_output_where_there_is_no_average():
    assert warm(FitParams(3)).iterations == 1
    assert warm(FitParams(3000)).average == 0
    assert warm(PARAMS).average == 0.9
