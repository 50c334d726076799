"""What ImageJ's description and the resolution of a TIFF file state about pixel size and time."""

import numpy as np
import pytest
import tifffile

from autodip import io
from tests.helpers.ome_file import planes, write


def described(tmp_path, data, *, resolution=(10.0, 10.0), **fields):
    """The image of a stack with this description; the same again after it was written."""
    path = tmp_path / "a.tif"
    fields = {"images": len(data), "slices": len(data), "spacing": 0.5} | fields
    text = "ImageJ=1.53t\n" + "".join(f"{name}={value}\n" for name, value in fields.items())
    write(path, data, text.encode("latin-1"), resolution=resolution, resolutionunit=1)
    image = io.read(path)
    io.write(path, image)
    again = io.read(path)
    for name in ("pixel_size", "time_step", "notes"):
        assert getattr(again, name) == getattr(image, name)
    return image


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        *((name, 1) for name in ("um", "µm", "micron", "microns", "\\u00B5m", "Micrometers")),
        *((name, 1e-4) for name in ("Å", "\\u00C5", "Angstrom")),
        *((name, 1e-3) for name in ("nm", "nanometer")),
        ("mm", 1e3),
        ("cm", 1e4),
        ("m", 1e6),
    ],
)
def test_units_of_length(tmp_path, rng, unit, factor):
    image = described(tmp_path, planes(rng, 2), unit=unit)
    assert image.pixel_size == pytest.approx(
        {"X": 0.1 * factor, "Y": 0.1 * factor, "Z": factor / 2}
    )
    assert image.notes == ()


def test_each_axis_may_have_its_unit(tmp_path, rng):
    image = described(tmp_path, planes(rng, 2), unit="um", yunit="nm", zunit="mm")
    assert image.pixel_size == pytest.approx({"X": 0.1, "Y": 1e-4, "Z": 500})
    io.write(tmp_path / "b.ome.tif", image, format="ome-tiff")
    assert io.read(tmp_path / "b.ome.tif").pixel_size == pytest.approx(image.pixel_size)


@pytest.mark.parametrize("unit", ["pixel", "", "pixels"])
def test_no_unit(tmp_path, rng, unit):
    image = described(tmp_path, planes(rng, 2), unit=unit)
    assert (image.pixel_size, image.notes) == ({}, ())


@pytest.mark.parametrize(("unit", "dots"), [("inch", 72), ("inch", 300), ("cm", 28.346)])
def test_printing_is_no_pixel_size(tmp_path, rng, unit, dots):
    image = described(tmp_path, planes(rng, 2), unit=unit, resolution=(dots, dots))
    assert image.pixel_size == {}


def test_inches_of_a_microscope(tmp_path, rng):
    image = described(tmp_path, planes(rng, 2), unit="inch", resolution=(254000, 254000))
    assert image.pixel_size["X"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("fields", "step"),
    [
        ({"finterval": 2}, 2),
        ({"finterval": 2, "tunit": "ms"}, 0.002),
        ({"finterval": 2, "tunit": "min"}, 120),
        ({"finterval": 0.5, "tunit": "sec"}, 0.5),
        ({"finterval": 2, "fps": 7}, 2),
        ({"fps": 7}, None),
        ({"finterval": -1}, None),
        ({"finterval": 0}, None),
    ],
)
def test_time_between_frames(tmp_path, rng, fields, step):
    image = described(tmp_path, planes(rng, 2), unit="um", **fields)
    assert image.time_step == step
    assert image.notes == ()


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"unit": "furlong"}, "'furlong' is not known"),
        ({"unit": "um", "spacing": "abc"}, "spacing=abc"),
        ({"unit": "um", "finterval": "nan"}, "finterval=nan"),
        ({"unit": "um", "finterval": 2, "tunit": "frames"}, "'frames' is not known"),
        ({"unit": "um", "cf": 0, "c0": -32768, "c1": 1}, "calibrated"),
    ],
)
def test_what_cannot_be_used_is_noted(tmp_path, rng, fields, note):
    image = described(tmp_path, planes(rng, 2), **fields)
    assert [one for one in image.notes if note in one]
    assert image.time_step is None


@pytest.mark.parametrize("shaped", [True, False])
@pytest.mark.parametrize(
    ("dots", "unit", "size"),
    [
        ((1e5, 2e5), 3, {"X": 0.1, "Y": 0.05}),
        ((254000, 254000), 2, {"X": 0.1, "Y": 0.1}),
        ((769.23, 769.23), 3, {"X": 13, "Y": 13}),
        ((300, 300), 2, {}),
        ((96, 96), 2, {}),
        ((118.11, 118.11), 3, {}),
        ((28.35, 28.35), 3, {}),
        ((1, 1), 3, {}),
        ((1, 1), 2, {}),
        ((1e5, 1e5), 1, {}),
    ],
)
def test_resolution_of_a_plain_tiff(tmp_path, rng, shaped, dots, unit, size):
    path, target = tmp_path / "a.tif", tmp_path / "b.ome.tif"
    more = {} if shaped else {"metadata": None}
    tifffile.imwrite(path, planes(rng), resolution=dots, resolutionunit=unit, **more)
    image = io.read(path)
    assert image.pixel_size == pytest.approx(size, rel=1e-3)
    io.write(target, image, format="ome-tiff")
    assert io.read(target).pixel_size == pytest.approx(size, rel=1e-3)
    io.write(path, image)
    with tifffile.TiffFile(path) as tif:
        ratio = tif.pages[0].tags["XResolution"].value
        assert ratio[0] / ratio[1] == pytest.approx(dots[0], rel=1e-3)


def test_pixels_that_imagej_cannot_hold(tmp_path, rng):
    path = tmp_path / "a.tif"
    metadata = {"axes": "CYX", "unit": "um", "Labels": ["red", "blue"], "Info": "Größe"}
    data = planes(rng, 2) % 100
    tifffile.imwrite(path, data, imagej=True, resolution=(10, 10), metadata=metadata)
    for dtype in ("int8", "int16", "uint32"):
        io.write(tmp_path / "b.tif", io.read(path), dtype=dtype)
        again = io.read(tmp_path / "b.tif")
        assert again.data.dtype == dtype
        assert again.axes == "CYX"
        assert again.pixel_size == {"X": 0.1, "Y": 0.1}
        assert again.channel_names == ("red", "blue")
        assert again.source.metadata["Info"] == "Größe"
        np.testing.assert_array_equal(again.data, data.astype(dtype))
