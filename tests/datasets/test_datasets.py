import json
import sys
from pathlib import Path

import imagecodecs
import mrcfile
import numpy as np
import pytest
import tifffile

from autodip import datasets
from autodip.datasets import biosr, fmd, layout, pages, w2s
from autodip.errors import FormatError, MissingPackageError, ParameterError


def png(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(imagecodecs.png_encode(np.asarray(image)))


def tif(path, image, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, image, photometric="minisblack", **options)


def mrc(path, stack):
    path.parent.mkdir(parents=True, exist_ok=True)
    with mrcfile.new(path) as file:
        file.set_data(stack)


def facts(pair, *names):
    return tuple(getattr(pair, name) for name in names)


# What all of them share


def test_names_and_unknown_ones(tmp_path):
    assert datasets.NAMES == ("fmd", "hagen", "biosr", "w2s", "shah", "shared")
    with pytest.raises(ParameterError, match=r"'fdm' is not known. Did you mean fmd\?"):
        datasets.pairs("fdm", tmp_path)


@pytest.mark.parametrize("name", datasets.NAMES)
def test_an_empty_folder_says_what_was_looked_for(tmp_path, name):
    with pytest.raises(FormatError, match=f"no pair of the data set {name}. Looked for .*[a-z]"):
        datasets.pairs(name, tmp_path)
    with pytest.raises(FormatError, match="there is no such folder"):
        datasets.missing(name, tmp_path / "nowhere")


def test_a_folder_nearby_is_suggested(tmp_path):
    root = tmp_path / "archives" / "unpacked"
    png(root / "test_mix/raw/Confocal_FISH_1.png", np.eye(4, dtype="u1"))
    png(root / "test_mix/gt/Confocal_FISH.png", np.eye(4, dtype="u1"))
    (tmp_path / "archives" / ".hidden").mkdir()
    for wrong in (tmp_path, tmp_path / "archives", root / "test_mix", root / "test_mix/raw"):
        with pytest.raises(FormatError, match=f"{root} looks right"):
            datasets.pairs("fmd", wrong)
    assert len(datasets.pairs("fmd", root)) == 1


def test_folders_that_may_not_be_read_hide_no_message(tmp_path, monkeypatch):
    root = tmp_path / "set"
    (root / "locked").mkdir(parents=True)
    iterdir, is_dir = Path.iterdir, Path.is_dir

    def refuse(call, name):
        def refusing(path):
            if path.name == name:
                raise PermissionError(13, "Permission denied", str(path))
            return call(path)

        return refusing

    monkeypatch.setattr(Path, "iterdir", refuse(iterdir, "locked"))
    with pytest.raises(FormatError, match=r"no pair of the data set fmd. Looked for"):
        datasets.pairs("fmd", root)
    monkeypatch.setattr(Path, "iterdir", refuse(iterdir, "set"))
    with pytest.raises(FormatError, match=r"no pair of the data set fmd. Looked for"):
        datasets.pairs("fmd", root)
    monkeypatch.setattr(Path, "is_dir", refuse(is_dir, "set"))
    with pytest.raises(FormatError, match=r"cannot be listed .*Permission denied"):
        datasets.pairs("fmd", root)


def test_ranges_in_words():
    assert layout.ranges([9, 4, 5, 6, 1, 4]) == "1, 4-6, 9"
    assert layout.fields([3]) == "field 3"
    assert layout.fields([3, 4]) == "fields 3-4"
    assert layout.group(None, None) == "unknown"
    assert layout.group(None, "er") == "er"


def test_folders_come_in_the_order_of_their_numbers(tmp_path):
    for name in ("10", "2", "1", ".git"):
        (tmp_path / name).mkdir()
    assert [p.name for p in layout.folders(tmp_path)] == ["1", "2", "10"]


def test_wrong_images_are_told(tmp_path):
    png(tmp_path / "a.png", np.zeros((4, 5), "u1"))
    png(tmp_path / "b.png", np.zeros((4, 4), "u1"))
    png(tmp_path / "c.png", np.zeros((4, 4, 3), "u1"))
    with pytest.raises(FormatError, match=r"a.png has the shape \(4, 5\), its truth .*b.png the"):
        layout.planes(tmp_path / "a.png", tmp_path / "b.png")
    with pytest.raises(FormatError, match=r"\(4, 4, 3\) \(YXS\), not one grey plane"):
        layout.plane(tmp_path / "c.png")


# FMD


@pytest.fixture
def fmd_root(tmp_path, rng):
    """One group: fields 1 (all on disk but avg4..16), 2 (raw with 3 captures), 19, 20 (no gt)."""
    group = tmp_path / "Confocal_BPAE_R"
    for field, captures in ((1, 50), (2, 3), (19, 50), (20, 50)):
        stack = rng.integers(0, 256, (captures, 4, 6), "u1")
        for number, image in enumerate(stack):
            png(group / f"raw/{field}/HV{number:02d}.png", image)
        if field != 20:
            png(group / f"gt/{field}/avg50.png", stack.mean(axis=0).astype("u1"))
    for number in range(50):
        png(group / f"avg2/1/HV{number:02d}.png", np.full((4, 6), number, "u1"))
    return tmp_path


def test_fmd(fmd_root):
    pairs = datasets.pairs("fmd", fmd_root)
    by_name = {pair.name: pair for pair in pairs}
    assert len(by_name) == len(pairs) == 2 * 5 * 50 + 3
    pair = by_name["Confocal_BPAE_R/raw/19/HV03"]
    assert facts(pair, "dataset", "microscope", "specimen", "noise_level", "fov", "capture") == (
        "fmd",
        "confocal",
        "mito",
        "raw",
        "19",
        "4",
    )
    assert facts(pair, "group", "role", "data_range", "stretched") == (
        "confocal mito",
        "test",
        255.0,
        False,
    )
    noisy, truth = pair.read()
    folder = fmd_root / "Confocal_BPAE_R"
    assert np.array_equal(noisy, layout.plane(folder / "raw/19/HV03.png"))
    assert np.array_equal(truth, layout.plane(folder / "gt/19/avg50.png"))
    assert by_name["Confocal_BPAE_R/raw/1/HV00"].role == "calibration"


def test_fmd_averages_on_disk_are_taken_others_computed(fmd_root):
    by_name = {pair.name: pair for pair in datasets.pairs("fmd", fmd_root)}
    assert (by_name["Confocal_BPAE_R/avg2/1/HV07"].read()[0] == 7).all()
    raw = [layout.plane(fmd_root / f"Confocal_BPAE_R/raw/1/HV{n:02d}.png") for n in range(50)]
    total = sum(raw[n].astype(int) for n in (47, 48, 49, 0))  # the first follows the last
    noisy, _ = by_name["Confocal_BPAE_R/avg4/1/HV47"].read()
    assert noisy.dtype == np.uint8
    assert np.array_equal(noisy, (2 * total + 4) // 8)  # half up, in whole numbers


def test_fmd_says_what_is_missing(fmd_root):
    missing = "\n".join(datasets.missing("fmd", fmd_root))
    for sentence in (
        "test_mix, the mixed test set, is missing",
        "Confocal_BPAE_R: no fields 3-18",
        "Confocal_BPAE_R: no gt/20/avg50.png, the captures of field 20 are left out",
        "Confocal_BPAE_R: no avg16 of field 2, and raw does not have the 50 captures",
        "Confocal_BPAE_R: raw has 3 of 50 captures of field 2",
        "11 of 12 groups are missing: Confocal_BPAE_B,",
    ):
        assert sentence in missing


def test_fmd_without_raw(tmp_path):
    png(tmp_path / "WideField_BPAE_G/avg16/5/a.png", np.eye(3, dtype="u1"))
    png(tmp_path / "WideField_BPAE_G/gt/5/avg50.png", np.eye(3, dtype="u1"))
    (pair,) = datasets.pairs("fmd", tmp_path)
    assert pair.group == "widefield actin"
    assert any("no raw/<field>/*.png of field 5" in s for s in datasets.missing("fmd", tmp_path))


def test_fmd_fields_that_are_no_numbers_are_left_alone(fmd_root):
    expected = len(datasets.pairs("fmd", fmd_root))
    for name in ("²", "1²", "x"):
        (fmd_root / f"Confocal_BPAE_R/raw/{name}").mkdir()
    pairs = datasets.pairs("fmd", fmd_root)
    assert len(pairs) == expected
    assert {pair.dataset for pair in pairs} == {"fmd"}


def test_fmd_mixed_test_set(tmp_path):
    """Truth found by the group's name or, as in the release, by the name of the noisy file."""
    image = np.arange(12, dtype="u1").reshape(3, 4)
    for level in ("raw", "avg2"):
        for name in ("Confocal_MICE_1", "TwoPhoton_BPAE_B_3", "Other_1", "Confocal_FISH_1"):
            png(tmp_path / f"test_mix/{level}/{name}.png", image)
    png(tmp_path / "test_mix/gt/Confocal_MICE.png", image + 1)
    png(tmp_path / "test_mix/gt/TwoPhoton_BPAE_B_3.png", image + 2)
    pairs = datasets.pairs("fmd", tmp_path)
    assert [p.name for p in pairs] == [
        "test_mix/raw/Confocal_MICE_1",
        "test_mix/raw/TwoPhoton_BPAE_B_3",
        "test_mix/avg2/Confocal_MICE_1",
        "test_mix/avg2/TwoPhoton_BPAE_B_3",
    ]
    assert facts(pairs[1], "dataset", "group", "fov", "capture", "role", "noise_level") == (
        "fmd_test_mix",
        "twophoton nucleus",
        "19",
        "3",
        "test",
        "raw",
    )
    assert [int(p.read()[1][0, 0]) for p in pairs[:2]] == [1, 2]
    missing = "\n".join(datasets.missing("fmd", tmp_path))
    assert "raw/Other_1.png is left out, its name starts with no group" in missing
    assert "raw/Confocal_FISH_1.png is left out, no truth in gt" in missing
    assert "test_mix: no avg16/*.png" in missing


def test_fmd_captures_of_another_kind_are_told(tmp_path):
    for number, dtype in enumerate(("u1", "u2")):
        png(tmp_path / f"{number}.png", np.zeros((3, 3), dtype))
    with pytest.raises(FormatError, match="not all 8-bit images of one size"):
        fmd.average(tuple(sorted(tmp_path.iterdir())))


# Hagen


@pytest.fixture
def hagen_root(tmp_path, rng):
    for stem, count in (("actin-60x-noise1", 3), ("mito-confocal", 2), ("nucleus", 1)):
        for snr in ("low", "high"):
            stack = rng.integers(0, 4096, (count, 5, 7), "u2")
            tif(tmp_path / f"{stem}-{snr}snr.tif", stack[0] if count == 1 else stack)
    folder = tmp_path / "03-mito-confocal"
    folder.mkdir()
    for path in tmp_path.glob("mito-*"):
        path.rename(folder / path.name)
    tif(tmp_path / "membrane-lowsnr.tif", np.zeros((2, 3, 3), "u2"))
    tif(tmp_path / "mito-20x-noise1-lowsnr.tif", np.zeros((2, 3, 3), "u2"))
    tif(tmp_path / "mito-20x-noise1-highsnr.tif", np.zeros((3, 3, 3), "u2"))
    for snr in ("low", "high"):
        (tmp_path / f"actin-20x-noise2-{snr}snr.tif").write_bytes(b"II*\0 broken")
    return tmp_path


def test_hagen(hagen_root):
    pairs = datasets.pairs("hagen", hagen_root)
    names = ("name", "microscope", "specimen", "noise_level", "fov", "group")
    assert [facts(p, *names) for p in pairs] == [
        *(
            (
                f"actin-60x-noise1/000{n}",
                "widefield",
                "actin",
                "noise1",
                f"60x-noise1/000{n}",
                "widefield actin 60x",
            )
            for n in (1, 2, 3)
        ),
        *(
            (
                f"mito-confocal/000{n}",
                "confocal",
                "mito",
                "lowsnr",
                f"confocal/000{n}",
                "confocal mito",
            )
            for n in (1, 2)
        ),
        ("nucleus/0001", None, "nucleus", "lowsnr", "nucleus/0001", "nucleus"),
    ]
    assert all(p.stretched and p.data_range is None and p.role == "" for p in pairs)
    for pair, stem, page in ((pairs[1], "actin-60x-noise1", 1), (pairs[5], "nucleus", ...)):
        for image, snr in zip(pair.read(), ("low", "high"), strict=True):
            assert np.array_equal(image, tifffile.imread(hagen_root / f"{stem}-{snr}snr.tif")[page])


def test_hagen_says_what_is_missing(hagen_root):
    missing = "\n".join(datasets.missing("hagen", hagen_root))
    assert "membrane: no highsnr stack, membrane-lowsnr.tif is left out" in missing
    assert "mito-20x-noise1: left out, lowsnr has 2 pages and highsnr 3" in missing
    assert "actin-20x-noise2: left out, " in missing
    assert "not a readable TIFF file" in missing


def test_pages_of_all_kinds(tmp_path, rng):
    stack = rng.integers(0, 9999, (4, 5, 6), "u2")
    tif(tmp_path / "plain.tif", stack)
    tif(tmp_path / "packed.tif", stack, compression="adobe_deflate")
    tif(tmp_path / "imagej.tif", stack, imagej=True, metadata={"axes": "TYX"})
    tif(tmp_path / "one.tif", stack, imagej=True, metadata={"axes": "TYX"})
    with tifffile.TiffFile(tmp_path / "one.tif") as tif_:
        at = tif_.pages[0].offset + 2 + 12 * len(tif_.pages[0].tags)  # of the next page
    content = bytearray((tmp_path / "one.tif").read_bytes())
    content[at : at + 4] = bytes(4)  # as ImageJ writes what is beyond 4 GB
    (tmp_path / "one.tif").write_bytes(content)
    for name in ("plain", "packed", "imagej", "one"):
        path = tmp_path / f"{name}.tif"
        assert pages.count(path) == 4, name
        assert np.array_equal(pages.read(path, 2), stack[2]), name
    colours = np.stack([stack] * 3, axis=-1).astype("u1")
    colours[..., 1:] = 0
    tifffile.imwrite(tmp_path / "rgb.tif", colours, photometric="rgb")
    assert pages.count(tmp_path / "rgb.tif") == 4
    assert np.array_equal(pages.read(tmp_path / "rgb.tif", 3), colours[3, ..., 0])
    with pytest.raises(FormatError, match="page 9 cannot be read"):
        pages.read(tmp_path / "plain.tif", 8)


# BioSR


@pytest.fixture
def biosr_root(tmp_path, rng):
    for name in ("F-actin", "F-actin_Nonlinear", "CCPs"):
        cell = tmp_path / name / "Cell_001"
        count = 25 if name.endswith("Nonlinear") else 9
        for file in ("RawSIMData_level_01", "RawSIMData_level_09", "RawSIMData_gt", "SIM_gt"):
            mrc(cell / f"{file}.mrc", rng.integers(0, 60000, (count, 4, 5), "u2"))
    mrc(tmp_path / "CCPs/Cell_002/RawSIMData_level_01.mrc", np.zeros((9, 3, 3), "u2"))
    for folder, file in (("RawSIMData", "RawSIMData"), ("RawGTSIMData", "RawGTSIMData")):
        stack = rng.integers(0, 999, (9, 4, 5), "u2")
        mrc(tmp_path / f"ER/Cell_007/{folder}/{file}_level_06.mrc", stack)
    return tmp_path


@pytest.mark.filterwarnings("ignore:Setting the dtype:DeprecationWarning")  # mrcfile, NumPy 2.5
def test_biosr(biosr_root):
    pairs = datasets.pairs("biosr", biosr_root)
    names = ("name", "specimen", "noise_level", "fov", "group")
    assert [facts(p, *names) for p in pairs] == [
        ("CCPs/Cell_001/level_01", "CCPs", "level_01", "CCPs/Cell_001", "widefield CCPs"),
        ("CCPs/Cell_001/level_09", "CCPs", "level_09", "CCPs/Cell_001", "widefield CCPs"),
        ("ER/Cell_007/level_06", "ER", "level_06", "ER/Cell_007", "widefield ER"),
        ("F-actin/Cell_001/level_01", "actin", "level_01", "F-actin/Cell_001", "widefield actin"),
        ("F-actin/Cell_001/level_09", "actin", "level_09", "F-actin/Cell_001", "widefield actin"),
        *(
            (
                f"F-actin_Nonlinear/Cell_001/level_0{n}",
                "actin",
                f"level_0{n}",
                "F-actin_Nonlinear/Cell_001",
                "widefield actin nonlinear",
            )
            for n in (1, 9)
        ),
    ]
    assert all(p.microscope == "widefield" and p.stretched and p.role == "" for p in pairs)
    for pair, files in (
        (pairs[1], ("CCPs/Cell_001/RawSIMData_level_09", "CCPs/Cell_001/RawSIMData_gt")),
        (
            pairs[2],
            (
                "ER/Cell_007/RawSIMData/RawSIMData_level_06",
                "ER/Cell_007/RawGTSIMData/RawGTSIMData_level_06",
            ),
        ),
    ):
        for image, file in zip(pair.read(), files, strict=True):
            stack = mrcfile.read(biosr_root / f"{file}.mrc")
            assert np.allclose(image, stack.astype(float).sum(axis=0) / len(stack), rtol=1e-12)


def test_biosr_says_what_is_missing(biosr_root):
    missing = datasets.missing("biosr", biosr_root)
    assert missing == [
        "CCPs: cell 2 left out, no noisy image with its truth",
        "missing specimens: Microtubules",
    ]


def test_biosr_damaged_files(biosr_root, monkeypatch):
    path = biosr_root / "CCPs/Cell_001/RawSIMData_gt.mrc"
    content = path.read_bytes()
    odd = bytearray(content)
    odd[208:216] = bytes(8)  # neither the word MAP nor the byte order, as in old files
    path.write_bytes(odd)
    assert biosr.wide_field(path).shape == (4, 5)
    for broken, message in ((content[:-9], "truncated"), (content[:99], "not a readable MRC file")):
        path.write_bytes(broken)
        with pytest.raises(FormatError, match=message):
            biosr.wide_field(path)
    path.unlink()
    mrc(path, np.zeros((4, 5), "f4"))
    with pytest.raises(FormatError, match=r"\(4, 5\), not a stack of at least 9 SIM phases"):
        biosr.wide_field(path)
    monkeypatch.setitem(sys.modules, "mrcfile", None)
    with pytest.raises(MissingPackageError, match=r'pip install.* "mrcfile>=1\.5"'):
        biosr.wide_field(path)


# W2S


@pytest.mark.parametrize(("place", "name"), [("raw", "Image{:03d}"), ("W2S_raw/raw", "{}")])
def test_w2s(tmp_path, rng, place, name):
    frames = rng.integers(0, 60000, (400, 3, 4), "u2")
    for field in (80, 81):
        for channel in range(3 if field == 80 else 2):
            path = tmp_path / place / name.format(field) / f"wf_channel{channel}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, frames)
    pairs = datasets.pairs("w2s", tmp_path)
    assert len(pairs) == 5 * (3 + 2)
    folder = name.format(80)
    assert facts(pairs[0], "dataset", "name", "microscope", "specimen", "group", "role") == (
        "w2s",
        f"{folder}/wf_channel0/avg1",
        "widefield",
        None,
        "widefield ch0",
        "calibration",
    )
    assert facts(pairs[-1], "fov", "noise_level", "group", "role", "stretched") == (
        "81",
        "avg16",
        "widefield ch1",
        "test",
        False,
    )
    truth = frames.astype(float).sum(axis=0) / 400
    for number, expected in ((0, frames[249]), (3, frames[0:2].astype(float).sum(axis=0) / 2)):
        noisy, true = pairs[number].read()
        assert np.allclose(noisy, expected, rtol=1e-12)
        assert np.allclose(true, truth, rtol=1e-12)
    missing = datasets.missing("w2s", tmp_path)
    assert missing == [
        f"{name.format(81)}: no wf_channel2.npy",
        "fields 1-79, 82-120 of 120 not there",
    ]


def test_w2s_fields_counted_from_0(tmp_path):
    for field in (0, 79, 80):
        (tmp_path / f"raw/{field}").mkdir(parents=True)
        (tmp_path / f"raw/{field}/wf_channel0.npy").touch()
    pairs = datasets.pairs("w2s", tmp_path)
    assert [(p.fov, p.role) for p in pairs[::5]] == [
        ("1", "calibration"),
        ("80", "calibration"),
        ("81", "test"),
    ]


def test_w2s_damaged_files(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((3, 4, 4)))
    with pytest.raises(FormatError, match=r"\(3, 4, 4\), not 400 frames"):
        w2s.read(tmp_path / "a.npy", 1)
    (tmp_path / "a.npy").write_bytes(b"\x93NUM")
    with pytest.raises(FormatError, match="not a readable NPY file"):
        w2s.read(tmp_path / "a.npy", 1)


# Shah


def test_shah(tmp_path, rng):
    noisy = rng.integers(0, 999, (3, 4, 5), "u2")
    truth = rng.integers(0, 999, (4, 5), "u2")
    folder = tmp_path / "DataSet3"
    stem = "U2OS_FOV_2_Timestamp_7_number_1"
    tif(folder / f"Noisy_ImageStacks/{stem}.tif", noisy)
    tif(folder / "Reference_Images/U2OS_FOV_2_Timestamp_0_number_1.tif", truth)
    tif(folder / "Noisy_ImageStacks/U2OS_FOV_3_Timestamp_7_number_1.tif", noisy)
    tif(folder / "Noisy_ImageStacks/other.tif", noisy)
    for root in (tmp_path, folder):
        pairs = datasets.pairs("shah", root)
        assert [p.name for p in pairs] == [f"{stem}/000{n}" for n in (1, 2, 3)]
    pair = pairs[1]
    assert facts(pair, "microscope", "specimen", "noise_level", "fov", "capture", "group") == (
        "widefield",
        "tubulin",
        "raw",
        "2_1",
        "2",
        "widefield tubulin",
    )
    assert pair.stretched
    images = pair.read()
    assert np.array_equal(images[0], noisy[1])
    assert np.array_equal(images[1], truth)
    assert datasets.missing("shah", tmp_path) == [
        "U2OS_FOV_3_Timestamp_7_number_1.tif: left out, no reference of FOV 3 and number 1",
        "other.tif: left out, its name has no FOV and number",
    ]


def test_shah_references_that_do_not_fit(tmp_path):
    stack = np.zeros((3, 4, 4), "u2")
    noisy = tmp_path / "DataSet3/Noisy_ImageStacks"
    references = tmp_path / "DataSet3/Reference_Images"
    for number in (1, 2, 3):
        tif(noisy / f"a_FOV_1_Timestamp_5_number_{number}.tif", stack)
    tif(references / "a_FOV_1_Timestamp_5_number_1.tif", stack)  # frame by frame
    tif(references / "a_FOV_1_Timestamp_6_number_1.tif", stack)
    tif(references / "a_FOV_1_Timestamp_6_number_2.tif", stack[:2])
    tif(references / "a_FOV_1_Timestamp_6_number_3.tif", stack[0])
    tif(references / "a_FOV_1_Timestamp_7_number_3.tif", stack[0])
    assert len(datasets.pairs("shah", tmp_path)) == 3
    assert datasets.missing("shah", tmp_path) == [
        "a_FOV_1_Timestamp_5_number_2.tif: left out, 3 frames but 2 in its reference",
        "a_FOV_1_Timestamp_5_number_3.tif: left out, 2 references of FOV 1 and number 3",
    ]


# Manifests


ENTRY = {
    "set": "cells",
    "role": "test",
    "file": "cells/noisy/a.png",
    "truth": "cells/truth/a.png",
    "microscope": "epi",
    "specimen": None,
    "noise_level": "raw",
    "fov": 3,
    "capture": 1,
}


@pytest.fixture
def manifest(tmp_path):
    """Write a manifest with entries that differ from ENTRY in these keys; its files exist."""

    def write(*changes):
        entries = [{**ENTRY, **change} for change in changes]
        (tmp_path / "manifest.json").write_text(json.dumps(entries))
        return tmp_path

    for kind in ("noisy", "truth"):
        png(tmp_path / f"cells/{kind}/a.png", np.full((3, 4), 7, "u1"))
        png(tmp_path / f"cells/{kind}/deep.png", np.full((3, 4), 7, "u2"))
        tif(tmp_path / f"cells/{kind}/a.tif", np.full((3, 4), 7, "u1"))
        tif(tmp_path / f"cells/{kind}/f.tif", np.full((3, 4), 7, "f4"))
        np.save(tmp_path / f"cells/{kind}/b.npy", np.full((3, 4), 7, "u1"))
    return write


def files(name):
    return {"file": f"cells/noisy/{name}", "truth": f"cells/truth/{name}"}


def test_manifest(manifest):
    root = manifest(
        {},
        {**files("f.tif"), "truth_affine": [0.9, 3], "channel": 0, "licence": "CC0"},
        {**files("deep.png"), "specimen": "DAPI", "microscope": "light sheet"},
        {**files("b.npy"), "microscope": None, "fov": "unnumbered", "simulated": {"seed": 3}},
        {**files("gone.tif"), "data_range": 4095},
    )
    pairs = datasets.pairs("shared", root)
    names = ("dataset", "name", "microscope", "specimen", "fov", "group", "data_range")
    assert [facts(p, *names) for p in pairs] == [
        ("cells", "noisy/a", "widefield", None, "3", "widefield", 255.0),
        ("cells", "noisy/f", "widefield", None, "3", "widefield ch0", None),
        ("cells", "noisy/deep", "light_sheet", "nucleus", "3", "light_sheet nucleus", None),
        ("cells", "noisy/b", None, None, "unnumbered", "unknown", 255.0),
    ]
    assert [p.stretched for p in pairs] == [False, True, False, False]
    assert [p.simulated for p in pairs] == [None, None, None, {"seed": 3}]
    assert facts(pairs[0], "role", "noise_level", "capture") == ("test", "raw", "1")
    assert [int(image[0, 0]) for image in pairs[0].read()] == [7, 7]
    assert datasets.missing("shared", root) == [
        "cells: noisy/gone is left out, no cells/noisy/gone.tif and no cells/truth/gone.tif"
    ]


def test_manifest_names_and_given_range(manifest):
    root = manifest({"data_range": 100}, files("f.tif"))
    assert [(p.name, p.data_range) for p in datasets.pairs("shared", root)] == [
        ("noisy/a", 100.0),
        ("noisy/f", None),
    ]
    root = manifest({}, files("a.tif"))
    assert [(p.name, p.data_range) for p in datasets.pairs("shared", root)] == [
        ("noisy/a.png", 255.0),
        ("noisy/a.tif", 255.0),
    ]
    root = manifest({}, {**files("a.png"), "set": "other", "file": "cells/noisy/../noisy/a.png"})
    with pytest.raises(FormatError, match="below the folder"):
        datasets.pairs("shared", root)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"role": "train"}, r"entry 1 has role 'train'; allowed are 'calibration', 'test', ''"),
        *(
            ({"set": name}, "give a plain name, without slashes and colons")
            for name in ("a/b", "a\\b", "C:", ".", "..", "...", " ", "a\nb", "a\x1b[1m", "a\0")
        ),
        ({"file": 3}, "has file 3; give a text"),
        ({"truth": "/etc/x.png"}, "give a path below the folder"),
        ({"file": "a\\b.png"}, "with forward slashes"),
        ({"microscope": 3}, "null where it is not documented"),
        ({"truth_affine": [1]}, r"has truth_affine \[1\]; give two numbers"),
        ({"truth_affine": ["1", True]}, "give two numbers"),
        ({"data_range": 0}, "give a number above 0"),
        ({"simulated": True}, "has simulated True; give an object"),
    ],
)
def test_wrong_entries_are_named(manifest, change, message):
    with pytest.raises(FormatError, match=message):
        datasets.pairs("shared", manifest(change))


