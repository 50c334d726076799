"""The standard errors on the page of a result."""

import io
import re
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image as Picture

import autodip
from autodip.pictures.colours import coloured
from autodip.report.page import large_planes, material
from autodip.report.page.facts import facts_of
from autodip.report.page.material import Material
from autodip.report.page.reporter import Reporter
from autodip.runs.saving import sidecar_of


@pytest.fixture
def with_errors(cli, source, tmp_path):
    """Output with its standard errors; without a page."""
    options = ("--preset", "fast", "--uncertainty")
    assert cli("denoise", source, "-o", tmp_path / "out/", *options)[0] == 0
    return tmp_path / "out" / "cells.tif"


def text_of(target):
    Reporter().made(target)
    return target.with_name(target.name + ".autodip.html").read_text(encoding="utf-8")


def picture(page, alt):
    found = re.search(f'src="data:image/png;base64,([^"]*)" alt="{alt}', page)
    return np.asarray(Picture.open(io.BytesIO(b64decode(found[1]))))


def test_it_shows_the_map_with_a_bar_in_grey_values(with_errors):
    page = text_of(with_errors)
    errors = autodip.read(with_errors.with_name("cells.sd.tif")).data
    high = np.percentile(errors, 99.5)
    assert np.array_equal(picture(page, "Standard error of every pixel"), coloured(errors, 0, high))
    assert picture(page, "Colours from 0").shape == (1, 256, 3)
    assert f"{high:.3g} grey values</span>" in page
    assert "within 1.645 of them for about 90 %" in page
    assert f"{np.median(errors):.3g} grey values" in page
    assert "cells.sd.tif" in page
    assert 'href="#error"' in page


def test_without_the_map_there_is_no_section(with_errors, fitted):
    assert 'id="error"' not in text_of(fitted)
    with_errors.with_name("cells.sd.tif").write_bytes(b"another")
    assert 'id="error"' not in text_of(with_errors)


def test_at_once_it_is_the_same_as_later(cli, source, with_errors, tmp_path):
    options = ("--preset", "fast", "--uncertainty", "--report", "--overwrite")
    assert cli("denoise", source, "-o", tmp_path / "out/", *options)[0] == 0
    path = with_errors.with_name("cells.tif.autodip.html")
    first = path.read_bytes()
    path.unlink()
    assert cli("report", with_errors)[0] == 0
    assert path.read_bytes() == first


def test_of_large_planes_it_shows_all_reduced(monkeypatch, noisy):
    pixels = np.tile(noisy, (2, 3))
    pixels[:64, :64] = 0
    image = autodip.Image(pixels, "YX")
    result = autodip.denoise(image, preset="fast", uncertainty=True)
    monkeypatch.setattr(large_planes, "MOST", 128)
    monkeypatch.setattr(large_planes, "LARGEST_PICTURE", 128)
    (facts,) = facts_of(Material.of(image, result, sidecar_of(image, result)))
    whole = result.maps["sd"]
    assert facts.shown.errors.shape == (85, 128)
    assert np.isnan(facts.shown.errors[:20, :20]).all()  # and not the lowest value
    assert np.nanmean(facts.shown.errors) == pytest.approx(np.nanmean(whole), rel=0.05)


def test_an_unreadable_map_is_left_out(with_errors, monkeypatch):
    own = material.io.read

    def read(path, *arguments, **keywords):
        if ".sd." in path.name:
            raise autodip.AutodipError("no")
        return own(path, *arguments, **keywords)

    monkeypatch.setattr(material.io, "read", read)
    assert 'id="error"' not in text_of(with_errors)
