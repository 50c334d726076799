"""What is done to a layer, without a window and without Qt."""

import dataclasses
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal

import autodip
from autodip.errors import ParameterError
from autodip.image.image import Image
from autodip.napari import layer_runs, sample_images
from autodip.napari.account import Account
from autodip.napari.entries import Entries
from autodip.napari.layer_image import LayerFacts
from autodip.napari.layer_runs import Region
from autodip.napari.live import LivePixels
from autodip.napari.look import look_at
from autodip.napari.tally import Pace, Tally, time_left
from autodip.pipeline.result import Progress
from autodip.refine.combine import refine
from autodip.refine.refinement import RefineParams
from autodip.report.page.facts import facts_of
from autodip.report.page.material import Material
from autodip.runs.saving import sidecar_of
from autodip.util.cancelling import Cancelled, cancellable

WITHOUT_QT = (
    "account", "background", "entries", "folder_runs", "layer_image", "layer_runs", "live", "look",
    "new_layers", "repeat", "sample_images", "tally", "target",
)  # fmt: skip


def test_neither_qt_nor_napari_is_needed():
    code = f"""
import sys
sys.modules.update(dict.fromkeys(("qtpy", "napari", "PySide6", "PyQt6")))
for name in {WITHOUT_QT!r}:
    __import__("autodip.napari." + name)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def facts(pixels, **more):
    return LayerFacts("cells", pixels, **more)


def test_the_pixels_are_those_of_denoise(sample):
    news = []
    entries = Entries(microscopes=("widefield",), specimens=("actin",), preset="fast")
    found = layer_runs.denoise_layer(facts(sample[0]), entries, news.append)
    own = autodip.denoise(sample[0], microscope="widefield", specimen="actin", preset="fast")
    assert_array_equal(found.pixels, own.image)
    live = [one for one in news if isinstance(one, LivePixels)]
    assert live[-1].finished == 1
    assert_array_equal(live[-1].pixels, own.image)  # whole numbers, so float32 holds them
    assert found.provenance["options"] == entries.keywords()


def test_floats_below_zero_and_without_a_value(sample):
    pixels = sample[0].astype(np.float32) - 300
    pixels[:20, :20] = np.nan
    found = layer_runs.denoise_layer(facts(pixels), Entries(preset="fast"), lambda news: None)
    assert found.pixels.dtype == np.float32
    assert_array_equal(np.isnan(found.pixels), np.isnan(pixels))
    assert found.pixels[30:].mean() == pytest.approx(pixels[30:].mean(), abs=2)
    assert any("hold no measurement" in note for note in found.account.notes)


def test_windows_grow_into_the_plane(sample):
    news = []
    wide = np.tile(sample[0], (2, 4))
    image = Image(wide, "YX")
    engine = layer_runs.LiveEngine(image, news.append)
    options = autodip.Options(preset="fast", tile=128)
    *_, last = autodip.denoise_steps(image, options, workplace=layer_runs.Workplace(engine=engine))
    assert np.isfinite(news[-1].pixels).all()
    assert news[-1].finished == len(last.result.planes) > 1
    assert np.abs(news[-1].pixels - last.result.image).max() < np.ptp(wide) / 4


def test_a_run_ends_within_the_passes_of_the_prior(sample):
    """At the check before one of the orientations of the last pass."""
    asked = [0]

    def enough():
        asked[0] += 1
        return asked[0] > 12

    entries, news = Entries(preset="best"), []
    with cancellable(enough), pytest.raises(Cancelled):
        layer_runs.denoise_layer(facts(sample[0]), entries, news.append)
    live = [one for one in news if isinstance(one, LivePixels)]
    assert np.isfinite(live[-1].pixels).all()  # that of the first pass
    assert live[-1].finished == 0


def test_the_refinement_ends_within(sample):
    noisy = sample[0].astype(float)
    noise = autodip.estimate_noise(noisy)
    asked = []

    def count():
        asked.append(1)
        return False

    with cancellable(count):
        whole = refine(noisy, noisy, noise, RefineParams())
    assert_array_equal(whole, refine(noisy, noisy, noise, RefineParams()))
    assert len(asked) > 400
    for last in (1, 3, 200, len(asked) - 1):
        left = [0]

        def enough(left=left, last=last):
            left[0] += 1
            return left[0] > last

        with cancellable(enough), pytest.raises(Cancelled):
            refine(noisy, noisy, noise, RefineParams())


def test_a_preview_is_of_one_channel(sample):
    pixels = np.stack([sample[0], sample[0] // 2])
    entries = Entries(specimens=("nucleus", "actin"), preset="fast")
    region = Region.around((1, 30, 30), pixels.shape, "CYX")
    assert region.corner == (1, 0, 0)
    found = layer_runs.preview_layer(facts(pixels), entries, "CYX", region, lambda news: None)
    assert found.pixels.shape == (1, 64, 64)
    assert found.provenance["options"]["specimen"] == "actin"


def test_a_layer_may_have_an_axis_of_length_1_that_its_file_lacks(sample, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", sample[0])
    one = facts(sample[0][None], path=tmp_path / "a.tif")
    news = []
    found = layer_runs.denoise_layer(one, Entries(preset="fast"), news.append)
    live = [each for each in news if isinstance(each, LivePixels)]
    assert found.pixels.shape == found.noisy.shape == live[-1].pixels.shape == (1, 64, 64)
    region = Region.around((0, 30, 30), (1, 64, 64), "YX")
    preview = layer_runs.preview_layer(one, Entries(preset="fast"), "YX", region, news.append)
    assert_array_equal(preview.pixels, found.pixels)


def test_regions_lie_within_the_layer():
    around = Region.around((0.4, -50, 1e6), (3, 500, 100), "TYX")
    assert around.ranges == (slice(0, 1), slice(0, 256), slice(0, 100))
    assert Region.around((300, 2), (500, 500), "YX").corner == (172, 0)


def test_entries_for_other_channels_are_refused(sample):
    entries = Entries(specimens=("mito", "actin"))
    with pytest.raises(ParameterError, match="2 channels were entered, but this layer has 1"):
        layer_runs.denoise_layer(facts(sample[0]), entries, lambda news: None)


@pytest.mark.parametrize("make", [sample_images.still, sample_images.film, sample_images.channels])
def test_samples_state_what_they_are(make):
    ((pixels, keywords, kind),) = make()
    assert kind == "image"
    assert pixels.dtype == np.uint16
    assert len(keywords["scale"]) == len(keywords["units"]) == pixels.ndim
    labels = tuple(keywords["axis_labels"])
    found = look_at(
        LayerFacts("x", pixels, labels=labels, metadata=keywords["metadata"]), None, print
    )
    assert found.axes == "".join(labels).upper()
    assert set(found.microscopes) == {"confocal"}
    assert "other" not in found.specimens


def test_the_film_moves():
    ((frames, _, _),) = sample_images.film()
    still, moved = frames[0, :, 1:].astype(float), frames[1, :, :-1].astype(float)
    together = np.corrcoef(still.ravel(), moved.ravel())[0, 1]
    assert together > np.corrcoef(frames[0].ravel(), frames[1].ravel())[0, 1] + 0.02


def test_counts_as_text():
    step = SimpleNamespace(iteration=120, iterations=400)
    tally = Tally.of(Progress(1, 6, step), file=2, files=5, left=12.3)
    assert tally.text == "file 2 of 5 · plane 2 of 6 · iteration 120 of 400 · about 12 s left"
    step = SimpleNamespace(iteration=1, iterations=2)
    assert Tally.of(Progress(0, 1, step), left=1000).text == "pass 1 of 2 · about 17 min left"
    assert Tally().text == "preparing"


def test_the_first_plane_of_a_film_takes_most_of_the_time():
    pace = Pace(planes=3, following=0.1, refining=0.5)
    pace.take(SimpleNamespace(iteration=10, iterations=10))
    assert pace.fraction == pytest.approx(0.5 / 1.2)  # the refinement is still to come
    pace.end()
    assert pace.fraction == pytest.approx(1 / 1.2)
    pace.end()
    pace.end()
    assert pace.fraction == pytest.approx(1)


def test_the_last_pass_takes_most_of_the_time():
    pace = Pace(runs=(1, 10))
    pace.take(SimpleNamespace(iteration=1, iterations=2))
    assert pace.fraction == pytest.approx(0.1)


def test_the_time_left_comes_from_the_prediction_and_then_from_the_clock():
    assert time_left(0.0, 0.0, None) is None
    assert time_left(0.0, 1.0, 10.0) == 9
    assert time_left(0.5, 10.0, 1000.0) == 10
    assert 10 < time_left(0.1, 10.0, 10.0) < 90


def test_doubts_are_marked():
    """A result that lacks structure, and light, is noticed."""
    noisy = sample_images.still()[0][0]
    result = autodip.denoise(noisy, preset="fast")
    flat = np.full_like(noisy, noisy.mean() * 1.1)
    good = Account.of(Image(noisy, "YX"), result)
    bad = Account.of(Image(noisy, "YX"), dataclasses.replace(result, image=flat))
    assert [one.name for one in good.findings if one.doubtful] == []
    names = [one.name for one in bad.findings if one.doubtful]
    assert {"Structure removed", "Intensities"} <= set(names)


def test_structure_removed_is_what_the_page_states():
    """Both compare what was removed with the recorded noise, also around defects."""
    noisy = sample_images.still()[0][0].copy()
    noisy[:20, :30], noisy[50, 50] = 0, 60000
    result = autodip.denoise(noisy, preset="fast")
    image = Image(noisy, "YX")
    found = {one.name: one.value for one in Account.of(image, result).findings}
    material = Material.of(image, result, sidecar_of(image, result))
    white = facts_of(material)[0].examined.white
    assert found["Structure removed"] == f"{white.excess:.3f} (0 is none)"


def test_standard_errors_are_part_of_the_account():
    noisy = sample_images.still()[0][0]
    result = autodip.denoise(noisy, preset="fast", uncertainty=True)
    found = {one.name: one for one in Account.of(Image(noisy, "YX"), result).findings}
    assert f"{result.planes[0].errors.median:.3g} grey values" in found["Standard error"].value
