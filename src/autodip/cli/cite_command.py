"""``autodip cite``: what to cite, and how a result was computed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from autodip.cli.commands import Described
from autodip.cli.given import PATH
from autodip.cli.replies import Reply
from autodip.io import is_image_folder
from autodip.runs import citations, methods_text, sidecar
from autodip.runs.sidecar import SIDECAR_SUFFIX, beside


@click.command(
    cls=Described,
    examples=(
        "autodip cite",
        "autodip cite --bibtex",
        "autodip cite denoised/cells.tif.autodip.json",
    ),
)
@click.argument("path", metavar="[SIDECAR]", required=False, type=PATH)
@click.option("--bibtex", is_flag=True, help="Print the references as BibTeX.")
def command(path: Path | None, bibtex: bool) -> Reply:
    """Print what to cite and, for a result, a paragraph for the methods section.

    SIDECAR is the .autodip.json file of a result, or the result next to which it lies. The
    paragraph states the parameters that were used.
    """
    found = citations.references()
    content: dict[str, Any] = {"references": list(found)}
    parts = [(citations.as_bibtex if bibtex else citations.as_text)(item) for item in found]
    if path is not None:
        named = path.name.endswith(SIDECAR_SUFFIX) or (path.is_dir() and not is_image_folder(path))
        own = path if named else beside(path)
        content["methods"] = methods_text.paragraph(sidecar.read(own))
        parts.insert(0, content["methods"])
    return Reply(content, "\n\n".join(parts))
