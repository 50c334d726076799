"""The page about a result, opened in a browser."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices

from autodip.napari.background import Tell
from autodip.napari.layer_runs import DenoisedLayer


def write_page(outcome: DenoisedLayer, tell: Tell) -> Path:
    """Write the page about a result to a file of its own, which a browser can show."""
    number, name = tempfile.mkstemp(".html", "report-", _folder().name)
    os.close(number)
    path = Path(name)
    path.write_text(outcome.page(), encoding="utf-8")
    return path


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Folder of the pages; it is deleted when the process ends."""
    return tempfile.TemporaryDirectory(prefix="autodip-report-")


def open_page(path: Path) -> None:
    """Show a page in the browser of the desktop."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
