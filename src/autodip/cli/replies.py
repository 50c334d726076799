"""What a command prints on standard output: text, or JSON with ``--json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from autodip.util.text import to_json, valid

FLAG = "--json"
_META = "autodip.json"


@dataclass(frozen=True)
class Reply:
    """Reply of a command, which is printed when the command returns it.

    Parameters
    ----------
    content : mapping, JSON-ready
        Printed with ``--json``.
    text : str
        Printed without; nothing if it is empty.
    error : str
        What failed; the exit code is then 1, and the JSON contains it as ``error``.
    """

    content: Mapping[str, Any]
    text: str = ""
    error: str = ""

    def give(self) -> int:
        """Print the reply, and return the exit code."""
        if wants_json():
            say_json({**self.content, **({"error": self.error} if self.error else {})})
        elif self.text:
            click.echo(valid(self.text))
        return 1 if self.error else 0


def json_option() -> click.Option:
    """Option ``--json``, which every command has."""

    def note(context: click.Context, _: click.Parameter, wanted: bool) -> None:
        context.meta[_META] = wanted

    return click.Option(
        [FLAG],
        is_flag=True,
        expose_value=False,
        callback=note,
        help="Print JSON alone on standard output, also if the command fails.",
    )


def wants_json() -> bool:
    """Whether the current command was called with ``--json``."""
    return bool(click.get_current_context().meta.get(_META))


def say_results(records: list[dict[str, Any]], failed: Mapping[Path, str]) -> None:
    """Print results and failures as JSON; with any failure there is an ``error`` as well."""
    failures = [{"input": str(path), "error": text} for path, text in failed.items()]
    content: dict[str, Any] = {"results": records, "failed": failures}
    if failures:
        content["error"] = f"{len(failures)} of {len(records) + len(failures)} failed"
    say_json(content)


def say_json(content: Any) -> None:
    """Print content as JSON to standard output."""
    click.echo(valid(to_json(content)))
