"""Types of values on the command line: bases, names of the field, and lists of names."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from autodip.bases import builtin
from autodip.choose import vocabulary

PATH = click.Path(path_type=Path)
"""A file or folder that the command checks itself."""


class Offered(click.types.StringParamType):
    """Text for which a shell offers names, but which may be another one.

    Parameters
    ----------
    names : callable
        Returns the names.
    separators : str
        Characters after which another name begins, as in ``DAPI=nucleus,GFP=actin``.
    """

    def __init__(self, names: Callable[[], Iterable[str]], separators: str = "") -> None:
        self._names, self._separators = names, separators

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Names that begin like what has been typed."""
        start = max((incomplete.rfind(one) + 1 for one in self._separators), default=0)
        before, typed = incomplete[:start], incomplete[start:].casefold()
        found = [name for name in self._names() if name.casefold().startswith(typed)]
        return [CompletionItem(before + name) for name in found]


class BaseFolder(click.Path):
    """Folder of a calibration base, or ``builtin``, which stands for the built-in one.

    Parameters
    ----------
    written : bool
        Whether the command changes the base, which the built-in one does not allow.
    """

    def __init__(self, *, written: bool = False) -> None:
        super().__init__(path_type=Path)
        self._written = written

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        """Path of the folder; ``./builtin`` is a folder of that name."""
        if value != builtin.NAME:
            return super().convert(value, param, ctx)
        if self._written:
            self.fail(
                "the built-in base cannot be changed; copy it into a base of your own with "
                "'autodip base merge builtin -o my-base'",
                param,
                ctx,
            )
        return builtin.folder()

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The name of the built-in base, and folders."""
        own = not self._written and incomplete and builtin.NAME.startswith(incomplete)
        return [CompletionItem(builtin.NAME)] if own else [CompletionItem(incomplete, type="dir")]


BASE, OWN_BASE = BaseFolder(), BaseFolder(written=True)

MICROSCOPE = Offered(lambda: vocabulary.names_of("microscope"), "=,")
SPECIMEN = Offered(lambda: vocabulary.names_of("specimen"), "=,")

DATASET = Offered(lambda: _list("datasets", "NAMES"))
METHODS = Offered(lambda: (*_list("benchmark.registry", "METHODS"), "all"), ",")
MEASURES_OF = Offered(lambda: (*_list("choose.measures", "MEASURES"), "none"), ",")
GRID = Offered(lambda: _list("bases.grid", "NAMES"))
GRID_OR_PRESET = Offered(
    lambda: (*_list("bases.grid", "NAMES"), *_list("calibration.preset_settings", "NAMES"))
)
WHERE = Offered(lambda: (f"{field}=" for field in _list("datasets.filters", "FIELDS")))


def _list(module: str, names: str) -> Iterable[str]:
    """Names that a module lists; it is imported only when a shell asks for them."""
    found: Iterable[str] = getattr(import_module(f"autodip.{module}"), names)
    return found
