"""What the widget shows: the layer or folder, the form, the controls, the last account."""

from __future__ import annotations

from html import escape
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QScrollArea, QSizePolicy, QTabWidget, QVBoxLayout, QWidget

from autodip.napari.account_view import AccountView
from autodip.napari.controls import Controls
from autodip.napari.folder_view import FolderView
from autodip.napari.form_view import FormView
from autodip.napari.look import Look

_WIDTH = 340
"""Smallest width of the widget, in pixels."""


class SurfaceView(QScrollArea):
    """What the widget shows; nothing is computed here."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.form, self.folder = QLabel(), FormView(), FolderView()
        self.controls, self.account = Controls(), AccountView()
        self.layer.setWordWrap(True)
        self.layer.setTextFormat(Qt.TextFormat.RichText)
        first = QWidget()
        of_layer = QVBoxLayout(first)
        of_layer.setContentsMargins(0, 6, 0, 0)
        of_layer.addWidget(self.layer)
        of_layer.addStretch()
        self.tabs = QTabWidget()
        self.tabs.addTab(first, "Selected layer")
        self.tabs.addTab(self.folder, "Folder of files")
        self.tabs.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.tabs.currentChanged.connect(self._fit_tabs)
        self._fit_tabs()
        inner = QWidget()
        column = QVBoxLayout(inner)
        for widget in (self.tabs, self.form, self.controls, self.account):
            column.addWidget(widget)
        column.addStretch()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(_WIDTH)
        self.setWidget(inner)

    @property
    def of_folder(self) -> bool:
        """Whether a folder is to be denoised, not a layer."""
        return bool(self.tabs.currentIndex() == 1)

    def _fit_tabs(self) -> None:
        """Let the page that is shown alone determine the height."""
        for place in range(self.tabs.count()):
            shown = place == self.tabs.currentIndex()
            kind = QSizePolicy.Policy.Preferred if shown else QSizePolicy.Policy.Ignored
            self.tabs.widget(place).setSizePolicy(QSizePolicy.Policy.Preferred, kind)
        self.tabs.adjustSize()

    def show_layer(self, name: str, data: Any) -> None:
        """Show the name, the size and the type of a layer."""
        size = " × ".join(map(str, data.shape))
        self.layer.setText(f"<b>{escape(name)}</b><br>{size}, {data.dtype}")

    def show_text(self, text: str) -> None:
        """Show a text in place of a layer."""
        self.layer.setText(escape(text))

    def show_look(self, look: Look) -> None:
        """Fill the form with what is known of a layer; for a folder, each file states it."""
        if self.of_folder:
            look = Look(axes=None)
        same = len(set(look.microscopes)) == 1  # as almost always
        self.form.microscope.fill(look.microscopes[:1] if same else look.microscopes, look.labels)
        self.form.specimen.fill(look.specimens, look.labels)

    def allow(self, *, layer: bool) -> None:
        """Allow what can be done with the folder, or with a layer if there is one."""
        self.controls.set_usable(layer and not self.of_folder, self.of_folder)
        self.form.set_axes_shown(not self.of_folder)
