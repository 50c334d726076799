"""OME-Zarr as other libraries write it, and as it is written back."""

import json
import shutil
import sys
import warnings

import numpy as np
import pytest
import zarr
from ome_zarr import format as ome_zarr_format

from autodip import io
from autodip.errors import FormatError, MissingPackageError, ParameterError
from autodip.image.image import Image
from autodip.runs.inputs import find_inputs
from autodip.util.files import replacing

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the package uses a deprecated part of itself
    from ome_zarr import writer

VERSIONS = {"0.4": ome_zarr_format.FormatV04(), "0.5": ome_zarr_format.FormatV05()}
CHANNELS = [
    {
        "label": label,
        "color": colour,
        "active": True,
        "window": {"start": 5, "end": end, "min": 0, "max": 255},
    }
    for label, colour, end in (("DAPI", "0000FF", 90), ("GFP", "00FF00", 80))
]
AXES = [
    {"name": "t", "type": "time", "unit": "millisecond"},
    {"name": "c", "type": "channel"},
    {"name": "z", "type": "space", "unit": "nanometer"},
    {"name": "y", "type": "space", "unit": "micrometer"},
    {"name": "x", "type": "space"},
]


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 250, (2, 2, 3, 37, 40)).astype(np.uint16)


def written_by_ome_zarr_py(path, pixels, version):
    """An image with three levels, written by ome-zarr-py."""
    group = zarr.open_group(path, mode="w", zarr_format=2 if version == "0.4" else 3)
    levels = [pixels, pixels[..., ::2, ::2], pixels[..., ::4, ::4]]
    writer.write_multiscale(
        levels,
        group,
        fmt=VERSIONS[version],
        axes=AXES,
        scale={"t": 250.0, "c": 1.0, "z": 300.0, "y": 0.1, "x": 0.1},
        name="nuclei",
    )
    told = {"channels": CHANNELS, "rdefs": {"model": "color"}}
    state_units(group, version)
    if version == "0.4":
        group.attrs["omero"] = told
        group.attrs["lab"] = {"notebook": 7}
    else:
        group.attrs["ome"] = {**group.attrs["ome"], "omero": told}
        group.attrs["lab"] = {"notebook": 7}
    return path


def state_units(group, version):
    """State the units of the axes, which not every version of ome-zarr-py writes."""
    attributes = dict(group.attrs if version == "0.4" else group.attrs["ome"])
    attributes["multiscales"][0]["axes"] = AXES
    group.attrs.update(attributes if version == "0.4" else {"ome": attributes})


@pytest.fixture(params=sorted(VERSIONS))
def store(request, tmp_path, pixels):
    return written_by_ome_zarr_py(tmp_path / "in.ome.zarr", pixels, request.param)


def attributes(path):
    """Attributes of a store, with those of OME at the top level."""
    told = dict(zarr.open_group(path, mode="r").attrs)
    return {**told, **told.pop("ome", {})}


def test_what_is_read(store, pixels):
    image = io.read(store)
    assert image.axes == "TCZYX"
    np.testing.assert_array_equal(image.data, pixels)
    assert image.pixel_size == {"Z": pytest.approx(0.3), "Y": 0.1}  # X has no unit
    assert image.time_step == 0.25
    assert image.channel_names == ("DAPI", "GFP")
    assert image.channel_colours == ("0000FF", "00FF00")
    assert image.hints[0][0].text == "DAPI"
    assert io.read(store, "zcyxt").axes == "ZCYXT"


def test_what_is_kept(store, tmp_path, pixels):
    image = io.read(store)
    target = tmp_path / "out.ome.zarr"
    io.write(target, image.replace(data=image.data + 1))
    before, after = attributes(store), attributes(target)
    assert after["omero"] == before["omero"]
    assert after["lab"] == {"notebook": 7}
    assert after["multiscales"] == before["multiscales"]
    assert after.get("version") == before.get("version")
    old, new = zarr.open_group(store, mode="r"), zarr.open_group(target, mode="r")
    assert new.metadata.zarr_format == old.metadata.zarr_format
    for dataset in before["multiscales"][0]["datasets"]:
        was, now = old[dataset["path"]], new[dataset["path"]]
        assert now.shape == was.shape
        assert now.dtype == was.dtype
        assert now.chunks == tuple(min(c, n) for c, n in zip(was.chunks, was.shape, strict=True))
        assert now.compressors == was.compressors != ()
    reduced = new[before["multiscales"][0]["datasets"][1]["path"]][..., 0, 0]
    np.testing.assert_array_equal(
        reduced, np.rint(pixels[..., :2, :2].mean(axis=(-1, -2)) + 1).astype(np.uint16)
    )


