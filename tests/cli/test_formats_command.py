"""``autodip denoise`` on the formats beyond PNG, TIFF and NPY."""

import json

import numpy as np
import pytest
import tifffile

from autodip import io
from autodip.image.image import Image
from tests.cli.conftest import sidecar
from tests.conftest import REPOSITORY

CZI = REPOSITORY / "tests" / "data" / "two_scenes.czi"


@pytest.fixture
def stack(sample):
    return Image(
        np.stack([sample[0][:32, :32], sample[0][32:, 32:]]).astype("uint16"),
        "CYX",
        pixel_size={"Y": 0.1, "X": 0.1},
        channel_names=("DAPI", "GFP"),
    )


@pytest.mark.parametrize("dtype", ["float16", "longdouble", "int64", "q", ">u2"])
def test_every_type_of_pixels_is_denoised(denoise, stack, tmp_path, dtype):
    np.save(tmp_path / "a.npy", stack.data[0].astype(dtype))
    code, _, error = denoise(tmp_path / "a.npy", "-o", tmp_path / "out")
    assert code == 0, error
    assert io.read(tmp_path / "out" / "a.npy").data.dtype == np.dtype(dtype)


def test_sizes_that_are_no_finite_numbers_are_not_used(denoise, stack, tmp_path):
    io.write(tmp_path / "a.ome.tif", stack.replace(pixel_size={"Y": 1.0, "X": 0.1}))
    text = tifffile.tiffcomment(tmp_path / "a.ome.tif")
    text = text.replace('"1.0" PhysicalSizeYUnit="µm"', '"1e308" PhysicalSizeYUnit="m"')
    tifffile.tiffcomment(tmp_path / "a.ome.tif", text.encode())
    code, _, error = denoise(tmp_path / "a.ome.tif", "-o", tmp_path / "out")
    assert code == 0, error
    content = sidecar(tmp_path / "out" / "a.ome.tif")
    assert content["input"]["pixel_size_um"] == {"X": 0.1}
    assert "size inf along Y" in " ".join(content["notes"])


@pytest.mark.parametrize(
    ("name", "lost"),
    [("npy", "NPY files cannot store the pixel size, channel names"), ("ome-zarr", "")],
)
def test_what_a_format_cannot_store_is_noted(denoise, stack, tmp_path, name, lost):
    io.write(tmp_path / "a.ome.tif", stack)
    for more in ((), ("--dry-run",)):
        code, out, error = denoise(
            tmp_path / "a.ome.tif", "-o", tmp_path / "out", "--format", name, *more, "--overwrite"
        )
        assert code == 0, error
        assert ("cannot store" in out, lost in out) == (bool(lost), True)


def test_an_ome_zarr_is_an_image_and_stays_one(denoise, cli, stack, tmp_path):
    source = tmp_path / "in" / "cells.ome.zarr"
    source.parent.mkdir()
    io.write(source, stack)
    code, _, error = denoise(source.parent, "-o", tmp_path / "out")
    assert code == 0, error
    target = tmp_path / "out" / "cells.ome.zarr"
    written = io.read(target)
    assert (written.axes, written.data.dtype, written.channel_names) == (
        "CYX", np.dtype("uint16"), ("DAPI", "GFP"),
    )  # fmt: skip
    assert written.pixel_size == pytest.approx(stack.pixel_size)
    assert not np.array_equal(written.data, stack.data)
    content = sidecar(target)
    assert len(content["input"]["sha256"]) == 64
    code, _, error = denoise(source, "-o", target)
    assert (code, "exists" in error) == (1, True)
    code, _, error = denoise(source, "-o", target, "--overwrite")
    assert code == 0, error
    again = tmp_path / "again.ome.zarr"
    beside = target.with_name(target.name + ".autodip.json")
    code, _, error = cli("denoise", source, "-o", again, "--params", beside)
    assert code == 0, error
    assert np.array_equal(io.read(again).data, written.data)


def test_vendors_files_become_ome_tiff(denoise, cli, tmp_path):
    code, _, error = denoise(CZI, "-o", tmp_path)
    assert code == 1
    assert "scene" in error
    names = [name for name in ("0", "1") if cli("info", CZI, "--scene", name)[0] == 0]
    assert names == ["0", "1"]
    code, _, error = denoise(CZI, "-o", tmp_path, "--scene", "1", "--frames", "0")
    assert code == 0, error
    with tifffile.TiffFile(tmp_path / "two_scenes.ome.tif") as file:
        assert file.is_ome
    assert sidecar(tmp_path / "two_scenes.ome.tif")["selection"]["scene"] == "1"


def test_another_format_and_type(denoise, cli, cells, tmp_path):
    code, _, error = denoise(cells, "-o", tmp_path / "o", "--format", "npy", "--dtype", "float32")
    assert code == 0, error
    fine = np.load(tmp_path / "o" / "cells.npy")
    assert fine.dtype == np.float32
    assert np.abs(fine - np.rint(fine)).max() > 0.1
    assert denoise(cells, "-o", tmp_path / "o")[0] == 0
    assert np.array_equal(io.read(tmp_path / "o" / "cells.png").data, np.rint(fine).astype("uint8"))
    beside = tmp_path / "o" / "cells.npy.autodip.json"
    assert json.loads(beside.read_text())["output"]["dtype"] == "float32"
    code, _, error = cli(
        "denoise", cells, "-o", tmp_path / "again", "--params", beside, "--format", "npy"
    )
    assert code == 0, error
    assert np.array_equal(np.load(tmp_path / "again" / "cells.npy"), fine)


def test_a_name_that_does_not_fit_the_format(denoise, cells, tmp_path):
    code, _, error = denoise(cells, "-o", tmp_path / "x.png", "--format", "ome-tiff")
    assert (code, "end it in .tif" in error) == (2, True)
    assert denoise(cells, "-o", tmp_path / "x.ome.tif", "--format", "ome-tiff")[0] == 0
