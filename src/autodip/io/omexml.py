"""OME-XML as programs really write it: read as far as possible, and made valid.

What the schema does not allow is dropped and named in a note, so that one bad value does not make
a file unreadable.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from autodip.errors import FormatError
from autodip.io.omeschema import (
    NAMESPACE,
    children,
    drop_attribute,
    local,
    make_valid,
    quoted,
    sort,
)

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


_SYNONYMS = {
    "μm": "µm",  # Greek mu in place of the micro sign
    "um": "µm",
    "micron": "µm",
    "microns": "µm",
    "micrometer": "µm",
    "micrometre": "µm",
    "\\u00b5m": "µm",
    "Âµm": "µm",  # UTF-8 read as Latin-1
    "nanometer": "nm",
    "millimeter": "mm",
    "sec": "s",
    "second": "s",
    "seconds": "s",
    "msec": "ms",
    "μs": "µs",
    "us": "µs",
}
"""Units that are certain although the schema does not know their names."""

_ORDERS = ("XYZCT", "XYZTC", "XYCTZ", "XYCZT", "XYTCZ", "XYTZC")
_SHOWN = 5
_FLOAT = r"[+-]?(\d+\.?\d*|\.\d+)[eE][+-]?\d+"


@dataclass
class Document:
    """A valid OME-XML document, and what was dropped to make it valid.

    Parameters
    ----------
    root : lxml Element
    dropped : list of str
        Names and values of attributes and elements that were dropped.
    remarks : list of str
        Other remarks for the user.
    """

    root: Element
    dropped: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for the user."""
        if not self.dropped:
            return tuple(self.remarks)
        counts = Counter(self.dropped)
        words = [name + (f" ({n} times)" if n > 1 else "") for name, n in counts.items()]
        more = len(words) - _SHOWN
        listed = ", ".join(words[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
        note = f"dropped from the OME metadata, because it is not valid there: {listed}"
        return (*self.remarks, note)

    @property
    def images(self) -> list[Element]:
        """Image elements that have pixels."""
        return [one for one in children(self.root, "Image") if children(one, "Pixels")]

    def to_xml(self) -> str:
        """Text of the document."""
        from lxml import etree  # noqa: PLC0415

        text: str = etree.tostring(self.root, encoding="unicode")
        return '<?xml version="1.0" encoding="UTF-8"?>' + text


def is_ome(text: str) -> bool:
    """Whether a text looks like OME-XML, complete or not."""
    return re.search(r"<(\w+:)?OME[\s>/]", text[:4000]) is not None


def document(text: str) -> Document:
    """Parse OME-XML that may be damaged or invalid.

    Raises
    ------
    FormatError
        If it is not OME-XML at all.
    """
    done = parsed(text)
    done.root = _updated(done.root)
    for pixels in list(done.root.iter(f"{{{NAMESPACE}}}Pixels")):
        _complete(pixels, done.dropped)
    for element in done.root.iter():
        _check_uuid(element)
        _check_numbers(element, done.dropped)
        _name_units(element, done.remarks)
        sort(element)
    done.remarks[:] = dict.fromkeys(done.remarks)
    make_valid(done.root, done.dropped)
    return done


def parsed(text: str) -> Document:
    """Parse OME-XML, which is neither checked nor changed.

    Raises
    ------
    FormatError
        If it is not OME-XML at all.
    """
    from lxml import etree  # noqa: PLC0415  (for OME files only)

    text = text.strip("\ufeff\0 \t\r\n")
    text = re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)
    text = re.sub(r"^<\?xml[^>]*\?>", "", text)  # the encoding that it states no longer applies
    text = re.sub(r"(\bxmlns(?::[\w.-]+)?\s*=\s*)(\"[^\"]*\"|'[^']*')", _addressed, text)
    parser = etree.XMLParser(
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    root = etree.fromstring(text.encode(), parser)
    if root is None or local(root) != "OME":
        raise FormatError("its OME metadata cannot be read")
    etree.strip_tags(root, etree.Entity)
    damage = [error for error in parser.error_log if error.level_name == "FATAL"]
    if not damage:
        return Document(root)
    what = f"the OME metadata is damaged ({damage[0].message.strip()})"
    return Document(root, remarks=[f"{what}; what can be read of it is used"])


def _addressed(declared: re.Match[str]) -> str:
    """Declaration of a namespace without what no URI contains, on which other parsers fail."""
    return declared[1] + re.sub(r"[^\w\"'/:.,;~@!$&()*+=?#-]", "", declared[2], flags=re.ASCII)


def _updated(root: Element) -> Element:
    """Document in the current namespace; older schemas are converted."""
    from lxml import etree  # noqa: PLC0415
    from ome_types._conversion import TRANSFORMS, ensure_2016  # noqa: PLC0415

    space = root.tag[1:].partition("}")[0] if root.tag[0] == "{" else ""
    space = space.replace("/Schemas/ome/", "/Schemas/OME/").replace("2013-06s", "2013-06")
    if space in TRANSFORMS:
        try:
            tree: Any = ensure_2016(etree.tostring(root), as_tree=True)
            updated: Element | None = tree.getroot()
        except (etree.LxmlError, ValueError):
            updated = None
        if updated is not None and local(updated) == "OME":
            root = updated
    for element in root.iter():
        if isinstance(element.tag, str) and _foreign(element.tag):
            element.tag = f"{{{NAMESPACE}}}{local(element)}"
    return root


def _foreign(tag: str) -> bool:
    """Whether an element of OME is in no namespace, or in that of another schema."""
    space = tag[1:].partition("}")[0] if tag[0] == "{" else ""
    return not space or ("openmicroscopy.org/" in space.lower() and space != NAMESPACE)


def _complete(pixels: Element, dropped: list[str]) -> None:
    """Give an element Pixels what it needs so that it is not dropped as a whole."""
    image = next((one for one in pixels.iterancestors() if local(one) == "Image"), None)
    if image is not None and pixels.getparent() is not image:  # an element before is not closed
        image.append(pixels)
    if not any(children(pixels, name) for name in ("BinData", "TiffData", "MetadataOnly")):
        pixels.append(pixels.makeelement(f"{{{NAMESPACE}}}MetadataOnly"))
    for axis in "XYZCT":
        name = f"Size{axis}"
        size = whole(pixels.get(name))
        if size is None:
            dropped.append(f"Pixels {name} {quoted(pixels.get(name))}")
        pixels.set(name, str(size or 1))
    for name, allowed in (("DimensionOrder", _ORDERS), ("Type", _types())):
        if pixels.get(name) not in allowed:
            dropped.append(f"Pixels {name} {quoted(pixels.get(name))}")
            pixels.set(name, "XYCZT" if name == "DimensionOrder" else "uint8")


def whole(text: str | None) -> int | None:
    """Positive whole number; None if the text is not one."""
    match = re.fullmatch(r"\s*\+?0*([1-9]\d{0,9})(\.0*)?\s*", text or "")
    return int(match[1]) if match and int(match[1]) < 2**31 else None


def _types() -> list[str]:
    from ome_types.model import PixelType  # noqa: PLC0415

    return [kind.value for kind in PixelType]


def _check_uuid(element: Element) -> None:
    """Replace what is no UUID by one, so that the name of the file beside it is not lost."""
    if local(element) == "UUID":
        element.text = _uuid(element.text or "")
    if element.get("UUID") is not None:
        element.set("UUID", _uuid(str(element.get("UUID"))))


def _uuid(text: str) -> str:
    text = text.strip()
    digits = re.fullmatch(
        r"(?:urn:uuid:)?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})", text
    )
    return f"urn:uuid:{digits[1] if digits else uuid5(NAMESPACE_URL, text)}"


def _check_numbers(element: Element, dropped: list[str]) -> None:
    """Drop numbers that are not finite, or too large for one; the schema allows them."""
    for name, value in element.attrib.items():
        if name not in ("ID", "Name") and _is_infinite(value.strip()):
            drop_attribute(element, str(name), dropped)


def _is_infinite(text: str) -> bool:
    """Whether a text is a number that is not finite."""
    if text in ("NaN", "INF", "-INF"):
        return True
    return re.fullmatch(_FLOAT, text) is not None and math.isinf(float(text))


def _name_units(element: Element, remarks: list[str]) -> None:
    for name, value in element.attrib.items():
        unit = _SYNONYMS.get(value.strip()) or _SYNONYMS.get(value.strip().lower())
        if str(name).endswith("Unit") and unit:
            element.set(name, unit)
            if value != "μm":
                remarks.append(f"the unit {value!r} in the OME metadata was read as {unit}")


def keep_only(done: Document, image: Element) -> Document:
    """Document with one of its images alone, without references to what was removed."""
    for other in children(done.root, "Image"):
        if other is not image:
            done.root.remove(other)
    make_valid(done.root, [])
    return done
