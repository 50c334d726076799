"""Pairs of a noisy and a true image on the command line: a list, or two folders."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from autodip import datasets
from autodip.choose import vocabulary
from autodip.cli.given import MICROSCOPE, PATH, SPECIMEN
from autodip.datasets import pair_lists
from autodip.datasets.pair_lists import PairList

F = TypeVar("F", bound=Callable[..., Any])

LIST_HELP = (
    "a folder with a manifest.json, that file, or a CSV file with the columns file and truth"
)


def folder_options(function: F) -> F:
    """Options ``--noisy`` and ``--truth``, two folders whose images have the same names."""
    for name, what in (("truth", "true"), ("noisy", "noisy")):
        function = click.option(
            f"--{name}",
            f"{name}_folder",
            type=PATH,
            metavar="DIR",
            help=f"Folder with the {what} images, in place of a list; the names of the files pair "
            "them.",
        )(function)
    return function


def folders_listed(noisy: Path | None, truth: Path | None) -> PairList | None:
    """List of the pairs of two folders; None if none of them was given."""
    if noisy is None and truth is None:
        return None
    if noisy is None or truth is None:
        raise click.UsageError("--noisy and --truth, two folders, belong together")
    return pair_lists.matched(noisy, truth)


def pairs_argument(function: F) -> F:
    """Argument PAIRS, or two folders, which the function receives as ``pairs``.

    Images for which no microscope or specimen is stated have those of ``--microscope`` and
    ``--specimen``. A folder without a list is received as its path.
    """

    @functools.wraps(function)
    def call(
        *arguments: Any,
        pairs: Path | None,
        noisy_folder: Path | None,
        truth_folder: Path | None,
        **given: Any,
    ) -> Any:
        folders = folders_listed(noisy_folder, truth_folder)
        if (pairs is None) == (folders is None):
            raise click.UsageError(
                f"give PAIRS ({LIST_HELP}), or two folders with --noisy and --truth"
            )
        return function(*arguments, pairs=pairs or folders, **given)

    argument = click.argument("pairs", metavar="[PAIRS]", required=False, type=PATH)
    return argument(folder_options(call))  # type: ignore[return-value]


def kind_options(function: F) -> F:
    """Options ``--microscope`` and ``--specimen`` for images of which nothing is stated."""
    for name, type_ in (("specimen", SPECIMEN), ("microscope", MICROSCOPE)):
        function = click.option(
            f"--{name}",
            type=type_,
            metavar="NAME",
            help=f"{name.capitalize()} of the images for which the list states none.",
        )(function)
    return function


def stated(pairs: Path | PairList, microscope: str | None, specimen: str | None) -> PairList:
    """List of pairs in which microscope and specimen are stated as far as they are known."""
    names = vocabulary.microscope(microscope), vocabulary.specimen(specimen)
    if isinstance(pairs, Path) and pairs.is_dir() and not pair_lists.is_list(pairs):
        datasets.missing("shared", pairs)  # raises, and names a folder near it that looks right
    return pair_lists.read(pairs).stating(*names)
