"""Figures, pages and the index as parts of a run."""

import json
import os
import pickle

import numpy as np
import pytest
from PIL import Image as Picture

from autodip.errors import OutputError
from autodip.report.page import index_page
from autodip.report.page.card import Card
from autodip.report.page.conspicuous import conspicuous
from autodip.report.page.figure import figure
from autodip.report.page.index_page import write_index
from autodip.report.page.material import opened
from autodip.report.page.reporter import Reporter
from autodip.runs import journal
from autodip.runs.inputs import find_inputs

FAST = ("--preset", "fast")
BOTH = ("--figure", "--report")


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_the_figure_is_a_grey_png_with_three_pictures(done):
    with opened(done) as material:
        drawn = figure(material)
    assert drawn.mode == "L"
    assert drawn.width > 3 * 400
    pixels = np.asarray(drawn).astype(float)
    before, after, removed = np.split(pixels[100:500, 10:1480], [490, 980], axis=1)
    assert before[:, :470].std() > after[:, :470].std() > 10
    middle = removed[20:-20, 20:440]
    assert abs(np.median(middle) - 128) < 4  # what was removed is symmetric around 0


def test_the_figure_without_the_input_says_so(done, source):
    source.unlink()
    assert Reporter(figure=True, page=False).made(done) is False
    with Picture.open(str(done) + ".autodip.png") as drawn:
        assert drawn.mode == "L"
        assert drawn.width < 600


@pytest.mark.parametrize("options", [("--figure",), ("--report",), BOTH])
def test_a_dry_run_writes_nothing_and_lists_them(cli, source, tmp_path, options):
    out = tmp_path / "out"
    code, printed, _ = cli(
        "denoise", source, "-o", f"{out}/", *FAST, *options, "--dry-run", "--json"
    )
    assert code == 0
    assert not out.exists()
    (result,) = json.loads(printed)["results"]
    assert {"figure", "report"} & set(result) == {name.strip("-") for name in options}


