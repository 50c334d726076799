"""What a page measures, plots and chooses."""

import re

import numpy as np
import pytest

from autodip.image.image import Image
from autodip.physics.noise import Noise
from autodip.report.page.details import details
from autodip.report.page.examined import examine
from autodip.report.page.predicted import Predicted
from autodip.report.page.shown import Shown, shown_planes, title
from autodip.report.page.svg import Axis, Plot, number
from autodip.report.page.templating import visible

WHITE = Noise(0.0, 100.0, 10.0, (0.0, 0.0), 100.0, saturated=0.0)


@pytest.fixture
def scene(rng):
    """A smooth image and white noise of standard deviation 10."""
    y, x = np.mgrid[:192, :192]
    return 500 + 300 * np.sin(x / 23) * np.sin(y / 31), rng.normal(0, 10, (192, 192))


def examined(noisy, result, noise=WHITE):
    return examine(noisy, result, noise, kept=np.ones(noisy.shape, bool))


def test_a_perfect_result(scene):
    truth, noise = scene
    found = examined(truth + noise, truth)
    assert found.amount == pytest.approx(1, abs=0.01)
    assert found.white.excess < 3 * found.white.chance
    assert np.mean([power for _, power in found.spectrum]) == pytest.approx(1, abs=0.1)
    assert [power for _, power in found.expected] == pytest.approx([1] * len(found.expected))
    assert all(abs(one.after - one.before) < 4 * one.error for one in found.tenths)
    assert len(found.tenths) == 10
    assert [variance for _, variance in found.removed] == pytest.approx([100] * 20, rel=0.2)


def test_correlated_noise_makes_means_less_certain(scene):
    truth, noise = scene
    lags = np.full((5, 5), 0.5)
    lags[2, 2] = 1
    correlated = WHITE.replace(autocorrelation=tuple(map(tuple, lags.tolist())))
    one, other = (examined(truth + noise, truth, each) for each in (WHITE, correlated))
    assert other.spread == pytest.approx(one.spread * np.sqrt(13))
    assert other.tenths[3].error == pytest.approx(one.tenths[3].error * np.sqrt(13))


def test_removed_structure_and_changed_brightness_show(scene):
    truth, noise = scene
    lost = examined(truth + noise, np.full(truth.shape, truth.mean()))
    assert lost.white.excess > 0.5
    assert max(power for _, power in lost.spectrum) > 100
    steeper = examined(truth + noise, truth + 0.1 * (truth - 500))
    assert steeper.tenths[0].after - steeper.tenths[0].before < -15
    assert steeper.tenths[-1].after - steeper.tenths[-1].before > 15


def test_pixels_that_are_left_out_do_not_count(scene):
    truth, noise = scene
    noisy, result = truth + noise, truth.copy()
    kept = np.ones(truth.shape, bool)
    kept[:30] = False
    noisy[:30], result[:30] = 1e6, -1e6
    found = examine(noisy, result, WHITE, kept=kept)
    assert found.amount == pytest.approx(1, abs=0.02)
    assert found.before == pytest.approx(truth[30:].mean(), abs=1)


def test_ring_correlation_is_shown_only_where_it_holds(rng):
    y, x = np.mgrid[:256, :256]
    photons = 40 + 35 * np.sin(x / 3.0) * np.sin(y / 4.0)
    noisy = 2.0 * rng.poisson(photons)
    of_photons = Noise(2.0, 0.0, 9.0, (0.0, 0.0), 1.0, saturated=0.0)
    assert examined(noisy, 2 * photons, of_photons).frc.resolution() < 30
    correlated = of_photons.replace(correlation=(0.4, 0.4))
    assert "correlated" in examined(noisy, 2 * photons, correlated).why_no_frc
    assert "does not grow" in examined(noisy, 2 * photons, WHITE).why_no_frc
    wrong = of_photons.replace(gain=0.05)  # far too many photons: the halves agree everywhere
    assert "still correlate" in examined(noisy, 2 * photons, wrong).why_no_frc


def plane(noisy, result, errors=None):
    every = np.ones(result.shape, bool)
    return Shown(
        name="", shape=result.shape, corner=(0, 0), noisy=noisy, result=result, known=every,
        good=every, overviews=(None, None), repair=None, errors=errors,
    )  # fmt: skip


