"""Picture of the plugin for napari: opens the viewer with a sample, runs the widget, saves a PNG.

    xvfb-run -s "-screen 0 1400x900x24" python examples/napari_screenshot.py napari.png

Options: the name of another sample (``film`` or ``channels``), and ``--theme light``.
"""

import argparse
import time
from importlib import resources
from pathlib import Path

import napari
import npe2
from PIL import Image
from qtpy.QtWidgets import QApplication

WIDTH, HEIGHT = 1400, 900


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--sample", default="still")
    parser.add_argument("--theme", default="dark")
    parser.add_argument("--preset", default="balanced")
    arguments = parser.parse_args()
    register()
    viewer = napari.Viewer(title="autodip in napari", show=False)
    viewer.theme = arguments.theme
    viewer.show()
    viewer.window.resize(WIDTH, HEIGHT)
    viewer.open_sample("autodip", arguments.sample)
    _, widget = viewer.window.add_plugin_dock_widget("autodip", "Denoise")
    wait(lambda: widget.looking.busy)
    form = widget.view.form
    form.preset.setCurrentIndex(form.preset.findData(arguments.preset))
    form.uncertainty.setChecked(True)
    widget.denoise()
    wait(lambda: widget.errand.busy)
    for button in widget.view.account.findChildren(type(widget.view.controls.run)):
        if button.text() in ("Show what was removed", "Show standard error"):
            button.click()
    getattr(viewer, "canvas", viewer).grid.enabled = True
    viewer.reset_view()
    wait(lambda: False, least=1.0)
    viewer.screenshot(str(arguments.out), canvas_only=False, flash=False)
    shrink(arguments.out)
    viewer.close()


def register() -> None:
    """Make the plugin known to napari where the package is imported from its sources."""
    manager = npe2.PluginManager.instance()
    manager.discover()
    if "autodip" not in manager:
        path = resources.files("autodip.napari") / "napari.yaml"
        manager.register(npe2.PluginManifest.from_file(str(path)))


def wait(busy, *, least: float = 0.0) -> None:
    """Let the window work while it is busy, and for at least some seconds."""
    start = time.monotonic()
    while busy() or time.monotonic() - start < least:
        QApplication.processEvents()
        time.sleep(0.02)


def shrink(path: Path) -> None:
    """Save the picture again with 256 colours."""
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


if __name__ == "__main__":
    main()
