"""Buttons, progress and messages of the widget."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from autodip.napari.tally import Tally

_STEPS = 1000

_ERROR = "#e5484d"
"""Colour of errors; readable on dark and on light."""


class Controls(QWidget):
    """Buttons, progress and messages; while something runs, only Cancel can be clicked."""

    def __init__(self) -> None:
        super().__init__()
        self.run = _button("Denoise", "Denoise the whole layer, or the folder")
        self.preview = _button(
            "Preview", "Denoise 256 × 256 pixels in the middle of the view, in seconds"
        )
        self.cancel = _button("Cancel", "Stop, and keep what has been computed so far")
        self.command = _button("Copy as command", "Copy the command line that gives these pixels")
        self.python = _button("Copy as Python", "Copy the Python code that gives these pixels")
        self.bar = QProgressBar()
        self.bar.setRange(0, _STEPS)
        self.bar.setTextVisible(False)
        self.counts, self.message = QLabel(), QLabel()
        for label in (self.counts, self.message):
            label.setWordWrap(True)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        grid = QGridLayout()
        grid.addWidget(self.run, 0, 0)
        grid.addWidget(self.cancel, 0, 0)
        grid.addWidget(self.preview, 0, 1)
        grid.addWidget(self.command, 1, 0)
        grid.addWidget(self.python, 1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.addLayout(grid)
        for widget in (self.bar, self.counts, self.message):
            layout.addWidget(widget)
        self.set_running(False)
        self.say("")

    def set_running(self, running: bool) -> None:
        """Show that something runs, or that nothing does."""
        self.run.setVisible(not running)
        self.cancel.setVisible(running)
        for button in (self.preview, self.command, self.python):
            button.setEnabled(not running)
        self.bar.setVisible(running)
        self.counts.setVisible(running)
        self.bar.setValue(0)
        self.counts.setText("")

    def set_usable(self, layer: bool, folder: bool) -> None:
        """Allow what can be done with a layer, or with a folder."""
        self.run.setEnabled(layer or folder)
        self.command.setEnabled(layer or folder)
        self.preview.setEnabled(layer)
        self.python.setEnabled(layer)

    def show_counts(self, tally: Tally) -> None:
        """Show how far a run is."""
        self.bar.setValue(round(_STEPS * tally.fraction))
        self.counts.setText(tally.text)

    def say(self, text: str, *, error: bool = False) -> None:
        """Show one line, or none."""
        self.message.setText(text)
        self.message.setStyleSheet(f"color: {_ERROR}" if error else "")
        self.message.setVisible(bool(text))


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button
