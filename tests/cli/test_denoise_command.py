"""``autodip denoise`` end to end, without the failures."""

import json

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin

from autodip import io
from tests.cli.conftest import sidecar


def test_one_file_to_a_file(denoise, cells, tmp_path):
    code, out, err = denoise(cells, "-o", tmp_path / "clean.png")
    assert (code, err) == (0, "")
    assert "cells.png -> " in out
    noisy, clean = (imagecodecs.imread(str(p)) for p in (cells, tmp_path / "clean.png"))
    assert clean.dtype == noisy.dtype
    assert clean.shape == noisy.shape
    assert not np.array_equal(clean, noisy)


def test_a_folder_may_have_a_dot_in_its_name(denoise, cells, tmp_path):
    assert denoise(cells, "-o", f"{tmp_path}/results.v1/")[0] == 0
    assert (tmp_path / "results.v1" / "cells.png").exists()


def test_offset_subtracted_image_with_an_empty_background(denoise, tmp_path, sample):
    empty = np.maximum(sample[0].astype(float) - 250, 0)
    np.save(tmp_path / "empty.npy", np.pad(empty, 64))
    assert denoise(tmp_path / "empty.npy", "-o", tmp_path / "clean.npy")[0] == 0
    assert sidecar(tmp_path / "clean.npy")["planes"][0]["assessment"]["removed_to_noise"] >= 0


def test_files_and_folders_to_a_folder(denoise, cells, tmp_path, sample):
    folder = tmp_path / "many"
    folder.mkdir()
    np.save(folder / "b.npy", sample[0].astype("float32"))
    tifffile.imwrite(folder / "a.TIF", sample[0])
    (folder / "notes.txt").write_text("not an image")
    (folder / ".hidden.png").write_bytes(b"")
    code, _, _ = denoise(cells, folder, "-o", tmp_path / "new" / "out")
    assert code == 0
    names = sorted(p.name for p in (tmp_path / "new" / "out").iterdir())
    images = ["a.TIF", "b.npy", "cells.png"]
    tables = ["run.json", "summary.csv"]
    assert names == sorted([*images, *(f"{name}.autodip.json" for name in images), *tables])


def test_sidecar(cli, cells, tmp_path):
    arguments = ("--microscope", "2P", "--specimen", "phalloidin", "--preset", "published")
    code, _, _ = cli("denoise", cells, "-o", tmp_path / "out", *arguments, "--iterations", 2)
    assert code == 0
    content = sidecar(tmp_path / "out" / "cells.png")
    choice = content["channels"][0]["choice"]
    assert choice["net"] == {
        "depth": 4,
        "width": 64,
        "skip": 0,
        "downsample": "stride",
        "upsample": "bilinear",
        "input_channels": 32,
        "lean": False,
        "reduction": 1,
    }
    assert choice["evidence"]["group"] == {"microscope": "twophoton", "specimen": "actin"}
    assert choice["evidence"]["origin"]["specimen"] == "given as 'phalloidin'"
    assert "arXiv" in choice["evidence"]["source"]
    assert content["input"]["sha256"]
    assert (content["seed"], content["device"]) == (0, "cpu")
    plane = content["planes"][0]
    assert plane["iterations"] == 2
    assert plane["noise"]["sigma"] > 0
    assert plane["assessment"]["removed_to_noise"] > 0
    assert {"autodip", "torch", "python"} <= set(content["versions"])


def test_params_repeats_the_run_to_the_bit(denoise, cli, tmp_path, sample):
    np.save(tmp_path / "noisy.npy", np.stack([sample[0], sample[0][::-1]] * 2).astype("float64"))
    first, again = tmp_path / "first.npy", tmp_path / "again.npy"
    part = ("--axes", "TYX", "--frames", "1:3", "--seed", 5)
    assert denoise(tmp_path / "noisy.npy", "-o", first, *part)[0] == 0
    recorded = tmp_path / "first.npy.autodip.json"
    assert cli("denoise", tmp_path / "noisy.npy", "-o", again, "--params", recorded)[0] == 0
    assert first.read_bytes() == again.read_bytes()
    one, two = sidecar(first), sidecar(again)
    for key in ("seed", "threads", "device", "selection"):
        assert one[key] == two[key]
    assert [c["choice"] for c in one["channels"]] == [c["choice"] for c in two["channels"]]


