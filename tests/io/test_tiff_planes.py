"""Every plane of a TIFF file is read, or the note or error names what is not; none is invented."""

import json
import resource
import struct
import subprocess
import sys
from contextlib import suppress

import numpy as np
import pytest
import tifffile

from autodip import io
from autodip.errors import AutodipError, FormatError, ParameterError
from autodip.io import tiff
from tests.helpers.ome_file import UUID, of_set, planes, write, xml


def blocks(*places):
    """Elements TiffData of pairs of attributes and a page."""
    return "".join(f'<TiffData {first} IFD="{page}"/>' for first, page in places)


def imagej(**fields):
    """Description as ImageJ writes it."""
    return "ImageJ=1.53t\n" + "".join(f"{name}={value}\n" for name, value in fields.items())


READ = {
    # description, pages in the file, shape and axes that are read, part of the note
    "as stated": (xml(t=4), 4, (4,), "T", ""),
    "more frames": (xml(t=3), 5, (5,), "T", "describe 3 of the 5 pages (T 3); all were read"),
    "more of two channels": (xml(t=2, c=2), 6, (3, 2), "TC", "all were read"),
    "fewer frames": (xml(t=9), 5, (5,), "T", "state 9 frames, but there are only 5"),
    "half a frame": (xml(t=9, c=2), 5, (2, 2), "TC", "1 plane of incomplete frames left out"),
    "two cameras": (
        xml(blocks(('FirstC="0"', 0), ('FirstC="1"', 1))),
        2,
        (2,),
        "C",
        "state 1 plane, but describe planes of C 2",
    ),
    "other order": (xml(t=2, z=3, order="XYCTZ"), 6, (3, 2), "ZT", ""),
    "no block": (xml("", t=3), 3, (3,), "T", ""),
    "too many planes in a block": (
        xml('<TiffData IFD="0" PlaneCount="100000000"/>', t=3),
        3,
        (3,),
        "T",
        "",
    ),
    "one page twice": (
        xml(blocks(('FirstC="0"', 0), ('FirstC="1"', 0)), c=2),
        1,
        (2,),
        "C",
        "some pages show several planes",
    ),
    "renamed": (
        xml(f'<TiffData IFD="0" PlaneCount="2"><UUID FileName="b">{UUID}</UUID></TiffData>', t=2),
        2,
        (2,),
        "T",
        "",
    ),
    "imagej": (imagej(images=4, slices=4), 4, (4,), "Z", ""),
    "imagej, more frames": (imagej(images=3, frames=3), 5, (5,), "T", "states 3 of the 5 pages"),
    "imagej, fewer frames": (imagej(images=9, frames=9), 5, (5,), "T", "there are only 5"),
    "imagej, half a frame": (
        imagej(images=6, frames=3, channels=2),
        5,
        (2, 2),
        "TC",
        "1 plane of incomplete frames left out",
    ),
    "imagej, one page": (imagej(images=9, frames=9), 1, (), "", "there are only 1"),
    "imagej, other order": (imagej(slices=2, frames=3, order="ctz"), 6, (3, 2), "TZ", ""),
}

REFUSED = {
    # description, pages, part of the error, axes that are advised, shape and note then
    "a page twice, and one not": (
        xml(blocks(('FirstT="0"', 0), ('FirstT="1"', 0)), t=2),
        3,
        "describe 1 of the 3 pages",
        "ZYX",
        (3,),
        "",
    ),
    "unknown pages": (xml(), 5, "describe 1 of the 5 pages", "TYX", (5,), ""),
    "only the described": (xml(), 5, "or --axes YX", "YX", (), "4 pages of the file left out"),
    "more than channels": (xml(c=2), 6, "(C 2); specify the axes", "TCYX", (3, 2), ""),
    "part": (xml(blocks(("", 0))), 3, "1 of the 3 pages", "ZYX", (3,), ""),
    "first page not": (
        xml(blocks(('FirstT="0"', 1), ('FirstT="1"', 2)), t=2),
        3,
        "ZYX",
        "ZYX",
        (3,),
        "",
    ),
    "fewer slices": (xml(z=9), 5, "4 of the 9 planes", "ZYX", (5,), ""),
    "fewer channels": (xml(c=3), 2, "the first at C=2", "TYX", (2,), ""),
    "gap": (xml(blocks(('FirstZ="0"', 0), ('FirstZ="2"', 1)), z=3), 2, "at Z=1", "ZYX", (2,), ""),
    "imagej, slices": (imagej(images=9, slices=9), 5, "4 of the 9 planes", "ZYX", (5,), ""),
    "imagej, channels": (imagej(channels=2), 4, "2 of the 4 pages", "TCYX", (2, 2), ""),
    "imagej, images": (imagej(images=4), 4, "what the dimensions of its shape", "TYX", (4,), ""),
    "imagej, words": (imagej(frames="x"), 4, "what the dimensions", "TYX", (4,), ""),
    "imagej, none": (imagej(images=0, frames=-1), 3, "what the dimensions", "ZYX", (3,), ""),
}


