"""Zarr stores as people have them: other versions, gaps, bare arrays, links, damaged chunks."""

import json
import pickle

import numcodecs
import numpy as np
import pytest
import zarr

from autodip import io
from autodip.errors import FormatError, ImageError, OutOfMemoryError, ParameterError
from autodip.io import large
from tests.helpers import ngff_store as store


@pytest.fixture
def pixels(rng):
    return rng.integers(1, 4000, (40, 52)).astype(np.uint16)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.ome.zarr"


def test_without_a_unit_or_a_scale_there_is_no_size(path, pixels):
    for entry in (store.multiscale(unit=None), store.multiscale(scale=None)):
        image = io.read(store.write(path, pixels, entry))
        assert image.pixel_size == {}
        assert image.notes == ()


@pytest.mark.parametrize(
    ("unit", "micrometres"),
    [
        ("nanometer", 2e-4),
        ("angstrom", 2e-5),
        ("inch", 5080),
        ("micrometre", 0.2),
        ("Microns", 0.2),
        ("µm", 0.2),
        ("nm", 2e-4),
        ("pixel", None),
        (7, None),
    ],
)
def test_units(path, pixels, unit, micrometres):
    image = io.read(store.write(path, pixels, store.multiscale(unit=unit)))
    expected = {} if micrometres is None else dict.fromkeys("YX", micrometres)
    assert image.pixel_size == expected
    assert ("not used as a size" in str(image.notes)) == (micrometres is None)


@pytest.mark.parametrize("scale", [[0, 0.2], [-1, 0.2], [float("nan"), 0.2]])
def test_a_wrong_size_is_named_and_the_others_are_used(path, pixels, scale):
    image = io.read(store.write(path, pixels, store.multiscale(scale=scale)))
    assert image.pixel_size == {"X": 0.2}
    assert "micrometer along Y" in image.notes[0]


@pytest.mark.parametrize("scale", [["a", "b"], [0.2], "x", None, {}])
def test_a_scale_of_another_form_is_named(path, pixels, scale):
    entry = store.multiscale()
    entry["datasets"][0]["coordinateTransformations"] = [{"type": "scale", "scale": scale}]
    image = io.read(store.write(path, pixels, entry))
    assert image.pixel_size == {}
    assert "not a scale for each axis" in image.notes[0]


@pytest.mark.parametrize(
    ("entry", "shape", "axes"),
    [
        ({"version": "0.1", "datasets": [{"path": "0"}]}, (1, 1, 2, 40, 52), "TCZYX"),
        ({"version": "0.2", "datasets": [{"path": "0"}]}, (1, 1, 2, 40, 52), "TCZYX"),
        ({"version": "0.3", "axes": list("zyx"), "datasets": [{"path": "0"}]}, (2, 40, 52), "ZYX"),
        ({"axes": list("zyx"), "datasets": [{"path": "0"}]}, (2, 40, 52), "ZYX"),
    ],
)  # fmt: skip
def test_first_versions_are_written_as_0_4(path, tmp_path, rng, entry, shape, axes):
    data = rng.integers(0, 99, shape).astype(np.uint8)
    image = io.read(store.write(path, data, entry, separator="."))
    assert (image.axes, image.pixel_size) == (axes, {})
    assert "are used as those of 0.4" in image.notes[0]
    io.write(tmp_path / "b.zarr", image)
    again = io.read(tmp_path / "b.zarr")
    assert (again.axes, again.notes) == (axes, ())
    np.testing.assert_array_equal(again.data, data)


def test_first_versions_without_all_axes_need_them(path, pixels):
    store.write(path, pixels, {"version": "0.2", "datasets": [{"path": "0"}]})
    with pytest.raises(ParameterError, match=r"a.ome.zarr: OME-Zarr 0.2 states no axes"):
        io.read(path)
    assert io.read(path, "YX").axes == "YX"


def test_the_version_need_not_be_stated(path, pixels):
    assert io.read(store.write(path, pixels, store.multiscale(version=None))).axes == "YX"
    assert io.read(store.write(path, pixels, store.multiscale(version=None), {})).axes == "YX"