def test_part_of_it(store, tmp_path, pixels):
    part = io.read(store).select(slice(1, 2), "GFP")
    target = tmp_path / "out.ome.zarr"
    io.write(target, part)
    back = io.read(target)
    np.testing.assert_array_equal(back.data, pixels[1:, 1:])
    assert back.channel_names == ("GFP",)
    assert attributes(target)["omero"]["channels"][0]["window"]["end"] == 80
    smallest = attributes(target)["multiscales"][0]["datasets"][2]["path"]
    assert zarr.open_group(target, mode="r")[smallest].shape == (1, 1, 3, 10, 10)


def test_another_version(store, tmp_path):
    target = tmp_path / "out.ome.zarr"
    io.write(target, io.read(store), format="ome-zarr-0.4")
    assert io.read(target).source.version == "0.4"


@pytest.mark.parametrize("codec", ["zstd", "gzip", "blosc"])
def test_compression_and_shards_stay(tmp_path, rng, codec):
    codecs = {
        "zstd": zarr.codecs.ZstdCodec(level=9),
        "gzip": zarr.codecs.GzipCodec(level=4),
        "blosc": zarr.codecs.BloscCodec(cname="zlib", clevel=2),
    }
    source, target = tmp_path / "a.zarr", tmp_path / "b.zarr"
    io.write(source, Image(rng.integers(0, 9, (64, 64)).astype(np.uint8), "YX"))
    group = zarr.open_group(source, mode="a")
    pixels = group["0"][...]
    layout = {"chunks": (8, 8), "shards": (32, 32), "compressors": codecs[codec]}
    group.create_array("0", data=pixels, overwrite=True, **layout)
    io.write(target, io.read(source))
    array = zarr.open_group(target, mode="r")["0"]
    assert (array.chunks, array.shards) == ((8, 8), (32, 32))
    assert array.compressors[0].to_dict()["name"] == codec
    io.write(target, io.read(source), dtype="float32")
    np.testing.assert_array_equal(io.read(target).data, pixels.astype(np.float32))


def several(path, pixels, version="0.5"):
    """Two images in the layout of bioformats2raw."""
    layout = {"bioformats2raw.layout": 3}
    root = zarr.open_group(path, mode="w", zarr_format=2 if version == "0.4" else 3)
    root.attrs.update(layout if version == "0.4" else {"ome": {"version": "0.5", **layout}})
    for number in range(2):
        written_by_ome_zarr_py(path / str(number), pixels + number, version)
        attrs = zarr.open_group(path / str(number), mode="a").attrs
        ome = attrs.asdict() if version == "0.4" else attrs["ome"]
        ome["multiscales"][0]["name"] = f"well {number}"
        attrs.update(ome if version == "0.4" else {"ome": ome})
    return path


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_several_images(tmp_path, pixels, version):
    path = several(tmp_path / "all.zarr", pixels, version)
    with pytest.raises(FormatError, match="2 images: 0 'well 0', 1 'well 1'"):
        io.read(path)
    np.testing.assert_array_equal(io.read(path, scene="well 1").data, pixels + 1)
    shutil.rmtree(path / "1")
    np.testing.assert_array_equal(io.read(path).data, pixels)


def test_the_microscope_of_bioformats2raw(tmp_path, pixels):
    path = several(tmp_path / "all.zarr", pixels)
    channel = '<Channel ID="Channel:{0}:0" AcquisitionMode="SpinningDiskConfocal" Name="{0}"/>'
    images = "".join(
        f'<Image ID="Image:{n}"><Pixels ID="Pixels:{n}" DimensionOrder="XYZCT" Type="uint16" '
        f'SizeX="40" SizeY="37" SizeZ="3" SizeC="2" SizeT="2">{channel.format(n)}<MetadataOnly/>'
        "</Pixels></Image>"
        for n in range(2)
    )
    schema = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
    (path / "OME").mkdir()
    (path / "OME" / "METADATA.ome.xml").write_text(f'<OME xmlns="{schema}">{images}</OME>')
    assert io.read(path, scene=1).hints[0][0].text == "SpinningDiskConfocal"


