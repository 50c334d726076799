"""The standard error of every pixel: where it comes from, where there is none."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import autodip
from autodip.errors import ParameterError
from autodip.image.image import Image
from autodip.image.windows import blend
from autodip.pipeline import error_maps
from autodip.pipeline.denoise import denoise_on_demand
from autodip.pipeline.workspace import Workplace
from autodip.trust.error_map import standard_error

LEARNED = {"preset": "fast"}
FITTED = {"preset": "untrained", "iterations": 2, "depth": 1, "width": 2, "skip": 0}
METHODS = pytest.mark.parametrize("method", [LEARNED, FITTED], ids=["learned", "fitted"])


def run(image, axes=None, *, folder=None, **options):
    options = autodip.Options(device="cpu", **options)
    workplace = Workplace(folder, {"file": "a"})
    *_, last = autodip.denoise_steps(image, options, axes=axes, workplace=workplace)
    return last.result


@pytest.fixture
def noisy():
    return np.asarray(autodip.sample(size=96)[0])


@METHODS
def test_nothing_is_computed_and_nothing_changes_without_the_option(noisy, method, monkeypatch):
    with_map = run(noisy, uncertainty=True, **method)
    monkeypatch.setattr(error_maps, "standard_error", None)  # would fail
    without = run(noisy, **method)
    assert_array_equal(without.image, with_map.image)
    assert without.maps == {}
    assert without.planes[0].errors is None


@METHODS
def test_it_is_that_of_the_plane_and_of_its_rounding(noisy, method):
    result = run(noisy, uncertainty=True, dtype="float64", **method)
    noise = result.planes[0].description.noise
    expected = standard_error(noisy, result.image, noise, fitted=method is FITTED)
    assert_array_equal(result.maps["sd"], expected)
    assert result.maps["sd"].dtype == np.float32
    rounded = run(noisy, uncertainty=True, dtype="uint16", **method).maps["sd"]
    assert_allclose(rounded, np.hypot(expected, 12**-0.5), rtol=1e-6)
    errors = result.planes[0].errors
    assert errors.median == np.median(expected)
    assert errors.to_noise == pytest.approx(np.median(expected / noise.std(result.image)))


@METHODS
def test_windows_are_blended_like_the_pixels(noisy, method):
    large = np.tile(noisy, (2, 3))
    result = run(large, uncertainty=True, dtype="float32", tile=128, **method)
    windows = [plane.window for plane in result.planes]
    assert len(windows) > 1
    parts = []
    for plane in result.planes:
        own = run(large[plane.window.slices], uncertainty=True, dtype="float32", **method)
        parts.append((plane.window, own.maps["sd"]))
    rows = [rows for _, rows in blend(large.shape, parts)]
    ratio = result.maps["sd"] / np.concatenate(rows)  # the noise is that of the whole plane
    assert 0.5 < np.median(ratio) < 2
    assert np.isfinite(result.maps["sd"]).all()


def test_where_nothing_was_measured_there_is_none(noisy):
    pixels = noisy.astype(np.float32)
    pixels[:20, :30] = 0  # a border of one value
    pixels[50, 40:44] = np.nan
    pixels[80, 80] = 60000  # a hot pixel, which is replaced
    result = run(pixels, uncertainty=True, **LEARNED)
    unknown = np.isnan(result.maps["sd"])
    expected = np.zeros(pixels.shape, bool)
    expected[:20, :30] = expected[50, 40:44] = True
    assert_array_equal(unknown, expected)
    kept = run(pixels, uncertainty=True, keep_outliers=True, **LEARNED)
    expected[80, 80] = True
    assert_array_equal(np.isnan(kept.maps["sd"]), expected)


def test_saturated_pixels_have_none(noisy):
    top = np.percentile(noisy, 99)
    clipped = np.minimum(noisy, top).astype(noisy.dtype)
    result = run(clipped, uncertainty=True, **LEARNED)
    assert result.planes[0].description.noise.saturated > 0
    assert_array_equal(np.isnan(result.maps["sd"]), clipped == clipped.max())


def test_a_constant_plane_has_none(noisy):
    film = np.stack([noisy, np.full_like(noisy, 7)])
    result = run(film, "TYX", uncertainty=True, **LEARNED)
    assert np.isfinite(result.maps["sd"][0]).all()
    assert np.isnan(result.maps["sd"][1]).all()
    assert result.planes[1].errors is None


def test_a_constant_window_does_not_spread_into_its_neighbours():
    """Where photons are rare, a window may hold none, and the others have a standard error."""
    pixels = (np.random.default_rng(0).random((384, 384)) < 0.004).astype(np.uint16)
    pixels[:128, :128] = 0
    result = run(pixels, uncertainty=True, tile=128, **LEARNED)
    assert any(plane.assessment is None for plane in result.planes)
    assert np.isfinite(result.maps["sd"]).all()


@METHODS
def test_films_and_channels(noisy, method):
    film = np.stack([noisy, noisy[::-1], noisy.T])
    result = run(film, "CYX", uncertainty=True, **method)
    for number, plane in enumerate(film):
        alone = run(plane, uncertainty=True, **method)
        assert_array_equal(result.maps["sd"][number], alone.maps["sd"])
    last = run(film, "YXT"[::-1], uncertainty=True, **method)
    assert last.maps["sd"].shape == film.shape


def test_transparency_is_copied(noisy):
    pixels = np.stack([noisy, noisy[::-1], np.full_like(noisy, 255)], -1)
    result = run(Image(pixels, "YXS", alpha=True), uncertainty=True, **LEARNED)
    assert (result.maps["sd"][..., 2] == 255).all()


@pytest.mark.parametrize("tile", [None, 128])
def test_it_is_read_from_a_lazy_result(noisy, tile):
    large = np.stack([np.tile(noisy, (2, 2)), np.tile(noisy.T, (2, 2))])
    large[0, :40, :50] = 0
    options = autodip.Options(device="cpu", uncertainty=True, tile=tile, **LEARNED)
    lazy = denoise_on_demand(Image(large, "TYX"), options)
    ready = run(large, "TYX", uncertainty=True, tile=tile, **LEARNED)
    assert lazy.maps["sd"].dtype == np.float32
    assert_array_equal(lazy.maps["sd"][1, 10:20, ::3], ready.maps["sd"][1, 10:20, ::3])
    assert_array_equal(np.asarray(lazy.maps["sd"]), ready.maps["sd"])
    assert np.isnan(ready.maps["sd"]).any()
    assert denoise_on_demand(Image(large, "TYX"), options.replace(uncertainty=False)).maps == {}


def test_a_mapped_file_has_a_mapped_map(noisy, tmp_path):
    np.save(tmp_path / "a.npy", np.tile(noisy, (2, 2)))
    data = np.load(tmp_path / "a.npy", mmap_mode="r")
    image = Image(data, "YX")
    result = run(image, folder=tmp_path / "work", uncertainty=True, tile=128, **LEARNED)
    assert isinstance(result.maps["sd"], np.memmap)
    loaded = run(np.array(data), uncertainty=True, tile=128, **LEARNED)
    assert_array_equal(result.maps["sd"], loaded.maps["sd"])


def test_stored_planes_keep_theirs(noisy, tmp_path):
    """A run that is stopped after its first plane resumes with the map of that plane."""
    film = np.stack([noisy, noisy[::-1]])
    options = autodip.Options(device="cpu", independent=True, uncertainty=True, **LEARNED)
    place = Workplace(tmp_path / "work", {"file": "a"})
    steps = autodip.denoise_steps(film, options, axes="TYX", workplace=place)
    for progress in steps:
        if progress.plane == 1:
            break
    steps.close()
    stored = sorted((tmp_path / "work").glob("part-*.npz"))
    assert len(stored) == 1
    before = stored[0].stat().st_mtime_ns
    *_, last = autodip.denoise_steps(film, options, axes="TYX", workplace=place)
    whole = run(film, "TYX", independent=True, uncertainty=True, **LEARNED)
    assert stored[0].stat().st_mtime_ns == before
    assert_array_equal(last.result.maps["sd"], whole.maps["sd"])
    assert [one.errors for one in last.result.planes] == [one.errors for one in whole.planes]
    without = options.replace(uncertainty=False)
    *_, last = autodip.denoise_steps(film, without, axes="TYX", workplace=place)
    assert last.result.maps == {}  # results with another option are not taken


def test_the_option_is_a_switch():
    options = autodip.Options(uncertainty="yes")
    assert options.uncertainty is True
    assert dataclasses.replace(options, uncertainty="0").uncertainty is False
    with pytest.raises(ParameterError, match="uncertainty is 'perhaps'; it must be true"):
        autodip.Options(uncertainty="perhaps")
