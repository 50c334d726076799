"""Panel that shows what was done to a layer, and why one may believe the result or not."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from autodip.napari.account import Account, Finding

WARN = "#d9730d"
"""Colour of what needs a second look; readable on dark and on light."""

_COLUMNS = 2


class AccountView(QWidget):
    """Panel for an account, with buttons below it; hidden as long as there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._buttons = QGridLayout()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.addWidget(self.text)
        layout.addLayout(self._buttons)
        self.setVisible(False)

    def show_account(self, title: str, account: Account) -> None:
        """Show an account, without buttons."""
        while self._buttons.count():
            old = self._buttons.takeAt(0).widget()
            old.setParent(None)
            old.deleteLater()
        self.text.setText(html_of(title, account))
        self.setVisible(True)

    def add_action(self, text: str, tip: str, action: Callable[[], object]) -> QPushButton:
        """Add a button to the account that is shown."""
        button = QPushButton(text)
        button.setToolTip(tip)
        button.clicked.connect(lambda *_: action())
        self._buttons.addWidget(button, *divmod(self._buttons.count(), _COLUMNS))
        return button


def html_of(title: str, account: Account) -> str:
    """Account as rich text."""
    done = "".join(
        f"<p>{escape(sentence[:1].upper() + sentence[1:])}.</p>" for sentence in account.done
    )
    rows = "".join(map(_row, account.findings))
    notes = "".join(f"<li>{escape(note)}</li>" for note in account.notes)
    listed = f'<p style="color:{WARN}"><b>Please note</b></p><ul>{notes}</ul>' if notes else ""
    return f"<p><b>{escape(title)}</b></p>{done}{rows}{listed}"


def _row(finding: Finding) -> str:
    style = f' style="color:{WARN}"' if finding.doubtful else ""
    meaning = f"; <i>{escape(finding.meaning)}</i>" if finding.meaning else ""
    name, value = escape(finding.name), escape(finding.value)
    return f'<p style="margin:3px 0"><b>{name}</b>: <span{style}>{value}{meaning}</span></p>'
