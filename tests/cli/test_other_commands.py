import json
import subprocess
import sys

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image
from scipy.ndimage import gaussian_filter

import autodip
from autodip.metrics import weights
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate


def test_params_says_what_why_and_how_much(cli, cells):
    code, out, _ = cli(
        "params", cells, "--preset", "published", "--microscope", "epi", "--specimen", "DAPI"
    )
    assert code == 0
    for words in (
        "widefield  (given as 'epi')",
        "nucleus  (given as 'DAPI')",
        "widefield / nucleus of published 1",
        "arXiv 2601.12055",
        "width asc_to512",
        "300 iterations",
        "GB of memory",
        "depth 5 instead of 8",
    ):
        assert words in out


def test_params_json(cli, cells, tmp_path):
    code, out, err = cli("params", cells, tmp_path / "missing.png", "--json")
    assert code == 1
    content = json.loads(out)
    assert content["results"][0]["channels"][0]["cost_per_plane"]["flop"] > 0
    assert content["failed"][0]["input"].endswith("missing.png")
    assert "missing.png" in err


def test_info(cli, tmp_path, sample):
    path = tmp_path / "a.ome.tif"
    metadata = {"axes": "CYX", "PhysicalSizeX": 0.5, "Channel": {"Name": ["x", "y"]}}
    stack = np.stack([sample[0]] * 2)
    tifffile.imwrite(path, stack, ome=True, photometric="minisblack", metadata=metadata)
    code, out, _ = cli("info", path)
    assert code == 0
    for words in ("2 x 64 x 64 (CYX)", "uint16", "X 0.5 µm", "x, y", "channel 1: sigma"):
        assert words in out
    facts = json.loads(cli("info", path, "--json")[1])
    assert facts["shape"] == [2, 64, 64]
    assert facts["channel_names"] == ["x", "y"]
    assert facts["noise"][0]["gain"] > 0
    assert "resolution_pixels" in facts["noise"][0]


def test_info_tells_the_detail_above_the_noise(cli, tmp_path):
    noisy, _ = simulate("mito", Optics(microscope="confocal"), size=256)
    tifffile.imwrite(tmp_path / "a.tif", noisy)
    (channel,) = json.loads(cli("info", tmp_path / "a.tif", "--json")[1])["noise"]
    assert 2 < channel["resolution_pixels"] < 20
    assert "(single-image FRC)" in cli("info", tmp_path / "a.tif")[1]
    tifffile.imwrite(tmp_path / "b.tif", gaussian_filter(noisy, 1))
    (smooth,) = json.loads(cli("info", tmp_path / "b.tif", "--json")[1])["noise"]
    assert smooth["resolution_pixels"] is None


def test_info_of_nothing(cli, tmp_path):
    code, _, err = cli("info", tmp_path / "missing.tif")
    assert code == 1
    assert "no such file" in err


def test_metrics(cli, cells, tmp_path, monkeypatch):
    monkeypatch.delenv(weights.VARIABLE, raising=False)
    monkeypatch.setattr(weights.platformdirs, "user_cache_path", lambda name: tmp_path / name)
    truth = tmp_path / "truth.png"
    noisy = imagecodecs.imread(str(cells))
    truth.write_bytes(imagecodecs.png_encode(np.where(noisy > 250, noisy, noisy + 5)))
    code, out, _ = cli("metrics", cells, truth, "--json")
    scores = json.loads(out)
    assert code == 0
    assert scores["psnr"] == pytest.approx(34.15, abs=0.2)
    assert 0.9 < scores["ssim"] < 1
    assert scores["lpips"] is None
    assert "autodip weights install" in scores["lpips_reason"]
    assert scores["data_range"] == 255
    assert (scores["affine_psnr"], scores["affine_psnr_reason"]) == (None, "infinite: identical")
    assert scores["ms_ssim"] is None
    assert "176" in scores["ms_ssim_reason"]
    assert "whiteness" not in scores
    printed = cli("metrics", cells, truth, "--noisy", cells)[1]
    assert "PSNR after a linear fit" in printed
    assert "correlation of the residual    not available" in printed


def test_metrics_of_a_residual(cli, cells, tmp_path, rng):
    smooth = gaussian_filter(imagecodecs.imread(str(cells)).astype(float), 1)
    result = tmp_path / "result.tif"
    tifffile.imwrite(result, smooth.astype(np.float32))
    code, out, _ = cli("metrics", result, cells, "--noisy", cells, "--json", "--data-range", "255")
    assert (code, 0 < json.loads(out)["whiteness"] < 0.5) == (0, True)
    tifffile.imwrite(tmp_path / "small.tif", smooth[1:].astype(np.float32))
    code, _, err = cli("metrics", result, cells, "--noisy", tmp_path / "small.tif")
    assert (code, "--noisy has shape" in err) == (2, True)


def test_metrics_with_lpips(cli, cells, shared, monkeypatch):
    monkeypatch.setenv(weights.VARIABLE, str(shared / "weights" / "lpips_alex_v0.1.npz"))
    scores = json.loads(cli("metrics", cells, cells, "--json")[1])
    assert scores["lpips"] == 0


