"""Files as other programs write them."""

import struct

import numpy as np

from autodip import io


def minimal(image):
    """A TIFF with the fewest tags that the standard allows; the default is no compression."""
    rows, columns = image.shape
    size = rows * columns
    tags = [(256, columns), (257, rows), (258, 8), (262, 1), (273, 8), (278, rows), (279, size)]
    entries = b"".join(struct.pack("<HHII", code, 4, 1, value) for code, value in tags)
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    return struct.pack("<2sHI", b"II", 42, 8 + image.size) + image.tobytes() + directory


def test_tags_at_their_default_may_be_absent(tmp_path, rng):
    data = rng.integers(0, 256, (40, 48)).astype(np.uint8)
    (tmp_path / "a.tif").write_bytes(minimal(data))
    image = io.read(tmp_path / "a.tif")
    assert (image.data == data).all()
    io.write(tmp_path / "b.tif", image)
    assert (io.read(tmp_path / "b.tif").data == data).all()
