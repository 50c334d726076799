"""One value of OME-XML that is not valid costs only itself; what is written is valid."""

import numpy as np
import ome_types
import pytest
import tifffile

from autodip import io
from autodip.io import omexml
from tests.helpers.ome_file import SIDE, planes, write, xml

OLD = "http://www.openmicroscopy.org/Schemas/OME/{}"
NAMED = {
    "mode": (xml(channel='AcquisitionMode="Not Set"'), "AcquisitionMode 'Not Set'"),
    "unit ?m": (xml(pixels='PhysicalSizeX="0.1" PhysicalSizeXUnit="?m"'), "'?m' with its value"),
    "unit frame": (xml(pixels='TimeIncrement="2" TimeIncrementUnit="frame"'), "'frame'"),
    "unit of no name": (xml(pixels='PhysicalSizeX="1" PhysicalSizeXUnit=""'), "XUnit ''"),
    "size 0": (xml(pixels='PhysicalSizeX="0.0"'), "PhysicalSizeX '0.0'"),
    "size below 0": (xml(pixels='PhysicalSizeX="-1"'), "PhysicalSizeX '-1'"),
    "size NaN": (xml(pixels='PhysicalSizeX="NaN"'), "PhysicalSizeX 'NaN'"),
    "size INF": (xml(pixels='PhysicalSizeX="INF"'), "PhysicalSizeX 'INF'"),
    "size above all numbers": (xml(pixels='PhysicalSizeX="1e400"'), "PhysicalSizeX '1e400'"),
    "size nan": (xml(pixels='PhysicalSizeX="nan"'), "PhysicalSizeX 'nan'"),
    "size of no digits": (xml(pixels='PhysicalSizeX=""'), "PhysicalSizeX ''"),
    "size with a comma": (xml(pixels='PhysicalSizeX="0,1"'), "PhysicalSizeX '0,1'"),
    "unknown attribute": (xml(pixels='Foo="1"'), "Pixels Foo '1'"),
    "unknown element": (xml("<TiffData/><Bla/>"), "Bla"),
    "ID where there is none": (xml('<TiffData ID="0"/>'), "TiffData ID '0'"),
    "text": (xml("<TiffData/>hello"), "text in Pixels"),
    "colour": (xml(channel='Color="red"'), "Channel Color 'red'"),
    "wavelength": (xml(channel='EmissionWavelength="-1"'), "EmissionWavelength '-1'"),
    "date": (xml(image="<AcquisitionDate>yesterday</AcquisitionDate>"), "AcquisitionDate"),
    "reference": (xml(image='<InstrumentRef ID="Instrument:9"/>'), "InstrumentRef"),
    "annotation": (
        xml(after="<StructuredAnnotations><MapAnnotation/></StructuredAnnotations>"),
        "MapAnnotation",
    ),
    "order": (xml(order="XYZTX"), "DimensionOrder 'XYZTX'"),
    "count": (xml('<TiffData PlaneCount="x"/>'), "PlaneCount 'x'"),
    "plane": (xml('<TiffData/><Plane TheC="a" TheT="0" TheZ="0"/>'), "Plane TheC 'a'"),
    "size Z": (xml(z="x"), "SizeZ 'x'"),
    "size T": (xml(t=-3), "SizeT '-3'"),
    "size of an exponent": (xml(c="1e0"), "SizeC '1e0'"),
    "damage": (xml()[:-30], "damaged"),
    "ampersand": (xml(image="<Description>A & B</Description>"), "damaged"),
    "unit micron": (xml(pixels='PhysicalSizeX="1" PhysicalSizeXUnit="micron"'), "as µm"),
    "old schema": (
        xml(space=OLD.format("2013-06"), channel='AcquisitionMode="Not Set"'),
        "AcquisitionMode",
    ),
}
"""Metadata, and what a note on them contains."""

