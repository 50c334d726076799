"""The page about one output, as text."""

import dataclasses
import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
import tifffile

import autodip
from autodip.bases import store
from autodip.bases.records import Entry
from autodip.errors import FormatError, ParameterError
from autodip.report.page.figure import figure
from autodip.report.page.material import Material, opened
from autodip.report.page.one_page import page, page_of_result
from autodip.report.page.reporter import Reporter
from autodip.report.page.shown import Shown
from autodip.runs import sidecar
from tests.report.page.conftest import HOSTILE

SPOT = r"single pixels is ([0-9.]+)\. A spot .* less than ([0-9.]+) grey"


class Reader(HTMLParser):
    """Elements and visible text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.urls, self._hidden = [], [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self._hidden = tag in ("script", "style")
        self.urls += [v for k, v in attributes if k in ("src", "href") and v]
        assert not any(name.startswith("on") for name, _ in attributes)

    def handle_endtag(self, tag):
        self._hidden = False

    def handle_data(self, data):
        if not self._hidden:
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def made(target, **options):
    """The page of an output, read."""
    Reporter(**options).made(target)
    return Reader(target.with_name(target.name + ".autodip.html").read_text(encoding="utf-8"))


def test_it_shows_everything_of_a_result(done):
    shown = made(done)
    for words in (
        "Before and after",
        "What was removed",
        "Whiteness test",
        "Saturated pixels none",
        "Mean before and after",
        "grey values per photon",
        "Predicted PSNR",
        "Resolution that the input supports",
        "The settings come from the preset fast",
        "0.1 µm",
        "A network that was trained on other images",
        "Mean squared difference from the input",
        "autodip denoise ../in/cells.tif -o again/ --params cells.tif.autodip.json",
        "cannot be told from noise",
    ):
        assert words in shown.text, words
    assert shown.tags.count("input") == 2
    assert {"main", "header", "nav", "footer", "h1"} <= set(shown.tags)
    assert all(url.startswith(("data:", "#")) for url in shown.urls)


def test_the_faintest_spot_depends_on_the_correlation_of_the_noise(done):
    path = sidecar.beside(done)
    content = json.loads(path.read_text())
    noise = content["planes"][0]["noise"]
    noise["autocorrelation"] = [[float((y, x) == (2, 2)) for x in range(5)] for y in range(5)]
    path.write_text(json.dumps(content))
    found = re.search(SPOT, made(done).text)
    assert float(found[2]) == float(found[1])
    noise["autocorrelation"] = [[1.0] * 5] * 5
    path.write_text(json.dumps(content))
    found = re.search(SPOT, made(done).text)
    assert float(found[2]) == pytest.approx(3 * float(found[1]), rel=0.01)


def test_it_shows_the_curve_of_a_fit_and_its_stop(fitted):
    content = sidecar.read(sidecar.beside(fitted))
    curve = content.planes[0].curve
    assert curve[0][0] == 1
    assert curve[-1][0] == content.planes[0].iterations
    assert len(curve) <= 48
    Reporter().made(fitted)
    text = fitted.with_name("cells.tif.autodip.html").read_text(encoding="utf-8")
    assert "Loss of the fit against iterations; it ended at iteration" in text
    assert "after a fit, as here, it is less reliable" in text
    assert "fmd_confocal_fov1/raw" in text  # the nearest images of the built-in base
    assert "stores no pixels" in text


def test_later_it_is_the_same_as_at_once(cli, source, tmp_path):
    out = tmp_path / "out"
    options = ("--preset", "fast", "--report", "--figure")
    assert cli("denoise", source, "-o", f"{out}/", *options)[0] == 0
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    assert set(first) == {
        "cells.tif",
        "cells.tif.autodip.json",
        "cells.tif.autodip.png",
        "cells.tif.autodip.html",
    }
    for suffix in ("png", "html"):
        (out / f"cells.tif.autodip.{suffix}").unlink()
    assert cli("report", out / "cells.tif", "--figure")[0] == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == first


def test_without_the_input_it_shows_the_rest(done, source):
    source.unlink()
    shown = made(done, figure=True)
    assert "The input is not shown." in shown.text
    assert "in/cells.tif was not found; --inputs FOLDER" in shown.text
    assert "Predicted PSNR" in shown.text
    assert "Mean before and after" not in shown.text
    assert shown.tags.count("input") == 1  # the stretch alone; there is no slider


def test_a_moved_input_is_found_by_its_folder(cli, done, source, tmp_path):
    (tmp_path / "moved" / "in").mkdir(parents=True)
    source.rename(tmp_path / "moved" / "in" / "cells.tif")
    code, printed, _ = cli("report", done, "--json")
    assert (code, json.loads(printed)["results"][0]["input_found"]) == (0, False)
    for folder in (tmp_path / "moved", tmp_path / "moved" / "in"):
        code, printed, _ = cli("report", done, "--inputs", folder, "--json")
        (result,) = json.loads(printed)["results"]
        assert (code, result["input_found"]) == (0, True)
        assert result["report"] == str(done) + ".autodip.html"


def test_another_file_of_that_name_is_not_taken_for_the_input(done, source, noisy):
    tifffile.imwrite(source, noisy + 1)
    assert "cells.tif is no longer the file that was denoised" in made(done).text


def test_a_changed_output_is_refused(cli, done, noisy):
    tifffile.imwrite(done, noisy[:64])
    with pytest.raises(FormatError, match="changed since it was denoised"):
        Reporter().made(done)
    code, _, said = cli("report", done)
    assert (code, "changed since" in said) == (1, True)


def test_an_output_needs_a_sidecar(cli, done, source, tmp_path):
    code, _, said = cli("report", source)
    assert (code, "has no sidecar cells.tif.autodip.json" in said) == (2, True)
    assert cli("report", tmp_path / "none")[0] == 2
    assert cli("report", tmp_path / "in")[0] == 2  # a folder without outputs
    assert cli("report", sidecar.beside(done))[0] == 0
    with pytest.raises(ParameterError, match="sidecar"), opened(source):
        pass


def test_torch_is_not_needed(done):
    code = (
        "import sys; from autodip.cli.main import run; "
        f"assert run(['report', {str(done)!r}]) == 0; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_sidecars_of_older_versions_have_a_page(done):
    path = sidecar.beside(done)
    content = json.loads(path.read_text())
    del content["input"]["path"], content["base"]
    for plane in content["planes"]:
        del plane["curve"]
    path.write_text(json.dumps(content))
    text = made(done).text
    assert "The sidecar does not state the folder of cells.tif" in text
    assert "Repeat, cost, provenance" in text


def test_hostile_names_are_text(cli, hostile, tmp_path):
    out = tmp_path / "out"
    code, _, said = cli("denoise", hostile, "-o", out, "--preset", "fast", "--report", "--figure")
    assert (code, said) == (0, "")
    pages = sorted(out.glob("*.autodip.html"))
    assert len(pages) == len(HOSTILE)
    for path in [*pages, out / "index.html"]:
        text = path.read_text(encoding="utf-8")
        found = Reader(text)
        assert found.tags.count("script") == (1 if path.name == "index.html" else 2)
        assert "\u202e" not in text
        assert not re.search("<img[^>]*onerror", text)
    index = Reader((out / "index.html").read_text(encoding="utf-8"))
    assert "<script>document.title='bad'<!--.tif" in index.text
    assert "line\\nbreak.tif" in index.text
    assert "a\\u202egnp.tif" in index.text
    assert "bytes\ufffd.tif" in index.text


def test_a_result_in_memory(noisy):
    result = autodip.denoise(noisy, preset="fast")
    shown = Reader(page_of_result(noisy, result))
    assert "Mean before and after" in shown.text
    assert "The result was computed in Python" in shown.text


def test_defects_are_left_out_and_listed(cli, tmp_path, noisy):
    pixels = noisy.copy()
    pixels[:20] = 0
    pixels[40::31, ::37] = 60000
    tifffile.imwrite(tmp_path / "hot.tif", pixels)
    assert cli("denoise", tmp_path / "hot.tif", "-o", tmp_path / "out/", "--preset", "fast")[0] == 0
    shown = made(tmp_path / "out" / "hot.tif")
    assert "Mark replaced pixels (12)" in shown.text
    assert "40, 0; 40, 37; 40, 74" in shown.text
    assert "16 % of the pixels hold no measurement" in shown.text
    assert shown.tags.count("circle") >= 12
    with opened(tmp_path / "out" / "hot.tif") as material:
        assert material.noisy is not None
    low = float(re.search(r"black at ([\d.-]+), white", shown.text)[1])
    assert low > 50  # the empty rows do not decide the contrast


def test_channels_and_frames_are_selected(cli, tmp_path, noisy):
    stack = np.stack([noisy[:64, :64], noisy[64:, :64]])
    film = np.stack([stack] * 3)
    names = {"axes": "TCYX", "Channel": {"Name": ["DAPI", "<b>GFP"]}}
    tifffile.imwrite(tmp_path / "f.ome.tif", film, photometric="minisblack", metadata=names)
    assert cli("denoise", tmp_path / "f.ome.tif", "-o", tmp_path / "o/", "--preset", "fast")[0] == 0
    text = made(tmp_path / "o" / "f.ome.tif").text
    assert "2 of 6 planes are shown" in text
    assert "frame 1 (of 0 to 2), channel 0 DAPI" in text
    assert "frame 1 (of 0 to 2), channel 1 <b>GFP" in text


def test_a_large_plane_is_reduced_and_the_page_stays_small(done, rng):
    with opened(done) as material:
        pixels = rng.normal(1000, 100, (1500, 1700)).astype(np.float32)
        large = autodip.Image(pixels, "YX")
        text = page(dataclasses.replace(material, noisy=large, denoised=large.replace(data=pixels)))
    assert len(text) < 3.5e6
    assert "Shown reduced 1.7 times" in text


def test_of_a_larger_plane_the_central_part_is_measured(done, rng):
    pixels = rng.normal(1000, 100, (2300, 300)).astype(np.float32)
    pixels[100:140, 100:140] = 5000
    pixels[:, -4:] = np.nan
    with opened(done) as material:
        large = autodip.Image(pixels, "YX")
        larger = dataclasses.replace(material, noisy=large, denoised=large)
        shown = Shown.of(larger, ())
        text = page(larger)
        assert figure(larger).height > 500
    assert shown.corner == (126, 0)
    assert shown.result.shape == (2048, 300)
    assert shown.after.shape == (1024, 134)  # areas of 2 x 2 pixels, reduced to 1024 rows
    assert np.nanmax(shown.after) == pytest.approx(5000, rel=0.05)
    assert shown.contrast[1] > 4000
    assert "from its central 2048 × 300 pixels" in Reader(text).text


def test_neighbours_have_pictures_if_their_base_has_pixels(done, noisy, tmp_path):
    store.create(tmp_path / "base")
    entry = Entry(
        id="0" * 16,
        name="set/near",
        microscope=None,
        specimen=None,
        fov="1",
        noise_level="raw",
        shape=(128, 128),
        descriptors={},
    )
    store.add_entry(tmp_path / "base", entry, (noisy, noisy))
    with opened(done) as material:
        content = material.content.to_dict()
        near = {"name": "set/near", "distance": 1.0, "microscope": None, "specimen": None}
        content["channels"][0]["choice"]["evidence"]["neighbours"] = [near]
        content["base"] = "../base"
        text = page(_with(material, content))
        assert 'alt="calibration image set/near"' in text
        assert "Their pictures are not shown" not in text
        content["base"] = "../elsewhere"
        assert "Their pictures are not shown" in page(_with(material, content))


def _with(material: Material, content):
    return dataclasses.replace(material, content=sidecar.Sidecar.parse(content))


def odd_images():
    rng = np.random.default_rng(0)
    missing = rng.normal(0, 1, (80, 90)).astype(np.float32)
    missing[:5], missing[30, 30] = np.nan, np.inf
    saturated = rng.poisson(200, (64, 64)).clip(0, 255).astype(np.uint8)
    saturated[20:30] = 255
    return {
        "missing": missing,
        "saturated": saturated,
        "strip": rng.poisson(50, (16, 400)).astype(np.uint16),
        "tiny": rng.poisson(5, (9, 7)).astype(np.uint8),
        "rare photons": rng.poisson(0.05, (128, 128)).astype(np.uint8),
        "binary": (rng.random((64, 64)) < 0.5).astype(np.uint8),
        "huge": 1e30 * rng.random((64, 64)),
        "negative": rng.normal(-500, 3, (70, 64)),
    }


@pytest.mark.parametrize("name", odd_images())
def test_odd_images_have_a_page_and_a_figure(cli, tmp_path, name):
    tifffile.imwrite(tmp_path / "odd.tif", odd_images()[name])
    quick = ("--iterations", "2", "--no-refine", "--figure", "--report")
    code, _, said = cli("denoise", tmp_path / "odd.tif", "-o", tmp_path / "o/", *quick)
    assert code == 0, said
    text = (tmp_path / "o" / "odd.tif.autodip.html").read_text(encoding="utf-8")
    assert "Before and after" in text
    assert not re.search(r"\b(nan|inf)\b", Reader(text).text.replace("NaN", ""))
