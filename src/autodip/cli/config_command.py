"""``autodip config``: the file with a user's own defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from autodip.bases.builtin import load
from autodip.choose import vocabulary
from autodip.cli.commands import Commands
from autodip.cli.given import PATH
from autodip.cli.replies import Reply
from autodip.errors import OutputError, ParameterError
from autodip.pipeline.options import SPECS, Options
from autodip.runs import defaults
from autodip.util.files import replacing

FILE = click.argument("file", required=False, type=PATH)


@click.group(cls=Commands)
def command() -> None:
    """Create, check or show the config file with your own defaults.

    It can set microscope, specimen, preset, base, strategy, criterion and device, and microscope
    and specimen also for single channels. The file is FILE, or for other commands the one given
    by --config; else the one named by the environment variable AUTODIP_CONFIG; else config.toml
    in the user's configuration folder.
    """


@command.command(examples=("autodip config init", "autodip config init -o lab.toml"))
@FILE
@click.option("--out", "-o", type=PATH, metavar="FILE", help="The file, in place of FILE.")
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
def init(file: Path | None, out: Path | None, overwrite: bool) -> Reply:
    """Write a template that explains all settings and sets none."""
    target = out or file or defaults.location()
    if target.exists() and not overwrite:
        raise OutputError(f"{target} exists; use --overwrite to replace it")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror})") from error
    with replacing(target, advice="choose another file") as (part,):
        part.write_text(defaults.template(), encoding="utf-8")
    return Reply({"config": str(target)}, str(target))


@command.command(examples=("autodip config validate", "autodip config validate lab.toml"))
@FILE
def validate(file: Path | None) -> Reply:
    """Check the keys, the values and the base in a config file."""
    found = _found(file)
    values = defaults.read(found)
    try:
        _check(values)
    except ParameterError as error:
        raise ParameterError(f"{found}: {error}") from error
    text = f"{found}: valid, sets {', '.join(values) or 'nothing'}"
    return Reply({"config": str(found), "valid": True, "sets": list(values)}, text)


@command.command(examples=("autodip config show", "autodip config show lab.toml --json"))
@FILE
def show(file: Path | None) -> Reply:
    """Print the path of the config file, and what it sets."""
    found = _found(file)
    values = defaults.read(found)
    content = {"config": str(found), "values": dict(values)}
    channels = values.pop("channels", {})
    lines = [str(found), *(f"  {name:10} {value}" for name, value in values.items())]
    for channel, table in channels.items():
        said = ", ".join(f"{name} {value}" for name, value in table.items())
        lines.append(f"  channel {channel}: {said}")
    return Reply(content, "\n".join(lines))


def _found(file: Path | None) -> Path:
    found = defaults.find(file)
    if found is None:
        raise ParameterError(
            f"there is no config file at {defaults.location()}; 'autodip config init' creates one"
        )
    return found


def _check(values: dict[str, Any]) -> None:
    """Raise an error if a value is not allowed, or the base cannot be read."""
    for table in (values, *values.get("channels", {}).values()):
        vocabulary.microscope(table.get("microscope"))
        vocabulary.specimen(table.get("specimen"))
    options = Options(**{name: value for name, value in values.items() if name in SPECS})
    if options.base is not None:
        load(options.base)
