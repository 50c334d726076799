"""The widget of the plugin: what is selected and entered, what runs, and what comes of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from qtpy.QtCore import QEvent
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QVBoxLayout, QWidget

from autodip.errors import AutodipError
from autodip.napari import layer_runs, new_layers
from autodip.napari.background import Background, Tell
from autodip.napari.entries import Entries
from autodip.napari.errand import Errand
from autodip.napari.folder_runs import FileEnded, denoise_folder
from autodip.napari.layer_image import LayerFacts
from autodip.napari.layer_runs import DenoisedLayer, Region, Repeats
from autodip.napari.live import LivePixels
from autodip.napari.live_layer import LiveLayer, add, placed
from autodip.napari.look import Look
from autodip.napari.looking import Looking
from autodip.napari.opened_page import open_page, write_page
from autodip.napari.results import Results
from autodip.napari.surface_view import SurfaceView
from autodip.napari.tally import Tally
from autodip.napari.target import Target

_NO_LAYER = "Select an image layer, or open a sample (File > Open Sample > autodip)."

_KEPT = "Stopped; what had been computed is kept in the layer marked as interrupted."
_NOTHING = "Stopped before there was a result."
_RESUMES = "Stopped; finished files are kept, and Denoise with the same settings resumes."


class DenoiseWidget(QWidget):
    """Denoise the selected layer, or a folder.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        # What napari hands to a plugin is a new proxy at every access, which cannot be kept.
        viewer = inspect.unwrap(napari_viewer)
        self._viewer = viewer
        self.view = SurfaceView()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view)
        self.errand, self.looking = Errand(self), Looking(self)
        self._facts: LayerFacts | None = None
        self._look = Look(axes=None)
        self._live: LiveLayer | None = None
        self._tally = Tally()
        self._finish: Callable[[Any], None] = lambda outcome: None
        self.results = Results(viewer, self.view.account, self._open_report)
        self._connect()
        target = Target(viewer, self._layer_changed, self._layer_selected, self._layer_gone)
        self._target = target
        self.destroyed.connect(target.close)
        self._layer_changed()

    def _connect(self) -> None:
        controls, view = self.view.controls, self.view
        controls.run.clicked.connect(self.denoise)
        controls.preview.clicked.connect(self.preview)
        controls.cancel.clicked.connect(self.errand.cancel)
        controls.command.clicked.connect(lambda: self.copy("command"))
        controls.python.clicked.connect(lambda: self.copy("python"))
        view.form.axes.activated.connect(self._axes_entered)
        view.tabs.currentChanged.connect(self._show_look)
        self.errand.told.connect(self._hear)
        self.errand.ended.connect(self._end)
        self.looking.found.connect(self._looked)

    def event(self, event: QEvent) -> bool:
        """Stop a run when the widget is taken out of the window."""
        if event.type() == QEvent.Type.ParentChange and self.parentWidget() is None:
            self.errand.cancel()
        return bool(super().event(event))

    # What is selected

    def _layer_changed(self) -> None:
        """Show the layer that is to be denoised, and look at it in the background."""
        layer = self._target.layer
        self._facts, self._look = None, Look(axes=None)
        try:
            if layer is not None:
                self._facts = LayerFacts.of(layer)
                self.view.show_layer(self._facts.name, self._facts.data)
            else:
                self.view.show_text(_NO_LAYER)
        except AutodipError as error:
            self.view.show_text(str(error))
        dimensions = 2 if self._facts is None else self._facts.data.ndim
        self.view.form.ask_axes(dimensions, None)
        self._ask(None)

    def _axes_entered(self) -> None:
        self._ask(self.view.form.axes.currentData() or None)

    def _ask(self, axes: str | None) -> None:
        self._entered_axes = axes
        self.looking.ask(self._facts, axes)
        self._allow()

    def _looked(self, look: Look) -> None:
        self._look = look
        if self._entered_axes is None and self._facts is not None:
            self.view.form.ask_axes(self._facts.data.ndim, look.axes)
        self._show_look()
        if not self.errand.busy:
            self.view.controls.say(look.reason)

    def _show_look(self) -> None:
        self.view.show_look(self._look)
        self._allow()

    def _allow(self) -> None:
        if not self.errand.busy:
            self.view.allow(layer=self._facts is not None and not self.looking.busy)

    def _layer_selected(self, layer: Any) -> None:
        if layer in self.results:
            self.results.show(layer)

    def _layer_gone(self, layer: Any) -> None:
        """Stop a run whose source or result was deleted."""
        live = self._live
        if live is not None and layer in (live.source, live.layer):
            self.errand.cancel()

    # What runs

    def denoise(self) -> None:
        """Denoise the layer, or the folder."""
        if self.view.of_folder:
            self._try(self._denoise_folder)
        else:
            self._try(self._denoise_layer)

    def preview(self) -> None:
        """Denoise a region around the middle of the view."""
        self._try(self._preview)

    def copy(self, kind: str) -> None:
        """Copy the ``command`` or the ``python`` that gives the same pixels."""
        self._try(partial(self._copy_of_folder if self.view.of_folder else self._copy, kind))

    def _try(self, action: Callable[[], None]) -> None:
        """Begin an action unless another one runs; an error is shown as one line."""
        if self.errand.busy:
            return
        self.view.controls.say("")
        try:
            action()
        except AutodipError as error:
            self.view.controls.say(str(error), error=True)

    def _begin(self, work: Callable[[Tell], Any], finish: Callable[[Any], None]) -> None:
        self._finish, self._tally = finish, Tally()
        self.errand.start(work)
        self.view.controls.set_running(True)

    def _denoise_layer(self) -> None:
        facts = self._current_facts()
        self._live = LiveLayer(self._viewer, self._target.layer)
        work = partial(layer_runs.denoise_layer, facts, self._entries())
        self._begin(work, self._finish_layer)

    def _finish_layer(self, outcome: DenoisedLayer) -> None:
        assert self._live is not None  # begun with one
        layer, self._live = self._live.finish(outcome), None
        self.results.keep_with_errors(layer, outcome)

    def _preview(self) -> None:
        facts, layer, axes = self._current_facts(), self._target.layer, self._look.axes
        if axes is None:
            self.view.controls.say(self._look.reason, error=True)
            return
        middle = layer.world_to_data(self._middle())
        region = Region.around(middle[-layer.ndim :], facts.data.shape, axes)
        work = partial(layer_runs.preview_layer, facts, self._entries(), axes, region)
        self._begin(work, partial(self._finish_preview, layer, region))

    def _finish_preview(self, source: Any, region: Region, outcome: DenoisedLayer) -> None:
        keywords = source.as_layer_data_tuple()[1]
        made = new_layers.preview(outcome, keywords, placed(source, region))
        for old in [one for one in self._viewer.layers if one.name == made[1]["name"]]:
            self._viewer.layers.remove(old)
        self.results.keep(add(self._viewer, made), outcome)

    def _denoise_folder(self) -> None:
        places = self.view.folder.entries()
        self.view.folder.begin()
        self._begin(partial(denoise_folder, self._entries(), places), self.view.controls.say)

    def _copy(self, kind: str) -> None:
        work = partial(layer_runs.repeats_of, self._current_facts(), self._entries())
        self._begin(work, partial(self._finish_copy, kind))

    def _copy_of_folder(self, kind: str) -> None:
        command = self.view.folder.entries().command(self._entries())
        self._finish_copy("command", Repeats(command))

    def _finish_copy(self, kind: str, repeats: Repeats) -> None:
        text = repeats.command if kind == "command" else repeats.python
        if text:
            QGuiApplication.clipboard().setText(text)
            self.view.controls.say(f"Copied; paste it where you need it:\n{text}")
        else:
            self.view.controls.say(repeats.reason, error=True)

    def _hear(self, news: Any) -> None:
        if isinstance(news, Tally):
            self._tally = news
            self.view.controls.show_counts(news)
        elif isinstance(news, LivePixels) and self._live is not None:
            self._live.show(news)
        elif isinstance(news, FileEnded):
            self.view.folder.add(news)

    def _end(self, work: Background) -> None:
        self.view.controls.set_running(False)
        live = self._live
        if work.cancelled and work.outcome is None:
            kept = None if live is None else live.interrupt(self._tally)
            nothing = _RESUMES if self.view.of_folder else _NOTHING
            self.view.controls.say(nothing if kept is None else _KEPT)
        elif work.error:
            if live is not None:
                live.discard()
            self.view.controls.say(work.error, error=True)
        else:
            self._finish(work.outcome)
        self._live = None
        self._allow()

    # What comes of it

    def _open_report(self, outcome: DenoisedLayer) -> None:
        self._try(partial(self._begin, partial(write_page, outcome), open_page))

    # What is entered

    def _current_facts(self) -> LayerFacts:
        """Facts of the layer as it is now; raises an ImageError if it cannot be denoised."""
        return LayerFacts.of(self._target.layer)

    def _entries(self) -> Entries:
        known = None if self._entered_axes else self._look.axes
        return self.view.form.entries(own_axes=known)

    def _middle(self) -> tuple[float, ...]:
        """Middle of what is shown, in world coordinates."""
        scene = getattr(self._viewer, "scene", self._viewer)  # before 0.9 the viewer itself
        dims, centre = self._viewer.dims, scene.camera.center
        point = list(dims.point)
        for axis, at in zip(dims.displayed, centre[-len(dims.displayed) :], strict=True):
            point[axis] = at
        return tuple(point)
