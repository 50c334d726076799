"""Options that several commands share, made from the specifications of all options."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from autodip.pipeline import options as of_fit
from autodip.pipeline.options import Options
from autodip.pipeline.specs import Spec
from autodip.runs import selection as of_file
from autodip.runs.selection import Selection
from autodip.util.text import parse_size, to_json, valid

F = TypeVar("F", bound=Callable[..., Any])

_TYPES = {"int": int, "float": float}


limit_option = click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    help="Maximum number of images of each group and noise level.",
)
"""Option of the commands that go through a data set."""


def choice_options(function: F) -> F:
    """Options for the parameters, for the part of a file to use, and for the config file."""
    config = click.option(
        "--config",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="File with defaults for these options; see 'autodip config'.",
    )
    for option in reversed([*map(shared_option, _SPECS), config]):
        function = option(function)
    return function


_SPECS: Mapping[str, Spec] = {**of_fit.SPECS, **of_file.SPECS}
_DEFAULTS: Mapping[str, Any] = {
    field.name: field.default
    for options in (Options, Selection)
    for field in dataclasses.fields(options)
}


def shared_option(name: str, parameter: str | None = None) -> Callable[[F], F]:
    """Option of a name, as it is specified in :class:`Options` or :class:`Selection`.

    Parameters
    ----------
    name : str
        Name of the option in either class.
    parameter : str, optional
        Parameter of the command that receives the value, if it has another name.
    """
    spec, default = _SPECS[name], _DEFAULTS[name]
    flag = "--" + name.replace("_", "-")
    settings: dict[str, Any] = {"default": default, "help": spec.help, "metavar": spec.metavar}
    match spec.kind:
        case "flag":
            settings["is_flag"] = True
        case "switch":
            flag = f"{flag}/--no-{flag[2:]}"
        case "size":
            settings["callback"] = lambda context, parameter, text: parse_size(text, flag)
        case _:
            settings["type"] = click.Choice(spec.choices) if spec.choices else _TYPES.get(spec.kind)
            settings["show_default"] = default is not None
    return click.option(flag, *filter(None, [parameter]), **settings)


def said_of(given: Mapping[str, Any]) -> list[str]:
    """Names of the options that were specified on the command line, not set by default."""
    context = click.get_current_context()
    return [n for n in given if context.get_parameter_source(n) is ParameterSource.COMMANDLINE]


def say_results(records: list[dict[str, Any]], failed: Mapping[Path, str]) -> None:
    """Print results and failures as JSON."""
    failures = [{"input": str(path), "error": text} for path, text in failed.items()]
    say_json({"results": records, "failed": failures})


def say_json(content: Any) -> None:
    """Print content as JSON to standard output."""
    click.echo(valid(to_json(content)))