def rfc5(axes, steps, shared=()):
    """Entry of version 0.6, with coordinate systems by name and the steps of the level."""
    systems = [{"name": name, "axes": store.axes("yx", unit)} for name, unit in axes.items()]
    level = {"path": "0", "coordinateTransformations": steps}
    more = {"coordinateTransformations": list(shared)} if shared else {}
    return {"name": "image", "coordinateSystems": systems, "datasets": [level], **more}


SCALED = {"type": "scale", "scale": [100.0, 200.0]}
MOVED = {"type": "translation", "translation": [5.0, 5.0]}
SHEARED = {"type": "affine", "affine": [[0.1, 0.1, 0.0], [0.0, 0.2, 0.0]]}
ENDS = {"input": "0", "output": "physical"}


@pytest.mark.parametrize(
    ("entry", "size"),
    [
        (rfc5({"physical": "nanometer"}, [{**SCALED, **ENDS}]), {"Y": 0.1, "X": 0.2}),
        (
            rfc5(
                {"physical": "nanometer"},
                [{"type": "sequence", "transformations": [SCALED, MOVED], **ENDS}],
            ),
            {"Y": 0.1, "X": 0.2},
        ),
        (
            rfc5(
                {"pixels": None, "physical": "nanometer"},
                [{"type": "identity", "input": {"path": "0"}, "output": {"name": "pixels"}}],
                [{**SCALED, "input": {"name": "pixels"}, "output": {"name": "physical"}}],
            ),
            {"Y": 0.1, "X": 0.2},
        ),
        (
            rfc5(
                {"physical": "micrometer"},
                [{"type": "affine", "affine": [[0.1, 0.0, 3.0], [0.0, 0.2, 4.0]], **ENDS}],
            ),
            {"Y": 0.1, "X": 0.2},
        ),
        (rfc5({"physical": "micrometer"}, [{**SHEARED, **ENDS}]), {}),
    ],
)
def test_coordinate_systems_of_0_6_are_read_and_kept(path, tmp_path, pixels, entry, size):
    ome = {"version": "0.6", "coordinateSystems": [{"name": "world", "axes": []}]}
    image = io.read(store.write(path, pixels, entry, ome))
    assert (image.axes, image.pixel_size) == ("YX", size)
    io.write(tmp_path / "b.zarr", image)
    assert store.attributes(tmp_path / "b.zarr") == store.attributes(path)


def test_axes_by_their_types(path, pixels):
    entry = store.multiscale("yx", [1, 1, 0.2, 0.2])
    entry["axes"][:0] = [{"name": "frame", "type": "time"}, {"name": "ch", "type": "channel"}]
    assert io.read(store.write(path, pixels[None, None], entry)).axes == "TCYX"


def test_unknown_axes_are_named_by_the_user(path, pixels):
    entry = store.multiscale("yx", [1, 0.2, 0.2])
    entry["axes"].insert(0, {"name": "angle"})
    store.write(path, np.stack([pixels, pixels]), entry)
    with pytest.raises(FormatError, match=r"called angle, y, x; .* give --axes"):
        io.read(path)
    assert io.read(path, "TYX").axes == "TYX"


@pytest.mark.parametrize(("names", "size"), [("zx", {"Y": 0.5, "X": 0.2}), ("tx", {"X": 0.2})])
def test_scans_without_y(path, tmp_path, pixels, names, size):
    image = io.read(store.write(path, pixels, store.multiscale(names, [0.5, 0.2])))
    assert (image.axes, image.pixel_size) == ("YX", size)
    assert "a scan without Y" in image.notes[0]
    io.write(tmp_path / "b.zarr", image)
    assert store.attributes(tmp_path / "b.zarr") == store.attributes(path)


def test_a_missing_level_is_left_out(path, tmp_path, pixels):
    entry = store.multiscale()
    entry["datasets"].append({"path": "1"})
    image = io.read(store.write(path, pixels, entry))
    assert "the array '1'" in image.notes[0]
    io.write(tmp_path / "b.zarr", image)
    assert io.read(tmp_path / "b.zarr").notes == ()
    entry["datasets"].reverse()
    with pytest.raises(FormatError, match="the array '1', which its metadata list, is not there"):
        io.read(store.write(path, pixels, entry))


