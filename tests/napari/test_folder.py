import shlex
import time

import pytest
import tifffile
from numpy.testing import assert_array_equal

pytest.importorskip("napari", reason="the plugin is tested where napari is installed")
pytest.importorskip(
    "qtpy.QtWidgets", reason="the plugin is tested with a binding of Qt", exc_type=ImportError
)

from qtpy.QtGui import QGuiApplication

from autodip.cli.main import run
from autodip.util.cancelling import check
from tests.napari.test_widget import choose


@pytest.fixture
def places(tmp_path, sample, widget, settled):
    """Folder with two images and a file that is none, entered in the widget."""
    folder, out = tmp_path / "in", tmp_path / "out"
    (folder / "day 1").mkdir(parents=True)
    tifffile.imwrite(folder / "a.tif", sample[0])
    tifffile.imwrite(folder / "day 1" / "b.tif", sample[0][::-1])
    (folder / "c.tif").write_text("not an image")
    settled()
    view = widget.view
    view.tabs.setCurrentIndex(1)
    view.folder.folder.line.setText(str(folder))
    view.folder.out.line.setText(str(out))
    view.folder.recursive.setChecked(True)
    choose(view.form.preset, "fast")
    return folder, out


def outcomes(widget):
    shown = widget.view.folder.outcomes
    return [shown.item(row).text() for row in range(shown.count())]


def test_it_does_what_the_command_does(widget, settled, places, tmp_path):
    _, out = places
    told = []
    widget.errand.told.connect(lambda news: told.append(getattr(news, "text", "")))
    widget.denoise()
    settled()
    assert [line[0] for line in outcomes(widget)] == ["✓", "✗", "✓"]
    assert "c.tif" in outcomes(widget)[1]
    assert "2 done, 0 skipped, 1 failed" in widget.view.controls.message.text()
    assert any("file 3 of 3" in text for text in told)
    widget.copy("command")
    words = shlex.split(QGuiApplication.clipboard().text())
    again = tmp_path / "again"
    words[words.index("-o") + 1] = str(again)
    assert run(words[1:]) == 1  # one of the files has failed
    for name in ("a.tif", "day 1/b.tif"):
        assert_array_equal(tifffile.imread(out / name), tifffile.imread(again / name))
    assert (out / "summary.csv").exists()


def test_done_files_are_skipped(widget, settled, places):
    widget.denoise()
    settled()
    widget.denoise()
    settled()
    assert [line[0] for line in outcomes(widget)] == ["–", "✗", "–"]


def test_only_what_applies_to_a_folder_can_be_done(widget, settled, places):
    controls, form = widget.view.controls, widget.view.form
    assert controls.command.isEnabled()
    assert not controls.preview.isEnabled()
    assert not controls.python.isEnabled()
    assert form.microscope.names() == ("",)
    assert form.specimen.names() == ("",)


def test_a_folder_is_asked_for(widget, settled, places):
    widget.view.folder.out.line.clear()
    widget.denoise()
    assert "choose a folder" in widget.view.controls.message.text()
    widget.view.folder.out.line.setText(str(places[1]))
    widget.view.folder.folder.line.setText(str(places[0] / "none"))
    widget.denoise()
    settled()
    assert "there is no such folder" in widget.view.controls.message.text()


def test_a_cancelled_folder_is_resumed(widget, settled, places, qtbot, monkeypatch):
    from autodip.runs import batch  # noqa: PLC0415  (where the function is looked up)

    own = batch.denoise_file

    def slow(job, *more):
        while job.source.name == "b.tif":
            check()
            time.sleep(0.01)
        return own(job, *more)

    with monkeypatch.context() as patched:
        patched.setattr(batch, "denoise_file", slow)
        widget.denoise()
        qtbot.waitUntil(lambda: len(outcomes(widget)) == 2, timeout=10_000)
        widget.view.controls.cancel.click()
        settled(1)
    assert "the same settings resumes" in widget.view.controls.message.text()
    widget.denoise()
    settled()
    assert sorted(line[0] for line in outcomes(widget)) == ["✓", "✓", "✗"]