def test_params_notes_another_processor(denoise, cli, cells, tmp_path):
    denoise(cells, "-o", tmp_path / "a.png")
    recorded = tmp_path / "a.png.autodip.json"
    again = ("denoise", cells, "--params", recorded, "-o")
    assert "may differ" not in cli(*again, tmp_path / "b.png")[1]
    content = json.loads(recorded.read_text())
    content["processor"]["processor"] = "another one"
    recorded.write_text(json.dumps(content))
    code, out, _ = cli(*again, tmp_path / "c.png")
    assert (code, "because of the processor (another one, now" in out) == (0, True)


def test_params_excludes_what_it_decides(cli, denoise, cells, tmp_path):
    denoise(cells, "-o", tmp_path / "a.png")
    recorded = tmp_path / "a.png.autodip.json"
    arguments = ("-o", tmp_path / "b.png", "--params", recorded, "--preset", "original")
    code, _, err = cli("denoise", cells, *arguments)
    assert code == 2
    assert "--preset is decided by --params" in err


def test_json_alone_on_standard_output(denoise, cells, tmp_path):
    code, out, err = denoise(cells, tmp_path / "missing.png", "-o", tmp_path / "out", "--json")
    assert code == 1
    content = json.loads(out)
    assert content["results"][0]["output"].endswith("cells.png")
    assert "missing.png" in content["failed"][0]["error"]
    assert "missing.png" in err


def test_dry_run_writes_nothing(denoise, cells, tmp_path):
    code, out, _ = denoise(cells, "-o", tmp_path / "out", "--dry-run")
    assert code == 0
    assert "network" in out
    assert not (tmp_path / "out").exists()


def test_quiet_and_verbose(denoise, cells, tmp_path):
    assert denoise(cells, "-o", tmp_path / "a.png", "-q") == (0, "", "")
    assert "evidence" not in denoise(cells, "-o", tmp_path / "b.png")[1]
    assert "source" in denoise(cells, "-o", tmp_path / "c.png", "-v")[1]


def test_existing_outputs(denoise, cells, tmp_path):
    target = tmp_path / "clean.png"
    mine = bytes(imagecodecs.png_encode(np.eye(8, dtype="uint8")))
    target.write_bytes(mine)
    code, _, err = denoise(cells, "-o", target)
    assert code == 1
    assert "--overwrite" in err
    assert target.read_bytes() == mine
    code, out, _ = denoise(cells, "-o", target, "--skip-existing")
    assert (code, target.read_bytes()) == (0, mine)
    assert "left as it is" in out
    target.write_bytes(mine[:-20])
    code, _, err = denoise(cells, "-o", target, "--skip-existing")
    assert (code, target.read_bytes()) == (1, mine[:-20])
    assert "cannot be read, so it is not skipped (" in err
    assert denoise(cells, "-o", target, "--overwrite")[0] == 0
    assert imagecodecs.imread(str(target)).shape == (64, 64)


@pytest.fixture
def hyperstack(tmp_path, sample):
    """OME-TIFF of two frames and two channels with microscope and dyes in its metadata."""
    noisy = sample[0]
    data = np.stack([np.stack([noisy, noisy[::-1]]), np.stack([noisy.T, noisy[:, ::-1]])])
    metadata = {
        "axes": "TCYX",
        "PhysicalSizeX": 0.1,
        "PhysicalSizeY": 0.1,
        "TimeIncrement": 30.0,
        "Channel": {
            "Name": ["DAPI", "MitoTracker Red"],
            "AcquisitionMode": ["SpinningDiskConfocal"] * 2,
        },
        "Plane": {"ExposureTime": [0.1, 0.2, 0.3, 0.4]},
    }
    path = tmp_path / "stack.ome.tif"
    tifffile.imwrite(path, data, ome=True, photometric="minisblack", metadata=metadata)
    return path


def test_ome_metadata_chooses_and_stays(denoise, hyperstack, tmp_path):
    target = tmp_path / "clean.ome.tif"
    assert denoise(hyperstack, "-o", target, "--preset", "published")[0] == 0
    before, after = io.read(hyperstack), io.read(target)
    assert after.axes == before.axes == "TCYX"
    assert after.data.dtype == before.data.dtype
    assert after.data.shape == before.data.shape
    assert after.pixel_size == {"X": 0.1, "Y": 0.1}
    assert after.time_step == 30
    assert after.channel_names == ("DAPI", "MitoTracker Red")
    groups = [c["choice"]["evidence"]["group"] for c in sidecar(target)["channels"]]
    assert groups == [
        {"microscope": "confocal", "specimen": "nucleus"},
        {"microscope": "confocal", "specimen": "mito"},
    ]
    origin = sidecar(target)["channels"][1]["choice"]["evidence"]["origin"]
    assert origin["microscope"] == "OME Channel AcquisitionMode 'SpinningDiskConfocal'"
    with tifffile.TiffFile(target) as tif:
        assert tif.is_ome
        assert 'ExposureTime="0.4"' in tif.ome_metadata