QUIET = {
    "byte order mark": "\ufeff" + xml(),
    "zeros at the end": xml() + "\0\0",
    "other encoding stated": xml(head='<?xml version="1.0" encoding="UTF-16"?>'),
    "no namespace": xml(space=""),
    "namespace that is no URI": xml(space=OLD.format("2016-06") + '" xmlns:a="http://%s b'),
    "later schema": xml(space=OLD.format("2099-01")),
    "lower case": xml(space="http://www.openmicroscopy.org/Schemas/ome/2013-06"),
    "2015": xml(space=OLD.format("2015-01")),
    "2008": xml(space=OLD.format("2008-09")),
    "2003": xml(space="http://www.openmicroscopy.org/XMLschemas/OME/FC/ome.xsd"),
    "Greek mu": xml(pixels='PhysicalSizeX="0.1" PhysicalSizeXUnit="\u03bcm"'),
    "two of an ID": xml('<TiffData/><Channel ID="Channel:0:0"/>'),
    "no ID of a channel": xml().replace('ID="Channel:0:0"', ""),
    "no IDs": xml().replace('ID="Pixels:0"', "").replace('ID="Image:0"', ""),
    "other ID": xml().replace('ID="Image:0"', 'ID="first"'),
    "other UUID": xml(root='UUID="17"'),
    "declared entity": xml(
        head='<!DOCTYPE OME [<!ENTITY x "y">]>', image="<Description>&x;</Description>"
    ),
    "control character": xml(image="<Description>\x01</Description>"),
    "prefix": xml()
    .replace("<OME xmlns=", "<o:OME xmlns:o=")
    .replace("</", "</o:")
    .replace("<I", "<o:I")
    .replace("<P", "<o:P")
    .replace("<C", "<o:C")
    .replace("<T", "<o:T"),
}


def read_and_written(tmp_path, text):
    """The image of a file, and its metadata as they are written again."""
    rng = np.random.default_rng(0)
    path, target = tmp_path / "a.ome.tif", tmp_path / "b.ome.tif"
    data = planes(rng)
    image = io.read(write(path, data, text))
    np.testing.assert_array_equal(image.data, data)
    io.write(target, image)
    again = io.read(target)
    np.testing.assert_array_equal(again.data, data)
    assert again.notes == ()
    assert again.pixel_size == image.pixel_size
    with tifffile.TiffFile(target) as tif:
        return image, ome_types.from_xml(tif.ome_metadata.encode(), validate=True)


@pytest.mark.parametrize("name", NAMED)
def test_what_is_dropped_is_named(tmp_path, name):
    text, part = NAMED[name]
    image, written = read_and_written(tmp_path, text)
    assert [note for note in image.notes if part in note], image.notes
    assert written.images[0].name == "cells"


@pytest.mark.parametrize("name", QUIET)
def test_what_is_certain_is_not_mentioned(tmp_path, name):
    image, written = read_and_written(tmp_path, QUIET[name])
    assert image.notes == ()
    assert written.images[0].pixels.channels[0].name == "dye 0"


def test_no_unit_is_invented(tmp_path):
    pixels = 'PhysicalSizeX="0.1" PhysicalSizeXUnit="pixels" PhysicalSizeY="0.2"'
    image, written = read_and_written(tmp_path, xml(pixels=pixels))
    assert image.pixel_size == {"Y": 0.2}
    assert written.images[0].pixels.physical_size_x is None


def test_micro_sign_of_latin_1(tmp_path, rng):
    text = xml(pixels='PhysicalSizeX="0.1" PhysicalSizeXUnit="µm"').encode("latin-1")
    image = io.read(write(tmp_path / "a.ome.tif", planes(rng), text))
    assert image.pixel_size == {"X": 0.1}


def test_size_of_the_planes_is_that_of_the_pages(tmp_path):
    text = xml().replace(f'SizeX="{SIDE}"', 'SizeX="99"')
    image, written = read_and_written(tmp_path, text)
    assert "20 x 99 pixels, but they have 20 x 20" in image.notes[0]
    assert written.images[0].pixels.size_x == SIDE


def test_many_values_share_a_note():
    channels = "".join(f'<Channel ID="Channel:0:{n}" A{n}="x"/>' for n in range(9))
    (note,) = omexml.document(xml(channels)).notes
    assert note.endswith("Channel A4 'x' and 4 more")
    (note,) = omexml.document(xml("<TiffData A='x'/>" * 9)).notes
    assert note.endswith("TiffData A 'x' (9 times)")


def test_metadata_that_cannot_be_used(tmp_path, rng):
    path = write(tmp_path / "a.ome.tif", planes(rng), xml()[:60])
    image = io.read(path)
    assert image.axes == "YX"
    assert "no image; the pages were read alone" in image.notes[0]
    io.write(path, image)
    assert io.read(path).source.flavour == "ome"
    assert io.read(path).notes == ()


def test_pixels_that_ome_cannot_hold(tmp_path, rng):
    """They are written as a plain TIFF; a result of another type as OME-TIFF on request."""
    path, target = tmp_path / "a.ome.tif", tmp_path / "b.ome.tif"
    data = planes(rng, 2).astype("float16")
    image = io.read(write(path, data, xml(t=2, pixels='PhysicalSizeX="0.1"')))
    assert "no pixels of type float16" in image.notes[-1]
    io.write(target, image)
    again = io.read(target)
    assert (again.axes, again.data.dtype.name) == ("TYX", "float16")
    io.write(target, image, format="ome-tiff", dtype="float32")
    assert io.read(target).pixel_size == {"X": 0.1}
