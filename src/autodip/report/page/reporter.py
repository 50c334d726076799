"""Figures and pages as companions of outputs, for runs and for ``autodip report``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autodip.pictures.encode import png
from autodip.report.page.figure import figure
from autodip.report.page.material import Material, opened
from autodip.report.page.one_page import page
from autodip.runs.companions import FIGURE_SUFFIX, PAGE_SUFFIX
from autodip.util.files import replacing


@dataclass(frozen=True)
class Reporter:
    """Writes a figure, a page or both next to every output.

    See :class:`autodip.runs.companions.Companions`; it is picklable.

    Parameters
    ----------
    figure, page : bool
        What is written.
    inputs : Path or None
        Folder in which inputs are sought; None for where the sidecars state.
    """

    figure: bool = False
    page: bool = True
    inputs: Path | None = None

    def paths(self, target: Path) -> Mapping[str, Path]:
        """Files that are written for an output: ``figure`` and ``report``."""
        wanted = {"figure": (self.figure, FIGURE_SUFFIX), "report": (self.page, PAGE_SUFFIX)}
        return {
            kind: target.with_name(target.name + suffix)
            for kind, (is_wanted, suffix) in wanted.items()
            if is_wanted
        }

    def write(self, source: Path, target: Path) -> None:
        """Write the files of an output; the input is the one that its sidecar states.

        Raises
        ------
        AutodipError
            If the output or its sidecar cannot be read, or a file not be written.
        """
        self.made(target)

    def made(self, target: Path) -> bool:
        """Write the files of an output, and return whether its input was found."""
        paths = list(self.paths(target).values())
        with opened(target, self.inputs) as material, replacing(*paths) as parts:
            self.put(material, parts)
            return material.noisy is not None

    def put(self, material: Material, places: Sequence[Path]) -> None:
        """Write what is wanted to ``places``, in the order of :meth:`paths`."""
        content = [png(figure(material))] if self.figure else []
        content += [page(material).encode("utf-8")] if self.page else []
        for place, data in zip(places, content, strict=True):
            place.write_bytes(data)
