"""Headers that lie, and damage of every kind: one clear error, and no more memory than needed."""

import bz2
import gzip
import io as buffers
import pickle
import resource
import struct
import zipfile
import zlib

import imagecodecs
import mrcfile
import numpy as np
import pytest

from autodip import io
from autodip.errors import FormatError, ImageError, OutOfMemoryError
from autodip.image.image import Image
from autodip.io import faults, frames, scenes


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 4000, (8, 8)).astype(np.int16)


def peak():
    """Most memory that this process ever held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def mrc(size=(8, 8, 1), mode=1, extended=0, body=bytes(128), **words):
    """MRC file; further words are at the offsets ``at_N``."""
    head = bytearray(1024)
    struct.pack_into("<4i", head, 0, *size, mode)
    struct.pack_into("<3i", head, 28, *(max(n, 1) for n in size))
    struct.pack_into("<3i", head, 64, 1, 2, 3)
    struct.pack_into("<2i", head, 88, 1, extended)
    head[208:216] = b"MAP \x44\x44\0\0"
    for at, word in words.items():
        struct.pack_into("<i", head, int(at.removeprefix("at_")), word)
    return bytes(head) + body


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (mrc(extended=2**31 - 1), "extended header"),
        (mrc(extended=-1), "extended header"),
        (mrc(extended=10**6), "states 1001152 bytes"),
        (mrc((40000, 40000, 1)), "there are 1152"),
        (mrc((-1, 8, 1)), "-1 x 8 x 1 pixels"),
        (mrc((8, 8, 0)), "8 x 8 x 0 pixels"),
        (mrc(mode=3), r"mode 3; allowed are 0 \(int8\)"),
        (mrc(mode=101), "mode 101"),
        (mrc(mode=4), "mode 4"),
        (mrc(at_208=0), "the word MAP"),
        (mrc()[:1000], "1000 bytes"),
        (gzip.compress(mrc((4000, 4000, 1))), "states 32001024 bytes"),
        (bz2.compress(mrc((4000, 4000, 1))), "states 32001024 bytes"),
        (gzip.compress(mrc())[:40], "a.mrc: not a readable MRC file"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_mrc(tmp_path, content, reason):
    (tmp_path / "a.mrc").write_bytes(content)
    with pytest.raises(FormatError, match=reason):
        io.read(tmp_path / "a.mrc", "ZYX")


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress])
def test_mrc_with_more_behind_its_pixels(tmp_path, compress):
    content = compress(mrc(body=bytes(range(128)) + bytes(2**28)))
    (tmp_path / "a.mrc").write_bytes(content)
    before = peak()
    image = io.read(tmp_path / "a.mrc", "ZYX")
    assert image.data.tobytes() == bytes(range(128))
    assert peak() - before < 2**27


@pytest.mark.filterwarnings("ignore:Setting the dtype:DeprecationWarning")  # mrcfile, NumPy 2.5
def test_mrc_sizes_that_are_defaults(tmp_path, pixels):
    source, target = tmp_path / "a.mrc", tmp_path / "b.mrc"
    with mrcfile.new(source, data=pixels) as file:
        file.voxel_size = (1.0, 1.0, 1.0)
    image = io.read(source)
    assert image.pixel_size == {}
    assert "pixels of 1 Å, the default" in image.notes[0]
    io.write(target, image)
    with mrcfile.open(target) as file:
        assert file.voxel_size.x == 1
    with mrcfile.new(source, data=pixels, overwrite=True) as file:
        file.header.cella = (0, float("nan"), -5)
    assert io.read(source).pixel_size == {}


def npy(shape, descr="'<u2'"):
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + bytes(128)


def npz(content, name="image.npy"):
    out = buffers.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        npy("(99999, 99999)"),
        npy("(99999999999999999999999, 8)"),
        npy("(-1, 8)"),
        npy("(True, 8)"),
        npy("(8, 8"),
        npy("(8L, 8L)"),
        npy("(8, 8)", "'|O'"),
        npy("(8, 8)", "',,,'"),
        npy("(8, 8)", "[('a', '<u2', (99999999999,))]"),
        b"\x93NUMPY\1\0\xff\xff" + b"(" * 65535,
        b"\x93NUMPY\x09\x09",
        pickle.dumps("content"),
    ],
    ids=lambda value: str(len(value)),
)
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_numpy(tmp_path, content, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content if suffix == ".npy" else npz(content))
    with pytest.raises(FormatError, match=f"^{path}: "):
        io.read(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (npz(b"hello", "readme.txt"), "holds no array"),
        (npz(b"hello", "image"), "holds no array"),
        (npz(npy("(8, 8)"))[:-30], "truncated"),
        (npz(npy("(8, 8)")).replace(b"PK\1\2\x14\3\x14\0\0\0\0\0", b"PK\1\2\x14\3\x14\0\1\0\x63\0"),
         "encrypted"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_archives(tmp_path, content, reason):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(FormatError, match=reason):
        io.read(tmp_path / "a.npz")


def test_an_array_of_any_name_is_written_again(tmp_path, pixels):
    np.savez(tmp_path / "a.npz", **{"x": pixels})
    io.write(
        tmp_path / "b.npz", io.read(tmp_path / "a.npz").replace(source=io.npz.NpzSource("file"))
    )
    np.testing.assert_array_equal(io.read(tmp_path / "b.npz").data, pixels)


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width=8, height=8, bits=8, colour=0, content=bytes(72), again=b""):
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    body = chunk(b"IHDR", head) + again + chunk(b"IDAT", zlib.compress(content, 9))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (png(60000, 60000), "states 3600060000 bytes"),
        (png(colour=7), "colours of type 7 with 8 bits"),
        (png(bits=255), "with 255 bits"),
        (png(again=chunk(b"IHDR", bytes(13))), "there are several"),
        (png(content=bytes(2**28)), "content for 72 bytes of pixels"),
        (png(bits=2), "2 bits per pixel"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_png(tmp_path, content, reason):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(FormatError, match=reason):
        io.read(tmp_path / "a.png")


def test_any_exception_of_a_reader_is_one_clear_line(tmp_path, monkeypatch):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((4, 4)))

    def failing(error):
        def read(*_, **__):
            raise error

        monkeypatch.setattr("autodip.io.npy.read", read)

    for error in (
        RecursionError("a\nb\0c"),
        AssertionError(),
        UnicodeDecodeError("x", b"", 0, 1, "y"),
    ):
        failing(error)
        with pytest.raises(FormatError, match=r"a.npy: not a readable NPY file.*\([^\n\0]+\)$"):
            io.read(path)
    failing(MemoryError("Unable to allocate 7 TiB"))
    with pytest.raises(OutOfMemoryError, match=r"a.npy: its pixels do not fit .*7 TiB"):
        io.read(path)
    failing(ImageError("not a number"))
    with pytest.raises(ImageError, match=r"a.npy: not a number"):
        io.read(path)


def test_memory_is_checked_before_it_is_allocated():
    with pytest.raises(
        OutOfMemoryError, match=r"1000000 x 1000000 of type float64, need 8e\+03 GB"
    ):
        faults.check_memory((10**6, 10**6), np.dtype(float))
    faults.check_memory((10, 10), np.dtype(float))


@pytest.mark.parametrize("url", ["http://host/a.tif", "s3://bucket/a.zarr", "gs://a/b"])
def test_urls(url):
    with pytest.raises(FormatError, match="this is a URL, and only files are read; download it"):
        io.read(url)
    with pytest.raises(FormatError, match="give the path alone"):
        io.read("file:///tmp/a.tif")


@pytest.mark.parametrize(
    ("names", "scene", "number"),
    [
        (["Pos0 (9 x 9)", "Pos1 (9 x 9)"], "Pos1", 1),
        (["Pos0 (9 x 9)", "Pos1 (9 x 9)"], "Pos1 (9 x 9)", 1),
        (["Pos0 (9 x 9)", "Pos1 (9 x 9)"], "0", 0),
        (["1", "0"], "1", 0),
        (["1", "0"], 1, 1),
        (["1 (9 x 9)", "0 (9 x 9)"], "1", 0),
        (["A/1/0", "A/2/0"], "0", 0),
        (["Project/Series1", "Project/Series2"], "Series2", 1),
        (["", ""], "1", 1),
        (["a (9 x 9)", "a"], "a", 1),
    ],
)
def test_scenes_by_name_and_number(names, scene, number):
    assert scenes.choose(names, scene) == number


@pytest.mark.parametrize(
    ("names", "scene"),
    [(["a (9 x 9)", "a (8 x 8)"], "a"), (["A/b", "B/b"], "b"), (["a", "a"], "a")],
)
def test_scenes_of_one_name(names, scene):
    with pytest.raises(ValueError, match=f"several images are called '{scene}'.*give a number$"):
        scenes.choose(names, scene)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 70000, 2**20])
def test_sizes_of_frames(tmp_path, size):
    content = bytes(size)
    encoded = {
        "zstd": imagecodecs.zstd_encode(content),
        "gzip": gzip.compress(content),
        "blosc": imagecodecs.blosc_encode(content) if size else b"",
    }
    for name, frame in encoded.items():
        (tmp_path / name).write_bytes(frame)
        assert frames.stated_size(tmp_path / name) == (size if frame else None)
    (tmp_path / "other").write_bytes(b"other")
    assert frames.stated_size(tmp_path / "other") is None


def test_pixels_read_late_fail_clearly(tmp_path, pixels):
    io.write(tmp_path / "a.npy", Image(pixels, "YX"))
    (tmp_path / "a.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-2])
    with pytest.raises(FormatError, match="truncated or damaged"):
        io.read(tmp_path / "a.npy", scratch=tmp_path)
