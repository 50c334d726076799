"""Bad input: one clear line, the right exit code, no damage to the rest."""

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from autodip.compute import device
from autodip.fit import counting


def png(array):
    return bytes(imagecodecs.png_encode(array))


@pytest.fixture
def bad(tmp_path, sample):
    """Bad files by name, each with a text that its message must contain."""
    folder = tmp_path / "bad"
    folder.mkdir()
    grey = (sample[0] // 4).clip(0, 255).astype("uint8")
    whole = png(grey)
    contents = {
        "empty.png": (b"", "empty (0 bytes)"),
        "text.png": (b"hello, I am no image at all", "not a PNG"),
        "truncated.png": (whole[: len(whole) // 2], "truncated PNG"),
        "noend.png": (whole[:-12], "truncated PNG"),
        "flipped.png": (whole[:-40] + bytes([whole[-40] ^ 255]) + whole[-39:], "damaged PNG"),
        "jpeg.tif": (b"\xff\xd8\xff\xe0" + b"0" * 60, "begins like a JPEG"),
        "empty.tif": (b"", "empty (0 bytes)"),
        "header.tif": (b"II*\0\x08\0\0\0", "TIFF"),
        "text.npy": (b"hello", "NPY"),
        "image.jpg": (b"\xff\xd8\xff", "allowed are .png, .tif, .tiff, .npy"),
        "constant.png": (png(np.full((64, 64), 7, "uint8")), "all pixels are 7"),
        "tiny.png": (png(grey[:2]), "3 x 3 is the least"),
    }
    for name, (content, _) in contents.items():
        (folder / name).write_bytes(content)
    messages = {name: message for name, (_, message) in contents.items()}
    Image.fromarray(grey > 9).save(folder / "onebit.png")
    Image.fromarray(grey).convert("P").save(folder / "palette.png")
    np.save(folder / "nan.npy", np.full((64, 64), np.nan))
    np.save(folder / "infinite.npy", np.full((64, 64), np.inf))
    np.save(folder / "cube.npy", np.zeros((3, 64, 64)))
    np.save(folder / "bool.npy", np.eye(64, dtype=bool))
    np.save(folder / "complex.npy", np.eye(64, dtype=complex))
    np.save(folder / "pickle.npy", np.array([{}, None]), allow_pickle=True)
    np.savez(folder / "zip.npy.npz", a=np.eye(4))
    (folder / "zip.npy.npz").rename(folder / "zip.npy")
    tifffile.imwrite(folder / "pages.tif", np.zeros((5, 64, 64), "uint8"), metadata=None)
    with tifffile.TiffWriter(folder / "two.tif") as tif:
        tif.write(grey, metadata=None)
        tif.write(grey[:32], metadata=None)
    for name, kwargs in (("cut.tif", {}), ("cutzip.tif", {"compression": "zlib"})):
        kwargs.update(photometric="minisblack", metadata={"axes": "TYX"})
        tifffile.imwrite(folder / name, np.stack([grey] * 3), **kwargs)
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: 2 * len(content) // 3])
        messages[name] = "TIFF"
    whole = np.load(folder / "nan.npy")
    np.save(folder / "cut.npy", whole)
    (folder / "cut.npy").write_bytes((folder / "cut.npy").read_bytes()[:1000])
    return folder, {
        **messages,
        "missing.png": "no such file",
        "onebit.png": "8- or 16-bit",
        "palette.png": "palette of colours",
        "nan.npy": "all pixels are NaN, infinite",
        "infinite.npy": "all pixels are NaN, infinite",
        "cube.npy": "--axes TYX (frames) or --axes ZYX (depth)",
        "bool.npy": "a mask, not an image",
        "complex.npy": "real numbers",
        "pickle.npy": "NPY",
        "zip.npy": "archive",
        "pages.tif": "--axes TYX (frames) or --axes ZYX (depth)",
        "two.tif": "2 images",
        "cut.npy": "truncated",
    }


def test_each_bad_file_is_named_and_the_good_one_written(denoise, bad, cells, tmp_path):
    folder, messages = bad
    out = tmp_path / "out"
    code, _, err = denoise(*(folder / name for name in messages), cells, "-o", out)
    assert code == 1
    lines = err.splitlines()
    for name, message in messages.items():
        (line,) = [line for line in lines if f"{folder / name}:" in line]
        assert message in line, name
        assert "Traceback" not in line
        assert "unexpected" not in line
    written = ["cells.png", "cells.png.autodip.json", "run.json", "summary.csv"]
    assert sorted(p.name for p in out.iterdir()) == written


def test_axes_resolve_an_ambiguous_stack(denoise, tmp_path, sample):
    pages = np.stack([sample[0]] * 2)
    tifffile.imwrite(tmp_path / "pages.tif", pages, metadata=None)
    target = tmp_path / "clean.tif"
    assert denoise(tmp_path / "pages.tif", "-o", target, "--axes", "tyx")[0] == 0
    assert tifffile.imread(target).shape == pages.shape


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--microscope", "confocl"), "Did you mean confocal"),
        (("--specimen", "mitocondria"), "Did you mean mito"),
        (("--preset", "balancd"), "Did you mean balanced"),
        (("--width", "wide"), "asc_to512"),
        (("--width", "0"), "--width 0"),
        (("--iterations", "0"), "--iterations 0"),
        (("--iterations", "many"), "not a valid integer"),
        (("--skip", "-1"), "--skip -1"),
        (("--device", "gpu"), "auto, cpu, cuda, cuda:N and mps"),
        (("--depth", "20"), "from 1 to 9"),
        (("--depth", "3", "--width", "8,16"), "one width for each of the 3"),
        (("--axes", "QQ"), "allowed are T, C, Z, Y, X, S"),
        (("--seed", "-1"), "seed is -1"),
        (("--frames", "a:b"), "give A:B"),
        (("--overwrite", "--skip-existing"), "exclude each other"),
        (("--presett", "fast"), "did you mean --preset"),
    ],
)
def test_wrong_usage(cli, cells, tmp_path, arguments, message):
    code, out, err = cli("denoise", cells, "-o", tmp_path / "out", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert not (tmp_path / "out").exists()


def test_output_is_needed(cli, cells):
    code, _, err = cli("denoise", cells)
    assert code == 2
    assert "--out" in err


def test_output_of_no_known_format(denoise, cells, tmp_path):
    code, _, err = denoise(cells, "-o", tmp_path / "clean.jpg")
    assert code == 2
    assert "end it in .png or one of .tif" in err


def test_two_inputs_of_one_name(denoise, cells, tmp_path):
    other = tmp_path / "other" / "cells.png"
    other.parent.mkdir()
    other.write_bytes(cells.read_bytes())
    code, _, err = denoise(cells, other, "-o", tmp_path / "out")
    assert code == 2
    assert "would both be written" in err


def test_the_input_is_never_overwritten(denoise, cells):
    before = cells.read_bytes()
    code, _, err = denoise(cells, "-o", cells.parent, "--overwrite")
    assert code == 2
    assert "is the input itself" in err
    assert cells.read_bytes() == before


def test_the_input_is_named_also_where_existing_outputs_are_skipped(denoise, cells):
    code, _, err = denoise(cells, "-o", cells.parent, "--skip-existing")
    assert code == 2
    assert "is the input itself" in err


def test_output_that_is_a_folder(denoise, cells, tmp_path):
    (tmp_path / "out" / "cells.png").mkdir(parents=True)
    code, _, err = denoise(cells, "-o", tmp_path / "out", "--overwrite")
    assert code == 1
    assert "is a folder" in err
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["cells.png"]


def test_params_of_a_larger_image_on_a_small_one(denoise, cli, cells, tmp_path, sample):
    np.save(tmp_path / "small.npy", sample[0][:6])
    assert denoise(cells, "-o", tmp_path / "a.png")[0] == 0
    arguments = ("-o", tmp_path / "b.npy", "--params", tmp_path / "a.png.autodip.json")
    code, _, err = cli("denoise", tmp_path / "small.npy", *arguments)
    assert code == 1
    assert "use --depth 1" in err


def test_name_that_is_too_long(denoise, cells, tmp_path):
    code, _, err = denoise("x" * 300 + ".png", cells, "-o", tmp_path / "out")
    assert code == 1
    assert "unexpected" not in err
    assert (tmp_path / "out" / "cells.png").exists()


def test_planes_missing_from_an_ome_tiff(denoise, tmp_path, sample):
    whole, part = tmp_path / "whole.ome.tif", tmp_path / "part.ome.tif"
    tifffile.imwrite(
        whole,
        np.stack([sample[0]] * 5),
        ome=True,
        photometric="minisblack",
        metadata={"axes": "ZYX"},
    )
    with tifffile.TiffFile(whole) as tif:
        xml = tif.ome_metadata
    pages = np.stack([sample[0]] * 2)
    tifffile.imwrite(part, pages, photometric="minisblack", description=xml.encode(), metadata=None)
    code, _, err = denoise(part, "-o", tmp_path / "out")
    assert code == 1
    assert "missing" in err


def test_folder_without_images(denoise, tmp_path):
    (tmp_path / "none").mkdir()
    code, _, err = denoise(tmp_path / "none", "-o", tmp_path / "out")
    assert code == 1
    assert "holds no image" in err


def test_output_folder_that_cannot_be_made(denoise, cells, tmp_path):
    (tmp_path / "file").write_text("in the way")
    code, _, err = denoise(cells, "-o", tmp_path / "file" / "out")
    assert code == 1
    assert "cannot be written" in err


def test_disk_full_leaves_nothing(denoise, cells, tmp_path, monkeypatch):
    def full(path, image, suffix=None, **_):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("autodip.io.write", full)
    code, _, err = denoise(cells, "-o", tmp_path / "out")
    assert code == 1
    assert "No space left on device" in err
    assert list((tmp_path / "out").iterdir()) == []


def test_too_little_memory_names_a_setting(cli, cells, tmp_path, monkeypatch):
    monkeypatch.setattr(device, "free_memory", lambda name: 10**8)
    monkeypatch.setattr(counting, "_count", lambda net, shape: (1, 1, 10**6 * max(net.widths)))
    code, _, err = cli("denoise", cells, "-o", tmp_path / "out", "--preset", "original")
    assert code == 1
    assert "--width 16" in err
    assert not list((tmp_path / "out").iterdir())


def test_explicit_depth_too_large(cli, cells, tmp_path):
    code, _, err = cli("denoise", cells, "-o", tmp_path / "out", "--depth", 8, "--width", 4)
    assert code == 1
    assert "use --depth 4" in err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no such file"),
        ("{", "not a readable sidecar"),
        ("{}", "lies next to"),
        (
            '{"schema": 1, "channels": [], "seed": 0, "device": "cpu", "threads": 1, '
            '"selection": {"axes": null, "frames": null, "channel": null}}',
            "damaged sidecar",
        ),
        (
            '{"schema": 1, "channels": [{}], "seed": 0, "device": "cpu", "threads": "x", '
            '"selection": []}',
            "damaged sidecar",
        ),
    ],
)
def test_wrong_sidecar(cli, cells, tmp_path, content, message):
    path = tmp_path / "run.json"
    if content is not None:
        path.write_text(content)
    code, _, err = cli("denoise", cells, "-o", tmp_path / "out", "--params", path)
    assert code == 2
    assert message in err
