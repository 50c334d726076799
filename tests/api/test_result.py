"""A result is looked at, used as an array and saved."""

import pickle
import re
from io import BytesIO

import numpy as np
import pytest
import tifffile
from PIL import Image as Picture

import autodip
from autodip.api.side_by_side import round_length
from autodip.errors import MissingPackageError, OutputError, ParameterError
from autodip.runs import sidecar
from autodip.util import optional

FAST = {"preset": "fast", "device": "cpu"}


@pytest.fixture(scope="module")
def noisy():
    return autodip.sample("nucleus", size=128)[0]


@pytest.fixture(scope="module")
def result(noisy):
    return autodip.denoise(noisy, **FAST)


@pytest.fixture(scope="module")
def film(noisy):
    """Result for two frames of two channels."""
    frames = np.stack([noisy.data, noisy.data.T])
    image = autodip.Image(np.stack([frames, frames[::-1]]), "TCYX", channel_names=("<b>", "GFP"))
    return autodip.denoise(image, **FAST)


def test_its_repr_is_one_or_two_lines(result, film):
    assert re.fullmatch(
        r"<Result YX 128 × 128 uint16, 0\.1 µm per pixel; fast, learned prior, \d+\.\d s>",
        repr(result),
    )
    assert repr(film).startswith("<Result TCYX 2 × 2 × 128 × 128 uint16; fast")
    noted = autodip.denoise(autodip.sample(size=64)[0], **FAST)
    first, second = repr(noted).splitlines()
    assert second.startswith("note: ")
    assert max(map(len, (first, second))) < 120


def test_it_is_an_array(result):
    np.testing.assert_array_equal(np.asarray(result), result.image)
    assert np.asarray(result) is result.image
    assert np.array(result, copy=True) is not result.image
    assert np.asarray(result, dtype=float).dtype == np.float64
    assert np.mean(result) == result.image.mean()
    with pytest.raises(ValueError, match="copy"):
        np.array(result, dtype=float, copy=False)


def test_it_can_be_sent_to_another_process(result, noisy):
    xarray = pytest.importorskip("xarray", reason="xarray is not installed")
    named = autodip.denoise(xarray.DataArray(noisy.data, dims=("y", "x")), **FAST)
    plain = autodip.denoise(noisy.data, **FAST)
    for one in (result, named, plain):
        copy = pickle.loads(pickle.dumps(one))
        assert type(copy.data) is type(one.data)
        np.testing.assert_array_equal(copy, one)
        assert copy.summary() == one.summary()


def test_an_image_is_an_array(noisy):
    np.testing.assert_array_equal(np.asarray(noisy), noisy.data)
    assert repr(noisy) == "<Image YX 128 × 128 uint16, 0.1 µm per pixel>"
    assert "Image YX 128 × 128" in noisy._repr_html_()
    assert len(pictures(noisy._repr_html_())) == 1


def test_the_residual_is_what_was_removed(result):
    removed = result.residual
    assert removed.data.dtype == np.float32
    expected = result.noisy.data.astype(np.float32) - result.image
    np.testing.assert_array_equal(removed.data, expected)
    wide = autodip.denoise(result.noisy.data.astype(float), **FAST)
    assert wide.residual.dtype == np.float64


def test_the_summary_is_in_plain_words(result, film):
    names = [line.split()[0] for line in result.summary().splitlines()]
    assert names == ["Denoised", "Method", "Noise", "Removed", "Residual"]
    assert "1.0 times" in result.summary() or "0.9" in result.summary()
    assert "(first plane)" in film.summary()
    fitted = autodip.denoise(
        result.noisy.data[:40, :40], preset="untrained", iterations=2, depth=2, width=4
    )
    assert "fitted in 2 iterations, preset untrained" in fitted.summary()
    assert "Noise       could not be estimated" in fitted.summary()
    assert "Note  " in fitted.summary()


def pictures(html):
    """Embedded pictures, decoded."""
    from base64 import b64decode  # noqa: PLC0415

    found = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    return [Picture.open(BytesIO(b64decode(one))) for one in found]


def test_a_notebook_shows_it_with_pictures(result, film):
    html = result._repr_html_()
    before, after, removed = pictures(html)
    assert before.size == after.size == removed.size == (128, 128)
    assert "Method: learned prior, preset fast" in html
    assert len(pictures(film._repr_html_())) == 3


def test_what_a_file_says_is_escaped(film):
    assert "<b>" not in film.noisy._repr_html_()
    assert "&lt;b&gt;" in film.noisy._repr_html_()
    noted = autodip.denoise(film.noisy.noted("<script>alert(1)</script>"), **FAST)
    assert "<script>" not in noted._repr_html_()


def test_a_lazy_result_is_shown_without_computing_it(noisy):
    da = pytest.importorskip("dask.array", reason="dask is not installed")
    seen = []
    result = autodip.denoise(da.from_array(noisy.data), progress=seen.append, **FAST)
    assert "computed when it is read" in repr(result)
    assert "computed when it is read" in result._repr_html_()
    assert seen == []
    assert "times the expected noise" in result.summary()
    assert seen != []