def test_a_plate_with_gaps(path, pixels):
    store.plate(path, ["A/1", "A/2", "B/1"], pixels, ["A/2", "B/1"])
    for scene, number in (("A/2/0", 0), ("B/1/0", 1), ("1", 1), (0, 0)):
        image = io.read(path, scene=scene)
        np.testing.assert_array_equal(image.data, pixels + number)
        assert "missing or damaged: A/1" in image.notes[0]
    with pytest.raises(FormatError, match="2 images: 0 'A/2/0', 1 'B/1/0'"):
        io.read(path)
    (path / "A" / "2" / ".zattrs").write_text("damaged")
    (path / "B" / "1" / "0" / ".zattrs").write_text("damaged")
    assert "missing or damaged: A/1, B/1/0" in io.read(path, scene="A/2/0").notes[0]
    store.plate(path, ["A/1"], pixels, [])
    with pytest.raises(FormatError, match=r"missing or damaged: A/1"):
        io.read(path)


def bioformats2raw(path, names, pixels, xml):
    root = zarr.open_group(path, mode="w", zarr_format=2)
    root.attrs["bioformats2raw.layout"] = 3
    for number, name in enumerate(names):
        store.write(path / str(number), pixels + number, store.multiscale(name=name))
    zarr.open_group(path / "OME", mode="w", zarr_format=2).attrs["series"] = ["0", "1", "2"]
    (path / "OME" / "METADATA.ome.xml").write_bytes(xml)
    return path


@pytest.mark.parametrize("xml", [b"<OME", b"\xff\xfe\x80", b"", b"<OME><Image/></OME>"])
def test_bad_xml_beside_the_images_of_bioformats2raw(path, pixels, xml):
    image = io.read(bioformats2raw(path, ["one", "two"], pixels, xml), scene="two")
    np.testing.assert_array_equal(image.data, pixels + 1)
    assert "METADATA.ome.xml is not used" in image.notes[0]
    assert "missing or damaged: 2" in image.notes[1]
    with pytest.raises(ParameterError, match="several images are called 'a'"):
        io.read(bioformats2raw(path, ["a", "a"], pixels, xml), scene="a")


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_bare_arrays(path, tmp_path, pixels, zarr_format):
    store.array(path, pixels, zarr_format, attributes={"lab": 7})
    image = io.read(path)
    assert image.axes == "YX"
    io.write(tmp_path / "b.zarr", image.replace(data=image.data + 1))
    again = zarr.open_array(tmp_path / "b.zarr")
    np.testing.assert_array_equal(again[...], pixels + 1)
    assert again.metadata.zarr_format == zarr_format
    assert dict(again.attrs) == {"lab": 7}
    for form in ("ome-zarr-0.4", "ome-zarr"):
        io.write(tmp_path / "c.zarr", image, format=form)
        assert {"multiscales", "ome"} & set(store.attributes(tmp_path / "c.zarr"))


def test_bare_arrays_of_three_dimensions(path, pixels):
    store.array(path, np.stack([pixels, pixels]))
    with pytest.raises(ParameterError, match="--axes TYX"):
        io.read(path)
    assert io.read(path, "ZYX").axes == "ZYX"
    named = path.with_name("named.zarr")
    store.array(named, np.stack([pixels, pixels]), 3, dimension_names=["t", "y", "x"])
    assert io.read(named).axes == "TYX"


@pytest.mark.parametrize("bare", [False, True])
def test_one_sample_of_colour_pixels(path, tmp_path, pixels, bare):
    data = np.stack([pixels] * 3, -1)
    if bare:
        store.array(path, data)
    else:
        store.write(path, data, store.multiscale("zyx", [1.0] * 3))
    image = io.read(path, "YXS").select(channel="1")
    io.write(tmp_path / "b.zarr", image)
    np.testing.assert_array_equal(io.read(tmp_path / "b.zarr").data, pixels)


