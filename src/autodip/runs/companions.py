"""Files that a face wants next to every output, such as a figure or a page about it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from autodip.errors import OutputError
from autodip.runs import map_files, sidecar
from autodip.util.paths import check_name, exists, is_file

FIGURE_SUFFIX, PAGE_SUFFIX = ".autodip.png", ".autodip.html"
"""Endings of the figure and of the page of an output, after its whole name."""


def every_path(target: Path) -> tuple[Path, ...]:
    """All files that may be written for an output: itself, its sidecar, its map, its companions."""
    names = (target.name + suffix for suffix in (FIGURE_SUFFIX, PAGE_SUFFIX))
    own = (target, sidecar.beside(target), map_files.path_of(target))
    return (*own, *(target.with_name(name) for name in names))


class Companions(Protocol):
    """Writes further files next to every output, once the output and its sidecar are written.

    If it is sent to the workers of a cluster, it must be picklable.
    """

    def paths(self, target: Path) -> Mapping[str, Path]:
        """Files that :meth:`write` makes for an output, by the kind of file."""
        ...

    def write(self, source: Path, target: Path) -> None:
        """Write all files of an output, replacing existing ones.

        Parameters
        ----------
        source, target : Path
            Input and output.

        Raises
        ------
        AutodipError
            If one of them cannot be made; the output remains.
        """
        ...


def paths_of(companions: Companions | None, target: Path) -> dict[str, str]:
    """Paths of the companions of an output by kind, JSON-ready; empty if there are none."""
    if companions is None:
        return {}
    return {kind: str(path) for kind, path in companions.paths(target).items()}


def check_companions(companions: Companions | None, target: Path, *, overwrite: bool) -> None:
    """Raise an OutputError if a companion would replace a file, or its name is too long."""
    for path in companions.paths(target).values() if companions is not None else ():
        check_name(path)
        if exists(path) and not (overwrite and is_file(path)):
            raise OutputError(
                f"{path} exists; use --overwrite, --skip-existing or another -o"
                if is_file(path)
                else f"{path} exists and is no file; choose another place with -o"
            )


def complete(
    companions: Companions | None, source: Path, target: Path, *, renew: bool = False
) -> None:
    """Write the companions of an existing output if any of them is missing.

    Nothing is written for an output without a sidecar, of which nothing is known.

    Parameters
    ----------
    companions : Companions or None
    source, target : Path
        Input and output.
    renew : bool
        Whether to write them also if any is older than the sidecar, as after an interruption of
        a run that replaces its outputs.
    """
    content = None if companions is None else sidecar.recorded(target)
    if companions is None or content is None:
        return
    made = sidecar.beside(target).stat().st_mtime_ns if renew else 0
    paths = companions.paths(target).values()
    if not all(exists(path) and path.stat().st_mtime_ns >= made for path in paths):
        companions.write(source, target)
