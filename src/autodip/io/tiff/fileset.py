"""The files of an OME-TIFF set: which of them a block of planes lies in, and where they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING

from autodip.io.omeschema import children, local

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

OWN = ""
"""Name of the file itself among the names of the files of a set."""

_AXES = "TCZ"
_SHOWN = 80
"""Characters of the name of a file that a message shows."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """Consecutive planes that lie in consecutive pages of a file (``TiffData``).

    Parameters
    ----------
    file : str
        Name of the file; :data:`OWN` for the file that is read.
    first : mapping of str to int
        Position of the first plane along T, C and Z.
    page : int
        Number of the page of the first plane.
    count : int or None
        Number of planes; None for all pages that follow.
    """

    file: str
    first: dict[str, int]
    page: int
    count: int | None


def number(element: Element, name: str, default: int | None) -> int | None:
    """Attribute that is a number from 0; ``default`` if it is missing or is none."""
    text = (element.get(name) or "").strip()
    return int(text) if text.isdecimal() and len(text) < 19 else default


class FileSet:
    """Files that the metadata of one file name.

    Parameters
    ----------
    path : Path
        The file.
    root : lxml Element
        Root of its OME-XML, or of that in a companion file.
    uuid : str or None
        UUID of the file.
    """

    def __init__(self, path: Path, root: Element, uuid: str | None) -> None:
        self._path, self._uuid = path, uuid
        named = [one for one in root.iter() if local(one) == "UUID"]
        names = {str(one.get("FileName") or "") for one in named}
        known = any(self._is_own(one) for one in named)
        # The file was renamed if the only file that is named does not exist.
        self.renamed = bool(named) and not known and len(names) == 1 and not _exists(path, names)

    def _is_own(self, uuid: Element) -> bool:
        if self._uuid and (uuid.text or "").strip() == self._uuid:
            return True
        name = str(uuid.get("FileName") or "")
        return not name or name.lower() == self._path.name.lower()

    def blocks(self, image: Element) -> list[Block]:
        """Blocks of planes of an image, in the order of the document."""
        found = []
        for pixels in children(image, "Pixels"):
            for data in children(pixels, "TiffData"):
                uuid = next(iter(children(data, "UUID")), None)
                own = uuid is None or self.renamed or self._is_own(uuid)
                counts = (number(data, name, None) for name in ("PlaneCount", "NumPlanes"))
                count = next((n for n in counts if n is not None), None)
                page = number(data, "IFD", None)
                found.append(
                    Block(
                        file=OWN if own or uuid is None else str(uuid.get("FileName")),
                        first={axis: number(data, f"First{axis}", 0) or 0 for axis in _AXES},
                        page=page or 0,
                        count=1 if count is None and page is not None else count,
                    )
                )
        return found


def locate(path: Path, name: str, follow: bool) -> Path | str:
    """Path of a file that the metadata of ``path`` name, or the reason why it is not read.

    Files outside the folder of ``path`` are read only if ``follow`` is set.
    """
    folder = path.parent
    bare = PureWindowsPath(name).name  # splits at either kind of slash
    outside, shown = False, name[:_SHOWN]
    for place in dict.fromkeys((folder / name, folder / bare)):
        try:
            if not place.is_file():
                continue
            if follow or place.resolve().is_relative_to(folder.resolve()):
                return place
        except (OSError, ValueError, RuntimeError):  # no valid name, or a loop of links
            continue
        outside = True
    if outside:
        return f"{shown} lies outside the folder of this file, and is read only with --follow"
    return f"{shown} does not exist"


def _exists(path: Path, names: Iterable[str]) -> bool:
    try:
        return any((path.parent / name).is_file() for name in names)
    except (OSError, ValueError):
        return False


def files_of(blocks: Iterable[Block]) -> Iterator[str]:
    """Names of the files of blocks, each once, in their order."""
    yield from dict.fromkeys(block.file for block in blocks)