def test_arrays_in_a_group(path, pixels):
    zarr.open_group(path, mode="w", zarr_format=3)
    for number, name in enumerate(("raw", "truth")):
        store.array(path / name, pixels + number, 3)
    with pytest.raises(FormatError, match="2 images: 0 'raw', 1 'truth'"):
        io.read(path)
    np.testing.assert_array_equal(io.read(path, scene="truth").data, pixels + 1)


@pytest.mark.parametrize("dtype", ["bool", "complex64", "str"])
def test_pixels_that_are_no_real_numbers(path, dtype):
    zarr.create_array(path, shape=(4, 4), dtype=dtype, chunks=(4, 4))
    with pytest.raises(ImageError, match=r"a.ome.zarr: pixels of type"):
        io.read(path)


def test_no_pixels(path):
    zarr.create_array(path, shape=(0, 4), dtype="u2", chunks=(4, 4))
    with pytest.raises(ImageError, match="holds no pixels"):
        io.read(path)


@pytest.mark.parametrize("scratch", [False, True])
def test_missing_chunks_have_the_fill_value(path, tmp_path, pixels, scratch, monkeypatch):
    monkeypatch.setattr(large, "LARGE", 1000)
    store.write(path, pixels, store.multiscale(), fill_value=7)
    for name in ("0/0/0", "0/2/3"):
        (path / name).unlink()
    pixels[:16, :16] = pixels[32:, 48:] = 7
    data = io.read(path, scratch=tmp_path if scratch else None).data
    np.testing.assert_array_equal(data, pixels)
    np.testing.assert_array_equal(data[3:39:5, 4:50], pixels[3:39:5, 4:50])
    np.testing.assert_array_equal(data[10:40, 10:30], pixels[10:40, 10:30])


def test_a_large_shape_with_few_chunks(path, tmp_path):
    array = zarr.create_array(path, shape=(2**20, 2**20), dtype="u2", chunks=(64, 64))
    array[:64, :64] = 5
    with pytest.raises(OutOfMemoryError, match=r"1048576 x 1048576 of type uint16, need 2.2e\+03"):
        io.read(path)
    data = io.read(path, scratch=tmp_path).data
    assert int(data[:2000, :2000].sum()) == 64 * 64 * 5
    assert data[2**19, 2**19] == 0


@pytest.mark.parametrize(
    "content", [b"", b"junk", b"\x28\xb5\x2f\xfd\xa0" + b"\xff\xff\xff\x7f" * 4]
)
def test_a_damaged_chunk_is_named(path, tmp_path, pixels, monkeypatch, content):
    monkeypatch.setattr(large, "LARGE", 1000)
    store.write(path, pixels, store.multiscale())
    chunk = path / "0" / "1" / "2"
    chunk.write_bytes(content)
    with pytest.raises(FormatError, match=rf"^{chunk}: damaged chunk"):
        io.read(path)
    with pytest.raises(FormatError, match=rf"^{chunk}: damaged chunk"):  # noqa: PT012
        data = io.read(path, scratch=tmp_path).data
        assert data[0, 0] == pixels[0, 0]
        data[16, 32]


def test_files_that_are_no_chunks(path, tmp_path, pixels, monkeypatch):
    monkeypatch.setattr(large, "LARGE", 1000)
    store.write(path, pixels, store.multiscale())
    for name in ("0.0", "0/99", "notes.txt"):
        (path / "0" / name).write_bytes(b"")
    np.testing.assert_array_equal(io.read(path).data, pixels)
    data = io.read(path, scratch=tmp_path).data
    (path / "0" / "1" / "1").unlink()
    with pytest.raises(FormatError, match="1/1: not readable"):
        data[20, 20]


def test_an_uncompressed_chunk_of_another_length(path, pixels):
    store.write(path, pixels, store.multiscale(), compressors=None)
    (path / "0" / "0" / "0").write_bytes(bytes(100))
    with pytest.raises(FormatError, match=r"100 bytes in place of 512"):
        io.read(path)


