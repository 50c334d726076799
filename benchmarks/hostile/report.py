"""A run over all cases: what was found, in counts and line by line."""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.hostile.cases import Case, Cases
from benchmarks.hostile.watched import Watched

_EXCESS = 0.5e9
"""Bytes of memory that a case may use besides its pixels and twice its file."""

_SLOW = 5.0
"""Seconds of processor time that a case may take."""


@dataclass
class Findings:
    """What a run has found.

    Parameters
    ----------
    outcomes : mapping of str to Counter
        By the ending of the name: "ok" (read), "clear" (refused by an error of autodip), "other"
        (another exception), "hang", "crash".
    written : Counter
        Outcomes of writing what was read.
    faults : list of str
        A line for each case with a fault.
    """

    outcomes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    written: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def cases(self) -> int:
        """Number of cases."""
        return sum(count.total() for count in self.outcomes.values())

    def lines(self) -> Iterator[str]:
        """Counts as text."""
        total: Counter[str] = sum(self.outcomes.values(), Counter())
        yield f"cases {self.cases}: {_counts(total)}"
        yield f"written again: {_counts(self.written)}"
        for ending, count in sorted(self.outcomes.items()):
            yield f"  {ending:6} {count.total():5}: {_counts(count)}"
        yield f"faults {len(self.faults)}"


def _counts(count: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(count.items()))


def run(cases: Cases, keep: Path | None = None) -> Findings:
    """Read all cases in a worker process; each fault is printed when it is found."""
    found = Findings()
    with Watched() as watched:
        for number, case in enumerate(cases, 1):
            answer = watched.ask(_request(case, number))
            found.outcomes[case.path.suffix.lower()][answer["outcome"]] += 1
            if "write" in answer:
                found.written[answer["write"].split()[0]] += 1
            wrong = list(_faults(case, answer))
            if cases.around.mark.exists():
                wrong.append("code was executed")
                cases.around.mark.unlink()
            if wrong:
                line = f"{case.kind:12} {case.folder.name} {case.path.name:18} {' | '.join(wrong)}"
                found.faults.append(line)
                print(line[:600], flush=True)
            if wrong and keep is not None:
                shutil.copytree(case.folder, keep / case.folder.name, symlinks=True)
            shutil.rmtree(case.folder)
    return found


def _request(case: Case, number: int) -> dict[str, Any]:
    """Every second case has a scratch folder, and every fourth one is read as if it were large."""
    scratch = case.folder / "scratch"
    return {
        "path": str(case.path),
        "axes": case.axes,
        "scene": case.scene,
        "root": str(case.folder),
        "out": str(case.folder / "out"),
        "scratch": None if number % 2 else str(scratch),
        "tiny": number % 4 == 0,
    }


def _faults(case: Case, answer: dict[str, Any]) -> Iterator[str]:
    outcome, text = answer["outcome"], answer["text"]
    size = case.path.stat().st_size if case.path.is_file() else 0
    if case.kind == "valid" and outcome != "ok":
        yield f"valid file refused: {text}"
    if outcome in ("other", "hang", "crash"):
        yield f"{outcome}: {text}"
    if answer["excess"] > _EXCESS + answer["need"] + 2 * size:
        yield f"memory: {answer['excess'] / 1e9:.1f} GB for {size} bytes ({text[:100]})"
    if answer["events"]:
        yield f"events: {answer['events']}"
    if answer.get("write", "").startswith("other"):
        yield f"write: {answer['write']}"
    if answer["seconds"] > _SLOW:
        yield f"slow: {answer['seconds']:.1f} s ({text[:80]})"
