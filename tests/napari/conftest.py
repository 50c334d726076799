"""The real viewer of napari, without a window; its own pytest plugins are switched off."""

import os
import time
import warnings
from contextlib import suppress
from importlib import import_module, resources

import numpy as np
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

with warnings.catch_warnings(), suppress(ImportError):
    warnings.simplefilter("ignore")  # of napari and what it imports
    import_module("napari.layers")
    import_module("napari.qt")

THIRD_PARTY = ("ignore::DeprecationWarning:napari", "ignore::ResourceWarning")


def pytest_collection_modifyitems(items):
    for item in items:
        if "/napari/" in item.path.as_posix():
            for warning in THIRD_PARTY:
                item.add_marker(pytest.mark.filterwarnings(warning), append=False)


@pytest.fixture
def viewer(qtbot, monkeypatch):
    """Viewer that draws nothing, as the platform "offscreen" may lack OpenGL."""
    import napari  # noqa: PLC0415  (after the platform is set)
    import npe2  # noqa: PLC0415
    from vispy.gloo import gl  # noqa: PLC0415

    known = {gl.GL_EXTENSIONS: "", gl.GL_VERSION: "2.1"}
    monkeypatch.setattr(gl, "glGetParameter", lambda name: known.get(name, 2048))
    manager = npe2.PluginManager.instance()
    if "autodip" not in manager:
        path = resources.files("autodip.napari") / "napari.yaml"
        manager.register(npe2.PluginManifest.from_file(str(path)))
    viewer = napari.Viewer(show=False)
    yield viewer
    viewer.close()


@pytest.fixture
def widget(viewer, qtbot):
    """Widget of the plugin, docked in the viewer."""
    _, found = viewer.window.add_plugin_dock_widget("autodip", "Denoise")
    return found


@pytest.fixture
def settled(widget, qtbot):
    """Function that waits until the widget neither looks nor works."""

    def wait(seconds=20):
        qtbot.waitUntil(
            lambda: not (widget.looking.busy or widget.errand.busy), timeout=1000 * seconds
        )

    return wait


@pytest.fixture
def soon():
    """Function that waits for a condition without a window."""

    def wait(condition, seconds=10):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it takes too long"
            time.sleep(0.005)

    return wait


@pytest.fixture
def photographed(sample):
    """Noisy image of mitochondria, 64 x 64 pixels, uint8."""
    noisy = sample[0].astype(float)
    return np.clip(noisy / noisy.max() * 255, 0, 255).astype(np.uint8)
