"""Widget, command and Python give the same pixels; the viewer opens the files itself."""

import shlex

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal

pytest.importorskip("napari", reason="the plugin is tested where napari is installed")
pytest.importorskip(
    "qtpy.QtWidgets", reason="the plugin is tested with a binding of Qt", exc_type=ImportError
)

from qtpy.QtGui import QGuiApplication

from autodip import io
from autodip.choose.choice import Explicit
from autodip.cli.main import run
from autodip.image.image import Image
from autodip.pipeline.options import Options
from tests.napari.test_widget import choose, layer_of


@pytest.fixture
def clipboard(widget, settled):
    """Function that copies the run in the widget, and returns the text."""

    def copied(kind):
        QGuiApplication.clipboard().clear()
        widget.copy(kind)
        settled()
        return QGuiApplication.clipboard().text()

    return copied


def check(viewer, widget, settled, clipboard):
    """Run the widget, the command and the code; the pixels of all three are the same."""
    widget.denoise()
    settled()
    pixels = layer_of(viewer, "(denoised)").data
    made = layer_of(viewer, "(denoised)").metadata["autodip"]
    command, code = clipboard("command"), clipboard("python")
    assert made["command"] == command
    words = shlex.split(command)
    target = words[words.index("-o") + 1]
    assert run(words[1:]) == 0
    axes = "TYX" if "--axes" in words else None
    written = io.read(target, axes).data
    assert written.dtype == pixels.dtype
    assert_array_equal(written.reshape(pixels.shape), pixels)
    found = {}
    exec(compile(code.replace("_denoised.", "_by_python."), "copied", "exec"), found)
    assert_array_equal(found["result"].image.reshape(pixels.shape), pixels)
    again = io.read(target.replace("_denoised.", "_by_python."), axes)
    assert_array_equal(again.data.reshape(pixels.shape), pixels)
    return command


@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_a_plane_of_8_bits(viewer, widget, settled, clipboard, photographed, tmp_path, ending):
    path = tmp_path / f"my cells{ending}"
    io.write(path, Image(photographed, "YX"))
    viewer.open(path)
    settled()
    choose(widget.view.form.preset, "fast")
    choose(widget.view.form.specimen.findChildren(type(widget.view.form.preset))[0], "actin")
    command = check(viewer, widget, settled, clipboard)
    assert "--specimen actin --preset fast" in command


def test_a_film_that_is_fitted(viewer, widget, settled, clipboard, sample, tmp_path, monkeypatch):
    """With few iterations in all three, as with --iterations."""
    monkeypatch.setattr(Options, "explicit", property(lambda self: Explicit(iterations=3)))
    frames = np.stack([np.roll(sample[0], shift, 1) for shift in (0, 2)])
    tifffile.imwrite(tmp_path / "film.tif", frames)
    viewer.open(tmp_path / "film.tif")
    settled()
    choose(widget.view.form.axes, "TYX")
    widget.view.form.axes.activated.emit(0)
    settled()
    choose(widget.view.form.preset, "untrained")
    assert "--axes TYX" in check(viewer, widget, settled, clipboard)


def two_channels(path, sample):
    pixels = np.stack([sample[0], sample[0][::-1] // 2])
    names = {"axes": "CYX", "Channel": {"Name": ["DAPI", "Phalloidin"]}}
    tifffile.imwrite(path, pixels, photometric="minisblack", metadata=names)
    return pixels


def test_two_channels(viewer, widget, settled, clipboard, sample, tmp_path):
    path = tmp_path / "two.ome.tif"
    two_channels(path, sample)
    viewer.open(path)
    settled()
    assert widget.view.form.specimen.names() == ("nucleus", "actin")
    choose(widget.view.form.preset, "best")
    command = check(viewer, widget, settled, clipboard)
    assert "--specimen 0=nucleus,1=actin" in command
    assert (tmp_path / "two_denoised.ome.tif").exists()


def test_one_channel_of_a_file(viewer, widget, settled, clipboard, sample, tmp_path):
    path = tmp_path / "two.ome.tif"
    two_channels(path, sample)
    viewer.open(path, channel_axis=0)
    viewer.layers.selection.active = viewer.layers[1]
    settled()
    assert widget.view.form.specimen.names() == ("actin",)
    choose(widget.view.form.preset, "fast")
    assert "--channel 1" in check(viewer, widget, settled, clipboard)


def test_a_time_limit(viewer, widget, settled, clipboard, photographed, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", photographed)
    viewer.open(tmp_path / "a.tif")
    settled()
    widget.view.form.budget.setValue(30)
    assert not widget.view.form.preset.isEnabled()
    assert "--budget 30.0" in check(viewer, widget, settled, clipboard)


def test_changed_pixels_have_no_command(viewer, widget, settled, clipboard, sample, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", sample[0])
    (layer,) = viewer.open(tmp_path / "a.tif")
    settled()
    layer.data = layer.data + 1
    settled()
    assert clipboard("command") == ""
    assert "the pixels of this layer are not those of a.tif" in widget.view.controls.message.text()
