"""The page about Python and the notebooks run."""

import re

import pytest
import tifffile

from tests.conftest import REPOSITORY

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")

PAGE = (REPOSITORY / "docs" / "python.md").read_text(encoding="utf-8")
NOTEBOOKS = sorted((REPOSITORY / "docs" / "notebooks").glob("*.ipynb"))


def test_the_blocks_of_the_page_run(tmp_path, monkeypatch, sample):
    for package in ("xarray", "dask", "zarr", "matplotlib"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    import matplotlib  # noqa: PLC0415

    matplotlib.use("agg")
    monkeypatch.chdir(tmp_path)
    tifffile.imwrite("my_image.tif", sample[0])
    names = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "python.md", "exec"), names)
    names["figure"].clear()
    matplotlib.pyplot.close("all")
    assert (tmp_path / "denoised.tif.autodip.json").exists()
    assert (tmp_path / "denoised.zarr").exists()


def test_there_are_two_notebooks():
    assert [path.stem for path in NOTEBOOKS] == ["one-image", "study"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_outputs(path):
    text = path.read_text(encoding="utf-8")
    book = nbformat.reads(text, as_version=4)
    nbformat.validate(book)
    assert [cell.id for cell in book.cells] == [f"cell-{n:02}" for n in range(len(book.cells))]
    for cell in book.cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)
    assert text == nbformat.writes(book, indent=1) + "\n"


@pytest.mark.filterwarnings("default")  # of the packages that run notebooks
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path):
    for package in ("ipykernel", "matplotlib", "xarray", "dask", "zarr"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    book = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(book, timeout=300, kernel_name="python3").execute()
    outputs = [out for cell in book.cells for out in cell.get("outputs", [])]
    assert [out.text for out in outputs if out.get("name") == "stderr"] == []
    shown = [out.data for out in outputs if "data" in out]
    assert any("image/png" in data for data in shown)
    assert any("<progress" in data.get("text/html", "") for data in shown)