def test_existing_ones_are_treated_like_outputs(cli, source, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    own = out / "cells.tif.autodip.html"
    own.write_text("mine")
    command = ("denoise", source, "-o", f"{out}/", *FAST, "--report")
    code, _, said = cli(*command)
    assert (code, "cells.tif.autodip.html exists; use --overwrite" in said) == (1, True)
    assert names(out) == {own.name}
    assert own.read_text() == "mine"
    assert cli(*command, "--overwrite")[0] == 0
    assert Card.of_page(own).name == "cells.tif"


def test_skipped_outputs_get_those_that_are_missing(cli, done, source):
    (done.parent / "other.txt").write_text("")
    command = ("denoise", source, "-o", f"{done.parent}/", *FAST, *BOTH, "--skip-existing")
    assert cli(*command)[0] == 0
    figure_file, page_file = (done.with_name(f"cells.tif.autodip.{end}") for end in ("png", "html"))
    first = figure_file.stat().st_mtime_ns
    page_file.unlink()
    assert cli(*command)[0] == 0
    assert page_file.exists()
    assert cli(*command)[0] == 0
    second = figure_file.stat().st_mtime_ns
    assert second >= first
    assert cli(*command)[0] == 0
    assert figure_file.stat().st_mtime_ns == second  # nothing is missing, so nothing is written


def test_run_json_lists_them_and_figures_are_no_inputs(cli, several, tmp_path):
    out = tmp_path / "out"
    code, printed, said = cli("denoise", several, "-o", out, *FAST, *BOTH)
    assert (code, said) == (0, "")
    assert "an index of all reports is in" in printed
    content = json.loads((out / "run.json").read_text())
    entry = content["files"][0]
    assert entry["figure"] == "image0.tif.autodip.png"
    assert entry["report"] == "image0.tif.autodip.html"
    assert content["options"]["report"] is True
    found, failed = find_inputs([out])
    assert [path.name for path in found] == [
        "image0.tif",
        "image1.tif",
        "image2.tif",
        "image3.tif",
        "image4.tif",
        "other.png",
    ]
    assert failed == {}


def test_an_interrupted_run_completes_them(cli, several, tmp_path, monkeypatch):
    """Killed after the outputs were written, before the last page was."""
    out = tmp_path / "out"
    monkeypatch.setattr(journal.Journal, "delete", lambda self: None)
    assert cli("denoise", several, "-o", out, *FAST, *BOTH)[0] == 0
    monkeypatch.undo()
    written = {path.name: path.read_bytes() for path in out.glob("*.autodip.*")}
    (out / "image3.tif.autodip.html").unlink()
    (out / "image3.tif.autodip.png").unlink()
    code, printed, _ = cli("denoise", several, "-o", out, *FAST, *BOTH)
    assert code == 0
    assert "done before the interruption" in printed
    assert {path.name: path.read_bytes() for path in out.glob("*.autodip.*")} == written


def test_an_interrupted_run_that_replaces_them_renews_old_ones(cli, several, tmp_path, monkeypatch):
    out = tmp_path / "out"
    monkeypatch.setattr(journal.Journal, "delete", lambda self: None)
    command = ("denoise", several, "-o", out, *FAST, "--report", "--overwrite")
    assert cli(*command)[0] == 0
    monkeypatch.undo()
    page = out / "image3.tif.autodip.html"
    content = page.read_bytes()
    page.write_text("of an earlier run")
    before = (out / "image3.tif.autodip.json").stat().st_mtime_ns - 10**9
    os.utime(page, ns=(before, before))
    assert cli(*command)[0] == 0
    assert page.read_bytes() == content


def test_workers_write_them(cli, several, tmp_path):
    pytest.importorskip("distributed")
    out = tmp_path / "out"
    assert cli("denoise", several, "-o", out, *FAST, *BOTH, "--workers", "2")[0] == 0
    assert len(list(out.glob("*.autodip.html"))) == len(list(out.glob("*.autodip.png"))) == 6
    assert pickle.loads(pickle.dumps(Reporter(figure=True))) == Reporter(figure=True)


def test_a_failure_to_write_them_keeps_the_output(cli, source, tmp_path, monkeypatch):
    def fail(*arguments):
        raise OutputError("disk full")

    monkeypatch.setattr("autodip.report.page.reporter.page", fail)
    out = tmp_path / "out"
    code, _, said = cli("denoise", source, "-o", f"{out}/", *FAST, "--report")
    assert (code, "disk full" in said) == (1, True)
    assert names(out) == {"cells.tif", "cells.tif.autodip.json"}


def test_the_index_of_somebody_else_is_never_replaced(cli, several, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "index.html").write_text("<h1>mine</h1>")
    code, _, said = cli("denoise", several, "-o", out, *FAST, "--report")
    assert (code, "was not written by autodip" in said) == (1, True)
    assert names(out) == {"index.html"}
    (out / "index.html").unlink()
    assert cli("denoise", several, "-o", out, *FAST, "--report")[0] == 0
    assert cli("report", out)[0] == 0
    assert write_index(tmp_path / "several") is None


def test_reports_of_a_folder_tree(cli, several, tmp_path):
    out = tmp_path / "out"
    (several / "sub").mkdir()
    (several / "image0.tif").rename(several / "sub" / "a b#.tif")
    assert cli("denoise", several, "-o", out, "--recursive", *FAST)[0] == 0
    code, printed, _ = cli("report", out, "--json")
    assert code == 0
    assert len(json.loads(printed)["results"]) == 6
    assert 'href="sub/a%20b%23.tif.autodip.html"' in (out / "index.html").read_text()
    assert [path.name for path in index_page.pages_in(out / "sub")] == ["a b#.tif.autodip.html"]


def card(**values):
    return Card(**{"name": "a", "preset": "fast", **values})


def test_outliers_are_marked_with_their_reason():
    usual = [card(noise=0.05 + 0.001 * n, removed=0.9) for n in range(6)]
    reasons = conspicuous([*usual, card(noise=0.4, removed=0.9), card(familiarity=1.2)])
    assert reasons[:6] == [[]] * 6
    assert reasons[6] == ["noise 0.400 is far above the median 0.053"]
    assert reasons[7] == ["unlike all training images"]
    few = [card(noise=0.05), card(noise=0.4)]
    assert conspicuous(few) == [[], []]
    assert conspicuous([card(unsupported=2, lost=0)]) == [
        ["2 places of structure that the noisy image does not support"]
    ]
    equal = [card(noise=0.05)] * 5
    assert conspicuous([*equal, card(noise=0.0501)]) == [[]] * 6


def test_cards_survive_their_page_and_damage(tmp_path):
    path = tmp_path / "x.autodip.html"
    one = card(name="</script><b>&'\"", doubts=("a\u2028b",), psnr=30.5)
    path.write_text(f"<head>{one.script()}</head>", encoding="utf-8")
    assert Card.of_page(path) == one
    assert "</script><b>" not in one.script()
    for text in (
        "",
        "<html>",
        str(one.script())[:-40],
        str(card().script()).replace('"fast"', "1"),
        str(card().script()).replace('"after": ""', '"after": "javascript:alert(1)"'),
        str(card().script()).replace('"after": ""', '"after": "data:text/html,x"'),
    ):
        path.write_text(text, encoding="utf-8")
        assert Card.of_page(path) is None
