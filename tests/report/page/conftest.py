import os

import imagecodecs
import numpy as np
import pytest
import tifffile

from autodip.cli.main import run
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate

HOSTILE = (
    "<script>document.title='bad'<!--.tif",
    "q\"'&amp;<img src=x onerror=alert(1)>.tif",
    "line\nbreak.tif",
    "a\u202egnp.tif",
    os.fsdecode(b"bytes\xff.tif"),
)
"""Names of files that a page must show as text."""


@pytest.fixture
def cli(capsys):
    """Run a command in this process; return exit code, standard output and standard error."""

    def call(*arguments):
        code = run([str(a) for a in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture(scope="session")
def noisy():
    """A confocal image of mitochondria, 128 x 128 pixels, uint16."""
    return simulate("mito", Optics(microscope="confocal"), size=128, seed=3)[0]


@pytest.fixture
def source(tmp_path, noisy):
    """The image as a file with a pixel size of 0.1 µm."""
    path = tmp_path / "in" / "cells.tif"
    path.parent.mkdir()
    tifffile.imwrite(path, noisy, imagej=True, resolution=(10, 10), metadata={"unit": "um"})
    return path


@pytest.fixture
def done(cli, source, tmp_path):
    """Output of the image, denoised by the learned prior; without a page."""
    assert cli("denoise", source, "-o", tmp_path / "out/", "--preset", "fast")[0] == 0
    return tmp_path / "out" / "cells.tif"


@pytest.fixture
def fitted(cli, source, tmp_path):
    """Output of the image, denoised by a short fit."""
    quick = ("--preset", "untrained", "--iterations", "30", "--depth", "2", "--width", "4")
    assert cli("denoise", source, "-o", tmp_path / "fit/", *quick)[0] == 0
    return tmp_path / "fit" / "cells.tif"


@pytest.fixture
def several(tmp_path):
    """Folder of six small images, of which one is nothing but strong noise."""
    folder = tmp_path / "several"
    folder.mkdir()
    for seed in range(5):
        pixels = simulate("mito", Optics(microscope="confocal"), size=64, seed=seed)[0]
        tifffile.imwrite(folder / f"image{seed}.tif", pixels)
    other = np.random.default_rng(0).poisson(4, (64, 64)).astype(np.uint8)
    (folder / "other.png").write_bytes(imagecodecs.png_encode(20 * other))
    return folder


@pytest.fixture
def hostile(tmp_path, noisy):
    """Folder of images with hostile names."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    for name in HOSTILE:
        try:
            tifffile.imwrite(folder / "x.tif", noisy[:64, :64])
            (folder / "x.tif").rename(folder / name)
        except OSError:
            pytest.skip("the file system does not take these names")
    return folder
