"""``autodip config``: the file with a user's own defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from autodip.bases.builtin import load
from autodip.choose import vocabulary
from autodip.choose.presets import PRESETS
from autodip.errors import OutputError, ParameterError
from autodip.pipeline.options import Options
from autodip.runs import defaults
from autodip.util.files import replacing

FILE = click.argument("file", required=False, type=click.Path(path_type=Path))


@click.group()
def command() -> None:
    """The config file: defaults of microscope, specimen, preset, base and device.

    It is FILE where a command takes one, else what --config or the environment variable
    AUTODIP_CONFIG names, else config.toml in the user's configuration folder.
    """


@command.command()
@FILE
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
def init(file: Path | None, overwrite: bool) -> None:
    """Write a config file in which everything is explained and nothing is set."""
    target = file or defaults.location()
    if target.exists() and not overwrite:
        raise OutputError(f"{target} exists; use --overwrite to begin anew")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror})") from error
    with replacing(target, advice="name another file") as (part,):
        part.write_text(defaults.template(), encoding="utf-8")
    click.echo(target)


@command.command()
@FILE
def validate(file: Path | None) -> None:
    """Check a config file: its keys, its values, and the base that it names."""
    found = _found(file)
    values = defaults.read(found)
    try:
        _check(values)
    except ParameterError as error:
        raise ParameterError(f"{found}: {error}") from error
    click.echo(f"{found}: sound, sets {', '.join(values) or 'nothing'}")


@command.command()
@FILE
def show(file: Path | None) -> None:
    """Print what is set, and where."""
    found = _found(file)
    click.echo(found)
    values = defaults.read(found)
    channels = values.pop("channels", {})
    for name, value in values.items():
        click.echo(f"  {name:10} {value}")
    for channel, table in channels.items():
        said = ", ".join(f"{name} {value}" for name, value in table.items())
        click.echo(f"  channel {channel}: {said}")


def _found(file: Path | None) -> Path:
    found = defaults.find(file)
    if found is None:
        raise ParameterError(
            f"there is no config file at {defaults.location()}; 'autodip config init' makes one"
        )
    return found


def _check(values: dict[str, Any]) -> None:
    """Raise where a value is none that the options allow."""
    for table in (values, *values.get("channels", {}).values()):
        vocabulary.microscope(table.get("microscope"))
        vocabulary.specimen(table.get("specimen"))
    if values.get("preset", PRESETS[0]) not in PRESETS:
        raise ParameterError(
            f"preset {values['preset']!r} is not known; known are {', '.join(PRESETS)}"
        )
    options = Options(
        base=values.get("base"),
        strategy=values.get("strategy"),
        criterion=values.get("criterion"),
    )
    if options.base is not None:
        load(Path(options.base))
