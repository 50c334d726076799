"""Where the metadata of an OME-TIFF are: in the file, or in a companion file."""

from __future__ import annotations

from pathlib import Path

import tifffile

from autodip.errors import FormatError
from autodip.io import omexml
from autodip.io.omeschema import children
from autodip.io.tiff.captured import captured
from autodip.io.tiff.fileset import OWN, FileSet, files_of, locate
from autodip.io.tiff.found import Found
from autodip.io.tiff.omefiles import OmeTiff
from autodip.util.paths import check_source


def find(
    tif: tifffile.TiffFile, scene: str | int | None, axes: str | None, follow: bool
) -> Found | str:
    """The chosen image of an OME-TIFF, or the reason why its metadata cannot be used.

    Raises
    ------
    FormatError, ParameterError
        As :class:`OmeTiff`.
    """
    path = Path(tif.filehandle.path)
    try:
        done = omexml.document(description(tif))
    except FormatError as error:
        return str(error)
    uuid = done.root.get("UUID")
    if not done.images:
        companion = _companion(path, done, follow)
        if isinstance(companion, str):
            return companion
        done = companion
    images = OmeTiff(tif, done, uuid, follow=follow)
    if not images.own and scene is None:
        missing = images.missing() if len(done.images) == 1 else ""
        if missing is not None:
            return missing or "its OME metadata describe no image in this file"
    return images.image(images.choose(scene), axes)


def description(tif: tifffile.TiffFile) -> str:
    """Text in which a TIFF file may have its metadata."""
    return str(tif.pages.first.description or "") if tif.pages else ""


def _companion(path: Path, done: omexml.Document, follow: bool) -> omexml.Document | str:
    """Metadata in the companion file, or the reason why there are none."""
    link = next(iter(children(done.root, "BinaryOnly")), None)
    if link is None:
        return "its OME metadata describe no image"
    name = str(link.get("MetadataFile"))
    place = locate(path, name, follow)
    if isinstance(place, str):
        return f"its OME metadata are in a companion file, but {place}"
    try:
        found = omexml.document(place.read_text(encoding="utf-8", errors="replace"))
    except (OSError, FormatError) as error:
        return f"its OME metadata are in a companion file, but {name} cannot be read ({error})"
    return found if found.images else f"its companion file {name} describes no image"


def members(path: Path) -> tuple[Path, ...]:
    """Existing files of the set that shows the only image of an OME-TIFF, in their order.

    Empty for other files, and for a file that shows its image alone.
    """
    try:
        check_source(path)  # a pipe would block
        with captured(), tifffile.TiffFile(path) as tif:
            text = description(tif)
            path = Path(tif.filehandle.path)  # for a link, the other files are where it leads
        if not omexml.is_ome(text) or not ("FileName" in text or "BinaryOnly" in text):
            return ()
        done = omexml.parsed(text)
        uuid = done.root.get("UUID")
        if not done.images:
            companion = _companion(path, done, follow=False)
            if isinstance(companion, str):
                return ()
            done = companion
    except Exception:  # reading the file reports what is wrong with it
        return ()
    files = FileSet(path, done.root, uuid)
    sets = [names for image in done.images if OWN in (names := [*files_of(files.blocks(image))])]
    if len(sets) != 1 or len(sets[0]) == 1:
        return ()
    places = [path if name == OWN else locate(path, name, False) for name in sets[0]]
    return tuple(place for place in places if isinstance(place, Path))