def test_weights_from_a_file(cli, shared, monkeypatch, tmp_path):
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path / "w.npz"))
    source = shared / "weights" / "lpips_alex_v0.1.npz"
    code, out, _ = cli("weights", "install", "--from", source)
    assert code == 0
    assert str(tmp_path / "w.npz") in out
    code, _, err = cli("weights", "install", "--from", tmp_path / "missing.tar.gz")
    assert code == 1
    assert "there is no such file" in err


def test_metrics_beyond_8_bits_take_the_range_of_the_truth(cli, tmp_path, sample):
    noisy, truth = sample
    np.save(tmp_path / "a.npy", noisy.astype(np.float32))
    np.save(tmp_path / "b.npy", truth)
    arguments = ("metrics", tmp_path / "a.npy", tmp_path / "b.npy", "--json")
    code, out, err = cli(*arguments)
    found = json.loads(out)
    assert (code, found["data_range"]) == (0, pytest.approx(float(np.ptp(truth))))
    assert f"data range {found['data_range']:g}" in err
    said = json.loads(cli(*arguments, "--data-range", found["data_range"])[1])
    assert said["psnr"] == pytest.approx(found["psnr"])
    np.save(tmp_path / "b.npy", np.full(truth.shape, 7.0))
    code, out, err = cli(*arguments)
    assert (code, "no range" in err) == (2, True)
    assert "no range" in json.loads(out)["error"]


def test_metrics_of_different_shapes(cli, tmp_path, sample):
    np.save(tmp_path / "a.npy", sample[0])
    np.save(tmp_path / "b.npy", sample[0][1:])
    code, _, err = cli("metrics", tmp_path / "a.npy", tmp_path / "b.npy", "--data-range", 9)
    assert code == 1
    assert "(64, 64) and (63, 64)" in err


def test_demo_writes_its_files_and_improves_the_image(cli, tmp_path):
    code, out, _ = cli("demo", "--out", tmp_path, "--size", 96, "--iterations", 120, "--json")
    assert code == 0
    content = json.loads(out)
    assert content["denoised"]["psnr"] > content["noisy"]["psnr"] + 2
    assert content["denoised"]["ssim"] > content["noisy"]["ssim"]
    files = ["demo.png", "denoised.tif", "denoised.tif.autodip.json", "noisy.tif", "truth.tif"]
    more = ["channels.ome.tif", "film.ome.tif"]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*files, *more])
    channels, film = (autodip.read(tmp_path / name) for name in more)
    assert (film.axes, film.data.shape, film.time_step) == ("TYX", (6, 128, 128), 2.0)
    assert (channels.axes, channels.channel_names) == ("CYX", ("DAPI", "MitoTracker"))
    assert channels.pixel_size["X"] == pytest.approx(0.1)
    with Image.open(tmp_path / "demo.png") as picture:
        pixels = np.asarray(picture)
    assert pixels.shape[1] > 3 * 300
    assert pixels.std() > 20
    assert cli("demo", "--out", tmp_path, "--size", 64, "--iterations", 2)[0] == 0


@pytest.mark.parametrize(
    "command", [[], ["denoise"], ["params"], ["info"], ["metrics"], ["demo"], ["weights"]]
)
def test_help(cli, command):
    code, out, _ = cli(*command, "--help")
    assert code == 0
    assert "Usage: autodip" in out


def test_version(cli):
    said = dict(line.split(" ", 1) for line in cli("--version")[1].splitlines())
    assert said["autodip"] == autodip.__version__
    assert {"python", "torch", "numpy", "tifffile"} <= set(said)


@pytest.mark.parametrize(
    "code",
    [
        "import autodip",
        "import autodip; autodip.denoise, autodip.read, autodip.Options",
        "from autodip.cli.main import run; run(['--help'])",
        "from autodip.cli.main import run; run(['denoise', '--help'])",
        "from autodip.cli.main import run; run(['params', '--help'])",
        "from autodip.cli.main import run; run(['denoise', 'a.png', '-o', 'b', '--preset', 'x'])",
    ],
)
def test_no_torch_before_it_is_needed(code):
    check = f"import sys; {code}; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_metrics_of_identical_images_are_valid_json(cli, cells):
    scores = json.loads(cli("metrics", cells, cells, "--json")[1])
    assert scores["psnr"] is None
    assert "identical" in scores["psnr_reason"]
    assert "identical" in cli("metrics", cells, cells)[1]


def test_metrics_of_a_stack_with_one_identical_plane(cli, tmp_path, sample):
    stack = np.stack([sample[0], sample[0]]).astype(float)
    np.save(tmp_path / "a.npy", stack)
    stack[1] += 10
    np.save(tmp_path / "b.npy", stack)
    arguments = ("--axes", "TYX", "--data-range", 100, "--json")
    scores = json.loads(cli("metrics", tmp_path / "a.npy", tmp_path / "b.npy", *arguments)[1])
    assert scores["psnr"] == pytest.approx(10 * np.log10(100**2 / 50))


def test_data_range_0_is_not_taken_for_the_default(cli, cells):
    code, _, err = cli("metrics", cells, cells, "--data-range", 0)
    assert code == 2
    assert "above 0" in err


def test_info_of_an_image_with_nan(cli, tmp_path):
    np.save(tmp_path / "nan.npy", np.where(np.eye(80), np.nan, 1.0))
    code, out, _ = cli("info", tmp_path / "nan.npy")
    assert code == 0
    assert "not estimated" in out
