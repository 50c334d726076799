"""Every block of every page of the documentation runs, or is marked and then at least parsed."""

import shutil

import numpy as np
import pytest
import tifffile

from autodip.cli.main import run
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate
from tests.docs import blocks

PAGES = {
    page.relative_to(blocks.REPOSITORY).as_posix(): blocks.blocks(page) for page in blocks.pages()
}
RUN = [name for name, found in PAGES.items() if any(block.runs for block in found)]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory, sample):
    """Folder of a user: an image, a film, a demo, an experiment, clean images."""
    folder = tmp_path_factory.mktemp("user")
    noisy = sample[0]
    tifffile.imwrite(folder / "my_image.tif", noisy)
    tifffile.imwrite(folder / "film.tif", np.stack([noisy] * 2))
    (folder / "experiment" / "day1").mkdir(parents=True)
    shutil.copy(folder / "my_image.tif", folder / "experiment" / "day1" / "a.tif")
    (folder / "clean").mkdir()
    _, truth = simulate("mito", Optics(microscope="confocal"), size=112)
    tifffile.imwrite(folder / "clean" / "true.tif", truth)
    quick = ["--size", "64", "--preset", "untrained", "--iterations", "2"]
    assert run(["demo", "--out", str(folder / "autodip-demo"), *quick]) == 0
    return folder


@pytest.mark.parametrize("name", RUN)
def test_blocks_run(name, prepared, tmp_path, monkeypatch):
    folder = tmp_path / "user"
    shutil.copytree(prepared, folder)
    monkeypatch.chdir(folder)
    names = {"__name__": "page"}
    for block in PAGES[name]:
        blocks.run_block(block, names)


@pytest.mark.parametrize("name", [name for name in PAGES if name not in RUN])
def test_other_blocks_are_parsed(name):
    for block in PAGES[name]:
        blocks.check(block)


def test_kinds_of_blocks_are_known():
    """A misspelt kind would not be run."""
    for found in PAGES.values():
        for block in found:
            assert (
                block.kind == ""
                or block.kind[0] == "{"
                or block.kind
                in (
                    *blocks.RUN,
                    *blocks.OTHER,
                )
            ), block


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("denois a.tif", "no command 'denois'"),
        ("denoise a.tif --presett fast", "no option --presett"),
        ("data fetch fmd --folder x", "no option --folder"),
    ],
)
def test_parsing_finds_faults(line, reason):
    with pytest.raises(AssertionError, match=reason):
        blocks.parse(line.split(), "here")


def test_faults_of_scripts_are_found():
    page = blocks.DOCS / "index.md"
    for text in ("$ python benchmarks/none.py", "$ python benchmarks/windows.py --no-such"):
        block = blocks.Block(page, 1, "console", f"# takes hours\n{text}\n")
        with pytest.raises(AssertionError):
            blocks.check(block)
