"""The standard errors in the viewer: the box, the layer, the copied command and code."""

import shlex

import numpy as np
import pytest
from numpy.testing import assert_array_equal

pytest.importorskip("napari", reason="the plugin is tested where napari is installed")
pytest.importorskip(
    "qtpy.QtWidgets", reason="the plugin is tested with a binding of Qt", exc_type=ImportError
)

from autodip import io
from autodip.cli.main import run
from autodip.image.image import Image
from tests.napari.test_same_pixels import clipboard  # noqa: F401  (a fixture)
from tests.napari.test_widget import choose, layer_of


@pytest.fixture
def opened(viewer, widget, settled, sample, tmp_path):
    """Widget with a layer from a file, and the box ticked."""
    path = tmp_path / "cells.ome.tif"
    io.write(path, Image(sample[0], "YX", pixel_size={"X": 0.2, "Y": 0.1}))
    viewer.open(path)
    settled()
    choose(widget.view.form.preset, "fast")
    widget.view.form.uncertainty.setChecked(True)
    return widget


def button(widget, text):
    found = widget.view.account.findChildren(type(widget.view.controls.run))
    return next(one for one in found if one.text() == text)


def test_they_become_a_hidden_layer_in_grey_values(viewer, opened, settled):
    opened.denoise()
    settled()
    result, errors = layer_of(viewer, "(denoised)"), layer_of(viewer, "(standard error")
    assert errors.name == "cells.ome (standard error, grey values)"
    assert errors.data.dtype == np.float32
    assert errors.data.shape == result.data.shape
    assert not errors.visible
    assert errors.colormap.name == "inferno"
    assert_array_equal(errors.scale, result.scale)
    low, high = errors.contrast_limits
    assert (low, high) == (0, pytest.approx(np.percentile(errors.data, 99.5)))
    assert viewer.layers.selection.active is result
    assert "grey values in the median" in opened.view.account.text.text()
    count = len(viewer.layers)
    button(opened, "Show standard error").click()
    assert errors.visible
    assert len(viewer.layers) == count
    viewer.layers.remove(errors)
    button(opened, "Show standard error").click()
    assert layer_of(viewer, "(standard error").visible


def test_without_the_box_there_is_none(viewer, opened, settled):
    opened.view.form.uncertainty.setChecked(False)
    opened.denoise()
    settled()
    assert not any("standard error" in layer.name for layer in viewer.layers)


def test_command_and_code_write_the_same_file(viewer, opened, settled, clipboard):  # noqa: F811
    opened.denoise()
    settled()
    errors = layer_of(viewer, "(standard error").data
    words = shlex.split(clipboard("command"))
    assert words[-1] == "--uncertainty"
    assert run(words[1:]) == 0
    target = words[words.index("-o") + 1]
    by_command = target.replace("_denoised.", "_denoised.sd.")
    assert_array_equal(io.read(by_command).data, errors)
    code = clipboard("python")
    exec(compile(code.replace("_denoised.", "_by_python."), "copied", "exec"), {})
    by_python = io.read(target.replace("_denoised.", "_by_python.sd."))
    assert_array_equal(by_python.data, errors)
    assert by_python.pixel_size == io.read(target).pixel_size


def test_a_preview_offers_them(viewer, opened, settled):
    opened.preview()
    settled()
    assert not any("standard error" in layer.name for layer in viewer.layers)
    button(opened, "Show standard error").click()
    preview = layer_of(viewer, "(preview)")
    assert_array_equal(layer_of(viewer, "(standard error").translate, preview.translate)


def test_a_folder_gets_their_files(opened, settled, tmp_path):
    opened.view.tabs.setCurrentIndex(1)
    opened.view.folder.folder.line.setText(str(tmp_path))
    opened.view.folder.out.line.setText(str(tmp_path / "out"))
    assert "--uncertainty" in opened.view.folder.entries().command(opened.view.form.entries())
    opened.denoise()
    settled()
    assert (tmp_path / "out" / "cells.sd.ome.tif").exists()