def test_plate(tmp_path, pixels):
    path = tmp_path / "plate.zarr"
    root = zarr.open_group(path, mode="w", zarr_format=2)
    writer.write_plate_metadata(root, ["A"], ["1", "2"], ["A/1", "A/2"], fmt=VERSIONS["0.4"])
    for number, place in enumerate(("A/1", "A/2")):
        well = root.require_group(place)
        writer.write_well_metadata(well, ["0"], fmt=VERSIONS["0.4"])
        written_by_ome_zarr_py(path / place / "0", pixels + number, "0.4")
    with pytest.raises(FormatError, match="2 images: 0 'A/1/0', 1 'A/2/0'"):
        io.read(path)
    np.testing.assert_array_equal(io.read(path, scene="A/2/0").data, pixels + 1)
    with pytest.raises(ParameterError, match="there is no image 'B/1/0'"):
        io.read(path, scene="B/1/0")


def changed(path, **changes):
    """Change the attributes of a store of version 0.4."""
    attrs = json.loads((path / ".zattrs").read_text())
    attrs["multiscales"][0].update(changes)
    (path / ".zattrs").write_text(json.dumps(attrs))


def test_what_is_refused(tmp_path, pixels):
    path = written_by_ome_zarr_py(tmp_path / "a.zarr", pixels, "0.4")
    changed(path, version="0.7")
    with pytest.raises(FormatError, match=r"version '0.7'; 0.1 to 0.6 are supported"):
        io.read(path)
    changed(path, version="0.4", axes=[{"name": n} for n in ("t", "c", "angle", "y", "x")])
    with pytest.raises(FormatError, match="t, c, angle, y, x"):
        io.read(path)
    (tmp_path / "file.zarr").write_bytes(b"content")
    with pytest.raises(FormatError, match="not a folder"):
        io.read(tmp_path / "file.zarr")
    (tmp_path / "none.zarr").mkdir()
    with pytest.raises(FormatError, match="not a Zarr store"):
        io.read(tmp_path / "none.zarr")
    zarr.open_group(tmp_path / "bare.zarr", mode="w")
    with pytest.raises(FormatError, match="without an image"):
        io.read(tmp_path / "bare.zarr")
    with pytest.raises(FormatError, match="no such file"):
        io.read(tmp_path / "missing.zarr")


def test_damaged(store):
    full = attributes(store)["multiscales"][0]["datasets"][0]["path"]
    image = zarr.open_group(store, mode="r")[full]
    chunks = [
        p for p in (store / full).rglob("*") if p.is_file() and not p.name.startswith((".", "z"))
    ]
    assert len(chunks) == image.nchunks_initialized
    chunks[0].write_bytes(chunks[0].read_bytes()[:20])
    with pytest.raises(FormatError, match="damaged"):
        io.read(store)
    for chunk in chunks:
        chunk.unlink()
    with pytest.raises(FormatError, match="no pixels are stored"):
        io.read(store)


def test_it_appears_whole_or_not_at_all(store, tmp_path, monkeypatch):
    image, target = io.read(store), tmp_path / "out" / "b.zarr"
    target.parent.mkdir()
    monkeypatch.setattr("autodip.io.pyramid.levels", lambda *_: iter([image.data]))
    with pytest.raises(ValueError, match="zip"):
        io.write(target, image)
    assert list(target.parent.iterdir()) == []


def test_an_old_store_is_replaced_and_nothing_else(store, tmp_path):
    target = tmp_path / "b.zarr"
    io.write(target, Image(np.ones((400, 300), np.uint8), "YX"))
    io.write(target, io.read(store))
    assert io.read(target).axes == "TCZYX"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.zarr", "in.ome.zarr"]
    other = tmp_path / "mine.zarr"
    other.mkdir()
    (other / "thesis.txt").write_text("years of work")
    with pytest.raises(FormatError, match="is not replaced"):
        io.write(other, io.read(store))
    assert (other / "thesis.txt").read_text() == "years of work"


