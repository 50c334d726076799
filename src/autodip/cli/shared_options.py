"""Options and small pieces that several commands share."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from autodip.choose import vocabulary
from autodip.choose.presets import PRESETS
from autodip.errors import ParameterError
from autodip.fit.params import NetParams
from autodip.image.channels import PerChannel
from autodip.image.image import AXES
from autodip.pipeline.options import Options
from autodip.runs import defaults
from autodip.runs.selection import parse_frames
from autodip.util.text import to_json, valid

F = TypeVar("F", bound=Callable[..., Any])


def parse_size(text: str | None) -> int | None:
    """Read a number of bytes, as 4GB, 500MB, 2GiB, or 4000000000.

    Raises
    ------
    ParameterError
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kMGT]?)(i?)B?", text.strip(), re.IGNORECASE)
    if not match:
        raise ParameterError(f"--max-memory {text!r}; give bytes with their unit, as 4GB or 500MB")
    number, unit, binary = match.groups()
    return int(float(number) * (1024 if binary else 1000) ** " kmgt".index(unit.lower() or " "))


def choice_options(function: F) -> F:
    """Options that decide on the parameters and on the part of the image."""
    for option in reversed(
        (
            click.option(
                "--microscope",
                metavar="NAME",
                help="confocal, twophoton or widefield; or of channels: DAPI=confocal,...",
            ),
            click.option(
                "--specimen",
                metavar="NAME",
                help="What is labelled: actin, mito, ...; or in channels: DAPI=nucleus,1=actin.",
            ),
            click.option(
                "--preset",
                type=click.Choice(PRESETS),
                default="balanced",
                show_default=True,
                help="Which table of parameters.",
            ),
            click.option(
                "--base",
                metavar="DIR",
                help="Calibration base that decides for the kinds of images it covers; builtin.",
            ),
            click.option("--strategy", metavar="NAME", help="How the base is asked: group, ..."),
            click.option("--criterion", metavar="NAME", help="What is best in the base: psnr, ..."),
            click.option(
                "--config",
                type=click.Path(path_type=Path),
                metavar="FILE",
                help="Defaults of these options; see 'autodip config'.",
            ),
            click.option("--iterations", type=int, metavar="N", help="Wins over the choice."),
            click.option("--depth", type=int, metavar="D", help="Scales of the network."),
            click.option("--width", metavar="W", help="Channels: 32, or 8,16,32, or asc_to512."),
            click.option("--skip", type=int, metavar="S", help="Channels of the skip branches."),
            click.option(
                "--refine/--no-refine",
                default=None,
                help="Return to the data what the early stop left out; the preset decides.",
            ),
            click.option(
                "--budget",
                type=float,
                metavar="SECONDS",
                help="The best of fast, balanced and best that is predicted to fit.",
            ),
            click.option(
                "--independent",
                is_flag=True,
                help="Fit every frame and slice from scratch, not from the one before it.",
            ),
            click.option(
                "--average",
                is_flag=True,
                help="Frames are captures of one scene: fit them jointly, as their mean.",
            ),
            click.option(
                "--tile",
                type=int,
                metavar="SIDE",
                help="Compute in overlapping windows of this side; 0 for whole planes.",
            ),
            click.option(
                "--max-memory", metavar="SIZE", help="As 4GB; large planes are cut to fit into it."
            ),
            click.option("--device", default="auto", show_default=True, help="cpu, cuda[:N], mps."),
            click.option("--seed", type=int, default=0, show_default=True),
            click.option("--frames", metavar="A:B", help="Only these, of axis T."),
            click.option("--channel", metavar="NAME|N", help="Only this one, N from 0."),
            click.option("--axes", metavar="TCZYX", help="Meaning of the dimensions."),
            click.option("--scene", metavar="NAME|N", help="Which image of a file with several."),
        )
    ):
        function = option(function)
    return function


def options_from(given: dict[str, Any]) -> Options:
    """Check names and values before any file is touched.

    Raises
    ------
    ParameterError
    """
    return checked(configured(given))


def checked(given: dict[str, Any]) -> Options:
    """Do as :func:`options_from` where the config file has been asked already.

    Raises
    ------
    ParameterError
    """
    check_names(given["microscope"], given["specimen"])
    parse_frames(given["frames"])
    chosen = ("microscope", "specimen", "preset", "iterations", "depth", "width", "skip")

    others = ("refine", "budget", "device", "seed", "base", "strategy", "criterion", "independent")
    values = {k: given[k] for k in (*chosen, *others, "tile")}
    options = Options(**values, max_memory=parse_size(given["max_memory"]))
    _check_explicit(options)
    wrong = sorted(set((given["axes"] or "").upper()) - set(AXES))
    if wrong:
        raise ParameterError(
            f"--axes {given['axes']}: {', '.join(wrong)} not known; allowed are {', '.join(AXES)}"
        )
    return options


def check_names(microscope: Any, specimen: Any) -> None:
    """Refuse names that the vocabulary does not have, of any channel."""
    for name in PerChannel.of(microscope, "--microscope").values():
        vocabulary.microscope(name)
    for name in PerChannel.of(specimen, "--specimen").values():
        vocabulary.specimen(name)


def configured(given: dict[str, Any]) -> dict[str, Any]:
    """Options with those of the config file where the command line says nothing.

    Raises
    ------
    ParameterError
        If the file is not readable, or a key or a value of it not allowed.
    """
    context = click.get_current_context()
    found = defaults.find(given["config"])
    if found is None:
        return given
    values = defaults.read(found)
    channels = values.pop("channels", {})
    said = [n for n in given if context.get_parameter_source(n) is ParameterSource.COMMANDLINE]
    if {"budget", "preset"} & set(said):  # a preset that is said wins over a configured base
        said += ["base", "strategy", "criterion"]
    own = {name: value for name, value in values.items() if name not in said}
    for kind in ("microscope", "specimen"):
        tables = {name: table[kind] for name, table in channels.items() if kind in table}
        asked = PerChannel.of(given[kind] if kind in said else None, f"--{kind}")
        if tables and asked.everywhere is None:
            own[kind] = PerChannel(values.get(kind), asked.given, tables)
        elif asked.given:
            own[kind] = PerChannel(values.get(kind), asked.given)
    return {**given, **own}


def _check_explicit(options: Options) -> None:
    """Refuse explicit values that are wrong for every image."""
    for name, value in options.explicit.items():
        least = 0 if name == "skip" else 1
        values = value if isinstance(value, tuple) else (value,)
        if any(isinstance(v, int) and not isinstance(v, bool) and v < least for v in values):
            raise ParameterError(f"--{name} {value}: it must be {least} or more")
    depth, width = options.explicit.depth, options.explicit.width
    if depth is not None:
        NetParams(depth, width if width is not None else 1)  # raises where they don't match


def resolve_device(options: Options) -> Options:
    """Name the device that is meant, before any file is touched."""
    from autodip.compute import device  # noqa: PLC0415  (imports torch)

    return dataclasses.replace(options, device=device.resolve(options.device))


def say_results(records: list[dict[str, Any]], failed: dict[Path, str]) -> None:
    """Print what was done, and what failed, as JSON."""
    failures = [{"input": str(path), "error": text} for path, text in failed.items()]
    say_json({"results": records, "failed": failures})


def say_json(content: Any) -> None:
    """Print JSON, alone, to standard output."""
    click.echo(valid(to_json(content)))