@pytest.mark.parametrize("name", READ)
def test_planes_are_read(tmp_path, rng, name):
    text, pages, shape, axes, note = READ[name]
    path, target = tmp_path / "a.ome.tif", tmp_path / "b.ome.tif"
    data = planes(rng, pages)
    image = io.read(write(path, data, text))
    assert image.axes == axes + "YX"
    assert image.data.shape[:-2] == shape
    assert image.data.min() > 0
    assert note in " ".join(image.notes)
    assert bool(image.notes) == bool(note)
    io.write(target, image)
    again = io.read(target)
    assert (again.axes, again.notes) == (image.axes, ())
    np.testing.assert_array_equal(again.data, image.data)


@pytest.mark.parametrize("name", REFUSED)
def test_planes_are_refused_with_a_remedy_that_works(tmp_path, rng, name):
    text, pages, error, axes, shape, note = REFUSED[name]
    path, target = tmp_path / "a.tif", tmp_path / "b.tif"
    data = planes(rng, pages)
    write(path, data, text)
    with pytest.raises((FormatError, ParameterError)) as caught:
        io.read(path)
    assert error in str(caught.value)
    assert "--axes" in str(caught.value)
    image = io.read(path, axes)
    assert image.data.shape[:-2] == shape
    np.testing.assert_array_equal(
        image.data.reshape(-1, *data.shape[1:]), data[: image.data.size // 400]
    )
    assert note in " ".join(image.notes)
    io.write(target, image)
    np.testing.assert_array_equal(io.read(target, axes).data, image.data)


def test_axes_that_do_not_fit(tmp_path, rng):
    path = write(tmp_path / "a.ome.tif", planes(rng, 5), xml(c=2))
    with pytest.raises(ParameterError, match="5 pages, which do not fit the axes TC"):
        io.read(path, "TCYX")


def test_page_of_another_size(tmp_path, rng):
    path = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(path) as tif:
        tif.write(planes(rng), description=xml().encode(), metadata=None)
        tif.write(planes(rng)[:9], metadata=None)
    image = io.read(path)
    assert image.axes == "YX"
    assert image.notes == ("1 page of the file left out: an image of another size",)


@pytest.mark.parametrize(
    ("shape", "photometric", "stated"),
    [
        ((20, 20, 3), "rgb", {"c": 3, "samples": 3}),
        ((20, 20, 3), "rgb", {"c": 1}),
        ((2, 20, 20, 3), "rgb", {"c": 3, "samples": 3, "t": 2}),
        ((3, 20, 20), "minisblack", {"c": 3}),
    ],
)
def test_samples(tmp_path, rng, shape, photometric, stated):
    data = rng.integers(1, 255, shape).astype("uint8")
    more = {"planarconfig": "separate"} if photometric == "minisblack" else {}
    path = write(tmp_path / "a.ome.tif", data, xml(**stated), photometric=photometric, **more)
    image = io.read(path)
    assert image.notes == ()
    np.testing.assert_array_equal(image.data, data)
    io.write(path, image)
    np.testing.assert_array_equal(io.read(path).data, data)


def one_page(path, data, text, cut=0):
    """File with a single page, whose pixels those of the other planes follow, as of ImageJ."""
    write(path, data, text, byteorder=">")
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tif:
        page = tif.pages[0]
        end = page.dataoffsets[0] + data.nbytes
        struct.pack_into(">I", content, page.offset + 2 + 12 * len(page.tags), 0)
    path.write_bytes(bytes(content[: end - cut]))
    return path


def test_planes_without_pages(tmp_path, rng):
    path, data = tmp_path / "a.tif", planes(rng, 6)
    size = data[0].nbytes
    np.testing.assert_array_equal(io.read(one_page(path, data, imagej(frames=6))).data, data)
    image = io.read(one_page(path, data, imagej(frames=9)))
    assert image.notes == ("the metadata state 9 frames, but there are only 6",)
    image = io.read(one_page(path, data, imagej(frames=6), cut=size))
    np.testing.assert_array_equal(image.data, data[:5])
    image = io.read(one_page(path, data, imagej(frames=4)))
    assert image.data.shape == (4, 20, 20)
    assert "pixels of 2 planes left out" in image.notes[0]
    for text, cut in ((imagej(slices=9), 0), (imagej(frames=6), 9)):
        with pytest.raises(FormatError, match=r"missing|truncated"):
            io.read(one_page(path, data, text, cut))
    np.testing.assert_array_equal(io.read(one_page(path, data, imagej(slices=9)), "TYX").data, data)


def test_files_of_a_set_are_one_image(tmp_path, rng):
    data = planes(rng, 3)
    files = of_set(tmp_path, data)
    for path in files:
        image = io.read(path)
        assert image.axes == "CYX"
        np.testing.assert_array_equal(image.data, data)
        assert image.notes == (
            "3 files of an OME-TIFF set were read as one image: 0.ome.tif, 1.ome.tif, 2.ome.tif",
        )
        assert tiff.members(path) == tuple(files)


@pytest.mark.parametrize("name", ["C:\\data\\{}", "/data/{}", "../{}"])
def test_set_that_was_moved(tmp_path, rng, name):
    data = planes(rng, 3)
    for path in of_set(tmp_path, data, name=name):
        np.testing.assert_array_equal(io.read(path).data, data)


def test_member_that_is_missing(tmp_path, rng):
    data = planes(rng, 3)
    for path in of_set(tmp_path, data, present=(0, 1))[:2]:
        with pytest.raises(FormatError, match=r"at C=2 \(2.ome.tif does not exist\)"):
            io.read(path)
    np.testing.assert_array_equal(io.read(path, "YX").data, data[1])
    for path in of_set(tmp_path, data, axis="T", present=(0, 1))[:2]:
        image = io.read(path)
        np.testing.assert_array_equal(image.data, data[:2])
        assert "only 2 (2.ome.tif does not exist)" in image.notes[1]


def test_set_whose_files_were_renamed(tmp_path, rng):
    data = planes(rng, 3)
    files = of_set(tmp_path, data, name="x{}")
    with tifffile.TiffFile(files[1]) as tif:
        text = tif.ome_metadata.replace(UUID.format(1), UUID.format(9), 1)
    image = io.read(write(files[1], data[1], text))
    np.testing.assert_array_equal(image.data, data[1])
    assert "exists (x0.ome.tif does not exist; " in image.notes[0]
    assert "the pages were read alone" in image.notes[0]


def test_member_that_is_damaged_or_of_another_size(tmp_path, rng):
    files = of_set(tmp_path, planes(rng, 3))
    files[2].write_bytes(b"junk")
    with pytest.raises(FormatError, match=r"2.ome.tif cannot be read"):
        io.read(files[0])
    write(files[2], planes(rng)[:9], xml())
    with pytest.raises(FormatError, match=r"shape \(9, 20\)"):
        io.read(files[0])


def test_images_of_which_each_has_its_file(tmp_path, rng):
    """Micro-Manager describes all positions in each of their files."""
    data = planes(rng, 2, 2)
    images = "".join(
        xml(
            f'<TiffData IFD="0" PlaneCount="2"><UUID FileName="Pos{n}.ome.tif">'
            f"{UUID.format(n)}</UUID></TiffData>",
            head="",
            t=2,
        )
        .partition("><")[2]
        .replace(":0", f":{n}")
        .replace("cells", f"Pos{n}")
        .removesuffix("</OME>")
        for n in range(2)
    )
    for n in range(2):
        start = xml(head="", root=f'UUID="{UUID.format(n)}"').partition("><")[0]
        text = f"{start}><{images.replace('</Image>Image', '</Image><Image')}</OME>"
        write(tmp_path / f"Pos{n}.ome.tif", data[n], text)
    for n in range(2):
        path = tmp_path / f"Pos{n}.ome.tif"
        np.testing.assert_array_equal(io.read(path).data, data[n])
        np.testing.assert_array_equal(io.read(path, scene="Pos1").data, data[1])
        assert tiff.members(path) == ()


def test_companion_file(tmp_path, rng):
    data = planes(rng, 3)
    files = of_set(tmp_path, data)
    with tifffile.TiffFile(files[0]) as tif:
        whole = tif.ome_metadata
    for n, path in enumerate(files):
        link = f'<BinaryOnly MetadataFile="x.companion.ome" UUID="{UUID.format(9)}"/>'
        text = xml(root=f'UUID="{UUID.format(n)}"')
        write(path, data[n], text[: text.index("<Image")] + link + "</OME>")
    image = io.read(files[1])
    np.testing.assert_array_equal(image.data, data[1])
    assert "companion file, but x.companion.ome does not exist" in image.notes[0]
    (tmp_path / "x.companion.ome").write_text(whole)
    for path in files:
        np.testing.assert_array_equal(io.read(path).data, data)
        assert tiff.members(path) == tuple(files)
    (tmp_path / "x.companion.ome").write_text("<OME><Image")
    assert "describes no image" in io.read(files[1]).notes[0]


@pytest.mark.parametrize("name", ["{}", "../private/b.tif", "link.tif", "inner/b.tif"])
def test_files_elsewhere_are_read_on_request_only(tmp_path, rng, name):
    (tmp_path / "private").mkdir()
    (tmp_path / "given").mkdir()
    data = planes(rng, 2)
    other = write(tmp_path / "private" / "b.tif", data[1], "")
    (tmp_path / "given" / "link.tif").symlink_to(other)
    (tmp_path / "given" / "inner").symlink_to(tmp_path / "private")
    text = "".join(
        f'<TiffData FirstZ="{n}" IFD="0"><UUID FileName="{file}">{UUID.format(n)}</UUID></TiffData>'
        for n, file in enumerate(("a.ome.tif", name.format(other)))
    )
    path = write(tmp_path / "given" / "a.ome.tif", data[0], xml(text, z=2))
    with pytest.raises(FormatError, match=r"outside the folder of this file.*--follow"):
        io.read(path)
    np.testing.assert_array_equal(tiff.read(path, None, follow=True).data, data)


@pytest.mark.parametrize("name", ["", ".", "x" * 5000, "http://127.0.0.1:9/a.tif", "file:///a.tif"])
def test_names_of_no_file(tmp_path, rng, name):
    text = f'<TiffData IFD="0"><UUID FileName="{name}">{UUID}</UUID></TiffData>'
    path = write(
        tmp_path / "a.ome.tif",
        planes(rng),
        xml(blocks(("", 0)) + text.replace("IFD", 'FirstZ="1" IFD'), z=2),
    )
    with suppress(AutodipError):
        assert io.read(path).notes


HOLD = """
import resource, sys, autodip
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    autodip.read(sys.argv[1])
except autodip.AutodipError:
    pass
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize(
    "text",
    [
        xml(t=3 * 10**8, c=2),
        xml(t=2**31 - 1, z=2**31 - 1),
        xml('<TiffData PlaneCount="100000000"/>'),
        imagej(images=10**9, frames=10**9, slices=10**9),
    ],
)
def test_stated_sizes_take_no_memory(tmp_path, rng, text):
    path = write(tmp_path / "a.ome.tif", planes(rng), text)

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (6 * 2**30,) * 2)

    done = subprocess.run(
        [sys.executable, "-c", HOLD, str(path)],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=limit,
    )
    assert int(done.stdout) < 200


@pytest.mark.parametrize(
    ("shape", "pages"),
    [
        ([4, 60, 60], 4),  # cropped by another program
        ([3, 20, 20], 4),
        ("x", 4),
        (None, 1),
        ([60, 60], 1),
    ],
)
def test_a_shape_in_the_description_that_does_not_fit(tmp_path, rng, shape, pages):
    path = tmp_path / "a.tif"
    data = planes(rng, pages) if pages > 1 else planes(rng)
    stated = {"description": json.dumps({"shape": shape}), "metadata": None}
    tifffile.imwrite(path, data, photometric="minisblack", **stated)
    if pages > 1:
        with pytest.raises(ParameterError, match=r"not fit its pages and is ignored; .*--axes"):
            io.read(path)
    image = io.read(path, "TYX" if pages > 1 else None)
    assert np.array_equal(image.data, data)
    assert image.notes == ("the shape in its description does not fit its pages and is ignored",)


@pytest.mark.parametrize(
    ("frames", "error"), [(6, "states 6 planes, but 4 exist"), (2**70, "not fit its pages")]
)
def test_planes_of_a_description_that_are_missing(tmp_path, rng, frames, error):
    path, data = tmp_path / "a.tif", planes(rng, 4)
    stated = {"description": json.dumps({"shape": [frames, 20, 20]}), "metadata": None}
    tifffile.imwrite(path, data, photometric="minisblack", compression="zlib", **stated)
    with pytest.raises((FormatError, ParameterError), match=f"{error}.* as in --axes TYX"):
        io.read(path)
    assert np.array_equal(io.read(path, "TYX").data, data)