def test_new_pyramid_goes_down_to_a_small_level(tmp_path, rng):
    data = rng.integers(0, 999, (2, 601, 1030)).astype(np.float32)
    image = Image(data, "ZYX", pixel_size={"X": 0.1, "Y": 0.1, "Z": 0.5})
    io.write(tmp_path / "a.zarr", image)
    source = io.read(tmp_path / "a.zarr").source
    assert source.shapes == ((2, 601, 1030), (2, 301, 515), (2, 151, 258), (2, 76, 129))
    level = zarr.open_group(tmp_path / "a.zarr", mode="r")["1"][0, 0, 0]
    assert level == pytest.approx(data[0, :2, :2].mean())


def test_missing_package(store, monkeypatch):
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(MissingPackageError, match=r'pip install.* "zarr>=3'):
        io.read(store)


def test_a_store_is_an_input_and_no_folder_of_inputs(store, tmp_path):
    np.save(tmp_path / "plane.npy", np.eye(4))
    (tmp_path / "none").mkdir()
    assert find_inputs((store,)) == ([store], {})
    files, failed = find_inputs((tmp_path, tmp_path / "none"))
    assert files == [store, tmp_path / "plane.npy"]
    assert list(failed) == [tmp_path / "none"]


def interrupted(target, image):
    with replacing(target) as (part,):
        io.write(part, image, ".zarr")
        raise ZeroDivisionError


def test_two_writers_of_one_place(store, tmp_path):
    """A folder written inside :func:`autodip.util.files.replacing` replaces the temporary file."""
    target = tmp_path / "b.zarr"
    for _ in range(2):
        with replacing(target) as (part,):
            io.write(part, io.read(store), ".zarr")
        assert io.read(target).axes == "TCZYX"
    with pytest.raises(ZeroDivisionError):
        interrupted(target, io.read(store))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.zarr", "in.ome.zarr"]


@pytest.mark.parametrize("version", VERSIONS)
def test_labels_and_tables_are_copied(tmp_path, pixels, version):
    path = tmp_path / "a.ome.zarr"
    written_by_ome_zarr_py(path, pixels, version)
    kind = 2 if version == "0.4" else 3
    labels = zarr.open_group(path / "labels", mode="w", zarr_format=kind)
    labels.attrs["labels"] = ["cells"]
    labels.create_array("cells/0", data=np.ones((37, 40), np.int32))
    zarr.open_group(path / "tables", mode="w", zarr_format=kind)
    image = io.read(path)
    io.write(tmp_path / "b.ome.zarr", image.replace(data=image.data + 1))
    again = zarr.open_group(tmp_path / "b.ome.zarr", mode="r")
    assert again["labels"].attrs["labels"] == ["cells"]
    assert np.array_equal(again["labels/cells/0"][...], np.ones((37, 40)))
    assert "tables" in again
    io.write(tmp_path / "part.ome.zarr", image.select(channel="GFP"))
    assert "labels" not in zarr.open_group(tmp_path / "part.ome.zarr", mode="r")
    io.write(path, image)  # over itself
    assert "labels" in zarr.open_group(path, mode="r")


@pytest.mark.parametrize("format", ["ome-zarr", "ome-zarr-0.4"])
def test_metadata_of_new_stores_are_json_and_name_what_is_known(tmp_path, pixels, format):
    data = pixels[0, :, 0].astype("float32")
    data[0, :3], data[0, 5, 5], data[1] = np.nan, np.inf, np.nan
    path = tmp_path / "a.ome.zarr"
    io.write(path, Image(data, "CYX", channel_names=("DAPI", "")), format=format)

    def refused(word):
        raise AssertionError(word)

    name = "zarr.json" if format == "ome-zarr" else ".zattrs"
    stored = json.loads((path / name).read_text(), parse_constant=refused)
    stored = stored["attributes"]["ome"] if format == "ome-zarr" else stored
    first, second = stored["omero"]["channels"]
    known = data[0][np.isfinite(data[0])]
    assert (first["window"]["start"], first["window"]["end"]) == (known.min(), known.max())
    assert "label" not in second
    assert io.read(path).channel_names == ("DAPI", "")
