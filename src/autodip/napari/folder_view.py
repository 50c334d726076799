"""Choice of a folder of files and of the folder for their outputs, and the list of the outcomes."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from autodip.errors import ParameterError
from autodip.napari.folder_runs import FileEnded, FolderEntries

_MARKS = {"done": "✓", "skipped": "–", "failed": "✗"}


class FolderPlace(QWidget):
    """Path of a folder, typed or chosen in a dialog."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        self.line = QLineEdit()
        self.line.setPlaceholderText(title)
        button = QPushButton("…")
        button.setToolTip(title)
        button.setMaximumWidth(32)
        button.clicked.connect(self._ask)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.line)
        layout.addWidget(button)

    def _ask(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self._title, self.line.text())
        if chosen:
            self.line.setText(chosen)


class FolderView(QWidget):
    """What is entered for a folder, and the outcomes of its files."""

    def __init__(self) -> None:
        super().__init__()
        self.folder, self.out = FolderPlace("Folder with images"), FolderPlace("Folder for results")
        self.recursive = QCheckBox("Include sub-folders")
        self.skip = QCheckBox("Skip files whose result exists")
        self.skip.setChecked(True)
        self.outcomes = QListWidget()
        self.outcomes.setMinimumHeight(90)
        self.outcomes.setWordWrap(True)
        self.outcomes.setVisible(False)
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Images", self.folder)
        form.addRow("Results", self.out)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.addLayout(form)
        layout.addWidget(self.recursive)
        layout.addWidget(self.skip)
        layout.addWidget(self.outcomes)

    def entries(self) -> FolderEntries:
        """What is entered; raises a ParameterError if a folder is missing."""
        folder, out = self.folder.line.text().strip(), self.out.line.text().strip()
        if not folder or not out:
            raise ParameterError("choose a folder with images, and another one for the results")
        return FolderEntries(
            folder=Path(folder),
            out=Path(out),
            recursive=self.recursive.isChecked(),
            skip=self.skip.isChecked(),
        )

    def begin(self) -> None:
        """Empty the list of outcomes."""
        self.outcomes.clear()
        self.outcomes.setVisible(True)

    def add(self, ended: FileEnded) -> None:
        """List the outcome of a file."""
        text = ended.message or ended.path.name
        self.outcomes.addItem(f"{_MARKS[ended.status]} {text}")
        self.outcomes.scrollToBottom()
