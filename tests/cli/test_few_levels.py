"""What becomes of images with few grey levels, in every format."""

import numpy as np
import pytest

from autodip import io
from autodip.image.image import Image
from tests.cli.conftest import sidecar
from tests.helpers.blobs import blobs

FAST = ("--preset", "fast", "--device", "cpu")


@pytest.fixture
def counts(tmp_path, rng):
    """Writer of an image of single photons in a format."""

    def write(ending):
        path = tmp_path / f"counts{ending}"
        io.write(path, Image(rng.poisson(1.0 * blobs()).astype(np.uint8), "YX"))
        return path

    return write


@pytest.mark.parametrize("ending", [".tif", ".ome.tif", ".npy", ".npz", ".ome.zarr"])
def test_formats_that_store_floats_keep_the_mean(denoise, counts, ending, tmp_path):
    path = counts(ending)
    code, out, _ = denoise(path, "-o", tmp_path / "out", *FAST)
    assert code == 0
    assert "note: the result is float32" in out
    result = io.read(tmp_path / "out" / path.name).data
    assert result.dtype == np.float32
    assert result.mean() == pytest.approx(io.read(path).data.mean(), rel=0.02)


def test_png_reports_that_it_rounds(denoise, counts, tmp_path):
    path = counts(".png")
    code, out, _ = denoise(path, "-o", tmp_path / "out", *FAST)
    assert code == 0
    assert "note: the result is rounded to uint8" in out
    assert io.read(tmp_path / "out" / path.name).data.dtype == np.uint8
    assert sidecar(tmp_path / "out" / path.name)["options"]["dtype"] == "uint8"
    assert denoise(path, "-o", tmp_path / "again", "--format", "tiff", *FAST)[0] == 0
    assert io.read(tmp_path / "again" / "counts.tif").data.dtype == np.float32
