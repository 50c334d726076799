"""A set of OME-TIFF files is denoised once, whatever of it is named."""

import numpy as np
import pytest
import tifffile

from tests.cli.conftest import sidecar
from tests.helpers.ome_file import of_set, planes, write, xml


@pytest.fixture
def files(tmp_path, rng):
    folder = tmp_path / "in"
    folder.mkdir()
    return of_set(folder, planes(rng, 3))


def outputs(folder):
    return sorted(path.name for path in folder.glob("*.tif"))


def test_a_folder(denoise, files, tmp_path, rng):
    other = planes(rng)
    tifffile.imwrite(files[0].with_name("other.tif"), other)
    code, out, _ = denoise(files[0].parent, "-o", tmp_path / "out")
    assert code == 0
    assert outputs(tmp_path / "out") == ["0.ome.tif", "other.tif"]
    note = "3 files of an OME-TIFF set were read as one image: 0.ome.tif, 1.ome.tif, 2.ome.tif"
    assert f"  note: {note}" in out.splitlines()
    assert sidecar(tmp_path / "out" / "0.ome.tif")["notes"] == [note]
    assert tifffile.imread(tmp_path / "out" / "0.ome.tif").shape == (3, 20, 20)


def test_some_of_its_files(denoise, cli, files, tmp_path):
    denoise(files[2], files[1], "-o", tmp_path / "out")
    assert outputs(tmp_path / "out") == ["1.ome.tif"]
    assert denoise(files[2], "-o", tmp_path / "one" / "2.ome.tif")[0] == 0
    assert tifffile.imread(tmp_path / "one" / "2.ome.tif").shape == (3, 20, 20)
    _, out, _ = cli("params", *files)
    assert str(files[0]) in out
    assert str(files[1]) not in out


def test_links_to_its_files(denoise, files, tmp_path):
    links = tmp_path / "links"
    links.mkdir()
    for file in files:
        (links / file.name).symlink_to(file)
    code, _, err = denoise(links, "-o", tmp_path / "out")
    assert code == 0, err
    assert outputs(tmp_path / "out") == ["0.ome.tif"]


def test_a_file_of_it_is_missing(denoise, files, tmp_path):
    files[1].unlink()
    code, _, err = denoise(files[0].parent, "-o", tmp_path / "out")
    assert code == 1
    assert "1.ome.tif does not exist" in err
    assert len([line for line in err.splitlines() if "missing" in line]) == 1


def test_outputs_of_a_manifest_stay(denoise, files, tmp_path):
    path = tmp_path / "in" / "m.csv"
    path.write_text("file,output\n0.ome.tif,a.ome.tif\n1.ome.tif,b.ome.tif\n")
    denoise(path, "-o", tmp_path / "out")
    assert outputs(tmp_path / "out") == ["a.ome.tif", "b.ome.tif"]


@pytest.mark.parametrize(
    ("tag", "value", "note"),
    [("ResolutionUnit", 77, "unit 77"), ("PhotometricInterpretation", 8, "cielab")],
)
def test_no_fit_is_lost_when_it_is_written(denoise, tmp_path, rng, tag, value, note):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, planes(rng), photometric="minisblack", metadata=None, resolution=(5, 5))
    with tifffile.TiffFile(path) as tif:
        place = tif.pages[0].tags[tag].valueoffset
    content = bytearray(path.read_bytes())
    content[place : place + 2] = value.to_bytes(2, "little")
    path.write_bytes(content)
    code, out, _ = denoise(path, "-o", tmp_path / "out" / "a.tif")
    assert code == 0
    assert f"{note} cannot be written again" in out


def test_a_note_on_metadata(denoise, tmp_path, rng):
    path = write(tmp_path / "a.ome.tif", planes(rng), xml(channel='AcquisitionMode="Not Set"'))
    code, out, _ = denoise(path, "-o", tmp_path / "out" / "a.ome.tif")
    assert code == 0
    assert "note: dropped from the OME metadata" in out
    assert np.all(tifffile.imread(tmp_path / "out" / "a.ome.tif").shape == (20, 20))
