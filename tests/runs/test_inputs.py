"""Expansion of the inputs to files, paths of the outputs, and manifests."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from autodip.errors import ParameterError
from autodip.runs import manifest
from autodip.runs.inputs import Input, find, find_inputs
from autodip.runs.places import pair


@pytest.fixture
def tree(tmp_path):
    """A folder with images at several depths, and files that are not images."""
    folder = tmp_path / "data"
    for name in ("a.npy", "day1/a.npy", "day2/deep/b.npy", ".hidden/c.npy", "out/a.npy"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.eye(4))
    (folder / "notes.txt").touch()
    (folder / "day1" / "x.zarr" / "0").mkdir(parents=True)
    np.save(folder / "day1" / "x.zarr" / "0" / "chunk.npy", np.eye(4))
    return folder


def places(found):
    return sorted(one.place.as_posix() for one in found)


def test_folder_alone_and_with_its_sub_folders(tree):
    assert places(find([tree])[0]) == ["a.npy"]
    every, failed = find([tree], recursive=True)
    assert failed == {}
    assert places(every) == ["a.npy", "day1/a.npy", "day1/x.zarr", "day2/deep/b.npy", "out/a.npy"]


def test_outputs_below_the_folder_are_no_inputs(tree):
    names = ["a.npy", "day1/a.npy", "day1/x.zarr", "day2/deep/b.npy"]
    assert places(find([tree], recursive=True, out=tree / "out")[0]) == names
    assert places(find([tree / "**"], out=tree / "out")[0]) == names
    assert places(find([tree / "out"], recursive=True, out=tree / "out")[0]) == ["a.npy"]


def test_patterns_keep_the_folders_below_their_fixed_part(tree, monkeypatch):
    monkeypatch.chdir(tree.parent)
    found, failed = find([Path("data/**/a.npy"), Path("data/none*.tif")])
    assert places(found) == ["a.npy", "day1/a.npy", "out/a.npy"]
    assert "matches this pattern" in failed[Path("data/none*.tif")]
    assert places(find([Path("data/day?/*.npy")])[0]) == ["day1/a.npy"]
    assert find_inputs([Path("data/[ab].npy")])[0] == [Path("data/a.npy")]


def test_a_file_with_magic_signs_in_its_name_is_a_file(tmp_path):
    path = tmp_path / "cells [1].npy"
    np.save(path, np.eye(4))
    assert find([path]) == ([Input(path, Path(path.name))], {})


def test_folder_without_images_advises_sub_folders(tree):
    (tree / "empty" / "day").mkdir(parents=True)
    _, failed = find([tree / "empty"])
    assert "--recursive" in failed[tree / "empty"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_closed_sub_folder_is_named(tree):
    (tree / "day1").chmod(0)
    try:
        found, failed = find([tree], recursive=True)
    finally:
        (tree / "day1").chmod(0o755)
    assert "a.npy" in places(found)
    assert "cannot be read" in failed[tree / "day1"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_manifest_as_a_table(tmp_path, delimiter):
    path = tmp_path / "m.csv"
    lines = [
        ("file", "output", "specimen", "frames"),
        ("a.tif", "x/first.tif", "DAPI", ""),
        ("day/b.tif", "", "", "1:3"),
    ]
    path.write_text("\ufeff" + "\n".join(map(delimiter.join, lines)) + "\n\n", encoding="utf-8")
    first, second = manifest.read(path)
    assert first.path == tmp_path / "a.tif"
    assert (first.output, first.said) == ("x/first.tif", (("specimen", "DAPI"),))
    assert (second.output, second.said) == (None, (("frames", "1:3"),))
    assert second.where == f"{path}, line 3"
    assert places(find([path])[0]) == ["day/b.tif", "x/first.tif"]


def test_manifest_as_a_list(tmp_path):
    path = tmp_path / "m.json"
    entries = [
        {"file": "a.tif", "channel": 1, "microscope": None, "licence": "CC0", "set": "x"},
        {"file": "b.tif", "truth": "t.tif", "channel": 2, "specimen": "nucleous"},
    ]
    path.write_text(json.dumps(entries))
    first, second = manifest.read(path)
    assert first.said == (("channel", "1"),)
    assert second.said == (("specimen", "other"),)


def test_manifest_of_the_real_pairs(shared):
    found, failed = find([shared / "data" / "manifest.json"])
    assert failed == {}
    assert len(pair(found, "out", [shared / "data" / "manifest.json"], None)) == len(found) > 100
    assert "fmd_test/raw/Confocal_BPAE_B_1.png" in places(found)


def test_files_above_the_manifest(tmp_path):
    path = tmp_path / "lists" / "m.csv"
    path.parent.mkdir()
    path.write_text("file\n../day1/a.tif\n../day2/a.tif\n")
    assert places(find([path])[0]) == ["day1/a.tif", "day2/a.tif"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no column 'file'"),
        ("file\n", "it lists no file"),
        ("path\na.tif\n", "column 'path' is not known"),
        ("file,specimem\na.tif,dna\n", "Did you mean specimen"),
        ("file,file\na.tif,b.tif\n", "twice"),
        ("file,frames\na.tif,1,2\n", "line 2: it has more cells"),
        ("file,frames\n,1\n", "line 2: it names no file"),
        ("file,preset\na.tif,magic\n", "line 2: preset 'magic' is not known"),
        ("file,output\na.tif,../b.tif\n", "line 2: output '../b.tif'; give a path below"),
        ("file,output\na.tif,/b.tif\n", "give a path below"),
    ],
)
def test_wrong_table(tmp_path, content, message):
    path = tmp_path / "m.csv"
    path.write_text(content)
    with pytest.raises(ParameterError) as caught:
        manifest.read(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not readable as a manifest"),
        ("{}", "it holds a dict"),
        ("[1]", "entry 1 is a int"),
        ('[{"file": "a.tif", "Specimen": "dna"}]', "entry 1: key 'Specimen' is not known"),
        ('[{"file": "a.tif", "frame": 1}]', "Did you mean frames"),
        ('[{"file": "a.tif", "specimen": 3}]', "specimen is 3; it must be a string"),
        ('[{"file": null}]', "names no file"),
    ],
)
def test_wrong_list(tmp_path, content, message):
    path = tmp_path / "m.json"
    path.write_text(content)
    with pytest.raises(ParameterError) as caught:
        manifest.read(path)
    assert message in str(caught.value)


def test_missing_manifest(tmp_path):
    with pytest.raises(ParameterError, match="cannot be read"):
        find([tmp_path / "none.csv"])


def test_all_wrong_rows_are_named(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("file,preset\n" + "a.tif,magic\n" * 12)
    with pytest.raises(ParameterError) as caught:
        manifest.read(path)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(f"{path}, line 2:")
    assert lines[-1] == "and 2 more rows"


def test_outputs_that_collide(tmp_path):
    found = [Input(Path("x/a.nd2"), Path("a.nd2")), Input(Path("y/a.ome.tif"), Path("a.ome.tif"))]
    with pytest.raises(ParameterError, match="would both be written"):
        pair(found, "out", [Path("x"), Path("y")], None)


def test_output_over_another_input(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("file,output\na.tif,b.tif\nb.tif,c.tif\n")
    with pytest.raises(ParameterError, match="over the input"):
        pair(find([path])[0], str(tmp_path), [path], None)


def test_output_of_another_format_in_a_manifest(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("file,output\na.png,a.tif\n")
    with pytest.raises(ParameterError, match=r"line 2: output a\.tif.*end it in \.png$"):
        pair(find([path])[0], "out", [path], None)
    assert pair(find([path])[0], "out", [path], "tiff")[0][1] == Path("out/a.tif")


def test_places_follow_the_format(tree):
    pairs = pair(find([tree], recursive=True)[0], "new", [tree], "tiff")
    assert {"new/a.tif", "new/day2/deep/b.tif"} <= {target.as_posix() for _, target in pairs}