def test_wrong_manifests_are_told(manifest, tmp_path):
    path = tmp_path / "manifest.json"
    for content, message in (
        ("[", "not readable as JSON"),
        ("{}", "holds a dict, not a list"),
        ("[3]", "entry 1 is a int, not an object"),
        ('[{"file": "a"}]', "lacks truth; an entry needs file and truth"),
        ("[]", "no pair of the data set shared"),
    ):
        path.write_text(content)
        with pytest.raises(FormatError, match=message):
            datasets.pairs("shared", tmp_path)
    with pytest.raises(FormatError, match=r"a.png is listed more than once"):
        datasets.pairs("shared", manifest({}, {"fov": 4}))


def test_the_real_manifest(shared):
    pairs = datasets.pairs("shared", shared / "data")
    assert datasets.missing("shared", shared / "data") == []
    assert len(pairs) == len({(p.dataset, p.name) for p in pairs}) == 151
    mixed = [p for p in pairs if p.dataset == "fmd_test"]
    assert len(mixed) == 48
    assert len({p.group for p in mixed}) == 12
    assert {(p.role, p.fov, p.data_range, p.stretched) for p in mixed} == {
        ("test", "19", 255.0, False)
    }
    fields = {p.fov for p in pairs if p.dataset == "fmd_confocal_nucleus"}
    assert "19" not in fields
    assert {p.group for p in pairs if p.dataset == "w2s"} == {f"widefield ch{c}" for c in range(3)}
    assert all(p.stretched and p.data_range == 255 for p in pairs if p.dataset == "w2s")
    for pair in (mixed[0], pairs[-1], next(p for p in pairs if p.dataset == "w2s")):
        noisy, truth = pair.read()
        assert noisy.shape == truth.shape
        assert noisy.ndim == 2


def test_folders_whose_names_end_in_odd_digits_are_no_obstacle(tmp_path):
    for name in ("a1²", "a10", "a2"):
        (tmp_path / name).mkdir()
    assert [p.name for p in layout.folders(tmp_path)] == ["a1²", "a2", "a10"]
