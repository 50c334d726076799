"""Progress bars: in a terminal, and in a notebook."""

from __future__ import annotations

import html
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

from autodip.pipeline.result import Progress

_OFTEN = 0.1
"""Seconds between two updates of a bar in a notebook."""


def shown(
    steps: Iterator[Progress], progress: bool | Callable[[Progress], object]
) -> Iterator[Progress]:
    """Pass steps on, and show each, in a bar if ``progress`` is True or else by calling it."""
    if progress is False:
        yield from steps
        return
    if progress is not True:
        for step in steps:
            progress(step)
            yield step
        return
    with _bar() as bar:
        for step in steps:
            bar.show(step)
            yield step


def _bar() -> TerminalBar | NotebookBar:
    if "IPython" in sys.modules:
        from IPython import get_ipython  # noqa: PLC0415  (only within IPython)

        if getattr(get_ipython(), "kernel", None) is not None:
            return NotebookBar()
    return TerminalBar("denoising")


def _counted(progress: Progress) -> tuple[int, int, str]:
    """How much is done, of how much, and a text."""
    step, done, total = progress.step, progress.plane, progress.planes
    if step is None:
        return done, total, f"{done}/{total}"
    count = f"{done + 1}/{total}  " if total > 1 else ""
    return (
        done * step.iterations + step.iteration,
        total * step.iterations,
        f"{count}iteration {step.iteration}/{step.iterations}  loss {step.loss:.3g}",
    )


class TerminalBar(AbstractContextManager["TerminalBar"]):
    """Progress bar on standard error, if that is a terminal.

    Parameters
    ----------
    name : str
        What is denoised.
    quiet : bool
        Whether nothing is shown.
    """

    def __init__(self, name: str, quiet: bool = False) -> None:
        from rich.console import Console  # noqa: PLC0415  (slow to import)
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415
        from rich.progress import Progress as Bars  # noqa: PLC0415

        console = Console(stderr=True)
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=quiet or not console.is_terminal,
        )
        self._task = self._bars.add_task(name, total=None, state="reading")

    def __enter__(self) -> TerminalBar:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def show(self, progress: Progress) -> None:
        """Show one step."""
        self.count(*_counted(progress))

    def count(self, done: int, total: int, state: str) -> None:
        """Show how much is done of a total, and a text."""
        self._bars.update(self._task, total=total, completed=done, state=state)


class NotebookBar(AbstractContextManager["NotebookBar"]):
    """Progress bar in the output of a notebook's cell, in HTML that needs no widgets."""

    def __init__(self) -> None:
        self._count = (0, 1, "reading")
        self._start = self._last = time.monotonic()
        self._handle: Any = None

    def __enter__(self) -> NotebookBar:
        from IPython.display import display  # noqa: PLC0415  (only within IPython)

        self._handle = display(self, display_id=True)  # type: ignore[no-untyped-call]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        done, total, state = self._count
        seconds = f"{time.monotonic() - self._start:.1f} s"
        ended = (total, total, f"done in {seconds}")
        self._count = ended if kind is None else (done, total, f"stopped after {seconds}: {state}")
        self._handle.update(self)

    def show(self, progress: Progress) -> None:
        """Show one step, unless the last one was shown just before."""
        self._count = _counted(progress)
        if time.monotonic() - self._last >= _OFTEN:
            self._last = time.monotonic()
            self._handle.update(self)

    def __repr__(self) -> str:
        done, total, state = self._count
        return f"{100 * done // max(total, 1)} %  {state}"

    def _repr_html_(self) -> str:
        done, total, state = self._count
        return (
            f'<progress value="{done}" max="{total}" aria-label="progress"></progress> '
            f"<span>{html.escape(state)}</span>"
        )
