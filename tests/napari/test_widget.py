import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

pytest.importorskip("napari", reason="the plugin is tested where napari is installed")
pytest.importorskip(
    "qtpy.QtWidgets", reason="the plugin is tested with a binding of Qt", exc_type=ImportError
)

from napari.layers import Image, Labels
from qtpy.QtGui import QDesktopServices

from autodip.napari import errand, layer_runs
from autodip.pipeline import execute


def choose(box, value):
    place = box.findData(value)
    assert place >= 0
    box.setCurrentIndex(place)


def message(widget):
    return widget.view.controls.message.text()


def layer_of(viewer, ending):
    return next(layer for layer in viewer.layers if ending in layer.name)


@pytest.fixture
def image(viewer, sample):
    """Layer with everything that its result has to take over."""
    return viewer.add_image(
        sample[0],
        name="cells",
        scale=(0.2, 0.1),
        translate=(5, 7),
        rotate=10,
        units=("um", "um"),
        axis_labels=("y", "x"),
        contrast_limits=(90, 400),
        colormap="magenta",
        gamma=0.8,
        blending="additive",
        metadata={"microscope": "Leica SP8 confocal", "dye": "MitoTracker"},
    )


def test_it_opens_from_the_menu_with_a_sample_and_fills_in_what_is_known(viewer, widget, settled):
    viewer.open_sample("autodip", "channels")
    settled()
    form = widget.view.form
    assert form.microscope.names() == ("confocal",)
    assert form.specimen.names() == ("nucleus", "actin")
    assert form.axes.currentData() == "CYX"
    assert "2 × 256 × 256, uint16" in widget.view.layer.text()


def test_the_result_lies_over_its_source_and_looks_like_it(viewer, image, widget, settled):
    settled()
    assert widget.view.form.microscope.names() == ("confocal",)
    assert widget.view.form.specimen.names() == ("mito",)
    choose(widget.view.form.preset, "fast")
    widget.denoise()
    settled()
    result = layer_of(viewer, "(denoised)")
    for name in ("scale", "translate", "rotate", "contrast_limits", "gamma"):
        assert_array_equal(getattr(result, name), getattr(image, name))
    for name in ("units", "axis_labels", "blending"):
        assert getattr(result, name) == getattr(image, name)
    assert result.colormap.name == "magenta"
    assert result.data.dtype == image.data.dtype
    assert result.metadata["dye"] == "MitoTracker"
    made = result.metadata["autodip"]
    assert made["options"]["preset"] == "fast"
    assert made["plan"][0]["choice"]["prior"]["passes"] == 2
    assert 0 < result.data.std() < image.data.std()


def test_she_sees_what_was_done_and_why_to_believe_it(viewer, image, widget, settled):
    settled()
    widget.denoise()
    settled()
    view = widget.view.account
    text = view.text.text()
    assert view.isVisibleTo(widget)
    for words in ("learned prior", "<b>Noise</b>", "expected noise", "Structure removed", "mean "):
        assert words in text
    button = view.findChild(type(widget.view.controls.run))
    assert button.text() == "Show what was removed"
    button.click()
    removed = layer_of(viewer, "cells (removed)")
    result = layer_of(viewer, "(denoised)")
    assert_array_equal(removed.data, image.data.astype("f4") - result.data.astype("f4"))
    assert_array_equal(removed.translate, image.translate)
    low, high = removed.contrast_limits
    assert low == -high


def test_the_report_opens_in_the_browser(viewer, image, widget, settled, monkeypatch):
    shown = []
    monkeypatch.setattr(QDesktopServices, "openUrl", shown.append)
    settled()
    widget.denoise()
    settled()
    buttons = widget.view.findChildren(type(widget.view.controls.run))
    (button,) = (one for one in buttons if one.text() == "Open the report")
    button.click()
    settled()
    (url,) = shown
    page = Path(url.toLocalFile()).read_text(encoding="utf-8")
    assert "<title>cells" in page
    assert "What was removed" in page


