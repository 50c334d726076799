"""Exposures: variance, mean, interpolation, sizes; and detectors that cannot be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from autodip.errors import ParameterError
from autodip.physics import readout
from autodip.physics.detection import MARGIN, Detector, count_photons, expose

WHITE = {
    "photons alone": Detector(),
    "multiplied": Detector(excess=1.8, read=2.0),
    "offset": Detector(read=3.0, offset=20.0),
    "columns": Detector(rows=1.0, columns=2.0),
    "grey levels": Detector(step=6.0, read=4.0),
}
CORRELATED = {
    **{colour: Detector(mosaic=colour) for colour in ("green", "red", "blue", "grey")},
    "multiplied green": Detector(mosaic="green", excess=1.5, read=3.0, offset=10.0),
    "smooth": Detector(smooth=(0.6, 0.9), read=2.0),
    "coloured": Detector(coloured=0.8, read=2.0),
    "smaller": Detector(scale=0.6, resampling="area"),
    "point samples": Detector(scale=0.55, resampling="linear"),
    "larger": Detector(scale=1.7, resampling="cubic"),
    "green, smaller": Detector(mosaic="green", scale=0.7, resampling="cubic"),
}
POWER = {
    "green": 1 / 2 + 1 / 2 / 4,
    "red": 1 / 4 + 1 / 2 / 2 + 1 / 4 / 4,
    "blue": 1 / 4 + 1 / 2 / 2 + 1 / 4 / 4,
}
"""Variance after bilinear interpolation: sites of the colour, means of two, means of four."""
POWER["grey"] = 0.587**2 * POWER["green"] + (0.299**2 + 0.114**2) * POWER["red"]


def flat(level, detector, size, generator):
    light = np.full((detector.needed(size),) * 2, float(level))
    return expose(light, detector, size, generator)


@pytest.mark.parametrize("detector", [*WHITE.values(), *CORRELATED.values()], ids=str)
@pytest.mark.parametrize("level", [40, 400])
def test_variance_lies_on_the_line(detector, level, rng):
    seen = [flat(level, detector, 128, rng) for _ in range(4)]
    variance = np.mean([np.mean((one.image - one.mean) ** 2) for one in seen])
    line = np.mean([one.gain * one.mean.mean() + one.constant for one in seen])
    assert variance == pytest.approx(line, rel=0.08)


@pytest.mark.parametrize(
    "detector",
    [
        Detector(),
        Detector(read=3.0, white=30.0),
        Detector(read=4.0, offset=-5.0),
        Detector(read=4.0, offset=-5.0, black=False),
        Detector(mosaic="green", read=4.0, white=25.0),
        Detector(scale=0.6, resampling="cubic", read=3.0),
        Detector(smooth=(0.7, 0.7), offset=3.0, white=40.0, step=1.0),
        Detector(coloured=0.6, excess=1.6),
    ],
    ids=str,
)
def test_the_mean_of_many_exposures(detector, rng):
    size = 32
    n = detector.needed(size)
    light = 5 + 25 * gaussian_filter(rng.random((n, n)), 4, mode="wrap")
    residual, mean = np.zeros((size, size)), np.zeros((size, size))
    for _ in range(300):
        one = expose(light, detector, size, rng)
        residual += (one.image - one.mean) / 300
        mean += one.mean / 300
    assert abs(residual.mean()) < 0.02 * mean.mean()
    assert np.abs(gaussian_filter(residual, 3)).max() < 0.05 * mean.mean()


@pytest.mark.parametrize("colour", POWER)
def test_power_of_demosaicing(colour, rng):
    noise = rng.standard_normal((400, 400))
    for phase in ((0, 0), (1, 0), (0, 1), (1, 1)):
        power = readout.demosaic(noise, colour, phase).var()
        assert power == pytest.approx(POWER[colour], rel=0.03)
    seen = flat(100, Detector(mosaic=colour), 200, rng)
    assert seen.gain == pytest.approx(POWER[colour], rel=0.05)


@pytest.mark.parametrize("colour", POWER)
@pytest.mark.parametrize("phase", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_demosaicing_keeps_a_ramp(colour, phase):
    y, x = np.mgrid[:20, :30].astype(float)
    found = readout.demosaic(3 * y + x, colour, phase)
    assert found[2:-2, 2:-2] == pytest.approx((3 * y + x)[2:-2, 2:-2])


@given(
    st.integers(16, 60),
    st.integers(16, 60),
    st.one_of(st.just(1.0), st.floats(0.3, 2.5)),
    st.sampled_from(["nearest", "linear", "cubic", "area"]),
    st.sampled_from(["none", "green", "grey"]),
)
def test_sizes(rows, columns, scale, resampling, mosaic):
    detector = Detector(scale=scale, resampling=resampling, mosaic=mosaic)
    light = np.full((detector.needed(rows), detector.needed(columns)), 9.0)
    seen = expose(light, detector, (rows, columns), np.random.default_rng(0))
    assert seen.image.shape == seen.mean.shape == (rows, columns)
    assert seen.image.dtype == seen.mean.dtype == np.float32
    assert np.ptp(seen.mean[4:-4, 4:-4]) < 0.01
    assert seen.mean[8, 8] == pytest.approx(9, rel=1e-3)


@given(st.integers(1, 5000), st.floats(0.05, 4), st.sampled_from(["none", "red"]))
def test_recorded_is_the_largest_size(size, scale, mosaic):
    detector = Detector(scale=scale, mosaic=mosaic)
    found = detector.recorded(size)
    assert found == 0 or detector.needed(found) <= size < detector.needed(found + 1)
    assert Detector().recorded(size) == Detector().needed(size) == size


def test_pixels_beyond_the_image_are_enough():
    assert Detector(mosaic="green").needed(50) == 50 + 2 * MARGIN


def test_grey_levels_clipping_and_compression(rng):
    light = 100 * rng.random((64, 64))
    detector = Detector(white=80.0, step=80 / 255)
    levels = expose(light, detector, 64, rng).image / np.float32(80 / 255)
    assert np.rint(levels) == pytest.approx(levels, abs=1e-3)
    assert levels.min() >= 0
    assert levels.max() == pytest.approx(255)
    smooth = gaussian_filter(light, 8)
    seen = expose(smooth, detector.replace(jpeg=95), 64, rng).image
    assert seen == pytest.approx(smooth, abs=40)
    assert seen.mean() == pytest.approx(smooth.mean(), rel=0.05)
    negative = expose(0 * light, Detector(read=2.0, black=False), 64, rng).image
    assert negative.min() < -3


def test_faults(rng):
    light = np.full((256, 256), 50.0)
    hot = expose(light, Detector(hot=0.01), 256, rng).image
    assert (hot > 100).mean() == pytest.approx(0.01 * (2 - 1) / (2 - 0.1), rel=0.3)
    edge = np.where(np.arange(256) < 128, 10.0, 1000.0) * np.ones((256, 1))
    moved = expose(edge, Detector(jitter=2.0), 256, rng).image
    places = (moved > 500).argmax(1)
    assert places.std() == pytest.approx(2, rel=0.2)


@pytest.mark.parametrize("excess", [1.0, 1.5])
@pytest.mark.parametrize("level", [0.3, 20, 1e9])
def test_counted_photons(excess, level, rng):
    counts = count_photons(np.full((300, 300), float(level)), excess, rng)
    assert counts.mean() == pytest.approx(level, rel=0.03)
    assert counts.var() == pytest.approx(excess * level, rel=0.05)
    assert (counts == np.rint(counts)).all() == (excess == 1 and level < 1e9)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"excess": 0.5}, "excess is 0.5; it must be a number from 1"),
        ({"scale": 0}, "scale is 0; it must be a number above 0"),
        ({"white": 0.0}, "white is 0.0"),
        ({"read": -1.0}, "read is -1.0"),
        ({"read": "1e-3"}, "read is '1e-3'; it must be a number"),
        ({"offset": float("nan")}, "offset is nan"),
        ({"hot": 2}, "hot is 2"),
        ({"jpeg": 96}, "jpeg is 96; it must be a whole number from 0 to 95"),
        ({"mosaic": "cyan"}, "allowed are none, green, red, blue, grey"),
        ({"resampling": "lanczos"}, "allowed are nearest, linear, cubic, area"),
        ({"smooth": 1.0}, "smooth is 1.0; give two numbers"),
        ({"smooth": (1.0, -1.0)}, "smooth is -1.0"),
        ({"black": 1}, "black is 1; give true or false"),
    ],
)
def test_detectors_that_cannot_be(changes, said):
    with pytest.raises(ParameterError, match=said):
        Detector(**changes)
