"""``autodip simulate-pairs``: folder, manifest, and what is refused."""

import json

import numpy as np
import pytest
import tifffile

from autodip import datasets
from autodip.bases import store
from autodip.cli.main import command
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate
from tests.helpers.pairs import write


@pytest.fixture
def files(tmp_path):
    """A noisy image, and two clean ones in a folder."""
    like = tmp_path / "mine.tif"
    tifffile.imwrite(like, simulate("mito", Optics(microscope="confocal"), size=64)[0])
    clean = tmp_path / "clean"
    clean.mkdir()
    for number, seed in ((1, 1), (2, 4)):
        truth = simulate("nucleus", Optics(microscope="confocal"), size=96, seed=seed)[1]
        tifffile.imwrite(clean / f"field{number}.tif", truth * 10)
    return clean, like


@pytest.fixture
def out(tmp_path):
    return tmp_path / "pairs"


@pytest.fixture
def make(cli, files, out):
    clean, like = files
    return lambda *more, source=clean: cli(
        "simulate-pairs", source, "--like", like, "-o", out, *more
    )


def manifest(out):
    return json.loads((out / "manifest.json").read_text())


def test_pairs_that_other_commands_read(cli, make, out):
    code, said, err = make("--microscope", "clsm", "--specimen", "zebrafish", "--levels", "1,4,1.0")
    assert (code, err) == (0, "")
    assert "grey values per photon" in said
    assert "in steps of 1" in said
    assert "4 pairs" in said
    pairs = datasets.pairs("shared", out)
    assert [p.noise_level for p in pairs] == ["photons_x1", "photons_x4"] * 2
    assert [p.fov for p in pairs] == ["field1", "field1", "field2", "field2"]
    assert {p.role for p in pairs} == {"calibration"}
    assert {(p.dataset, p.microscope, p.specimen) for p in pairs} == {
        ("simulated", "confocal", "zebrafish")
    }
    errors = []
    for pair in pairs:
        noisy, truth = pair.read()
        assert (noisy.dtype, truth.dtype) == (np.uint16, np.float32)
        errors.append(np.std(noisy - truth))
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.15)
    content = manifest(out)[1]["simulated"]
    assert (content["clean"], content["like"], content["seed"]) == ("field1.tif", "mine.tif", 0)
    assert content["photons"] == 4
    assert content["camera"]["gain"] > 0
    code, said, err = cli("data", "list", "shared", "--root", out)
    assert (code, err) == (0, "")
    assert "4 pairs" in said


def test_a_base_says_which_images_are_simulated(cli, make, files, out, tmp_path):
    make("--crop", "64", source=files[0] / "field1.tif")
    captured = write(tmp_path / "captured", ["actin"])
    base = tmp_path / "base"
    for root in (out, captured):
        code, _, said = cli("calibrate", root, "--base", base, "--grid", "tiny", "-q")
        assert (code, said) == (0, "")
    sources = {entry.name: entry.source for entry in store.load(base).entries.values()}
    assert sorted(sources) == ["cells/noisy0", "simulated/noisy/field1-photons_x1"]
    assert "simulated" not in sources["cells/noisy0"]
    recorded = sources["simulated/noisy/field1-photons_x1"]["simulated"]
    assert recorded == manifest(out)[0]["simulated"]
    assert (recorded["clean"], recorded["like"]) == ("field1.tif", "mine.tif")
    code, said, _ = cli("base", "show", base)
    assert (code, "1 of the images is simulated" in said) == (0, True)
    merged = tmp_path / "merged"
    cli("base", "merge", base, "-o", merged)
    assert store.load(merged).entries == store.load(base).entries


def test_the_seed_decides_whatever_else_is_made(make, files, tmp_path, out):
    clean, _ = files
    make()
    name = "noisy/field2-photons_x1.tif"
    first = tifffile.imread(out / name)
    assert make("--overwrite", "--levels", "2,1", source=clean / "field2.tif")[0] == 0
    assert (tifffile.imread(out / name) == first).all()
    assert len(manifest(out)) == 2
    make("--overwrite", "--seed", "1")
    assert (tifffile.imread(out / name) != first).any()


def test_it_replaces_nothing_unasked(make, files, out):
    make()
    before = manifest(out)
    code, _, err = make()
    assert code == 1
    assert "manifest.json exists; use --overwrite" in err
    (out / "manifest.json").unlink()
    code, _, err = make()
    assert code == 1
    assert "photons_x1.tif exists; use --overwrite" in err
    assert make("--overwrite")[0] == 0
    assert manifest(out) == before
    truth = out / "truth" / "field1.tif"
    code, _, err = make("--overwrite", source=truth)
    assert code == 1
    assert "is an input" in err
    assert manifest(out) == before


