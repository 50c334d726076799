"""Generated blocks of the pages in ``docs/results``, and the benchmark rows they are made from.

A block is the text between ``<!-- NAME: generated -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from autodip.benchmark import Row, Store
from autodip.benchmark.registry import METHODS

RESULTS = Path(__file__).parents[1] / "docs" / "results"


def filled(text: str, blocks: Mapping[str, str]) -> str:
    """Text of a page with its blocks replaced.

    Raises
    ------
    KeyError
        If the page has a block that is not among ``blocks``, or lacks one of them.
    """
    found = set(re.findall(r"<!-- (\S+): generated -->", text))
    if found != set(blocks):
        raise KeyError(f"only in the page, or only generated: {found ^ set(blocks)}")

    def block(match: re.Match[str]) -> str:
        return f"<!-- {match[1]}: generated -->\n\n{blocks[match[1]].strip()}\n\n<!-- end -->"

    return re.sub(r"<!-- (\S+): generated -->.*?<!-- end -->", block, text, flags=re.DOTALL)


def fill(page: Path, blocks: Mapping[str, str]) -> None:
    """Write the blocks into a page."""
    text = filled(page.read_text(encoding="utf-8"), blocks)
    page.write_text(text, encoding="utf-8")


def rows_of(*files: Path) -> list[Row]:
    """Finished rows of benchmarks; of one image and method, the row that was written last."""
    last: dict[tuple[str, ...], Row] = {}
    for file in files:
        for row in Store(file).read().values() if file.exists() else ():
            if row.status == "done":
                last[row.dataset, row.image, row.method] = row
    return list(last.values())


def methods_of(rows: Sequence[Row]) -> list[str]:
    """Methods that have rows, in the order of the tables."""
    have = {row.method for row in rows}
    return [name for name in METHODS if name in have]


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Table in Markdown."""
    rule = "|" + "---|" * len(head)
    return "\n".join([_line(head), rule, *map(_line, lines)]) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