def test_part_of_a_hyperstack(denoise, hyperstack, tmp_path):
    target = tmp_path / "clean.ome.tif"
    part = ("--channel", "MitoTracker Red", "--frames", "1:2")
    assert denoise(hyperstack, "-o", target, *part)[0] == 0
    after = io.read(target)
    assert after.channel_names == ("MitoTracker Red",)
    assert after.data.squeeze().shape == (64, 64)
    with tifffile.TiffFile(target) as tif:
        assert 'ExposureTime="0.4"' in tif.ome_metadata
        assert 'ExposureTime="0.1"' not in tif.ome_metadata


def test_flags_win_over_metadata(denoise, hyperstack, tmp_path):
    target = tmp_path / "clean.ome.tif"
    assert denoise(hyperstack, "-o", target, "--microscope", "wf", "--specimen", "other")[0] == 0
    known = sidecar(target)["channels"][0]["choice"]["evidence"]["known"]
    assert known == {"microscope": "widefield", "specimen": None}


def test_imagej_hyperstack(denoise, tmp_path, sample):
    data = np.stack([sample[0], sample[0].T])
    metadata = {
        "axes": "CYX",
        "unit": "micron",
        "Labels": ["c1: Hoechst", "c2: Phalloidin"],
        "LUTs": [np.zeros((3, 256), "uint8"), np.full((3, 256), 7, "uint8")],
        "Ranges": (0.0, 100.0, 5.0, 300.0),
        "Info": "stage 3",
        "mode": "composite",
    }
    source, target = tmp_path / "ij.tif", tmp_path / "clean.tif"
    tifffile.imwrite(source, data, imagej=True, resolution=(5.0, 5.0), metadata=metadata)
    assert denoise(source, "-o", target, "--channel", "1", "--preset", "published")[0] == 0
    with tifffile.TiffFile(target) as tif:
        kept = tif.imagej_metadata
    assert kept["Labels"] == "c2: Phalloidin"
    assert kept["Info"] == "stage 3"
    assert kept["Ranges"] == (5.0, 300.0)
    np.testing.assert_array_equal(np.reshape(kept["LUTs"], (3, 256)), 7)
    assert io.read(target).pixel_size == {"X": 0.2, "Y": 0.2}
    known = sidecar(target)["channels"][0]["choice"]["evidence"]["known"]
    assert known["specimen"] == "actin"


def test_16_bit_png_with_resolution_and_text(denoise, tmp_path, sample):
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "well B7")
    source, target = tmp_path / "a.png", tmp_path / "b.png"
    Image.fromarray(10 * sample[0]).save(source, pnginfo=text, dpi=(254, 254))
    assert denoise(source, "-o", target)[0] == 0
    with Image.open(target) as written:
        assert written.mode == "I;16"
        assert written.text == {"Comment": "well B7"}
        assert written.info["dpi"] == pytest.approx((254, 254), abs=0.1)
    assert imagecodecs.imread(str(target)).max() > 1000


