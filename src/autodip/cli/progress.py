"""Progress on a terminal: bar, iteration, loss, remaining time."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from autodip.pipeline.result import Progress


class ProgressBar:
    """Progress bar for the steps of one file, on standard error if that is a terminal."""

    def __init__(self, name: str, quiet: bool) -> None:
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

    def __enter__(self) -> ProgressBar:
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
        step = progress.step
        if step is None:
            done, total = progress.plane, progress.planes
            self.count(done, total, f"{done}/{total}")
            return
        count = f"{progress.plane + 1}/{progress.planes}  " if progress.planes > 1 else ""
        self.count(
            progress.plane * step.iterations + step.iteration,
            progress.planes * step.iterations,
            f"{count}iteration {step.iteration}/{step.iterations}  loss {step.loss:.3g}",
        )

    def count(self, done: int, total: int, state: str) -> None:
        """Show how much is done of a total, and a text."""
        self._bars.update(self._task, total=total, completed=done, state=state)