def test_the_predicted_psnr_follows_from_the_standard_errors(scene):
    truth, noise = scene
    noisy = truth + noise
    peak = np.subtract(*np.percentile(truth, (99.9, 0.1)))
    given = plane(noisy, truth, np.full(truth.shape, 2.0, np.float32))
    found = Predicted.of(given, WHITE, fitted=False)
    assert found.before == pytest.approx(20 * np.log10(peak / 10))
    assert 0 <= 20 * np.log10(peak / 2) - found.psnr < 1
    computed = Predicted.of(plane(noisy, truth), WHITE, fitted=False)
    assert computed.psnr > found.before
    assert Predicted.of(plane(noisy, truth), WHITE, fitted=True).psnr < computed.psnr
    assert Predicted.of(plane(None, truth), WHITE, fitted=False) is None
    assert Predicted.of(plane(noisy, truth), None, fitted=False) is None


def test_details_are_what_they_are_called():
    result = np.full((200, 300), 50.0)
    result[:, 100:] = 10
    result[20:60, 30:70] = 200
    found = {one.name: one for one in details(result, np.ones(result.shape, bool))}
    bright, dark = found["brightest structure"], found["darkest background"]
    assert bright.top <= 40 <= bright.top + bright.side
    assert bright.left <= 50 <= bright.left + bright.side
    assert (dark.of(result) == 10).all()
    assert found["edges"].of(result).std() > 0
    empty = np.ones(result.shape, bool)
    empty[:, 100:] = False
    left = {one.name: one for one in details(result, empty)}
    assert all(one.left + one.side <= 115 for one in left.values())


@pytest.mark.parametrize(
    ("axes", "shape", "wanted"),
    [
        ("YX", (8, 8), [""]),
        ("TYX", (30, 8, 8), ["frame 0 (of 0 to 29)", "frame 14", "frame 29"]),
        ("ZYX", (9, 8, 8), ["slice 2", "slice 4", "slice 6"]),
        ("TCYX", (5, 2, 8, 8), ["frame 2 (of 0 to 4), channel 0", "frame 2"]),
        ("CYX", (9, 8, 8), ["channel 0", "channel 1", "channel 2"]),
        ("YXS", (8, 8, 3), ["colour 0", "colour 1", "colour 2"]),
        ("TYX", (1, 8, 8), [""]),
    ],
)
def test_planes_are_selected_and_named(axes, shape, wanted):
    image = Image(np.zeros(shape), axes)
    names = [title(image, index) for index in shown_planes(image)]
    assert len(names) <= 6
    for name, start in zip(names, wanted, strict=False):
        assert name.startswith(start)
    assert len(names) == (6 if shape[0] == 9 and "C" in axes else len(wanted))


def test_plots_have_axes_with_units_and_escape_their_text():
    drawn = (
        Plot(Axis("x <µm>", low=0, high=10), Axis("y", logarithmic=True), "a & b")
        .line([(0, 1), (5, 100), (10, 1000), (11, float("nan"))], "<script>")
        .points([(1, 10)], "dots", "s2")
        .mark(5, "stop")
        .svg()
    )
    assert "<script>" not in drawn
    assert "x &lt;µm&gt;" in drawn
    assert 'aria-label="a &amp; b"' in drawn
    assert {"0", "2", "4", "10", "1", "1000"} <= set(re.findall(">([0-9.]+)</text>", drawn))
    assert "nan" not in drawn


@pytest.mark.parametrize("ends", [(0, 1), (3, 3), (-1e-9, 1e-9), (0, 7e8), (95, 419)])
def test_ticks_lie_on_the_axis(ends):
    scaled = Axis("x").fitted(ends)
    ticks = scaled.ticks()
    assert 2 <= len(ticks) <= 7
    assert all(-1e-9 <= scaled.share(tick) <= 1 + 1e-9 for tick in ticks)


def test_numbers_are_short():
    values = (0, 0.0123, 15.034, 204.7, 20470, -3.2e6, 1e-9)
    assert [number(value) for value in values] == [
        "0",
        "0.0123",
        "15",
        "205",
        "20.5k",
        "-3.2M",
        "1e-09",
    ]


def test_hidden_characters_are_visible():
    assert visible("a\u202e\n\x85\ufeffµé中") == "a\\u202e\\n\\x85\\ufeffµé中"
