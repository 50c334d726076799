"""The index of a folder: thumbnails and numbers of all pages in it, outliers marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from autodip.errors import OutputError
from autodip.report.page.card import Card
from autodip.report.page.conspicuous import FAR, LEAST, QUANTITIES, conspicuous
from autodip.report.page.templating import rendered
from autodip.runs.companions import PAGE_SUFFIX
from autodip.util.files import replacing
from autodip.util.paths import exists
from autodip.util.text import name_text

INDEX = "index.html"
_GENERATOR = '<meta name="generator" content="autodip">'
_START = 2000


def pages_in(folder: Path) -> list[Path]:
    """Pages of outputs in a folder and its sub-folders, without hidden ones, sorted."""
    found = (path for path in folder.rglob(f"*{PAGE_SUFFIX}") if path.is_file())
    return sorted(path for path in found if not _hidden(path.relative_to(folder)))


def _hidden(path: Path) -> bool:
    return any(part[0] == "." for part in path.parts)


def write_index(folder: Path) -> Path | None:
    """Write the index of a folder; None if there are no pages in it.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    cards = list(_cards(folder))
    if not cards:
        return None
    check_index(folder)
    target = folder / INDEX
    with replacing(target) as (part,):
        part.write_text(_index(folder, cards), encoding="utf-8")
    return target


def check_index(folder: Path) -> None:
    """Raise an OutputError if the index of a folder would replace a file of somebody else."""
    target = folder / INDEX
    if not exists(target):
        return
    try:
        with target.open(encoding="utf-8", errors="replace") as file:
            ours = _GENERATOR in file.read(_START)
    except OSError:
        ours = False
    if not ours:
        raise OutputError(
            f"{target} exists and was not written by autodip; move it away, or choose another place"
        )


def _cards(folder: Path) -> Iterator[tuple[Path, Card]]:
    for path in pages_in(folder):
        card = Card.of_page(path)
        if card is not None:
            yield path.relative_to(folder), card


def _index(folder: Path, cards: Sequence[tuple[Path, Card]]) -> str:
    reasons = conspicuous([card for _, card in cards])
    rows = [
        {
            "link": quote(path.as_posix().encode("utf-8", "surrogateescape")),
            "name": name_text(str(path)).removesuffix(PAGE_SUFFIX),
            "card": card,
            "why": why,
            "cells": [_cell(card, name) for name in QUANTITIES],
        }
        for (path, card), why in zip(cards, reasons, strict=True)
    ]
    return rendered(
        "index.html",
        "style.css",
        "index.js",
        title=name_text(folder.resolve().name),
        rows=rows,
        quantities=QUANTITIES,
        marked=sum(map(bool, reasons)),
        compared=len(cards) >= LEAST,
        far=FAR,
        least=LEAST,
    )


def _cell(card: Card, name: str) -> tuple[str, str]:
    """Text of a cell, and the value by which it is sorted."""
    value = getattr(card, name)
    if value is None:
        return "–", ""
    return format(value, QUANTITIES[name].form), repr(float(value))
