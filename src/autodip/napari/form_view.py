"""Form in which a run is described: microscope, specimens, preset, time limit, device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QGridLayout,
    QLabel,
    QWidget,
)

from autodip.choose.presets import PRESETS
from autodip.choose.vocabulary import MICROSCOPES, SPECIMENS
from autodip.napari.entries import OTHER, Entries
from autodip.napari.layer_image import AXES

_FROM_FILE = "as the file states"

_PRESET_WORDS = {
    "fast": ("quickest", "The learned prior, applied to the image as it is"),
    "balanced": ("recommended", "The learned prior, averaged over 8 turned copies of the image"),
    "best": ("finest", "The learned prior, averaged over 32 turned and shifted copies"),
    "untrained": ("image alone", "A network that has seen no other image, fitted to this one"),
    "published": ("AUTO-DIP, slow", "AUTO-DIP as published; takes minutes to hours"),
    "original": ("first method, slow", "The first deep image prior (2018); takes minutes to hours"),
}

_DEVICES = {"auto": "automatic", "cpu": "processor (cpu)", "cuda": "NVIDIA (cuda)", "mps": "Apple"}

_LABEL = 14
"""Characters of the name of a channel that are shown."""

_NAMES_MATTER = (
    "The presets fast, balanced, best and untrained give the same result for every microscope and "
    "specimen; they select the parameters of published."
)


class NameRows(QWidget):
    """Choice of a name for each channel, or of one for all."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__()
        self._names = [*names, OTHER]
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setColumnStretch(1, 1)
        self._boxes: list[QComboBox] = []
        self.fill([""], [""])

    def fill(self, names: Sequence[str], labels: Sequence[str]) -> None:
        """Show one row for each name, with its label if there are several.

        The name "" leaves it to the file.
        """
        while self._grid.count():
            old = self._grid.takeAt(0).widget()
            old.setParent(None)
            old.deleteLater()
        self._boxes = []
        for row, (name, label) in enumerate(zip(names, labels, strict=False)):
            box = combo({"": _FROM_FILE} if name == "" else {}, dict.fromkeys(self._names))
            box.setCurrentIndex(max(0, box.findData(name)))
            box.setToolTip(_NAMES_MATTER)
            if len(names) > 1:
                text = QLabel(label if len(label) <= _LABEL else label[: _LABEL - 1] + "…")
                text.setToolTip(label)
                self._grid.addWidget(text, row, 0)
            self._grid.addWidget(box, row, 1)
            self._boxes.append(box)

    def names(self) -> tuple[str, ...]:
        """The name of each row."""
        return tuple(box.currentData() for box in self._boxes)


class FormView(QWidget):
    """Form in which a run is described."""

    def __init__(self) -> None:
        super().__init__()
        self.microscope, self.specimen = NameRows(MICROSCOPES), NameRows(SPECIMENS)
        self.axes = combo({})
        self.preset = combo({name: f"{name}: {_PRESET_WORDS[name][0]}" for name in _ordered()})
        for place in range(self.preset.count()):
            tip = _PRESET_WORDS[self.preset.itemData(place)][1]
            self.preset.setItemData(place, tip, Qt.ItemDataRole.ToolTipRole)
        self.preset.setCurrentIndex(self.preset.findData("balanced"))
        self.budget = QDoubleSpinBox()
        self.budget.setRange(0, 1e6)
        self.budget.setDecimals(0)
        self.budget.setSpecialValueText("none")
        self.budget.setSuffix(" s")
        self.budget.setToolTip("The best of fast, balanced and best that needs no longer than this")
        self.budget.valueChanged.connect(lambda value: self.preset.setEnabled(value == 0))
        self.device = combo(_DEVICES)
        self.uncertainty = QCheckBox("Standard error of every pixel")
        self.uncertainty.setToolTip(
            "How far every pixel may be off, in grey values: another layer, and another file for "
            "each file of a folder"
        )
        self._layout = QFormLayout(self)
        self._layout.setContentsMargins(0, 4, 0, 4)
        self._layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._layout.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        for label, field in (
            ("Dimensions", self.axes),
            ("Microscope", self.microscope),
            ("Specimen", self.specimen),
            ("Preset", self.preset),
            ("Time limit", self.budget),
            ("Device", self.device),
            ("Also", self.uncertainty),
        ):
            self._layout.addRow(label, field)
        self.ask_axes(2, None)

    def ask_axes(self, dimensions: int, known: str | None) -> None:
        """Show the choice of the axes for more than two dimensions; ``known`` is preselected."""
        offered = AXES.get(dimensions, ())
        first = {"": "choose…"} if known is None else {known: known}
        fill(self.axes, {**first, **{axes: axes for axes in offered}})
        self._asks = bool(offered)
        self.set_axes_shown(True)

    def set_axes_shown(self, shown: bool) -> None:
        """Show the choice of the axes, if there is one."""
        for widget in (self.axes, self._layout.labelForField(self.axes)):
            widget.setVisible(shown and self._asks)

    def entries(self, *, own_axes: str | None = None) -> Entries:
        """What is entered; the axes only if they are not ``own_axes``, those of the layer."""
        chosen = self.axes.currentData() or None
        return Entries(
            microscopes=self.microscope.names(),
            specimens=self.specimen.names(),
            preset=self.preset.currentData(),
            device=self.device.currentData(),
            budget=self.budget.value() or None,
            axes=None if chosen == own_axes else chosen,
            uncertainty=self.uncertainty.isChecked(),
        )


def combo(*items: Mapping[str, str | None]) -> QComboBox:
    """Box to choose from items: their values and texts; without a text, the value is shown."""
    box = QComboBox()
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(8)
    fill(box, {value: text for one in items for value, text in one.items()})
    return box


def fill(box: QComboBox, items: Mapping[str, str | None]) -> None:
    """Replace the items of a box."""
    box.clear()
    for value, text in items.items():
        box.addItem(text or value, value)


def _ordered() -> list[str]:
    """Presets, those of the package first."""
    return sorted(PRESETS, key=list(_PRESET_WORDS).index)