def test_maps_of_the_method_are_layers_on_demand(viewer, image, widget, settled, monkeypatch):
    own = execute.compute_tasks

    def with_map(tasks):
        for step in own(tasks):
            if hasattr(step, "maps"):
                step.maps.update(error=np.ones(step.pixels.shape, np.float32))
            yield step

    monkeypatch.setattr(execute, "compute_tasks", with_map)
    settled()
    widget.denoise()
    settled()
    buttons = widget.view.account.findChildren(type(widget.view.controls.run))
    next(one for one in buttons if one.text() == "Show error").click()
    assert (layer_of(viewer, "cells (error)").data == 1).all()


def test_the_result_is_selected_but_the_source_stays_the_target(viewer, image, widget, settled):
    settled()
    widget.denoise()
    settled()
    assert viewer.layers.selection.active.name == "cells (denoised)"
    assert "<b>cells</b>" in widget.view.layer.text()
    first = widget.view.account.text.text()
    other = viewer.add_image(image.data[::-1].copy(), name="others")
    settled()
    widget.denoise()
    settled()
    assert "others" in widget.view.account.text.text()
    viewer.layers.selection.active = layer_of(viewer, "cells (denoised)")
    assert widget.view.account.text.text() == first
    assert other.name in widget.view.layer.text()


def test_a_second_click_does_nothing(viewer, image, widget, settled):
    settled()
    widget.denoise()
    controls = widget.view.controls
    assert not controls.run.isVisibleTo(widget)
    assert not controls.preview.isEnabled()
    widget.denoise()
    widget.preview()
    settled()
    assert len(viewer.layers) == 2
    assert controls.run.isVisibleTo(widget)


def test_the_growing_result_is_seen(viewer, image, widget, settled, qtbot, monkeypatch):
    """The run waits after its first picture until that is a layer."""
    own, seen = execute.compute_tasks, threading.Event()

    def waiting(tasks):
        for step in own(tasks):
            yield step
            seen.wait(10)

    monkeypatch.setattr(execute, "compute_tasks", waiting)
    settled()
    widget.denoise()
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=10_000)
    running = viewer.layers[1]
    assert "running" in running.name
    assert np.isfinite(running.data).all()
    seen.set()
    settled()
    assert [layer.name for layer in viewer.layers] == ["cells", "cells (denoised)"]


def test_a_preview_lies_in_the_middle_of_the_view(viewer, widget, settled, sample):
    film = np.tile(sample[0], (3, 5, 5))
    layer = viewer.add_image(film, scale=(1, 0.1, 0.1), axis_labels=("t", "y", "x"), rotate=20)
    viewer.dims.set_current_step(0, 1)
    settled()
    choose(widget.view.form.preset, "fast")
    widget.preview()
    settled()
    preview = layer_of(viewer, "preview")
    assert preview.data.shape == (1, 256, 256)
    middle = preview.data_to_world((0, 128, 128))
    assert np.allclose(middle, layer.data_to_world((1, 160, 160)), atol=0.11)
    widget.preview()
    settled()
    assert len(viewer.layers) == 2


def test_a_film_needs_to_know_its_dimensions(viewer, widget, settled, sample):
    viewer.add_image(np.stack([sample[0]] * 2), name="film")
    settled()
    assert "specify what the 3 dimensions" in message(widget)
    widget.denoise()
    settled()
    assert "specify what the 3 dimensions" in message(widget)
    choose(widget.view.form.axes, "CYX")
    widget.view.form.axes.activated.emit(0)
    settled()
    assert len(widget.view.form.specimen.names()) == 2
    choose(widget.view.form.preset, "fast")
    widget.denoise()
    settled()
    assert layer_of(viewer, "denoised").data.shape == (2, 64, 64)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Image(np.zeros((8, 8, 3), np.uint8), rgb=True), "Split RGB"),
        (lambda: Labels(np.zeros((8, 8), int)), "select an image layer"),
        (lambda: Image(np.ones((64, 64))), "constant image"),
        (lambda: Image(np.full((64, 64), np.nan)), "nothing to denoise"),
        (lambda: Image(np.zeros((64, 64), bool)), "real numbers are needed"),
    ],
)
def test_what_cannot_be_denoised_is_one_line(viewer, widget, settled, make, words):
    viewer.add_layer(make())
    settled()
    widget.denoise()
    settled()
    shown = widget.view.layer.text() + message(widget)
    assert words in shown
    assert "Traceback" not in shown
    assert len(viewer.layers) == 1


