"""Progress of the commands on a terminal: the bar that Python shows as well."""

from __future__ import annotations

from autodip.api.bars import TerminalBar as ProgressBar

__all__ = ["ProgressBar"]
