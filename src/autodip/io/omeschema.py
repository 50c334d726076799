"""The schema of OME-XML: what it does not allow is dropped from a document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from autodip.errors import FormatError

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

NAMESPACE = "http://www.openmicroscopy.org/Schemas/OME/2016-06"

_ORDER = {
    "OME": (
        "BinaryOnly Rights Project Dataset Folder Experiment Plate Screen Experimenter "
        "ExperimenterGroup Instrument Image StructuredAnnotations ROI"
    ),
    "Image": (
        "AcquisitionDate ExperimenterRef Description ExperimentRef ExperimenterGroupRef "
        "InstrumentRef ObjectiveSettings ImagingEnvironment StageLabel Pixels ROIRef "
        "MicrobeamManipulationRef AnnotationRef"
    ),
    "Pixels": "Channel BinData TiffData MetadataOnly Plane AnnotationRef",
    "Channel": "LightSourceSettings DetectorSettings FilterSetRef AnnotationRef LightPath",
}
"""Order of the children that the schema requires; many programs ignore it."""

_ROUNDS = 200
"""Number of validations after which a document is given up."""


def local(element: Element) -> str:
    """Name of an element without its namespace; "" for a comment or the like."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def children(element: Element, name: str) -> list[Element]:
    """Children of an element that have a name."""
    return [child for child in element if local(child) == name]


def sort(element: Element) -> None:
    """Put the children into the order of the schema."""
    order = _ORDER.get(local(element), "").split()
    if order:
        place = {name: number for number, name in enumerate(order)}
        element[:] = sorted(element, key=lambda child: place.get(local(child), len(order)))


def make_valid(root: Element, dropped: list[str]) -> None:
    """Drop what the schema does not allow; names and values are appended to ``dropped``.

    Raises
    ------
    FormatError
        If that does not make the document valid.
    """
    from lxml.etree import XMLSchemaValidateError as ValidateError  # noqa: PLC0415

    schema = _schema()
    for _ in range(_ROUNDS):
        try:
            if schema.validate(root):
                return
        except ValidateError as error:
            raise FormatError(f"its OME metadata cannot be checked ({error})") from error
        # The paths hold only until elements are removed.
        found = [(error, *_elements(root, error)) for error in schema.error_log]
        before = len(dropped), _size(root)
        for reason, *elements in found:
            for element in elements:
                if element is root or element.getparent() is not None:
                    _mend(element, reason, root, dropped)
        if (len(dropped), _size(root)) == before:
            break
    raise FormatError(f"its OME metadata is not valid ({schema.error_log[0].message})")


@cache
def _schema() -> Any:
    from lxml import etree  # noqa: PLC0415
    from ome_types._conversion import OME_2016_06_XSD  # noqa: PLC0415

    return etree.XMLSchema(etree.parse(OME_2016_06_XSD))


def _size(root: Element) -> tuple[int, int]:
    """Changes whenever something is dropped or an ID is given."""
    elements = list(root.iter())
    return len(elements), hash(tuple(element.get("ID") for element in elements))


def _elements(root: Element, error: Any) -> Iterator[Element]:
    """Elements to which an error of the schema applies."""
    match = re.search(
        r"Element '([^']+)': No match found for key-sequence \['(.*?)'", error.message
    )
    if match:  # a reference to what does not exist
        yield from (one for one in root.iter(match[1]) if one.get("ID") == match[2])
    elif error.path:
        spaces = {key: uri for one in root.iter() for key, uri in one.nsmap.items() if key}
        yield from root.getroottree().xpath(error.path, namespaces=spaces)


def _mend(element: Element, error: Any, root: Element, dropped: list[str]) -> None:
    """Drop the attribute or element to which an error applies, or give it another ID."""
    attribute = re.search(r"attribute '([^']+)'", error.message)
    name = local(element)
    if "attribute 'ID' is required" in error.message:
        element.set("ID", _free(f"{name}:0", root))
    elif attribute and attribute[1] == "ID" and "is not allowed" not in error.message:
        kind = re.search(r"(\w+):\\S\+\)?'", error.message)
        if kind is not None:
            element.set("ID", _free(f"{kind[1]}:0", root))
    elif "Duplicate key-sequence" in error.message and element.get("ID"):
        element.set("ID", _free(str(element.get("ID")), root))
    elif error.type_name == "SCHEMAV_CVC_IDC" and "No match" not in error.message:
        return  # follows from another error
    elif attribute or "The attribute '" in error.message:
        key = attribute[1] if attribute else error.message.split("The attribute '")[1].split("'")[0]
        if key not in element.attrib:  # required, but missing
            _drop(element, f"{name} without {key}", dropped)
            return
        drop_attribute(element, key, dropped)
    elif "Character content" in error.message:
        element.text = None
        for child in element:
            child.tail = None
        dropped.append(f"text in {name}")
    else:
        _drop(element, name, dropped)


def drop_attribute(element: Element, name: str, dropped: list[str]) -> None:
    """Drop an attribute; the value of a unit is dropped with it."""
    value = element.attrib.pop(name)
    words = f"{local(element)} {name.rpartition('}')[2]} {quoted(value)}"
    number = element.attrib.pop(name.removesuffix("Unit"), None) if name.endswith("Unit") else None
    # With the default unit, the number would be a guess.
    dropped.append(words if number is None else f"{words} with its value {number[:40]}")


def _drop(element: Element, words: str, dropped: list[str]) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
        dropped.append(words)


def _free(wanted: str, root: Element) -> str:
    """An ID that no element has, as similar as possible to one that some element may have."""
    taken = {element.get("ID") for element in root.iter()}
    names = (wanted, *(f"{wanted}.{number}" for number in range(1, len(taken) + 1)))
    return next(name for name in names if name not in taken)


def quoted(value: str | None) -> str:
    """Value of an attribute for a message."""
    return "(missing)" if value is None else repr(value[:40])