class TestPlot:
    @pytest.fixture(autouse=True)
    def backend(self):
        matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed")
        matplotlib.use("agg")
        from matplotlib import pyplot  # noqa: PLC0415

        yield
        pyplot.close("all")

    def test_before_after_and_removed_with_a_scale_bar(self, result):
        figure = result.plot()
        before, after, removed, *_ = figure.axes
        assert [axes.get_title() for axes in figure.axes[:3]] == [
            "before",
            "after",
            "removed (before − after)",
        ]
        np.testing.assert_array_equal(before.images[0].get_array(), result.noisy.data)
        np.testing.assert_array_equal(after.images[0].get_array(), result.image)
        assert before.images[0].get_clim() == after.images[0].get_clim()
        low, high = removed.images[0].get_clim()
        assert low == -high
        assert [text.get_text() for text in before.texts] == ["2 µm"]
        assert np.ptp(before.lines[0].get_xdata()) * 128 * 0.1 == pytest.approx(2.0)
        figure.savefig(BytesIO())

    def test_any_plane(self, film):
        figure = film.plot(t=1, c=1)
        shown = figure.axes[1].images[0].get_array()
        np.testing.assert_array_equal(shown, film.image[1, 1])
        assert "T 1, C 1" in figure.get_suptitle()
        assert not figure.axes[0].texts
        with pytest.raises(ParameterError, match="there is no T 2; the image has 2"):
            film.plot(t=2)
        with pytest.raises(ParameterError, match="there is no Z 1; the image has 1"):
            film.plot(z=1)

    def test_a_colour(self, noisy):
        colours = np.stack([noisy.data // 8, noisy.data.T // 8, noisy.data // 9], -1)
        result = autodip.denoise(colours.astype("uint8"), axes="YXS", **FAST)
        shown = result.plot(c=1).axes[1].images[0].get_array()
        np.testing.assert_array_equal(shown, result.image[..., 1])


@pytest.mark.parametrize(
    ("most", "length"), [(2.56, 2), (1, 1), (0.99, 0.5), (0.025, 0.02), (70, 50), (512, 500)]
)
def test_a_scale_bar_has_a_round_length(most, length):
    assert round_length(most) == pytest.approx(length)


def test_without_matplotlib_it_says_what_to_install(result, monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(optional, "import_module", missing)
    with pytest.raises(MissingPackageError, match="plot"):
        result.plot()


class TestSave:
    def test_pixels_metadata_and_sidecar(self, result, tmp_path):
        path = result.save(tmp_path / "new" / "a.ome.tif")
        saved = autodip.read(path)
        np.testing.assert_array_equal(saved.data, result.image)
        assert saved.pixel_size == result.noisy.pixel_size
        found = sidecar.read(sidecar.beside(path))
        assert found.channels[0].choice == result.choice
        assert found.output["file"] == "a.ome.tif"
        assert found.output["bytes"] == path.stat().st_size
        *_, last = autodip.denoise_steps(result.noisy, found.repeated())
        np.testing.assert_array_equal(last.result.image, result.image)

    def test_nothing_is_replaced_unless_that_is_said(self, result, tmp_path):
        path = result.save(tmp_path / "a.tif")
        before = path.read_bytes()
        with pytest.raises(OutputError, match="overwrite=True"):
            result.save(path)
        path.unlink()
        with pytest.raises(OutputError, match=r"a\.tif\.autodip\.json exists"):
            result.save(path)
        assert not path.exists()
        result.save(path, overwrite=True)
        assert path.read_bytes() == before

    def test_what_the_format_cannot_store_is_in_the_sidecar(self, result, tmp_path):
        path = result.save(tmp_path / "a.png")
        found = sidecar.read(sidecar.beside(path))
        assert found.input["pixel_size_um"] == {"X": 0.1, "Y": 0.1}
        assert any("PNG files cannot store the pixel size" in note for note in found.notes)

    def test_a_lazy_result_is_computed(self, film, tmp_path):
        da = pytest.importorskip("dask.array", reason="dask is not installed")
        lazy = autodip.denoise(da.from_array(film.noisy.data), axes="TCYX", **FAST)
        path = lazy.save(tmp_path / "a.tif")
        np.testing.assert_array_equal(tifffile.imread(path).reshape(film.image.shape), film.image)
        assert len(sidecar.read(sidecar.beside(path)).planes) == 4


def test_a_figure_and_a_page_are_saved_as_well(tmp_path, result):
    path = result.save(tmp_path / "a.tif", figure=True, report=True)
    names = {one.name for one in tmp_path.iterdir()}
    assert names == {"a.tif", *(f"a.tif.autodip.{kind}" for kind in ("json", "png", "html"))}
    assert (tmp_path / "a.tif.autodip.png").read_bytes().startswith(b"\x89PNG")
    assert "What was removed" in (tmp_path / "a.tif.autodip.html").read_text(encoding="utf-8")
    path.unlink()
    with pytest.raises(OutputError, match=r"a\.tif\.autodip\.json exists"):
        result.save(path, report=True)
