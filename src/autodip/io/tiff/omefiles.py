"""Images of an OME-TIFF: which pages of which files show their planes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tifffile

from autodip.errors import FormatError
from autodip.io import omexml, scenes
from autodip.io.omeschema import children
from autodip.io.tiff import planes
from autodip.io.tiff.fileset import OWN, Block, FileSet, files_of, locate, number
from autodip.io.tiff.found import Found
from autodip.io.tiff.planes import Place, Stack

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_NAMED = 5
"""Number of files that a note names."""

_REPEATED = 4
"""Multiple of the number of pages above which the number of planes cannot be right."""


class OmeTiff:
    """An OME-TIFF file with the other files of its set.

    Parameters
    ----------
    tif : TiffFile
    done : Document
        Its metadata, or those of its companion file.
    uuid : str or None
        UUID of the file.
    follow : bool
        Whether files outside its folder are read.
    """

    def __init__(
        self,
        tif: tifffile.TiffFile,
        done: omexml.Document,
        uuid: str | None,
        *,
        follow: bool,
    ) -> None:
        self._tif, self._done, self._follow = tif, done, follow
        self._path = Path(tif.filehandle.path)
        self._pages: dict[str, Sequence[Any]] = {OWN: list(tif.pages)}
        self._absent: dict[str, str] = {}
        files = FileSet(self._path, done.root, uuid)
        self._blocks = [files.blocks(image) for image in done.images]
        if self._blocks == [[]]:  # no block stands for all pages of the file
            self._blocks = [[Block(file=OWN, first={}, page=0, count=None)]]

    @property
    def own(self) -> list[int]:
        """Numbers of the images that have planes in this file."""
        return [n for n, blocks in enumerate(self._blocks) if OWN in files_of(blocks)]

    def choose(self, scene: str | int | None) -> int:
        """Number of the image to read: the chosen one, or the only one with planes in this file.

        Raises
        ------
        FormatError, ParameterError
            As in :func:`autodip.io.scenes.choose`.
        """
        if scene is None and len(self.own) == 1:
            return self.own[0]
        return scenes.choose([str(one.get("Name") or "") for one in self._done.images], scene)

    def image(self, chosen: int, axes: str | None) -> Found:
        """The pages and metadata of an image.

        Raises
        ------
        FormatError
            If its planes are missing, or the file has pages of unknown meaning.
        ParameterError
            If the axes do not fit the pages.
        """
        image = self._done.images[chosen]
        pixels = children(image, "Pixels")[0]
        page = self._first_page(self._blocks[chosen])
        order, told, own_axes = _stated(pixels, page)
        shown = dict(self._shown(self._blocks[chosen], order, told))
        sizes = tuple(max([n, *(at[k] + 1 for at in shown)]) for k, n in enumerate(told))
        notes = list(self._done.notes)
        if sizes != told:
            notes.append(
                f"the OME metadata state {planes.stated(order, told)}, but describe planes of "
                f"{planes.stated(order, sizes)}; all were read"
            )
        if len(set(shown.values())) < len(shown):
            notes.append("according to the OME metadata, some pages show several planes")
        stack = self._described(order, sizes, shown, axes)
        rest = self._rest(chosen, shown.values())
        more = bool(planes.alike(rest, page))
        if stack is None or (axes and planes.are_for_all(axes, stack, own_axes, more)):
            known = dict(zip(order, sizes, strict=True))
            stack = planes.of_all(str(axes), known, self._pages[OWN])
        else:
            stack = self._all_pages(stack, rest, own_axes, axes)
        notes += [*_joined(stack), *stack.notes, *_restate(pixels, stack, page, own_axes)]
        series = planes.series_of(
            stack, own_axes, kind="ome", name=str(image.get("Name") or ""), parent=self._tif
        )
        xml = omexml.keep_only(self._done, image).to_xml()
        return Found(series=series, flavour="ome", metadata=xml, notes=tuple(notes))

    def missing(self) -> str | None:
        """Why the only image has no plane that can be read; None if it has one."""
        try:
            self._first_page(self._blocks[0])
        except FormatError as error:
            return str(error)
        return None

    def _first_page(self, blocks: Sequence[Block]) -> Any:
        """Page of a plane of the image; its shape is that of all planes."""
        for block in blocks:
            pages = self._of(block.file)
            if block.page < len(pages):
                return pages[block.page]
        raise FormatError(f"none of the planes that its OME metadata describe exists{self._why}")

    def _of(self, file: str) -> Sequence[Any]:
        """Pages of a file of the set; empty if it cannot be read."""
        if file not in self._pages:
            place = locate(self._path, file, self._follow)
            self._pages[file] = []
            if isinstance(place, str):
                self._absent[file] = place
                return []
            try:
                with tifffile.TiffFile(place) as tif:
                    self._pages[file] = list(tif.pages)
            except (tifffile.TiffFileError, OSError, ValueError, LookupError) as error:
                self._absent[file] = f"{file} cannot be read ({error})"
        return self._pages[file]

    @property
    def _why(self) -> str:
        """Why planes are absent, as far as it is known."""
        reasons = list(self._absent.values())
        more = f" and {len(reasons) - 2} more" if len(reasons) > 2 else ""
        return f" ({'; '.join(reasons[:2])}{more})" if reasons else ""

    def _shown(
        self, blocks: Sequence[Block], order: str, sizes: tuple[int, ...]
    ) -> Iterator[tuple[Place, tuple[str, int]]]:
        """File and page of every plane that exists."""
        total, work = math.prod(sizes), 0
        for block in blocks:
            left = len(self._of(block.file)) - block.page
            count = left if block.count is None else min(block.count, left)
            place = tuple(block.first.get(axis, 0) for axis in order)
            inside = all(at < size for at, size in zip(place, sizes, strict=True))
            if not inside and count > 0:
                yield place, (block.file, block.page)
                continue
            start = planes.number_of(place, sizes)
            count = min(count, total - start)
            work += max(count, 1)
            if work > len(blocks) + _REPEATED * sum(map(len, self._pages.values())):
                raise FormatError("its OME metadata describe more planes than there are pages")
            for n in range(count):
                yield planes.place_of(start + n, sizes), (block.file, block.page + n)

    def _described(
        self,
        order: str,
        sizes: tuple[int, ...],
        shown: Mapping[Place, tuple[str, int]],
        axes: str | None,
    ) -> Stack | None:
        """The planes that are described; None if not all exist, but the user specified axes."""
        pages = {place: self._pages[file][page] for place, (file, page) in shown.items()}
        try:
            return planes.complete(order, sizes, pages, self._why)
        except FormatError:
            if axes is None or not self._pages[OWN]:
                raise
            return None

    def _rest(self, chosen: int, shown: Iterable[tuple[str, int]]) -> list[Any]:
        """Pages of this file that the metadata do not describe."""
        pages = self._pages[OWN]
        used = {page for file, page in shown if file == OWN}
        for n, blocks in enumerate(self._blocks):
            for block in blocks if n != chosen else ():
                if block.file == OWN:
                    stop = len(pages) if block.count is None else block.page + block.count
                    used |= set(range(block.page, min(stop, len(pages))))
        return [page for page in pages if page.index not in used]

    def _all_pages(
        self, stack: Stack, rest: Sequence[Any], own_axes: str, axes: str | None
    ) -> Stack:
        """Stack with the pages that the metadata do not describe, or a note on them."""
        alike = planes.alike(rest, stack.pages[0])
        notes = list(stack.notes)
        if len(rest) > len(alike):
            notes.append(planes.left_out(len(rest) - len(alike), "an image of another size"))
        described = planes.stated(stack.axes, stack.sizes)
        every = planes.alike(self._pages[OWN], stack.pages[0])
        sizes = planes.grown(stack.axes, stack.sizes, len(every))
        in_order = list(stack.pages) == every[: len(stack.pages)]
        elsewhere = all(page.parent is not self._tif for page in stack.pages)
        if alike and in_order and sizes is not None and len(self._blocks) == 1:
            notes.append(
                f"the OME metadata describe {len(stack.pages)} of the {len(every)} pages "
                f"({described}); all were read"
            )
            return Stack(stack.axes, sizes, every, tuple(notes))
        if alike and (axes is not None or elsewhere or len(self._blocks) > 1):
            notes.append(planes.left_out(len(alike), "the OME metadata do not describe them"))
        elif alike:
            raise planes.too_many(stack.axes, stack.sizes, len(every), len(alike), own_axes)
        return Stack(stack.axes, stack.sizes, stack.pages, tuple(notes))


def _joined(stack: Stack) -> Iterator[str]:
    names = list(dict.fromkeys(str(page.parent.filename) for page in stack.pages))
    if len(names) > 1:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield (
            f"{len(names)} files of an OME-TIFF set were read as one image: "
            f"{', '.join(names[:_NAMED])}{more}"
        )


def _stated(pixels: Element, page: Any) -> tuple[str, tuple[int, ...], str]:
    """Axes (slowest first) and sizes of the stack as stated, and the axes of a page."""
    order = str(pixels.get("DimensionOrder"))[:1:-1]
    sizes = {axis: omexml.whole(pixels.get(f"Size{axis}")) or 1 for axis in order}
    own_axes = str(page.axes)
    if "S" in own_axes:
        samples = page.shape[own_axes.index("S")]
        channels = children(pixels, "Channel")
        single = all(number(one, "SamplesPerPixel", 1) == 1 for one in channels)
        if own_axes[0] == "S" and single and sizes["C"] == samples == len(channels):
            own_axes = own_axes.replace("S", "C")  # channels as planes of one page
        sizes["C"] = max(1, sizes["C"] // samples)
    return order, tuple(sizes.values()), own_axes


def _restate(pixels: Element, stack: Stack, page: Any, own_axes: str) -> Iterator[str]:
    """Put the sizes of what is read into the metadata; yields notes on what differs."""
    sizes = dict(zip(stack.axes, stack.sizes, strict=True))
    within = dict(zip(own_axes, page.shape, strict=True))
    sizes["C"] = sizes.get("C", 1) * within.get("C", 1)
    for axis in "TZC":
        pixels.set(
            f"Size{axis}", str(sizes.get(axis, 1) * (within.get("S", 1) if axis == "C" else 1))
        )
    order = [axis for axis in reversed(stack.axes) if axis in "TZC"]
    rest = [axis for axis in str(pixels.get("DimensionOrder"))[2:] if axis not in order]
    pixels.set("DimensionOrder", "XY" + "".join([*order, *rest]))
    told = " x ".join(str(pixels.get(f"Size{axis}")) for axis in "YX")
    real = f"{within['Y']} x {within['X']}"
    if told not in (real, "1 x 1"):
        yield f"the OME metadata state planes of {told} pixels, but they have {real}"
    for axis in "YX":
        pixels.set(f"Size{axis}", str(within[axis]))
    for extra in children(pixels, "Channel")[sizes["C"] :]:
        pixels.remove(extra)
    for plane in children(pixels, "Plane"):
        if any((number(plane, f"The{a}", 0) or 0) >= sizes.get(a, 1) for a in "TZC"):
            pixels.remove(plane)