def test_stacks_crops_and_equal_names(make, files, out, tmp_path):
    clean, _ = files
    stack = np.stack([tifffile.imread(path) for path in sorted(clean.iterdir())])
    other = tmp_path / "other"
    other.mkdir()
    tifffile.imwrite(other / "field1.tif", stack, metadata={"axes": "TYX"})
    assert make(other, "--crop", "64", "--specimen", "other")[0] == 0
    entries = manifest(out)
    assert [e["fov"] for e in entries] == ["field1", "field2", "field1-2", "field1-2"]
    assert entries[2]["truth"] == "truth/field1-2/1.tif"
    assert len(datasets.pairs("shared", out)) == 4
    assert {e["specimen"] for e in entries} == {None}
    assert tifffile.imread(out / entries[2]["file"]).shape == (64, 64)
    assert (
        tifffile.imread(out / entries[0]["truth"]) == tifffile.imread(out / entries[2]["truth"])
    ).all()


def test_eight_bits_have_the_range_255(make, files, out):
    _, like = files
    tifffile.imwrite(like, (tifffile.imread(like) // 4).clip(0, 255).astype(np.uint8))
    make()
    assert datasets.pairs("shared", out)[0].data_range == 255


def test_metadata_tell_the_microscope(make, files, out):
    _, like = files
    pixels = tifffile.imread(like)
    ome = {"axes": "YX", "Description": "", "Channel": {"AcquisitionMode": "SpinningDiskConfocal"}}
    tifffile.imwrite(like, pixels, ome=True, metadata=ome)
    make()
    assert manifest(out)[0]["microscope"] == "confocal"
    assert manifest(out)[0]["specimen"] is None


def test_a_noisy_clean_image_is_said(make, files, out):
    _, like = files
    code, _, err = make("--levels", "1,2", source=like)
    assert code == 0
    assert err.count("the clean image seems to have noise itself") == 1
    content = manifest(out)[0]["simulated"]
    assert content["own_noise"] > 0.25
    assert "take one averaged over more captures" in content["warning"]


def test_dense_structure_is_said(make, out, tmp_path):
    y, x = np.mgrid[:128, :128]
    mesh = 500 + 200 * np.sin(x * 1.1 + y * 0.3) * np.sin(y * 1.2 - 0.2 * x)
    tifffile.imwrite(tmp_path / "mesh.tif", mesh.astype(np.float32))
    code, _, err = make(source=tmp_path / "mesh.tif")
    assert code == 0
    assert "mesh-photons_x1.tif: the noise of the clean image itself could not be estimated" in err
    assert manifest(out)[0]["simulated"]["own_noise"] is None


def test_a_clean_image_that_fails_does_not_stop_the_others(make, out, tmp_path):
    small, colour = tmp_path / "small.tif", tmp_path / "colour.tif"
    tifffile.imwrite(small, np.ones((63, 200), np.float32))
    tifffile.imwrite(colour, np.ones((64, 64, 3), np.uint8), photometric="rgb")
    code, said, err = make(small, colour, tmp_path / "gone.tif")
    assert code == 1
    assert "small.tif: it has 63 x 200 pixels; 64 are needed along each side" in err
    assert "colour.tif: it has 3 channels" in err
    assert "gone.tif: there is no such file" in err
    assert "2 pairs" in said
    assert len(manifest(out)) == 2


def test_an_old_manifest_stays_where_nothing_was_made(make, out, tmp_path):
    make()
    assert make("--overwrite", source=tmp_path / "gone.tif")[0] == 1
    assert len(manifest(out)) == 2


def test_crop_larger_than_the_image(make, out):
    code, _, err = make("--crop", "128")
    assert code == 1
    assert "128 are needed along each side, or a smaller --crop" in err
    assert not (out / "manifest.json").exists()


@pytest.mark.parametrize("levels", ["", "0", "-1", "two", "inf", "nan"])
def test_levels_that_cannot_be(make, levels):
    code, _, err = make("--levels", levels)
    assert code == 2
    assert "give numbers above 0, such as 1,2,4" in err


def test_a_noisy_image_whose_noise_cannot_be_told(make, files, out):
    _, like = files
    tifffile.imwrite(like, np.ones((40, 40), np.uint8))
    code, _, err = make()
    assert code == 1
    assert "mine.tif: the noise of this image" in err
    assert not out.exists()


def test_channels_of_the_noisy_image(make, files, out):
    _, like = files
    pixels = np.stack([np.zeros((64, 64), np.uint16), tifffile.imread(like)])
    tifffile.imwrite(like, pixels, imagej=True, metadata={"axes": "CYX"})
    code, _, err = make()
    assert code == 2
    assert "has 2 channels; choose one with --channel, 0 to 1" in err
    assert make("--channel", "1")[0] == 0


DETECTOR = """
photons: 60
excess: 1.3
mosaic: green
scale: 0.8
white: 100
step: 0.392156863
"""


@pytest.fixture
def described(cli, files, out, tmp_path):
    """Pairs of the detector in a file of this content."""

    def make(text, *more, name="detector.yaml"):
        (tmp_path / name).write_text(text)
        return cli("simulate-pairs", files[0], "--detector", tmp_path / name, "-o", out, *more)

    return make


def test_pairs_of_a_described_detector(described, out):
    code, said, _ = described(DETECTOR, "--microscope", "wf", "--levels", "0.5,2")
    assert code == 0
    assert "60 in the brightest pixel" in said
    assert "correlated between neighbouring pixels" in said
    assert "uint8 in steps of 1" in said
    pairs = datasets.pairs("shared", out)
    assert len(pairs) == 4
    assert {(p.microscope, p.specimen, p.data_range) for p in pairs} == {("widefield", None, 255)}
    for pair, level in zip(pairs, (0.5, 2) * 2, strict=True):
        noisy, truth = pair.read()
        assert noisy.shape == truth.shape == (64, 64)
        assert (noisy.dtype, truth.dtype) == (np.uint8, np.float32)
        assert noisy.mean() == pytest.approx(truth.mean(), rel=0.05)
        assert truth.max() == pytest.approx(min(60 * level / 100, 1) * 255, rel=0.2)
    content = manifest(out)[0]["simulated"]
    assert content["detector"]["file"] == "detector.yaml"
    assert (content["detector"]["mosaic"], content["photons"]) == ("green", 0.5)
    first = tifffile.imread(out / manifest(out)[0]["file"])
    assert described(DETECTOR, "--overwrite")[0] == 0
    assert described(DETECTOR, "--overwrite", "--levels", "0.5")[0] == 0
    assert (tifffile.imread(out / manifest(out)[0]["file"]) == first).all()


def test_grey_values_in_photons(described, out):
    code, said, _ = described('{"photons": 30, "smooth": [0.7, 0.7]}', name="detector.json")
    assert (code, "float32 in photons" in said) == (0, True)
    noisy, truth = datasets.pairs("shared", out)[0].read()
    assert noisy.dtype == np.float32
    assert truth.max() == pytest.approx(30, rel=0.3)
    assert manifest(out)[0]["simulated"]["detector"]["white"] is None
    assert "data_range" not in manifest(out)[0]


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("photons: [", 1, "not readable as YAML"),
        ("mosaic: green", 2, "photons is missing; give the number of photons"),
        ("photons: 0", 2, "detector.yaml: photons is 0; it must be a number above 0"),
        ("photons: 9\ngain: 2", 2, "unknown 'gain'; known are excess, read"),
        ("photons: 9\nmosaic: cyan", 2, "mosaic is 'cyan'; allowed are none, green"),
        ("photons: 9\nscale: 0.5", 1, "would record 36 x 36 pixels of it; 64 are needed"),
    ],
)
def test_detectors_that_cannot_be(described, text, code, said):
    found, _, err = described(text)
    assert (found, said in err) == (code, True)


def test_clean_images_without_use_for_a_detector(described, files):
    for value, said in ((3.0, "is 3 everywhere"), (np.nan, "NaN or infinite")):
        tifffile.imwrite(files[0] / "field1.tif", np.full((96, 96), value, np.float32))
        code, _, err = described("photons: 20", "--overwrite")
        assert (code, said in err) == (1, True)


def test_one_source_of_noise(cli, make, described, files, out, tmp_path):
    code, _, err = cli("simulate-pairs", files[0], "-o", out)
    assert (code, "neither --like nor --detector was given" in err) == (2, True)
    code, _, err = make("--detector", tmp_path / "detector.yaml")
    assert (code, "both --like and --detector was given" in err) == (2, True)
    code, _, err = described("photons: 20", "--channel", "1")
    assert (code, "selects from the image of --like" in err) == (2, True)


def test_it_is_a_command():
    assert command.get_command(None, "simulate-pairs") is not None
    assert command.get_command(None, "simulate_pairs") is None