def test_other_samples_are_channels_and_transparency_is_not(denoise, tmp_path, sample):
    pair = np.stack([sample[0], sample[0].T], -1)
    grey = (sample[0] // 4).clip(0, 255).astype("uint8")
    colours = np.stack([grey, grey.T, grey[::-1], np.full_like(grey, 200)], -1)
    tifffile.imwrite(
        tmp_path / "pair.tif", pair, photometric="minisblack", planarconfig="contig", metadata=None
    )
    tifffile.imwrite(
        tmp_path / "rgba.ome.tif", colours, ome=True, photometric="rgb", extrasamples=["unassalpha"]
    )
    for name in ("pair.tif", "rgba.ome.tif"):
        assert denoise(tmp_path / name, "-o", tmp_path / "out")[0] == 0
    assert not np.array_equal(tifffile.imread(tmp_path / "out" / "pair.tif")[..., 1], pair[..., 1])
    clean = tifffile.imread(tmp_path / "out" / "rgba.ome.tif")
    np.testing.assert_array_equal(clean[..., 3], 200)


@pytest.mark.parametrize("name", ["rgb.tif", "rgb.ome.tif", "rgb.png"])
def test_one_colour_of_an_rgb_image(denoise, tmp_path, sample, name):
    grey = (sample[0] // 4).clip(0, 255).astype("uint8")
    rgb = np.stack([grey, grey.T, grey[::-1]], -1)
    if name.endswith("png"):
        (tmp_path / name).write_bytes(imagecodecs.png_encode(rgb))
    else:
        tifffile.imwrite(tmp_path / name, rgb, photometric="rgb", ome=".ome." in name)
    assert denoise(tmp_path / name, "-o", tmp_path / "out", "--channel", 1)[0] == 0
    back = io.read(tmp_path / "out" / name)
    assert (back.axes, back.data.shape) == ("YX", (64, 64))


def test_jpeg_colours_are_written_as_what_they_are(denoise, tmp_path, sample):
    grey = (sample[0] // 4).clip(0, 255).astype("uint8")
    rgb = np.stack([grey, grey, grey], -1)
    path = tmp_path / "jpeg.tif"
    tifffile.imwrite(path, rgb, photometric="rgb", compression="jpeg", metadata=None)
    assert denoise(path, "-o", tmp_path / "out")[0] == 0
    with tifffile.TiffFile(tmp_path / "out" / "jpeg.tif") as tif:
        assert tif.pages[0].photometric.name == "RGB"


def test_png_with_a_transparent_colour_stays_grey(denoise, tmp_path, sample):
    grey = (sample[0] // 4).clip(0, 255).astype("uint8")
    Image.fromarray(grey).save(tmp_path / "a.png", transparency=3)
    assert denoise(tmp_path / "a.png", "-o", tmp_path / "out")[0] == 0
    assert io.read(tmp_path / "out" / "a.png").axes == "YX"


def test_text_that_is_not_ascii(denoise, tmp_path, sample):
    tifffile.imwrite(
        tmp_path / "plain.tif",
        sample[0],
        metadata=None,
        description="Größe 5 µm".encode(),
        extratags=[(315, "s", 0, "Jürgen".encode(), True)],
    )
    tifffile.imwrite(
        tmp_path / "ij.tif", sample[0], imagej=True, metadata={"unit": "\\u00B5m", "Info": "Größe"}
    )
    for name in ("plain.tif", "ij.tif"):
        assert denoise(tmp_path / name, "-o", tmp_path / "out")[0] == 0
    with tifffile.TiffFile(tmp_path / "out" / "plain.tif") as tif:
        assert tif.pages[0].description == "Größe 5 µm"
        assert tif.pages[0].tags["Artist"].value == "Jürgen"
    with tifffile.TiffFile(tmp_path / "out" / "ij.tif") as tif:
        assert tif.imagej_metadata["Info"] == "Größe"


def test_other_letters_for_the_axes_of_a_file(denoise, tmp_path, sample):
    path = tmp_path / "z.ome.tif"
    stack = np.stack([sample[0] // (n + 1) for n in range(5)])
    tifffile.imwrite(path, stack, ome=True, photometric="minisblack", metadata={"axes": "ZYX"})
    arguments = ("--axes", "TYX", "--frames", "1:3")
    assert denoise(path, "-o", tmp_path / "out", *arguments)[0] == 0
    back = io.read(tmp_path / "out" / "z.ome.tif")
    assert (back.axes, back.data.shape) == ("ZYX", (2, 64, 64))
    assert back.data.any(axis=(1, 2)).all()


def test_ome_of_an_old_schema(denoise, tmp_path, sample):
    path = tmp_path / "old.ome.tif"
    metadata = {"axes": "YX", "PhysicalSizeX": 0.5, "Channel": {"Name": ["DAPI"]}}
    tifffile.imwrite(path, sample[0], ome=True, metadata=metadata)
    with tifffile.TiffFile(path) as tif:
        xml = tif.ome_metadata.replace("2016-06", "2013-06")
    tifffile.imwrite(path, sample[0], description=xml.encode(), metadata=None)
    assert denoise(path, "-o", tmp_path / "out")[0] == 0
    back = io.read(tmp_path / "out" / "old.ome.tif")
    assert back.pixel_size["X"] == 0.5
    assert back.channel_names == ("DAPI",)


def test_rgb_png(denoise, tmp_path, sample):
    grey = (sample[0] // 4).clip(0, 255).astype("uint8")
    source = tmp_path / "rgb.png"
    source.write_bytes(imagecodecs.png_encode(np.stack([grey, 0 * grey, grey.T], -1)))
    assert denoise(source, "-o", tmp_path / "out")[0] == 0
    clean = imagecodecs.imread(str(tmp_path / "out" / "rgb.png"))
    assert clean.shape == (64, 64, 3)
    assert not clean[..., 1].any()
    planes = sidecar(tmp_path / "out" / "rgb.png")["planes"]
    assert planes[1]["note"] == "constant plane, passed through"
