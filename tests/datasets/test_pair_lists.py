"""Pairs in a manifest with few keys, in a table, or in two folders."""

import json

import numpy as np
import pytest

from autodip import datasets
from autodip.calibration import captures
from autodip.datasets import pair_lists
from autodip.datasets.own_images import own_images
from autodip.errors import FormatError, ParameterError


@pytest.fixture
def root(tmp_path, rng):
    """Noisy and true images of the same names, and one noisy image alone."""
    for folder, names in (("noisy", ("a.npy", "day2/b.npy", "c.npy")), ("truth", ("a", "day2/b"))):
        for name in names:
            path = (tmp_path / folder / name).with_suffix(".npy")
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, rng.integers(0, 99, (8, 8)).astype(np.uint8))
    return tmp_path


def listed(root, text, name="pairs.csv"):
    (root / name).write_text(text)
    return datasets.pairs("shared", root / name)


def test_file_and_truth_are_enough(root):
    entries = [{"file": "noisy/a.npy", "truth": "truth/a.npy"}]
    entries.append({"file": "noisy/day2/b.npy", "truth": "truth/day2/b.npy", "colour": "red"})
    for name in ("manifest.json", "other.json"):
        (root / name).write_text(json.dumps(entries))
    first, second = datasets.pairs("shared", root)
    assert datasets.pairs("shared", root / "other.json") == [first, second]
    assert (first.dataset, first.role, first.noise_level, first.group) == (
        *("own", "", "noisy", "unknown"),
    )
    assert (first.fov, second.fov) == ("truth/a.npy", "truth/day2/b.npy")
    assert first.data_range == 255
    assert first.file == root / "noisy" / "a.npy"
    assert np.array_equal(second.read()[1], np.load(root / "truth" / "day2" / "b.npy"))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table(root, separator):
    rows = ["file,truth,microscope,specimen,role,data_range", "noisy/a.npy,truth/a.npy,,,,"]
    rows += ["noisy/day2/b.npy,truth/day2/b.npy,Light Sheet,Microtubules,test,63.5"]
    first, second = listed(root, "\n".join(rows).replace(",", separator))
    assert (first.microscope, first.specimen, first.data_range) == (None, None, 255)
    assert (second.microscope, second.specimen) == ("light_sheet", "tubulin")
    assert (second.role, second.data_range) == ("test", 63.5)


def test_two_folders_are_matched_by_name(root):
    found = pair_lists.matched(root / "noisy", root / "truth")
    pairs = datasets.pairs("shared", found)
    assert sorted(pair.name for pair in pairs) == ["noisy/a", "noisy/day2/b"]
    assert datasets.missing("shared", found) == [
        f"{root / 'noisy' / 'c.npy'} is left out, no true image has its name"
    ]
    (root / "truth" / "a.npy").rename(root / "truth" / "a.ome.tif")
    assert len(pair_lists.matched(root / "noisy", root / "truth").entries) == 2


def test_what_is_stated_is_kept(root):
    rows = ("file,truth,specimen", "noisy/a.npy,truth/a.npy,", "noisy/c.npy,truth/a.npy,actin")
    (root / "pairs.csv").write_text("\n".join(rows))
    stated = pair_lists.read(root / "pairs.csv").stating("sted", "mito")
    kinds = [(pair.microscope, pair.specimen) for pair in datasets.pairs("shared", stated)]
    assert kinds == [("sted", "mito"), ("sted", "actin")]


def test_images_to_tune_on(root):
    folders = pair_lists.matched(root / "noisy", root / "truth")
    (first, _) = own_images(folders, "sted", "ER")
    assert first.kind.names == ("sted", "er")
    (root / "pairs.csv").write_text("file,specimen\nnoisy/a.npy,\nnoisy/c.npy,actin\n")
    (alone,) = own_images(root / "pairs.csv", None, "tubulin")
    assert alone.kind.names == (None, "tubulin")
    (root / "pairs.csv").write_text("file,specimen\nnoisy/c.npy,actin\n")
    with pytest.raises(ParameterError, match="no image has mito; the 1 images"):
        own_images(root / "pairs.csv", None, "mito")


def test_captures_of_a_table(root, rng):
    for number in range(4):
        np.save(root / f"{number}.npy", rng.integers(0, 9, (8, 8)).astype(np.uint8))
    rows = ["file,fov", *(f"{number}.npy,1" for number in range(4))]
    (root / "captures.csv").write_text("\n".join(rows))
    assert len(captures.averaged(root / "captures.csv")) == 4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("path,truth\na,b\n", "it has no column 'file'"),
        ("file,truht\na,b\n", "column 'truht' is not known. Did you mean truth?"),
        ("file\nnoisy/a.npy\n", "entry 1 lacks truth; an entry needs file and truth"),
        ("file,truth\nnoisy/a.npy,../a.npy\n", "give a path below the folder"),
        ("file,truth\nnoisy/a.npy,none.npy\n", "no none.npy"),
        ("file,truth,role\nnoisy/a.npy,truth/a.npy,train\n", "has role 'train'"),
        ("file,truth,data_range\nnoisy/a.npy,truth/a.npy,wide\n", "not readable as CSV"),
    ],
)
def test_wrong_tables(root, text, words):
    with pytest.raises(FormatError, match=words.replace("?", r"\?")):
        listed(root, text)


@pytest.mark.parametrize(
    ("noisy", "truth", "words"),
    [
        ("noisy", "none", "there is no such folder"),
        ("noisy/a.npy", "truth", "a file, not a folder"),
        ("noisy", "empty", "no image in"),
    ],
)
def test_wrong_folders(root, noisy, truth, words):
    (root / "empty").mkdir()
    with pytest.raises(FormatError, match=words):
        pair_lists.matched(root / noisy, root / truth)


def test_a_true_image_that_is_there_twice(root):
    np.savez(root / "truth" / "a.npz", np.eye(8))
    with pytest.raises(FormatError, match="are both the true image of a; keep one"):
        pair_lists.matched(root / "noisy", root / "truth")


def test_what_is_no_list(root):
    with pytest.raises(FormatError, match=r"neither a folder nor a \.json or \.csv file"):
        pair_lists.read(root / "noisy" / "a.npy")
    with pytest.raises(FormatError, match="no such folder"):
        pair_lists.read(root / "nowhere")
    with pytest.raises(ParameterError, match="two folders of pairs are the data set 'shared'"):
        datasets.pairs("fmd", pair_lists.matched(root / "noisy", root / "truth"))