def test_an_unexpected_error_is_one_line_too(viewer, image, widget, settled, monkeypatch, caplog):
    def broken(tasks):
        raise KeyError("gone")

    monkeypatch.setattr(execute, "compute_tasks", broken)
    settled()
    widget.denoise()
    settled()
    assert message(widget) == "unexpected KeyError: 'gone'"
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("kind", ["command", "python"])
def test_a_layer_without_a_file_has_no_command(viewer, image, widget, settled, kind):
    settled()
    widget.copy(kind)
    settled()
    assert "save it (File > Save Selected Layers…" in message(widget)


def test_what_cannot_be_understood_is_not_run(viewer, image, widget, settled):
    settled()
    widget.view.form.budget.setValue(0.001)
    widget.view.form.budget.setDecimals(3)
    widget.view.form.budget.setValue(0.001)
    widget.denoise()
    settled()
    assert "a budget of 0.001 s is too small" in message(widget)


def stopped(work):
    return work.wait(1.0)


@pytest.fixture
def begun(viewer, image, widget, settled, qtbot, monkeypatch):
    """A run that would take long, and of which the first picture is there."""
    own = execute.compute_tasks

    def slow(tasks):
        for step in own(tasks):
            yield step
            from autodip.util.cancelling import check  # noqa: PLC0415

            for _ in range(3000):
                check()
                threading.Event().wait(0.01)

    monkeypatch.setattr(execute, "compute_tasks", slow)
    works = []
    start = errand.Background.start
    monkeypatch.setattr(
        errand.Background, "start", lambda self: [works.append(self), start(self)][1]
    )
    settled()
    widget.denoise()
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=10_000)
    return works[-1]


def test_cancelling_keeps_what_there_is(viewer, widget, settled, begun):
    widget.view.controls.cancel.click()
    assert stopped(begun)
    settled(1)
    kept = layer_of(viewer, "interrupted")
    assert np.isfinite(kept.data).all()
    assert "interrupted" in kept.metadata["autodip"]
    assert "kept" in message(widget)
    assert widget.view.controls.run.isVisibleTo(widget)


def test_deleting_the_source_stops_the_run(viewer, image, settled, begun):
    viewer.layers.remove(image)
    assert stopped(begun)
    settled(1)


def test_deleting_the_growing_result_stops_the_run(viewer, settled, begun):
    viewer.layers.remove(viewer.layers[1])
    assert stopped(begun)
    settled(1)


def test_closing_the_dock_stops_the_run(viewer, widget, begun, qtbot):
    viewer.window.remove_dock_widget(widget)
    qtbot.waitUntil(lambda: begun.ended, timeout=1000)


def test_closing_the_viewer_stops_the_run(viewer, begun, qtbot):
    viewer.close()
    qtbot.waitUntil(lambda: begun.ended, timeout=1000)


def test_what_does_not_end_is_left_alone_and_the_next_waits_for_it(
    viewer, image, widget, settled, qtbot, monkeypatch
):
    own, free = layer_runs.denoise_layer, threading.Event()

    def deaf(facts, entries, tell):
        free.wait(10)
        return own(facts, entries, tell)

    monkeypatch.setattr(layer_runs, "denoise_layer", deaf)
    settled()
    widget.denoise()
    widget.errand.cancel()
    settled(1)
    assert message(widget) == "Stopped before there was a result."
    monkeypatch.setattr(layer_runs, "denoise_layer", own)
    widget.denoise()
    qtbot.wait(100)
    assert widget.errand.busy
    free.set()
    settled()
    assert layer_of(viewer, "denoised")