def test_a_codec_that_is_not_installed(path, pixels):
    store.write(path, pixels, store.multiscale())
    told = json.loads((path / "0" / ".zarray").read_text())
    (path / "0" / ".zarray").write_text(json.dumps({**told, "compressor": {"id": "nope"}}))
    with pytest.raises(FormatError, match=r"nope.*if a codec is missing, install it"):
        io.read(path)


@pytest.mark.parametrize("change", [{"clevel": [1]}, {"blocksize": float("nan")}, {"cname": 7}])
def test_a_codec_that_cannot_encode_is_replaced(path, tmp_path, pixels, change):
    codec = numcodecs.Blosc()
    store.write(path, pixels, store.multiscale(), compressors=codec)
    told = json.loads((path / "0" / ".zarray").read_text())
    told["compressor"].update(change)
    (path / "0" / ".zarray").write_text(json.dumps(told))
    io.write(tmp_path / "b.zarr", io.read(path))
    np.testing.assert_array_equal(io.read(tmp_path / "b.zarr").data, pixels)


@pytest.mark.parametrize(
    "change", [{"compressor": {"id": "pickle"}}, {"filters": [{"id": "pickle"}]}]
)
def test_pickles_are_not_opened(path, pixels, change):
    store.write(path, pixels, store.multiscale(), compressors=None)
    told = json.loads((path / "0" / ".zarray").read_text())
    (path / "0" / ".zarray").write_text(json.dumps({**told, **change}))
    (path / "0" / "0" / "0").write_bytes(pickle.dumps(pixels))
    with pytest.raises(FormatError, match="pickled"):
        io.read(path)


@pytest.mark.parametrize("moved", ["0", "0/1/1", "labels"])
def test_links_out_of_the_store_are_followed_only_on_request(path, tmp_path, pixels, moved):
    store.write(path, pixels, store.multiscale())
    (path / "labels").mkdir()
    (path / moved).rename(tmp_path / "elsewhere")
    (path / moved).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FormatError, match=r"is a link, which leads out .* --follow"):
        io.read(path)
    np.testing.assert_array_equal(io.read(path, follow=True).data, pixels)
    (path / moved).unlink()
    (tmp_path / "elsewhere").rename(path / "within")
    (path / moved).symlink_to(path / "within")
    np.testing.assert_array_equal(io.read(path).data, pixels)


def test_links_of_links(path, tmp_path, pixels):
    store.write(path, pixels, store.multiscale())
    (tmp_path / "elsewhere").write_bytes(b"content")
    (path / "within").mkdir()
    (path / "within" / "out").symlink_to(tmp_path / "elsewhere")
    (path / "within" / "loop").symlink_to(path)
    (path / "labels").mkdir()
    (path / "labels" / "link").symlink_to(path / "within")
    with pytest.raises(FormatError, match=r"'out' in .* leads out of the store"):
        io.read(path)
    (path / "within" / "out").unlink()
    (path / "labels" / "gone").symlink_to(path / "gone")
    io.write(tmp_path / "b.zarr", io.read(path))
    assert (tmp_path / "b.zarr" / "labels" / "link").is_symlink()


def test_a_path_out_of_the_store_is_followed_only_on_request(path, tmp_path, pixels):
    entry = store.multiscale()
    for place in ("../elsewhere.zarr", str(tmp_path / "elsewhere.zarr")):
        entry["datasets"][0]["path"] = place
        store.write(path, pixels, entry)
        store.array(tmp_path / "elsewhere.zarr", pixels, overwrite=True)
        with pytest.raises(FormatError, match=r"leads out of the store"):
            io.read(path)
        io.write(tmp_path / "b.zarr", io.read(path, follow=True))
        np.testing.assert_array_equal(io.read(tmp_path / "b.zarr").data, pixels)


@pytest.mark.parametrize("place", ["http://host/0", "s3://bucket/0", "file:///etc", None, "0\0"])
def test_paths_that_are_none(path, pixels, place):
    entry = store.multiscale()
    entry["datasets"][0]["path"] = place
    with pytest.raises(FormatError, match="not a path within the store"):
        io.read(store.write(path, pixels, entry))
