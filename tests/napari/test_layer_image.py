import numpy as np
import pytest
import tifffile

from autodip.errors import ImageError, OutOfMemoryError, ParameterError
from autodip.napari import layer_image
from autodip.napari.layer_image import LayerFacts, LayerImage
from autodip.napari.look import look_at

da = pytest.importorskip("dask.array")
layers = pytest.importorskip("napari.layers", reason="layers are tested where napari is installed")


def found(pixels, axes=None, **more):
    return LayerImage.of(LayerFacts("cells", pixels, **more), axes)


@pytest.fixture
def film(tmp_path, sample):
    """OME-TIFF with axes TCYX, of which C has a length of 1."""
    pixels = np.stack([sample[0]] * 2)[:, None]
    path = tmp_path / "film.ome.tif"
    metadata = {"axes": "TCYX", "Channel": {"Name": ["MitoTracker"]}}
    tifffile.imwrite(path, pixels, photometric="minisblack", metadata=metadata)
    return path, pixels


def test_a_layer_is_found_in_its_file(film):
    path, pixels = film
    for shown in (pixels, pixels[:, 0]):  # viewers keep axes of length 1, or do not
        whole = found(shown, path=path)
        assert (whole.image.axes, whole.path, whole.reason) == ("TYX", path, "")


def test_what_the_file_states_is_filled_in(film):
    path, pixels = film
    seen = look_at(LayerFacts("film", pixels[:, 0], path=path), None, print)
    assert (seen.axes, seen.specimens, seen.microscopes) == ("TYX", ("mito",), ("other",))


def test_nan_is_equal_to_nan(tmp_path):
    pixels = np.random.default_rng(0).normal(0, 1, (64, 64)).astype("f4")
    pixels[:8] = np.nan
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    assert found(pixels.copy(), path=tmp_path / "a.tif").reason == ""


def test_other_pixels_are_no_file(film):
    path, pixels = film
    changed = found(pixels[:, 0] + 1, "TYX", path=path)
    assert changed.path is None
    assert "are not those of film.ome.tif; save the layer" in changed.reason
    gone = found(pixels[:, 0], "TYX", path=path.with_name("gone.tif"))
    assert "this layer is not a file" in gone.reason


def test_a_file_that_autodip_cannot_read(tmp_path, sample):
    (tmp_path / "a.jpg").write_bytes(b"x")
    assert "cannot be read by autodip" in found(sample[0], path=tmp_path / "a.jpg").reason


def test_labels_state_the_axes(sample):
    pixels = np.stack([sample[0]] * 2)
    assert found(pixels, labels=("z", "y", "x")).image.axes == "ZYX"
    with pytest.raises(ParameterError, match="TYX, ZYX, CYX"):
        found(pixels, labels=("-3", "-2", "-1"))
    with pytest.raises(ImageError, match="6 dimensions"):
        found(np.zeros((1,) * 6))


def test_a_pyramid_is_read_at_its_finest_level(sample):
    layer = layers.Image([sample[0], sample[0][::2, ::2]], multiscale=True)
    assert found(LayerFacts.of(layer).data).image.data.shape == (64, 64)


@pytest.mark.parametrize("chunks", [(1, 64, 64), (2, 32, 32)])
def test_dask_is_read_plane_by_plane(sample, chunks):
    pixels = np.stack([sample[0], sample[0][::-1]])
    read = found(da.from_array(pixels, chunks=chunks), "TYX").image.data
    assert isinstance(read, np.ndarray)
    assert (read == pixels).all()


def test_dask_is_not_read_for_a_look_or_if_it_is_too_large(monkeypatch):
    def fail(block):
        raise AssertionError("read")

    huge = da.map_blocks(
        fail, da.zeros((10, 9, 9), dtype="u2", chunks=9), dtype="u2", meta=np.empty(0, "u2")
    )
    assert look_at(LayerFacts("x", huge, labels=("t", "y", "x")), None, print).axes == "TYX"
    monkeypatch.setattr(layer_image, "free_memory", lambda device: 1000)
    with pytest.raises(OutOfMemoryError, match="denoise a crop of it, or its file by the command"):
        found(huge, "TYX")


def test_layers_of_other_kinds_are_refused():
    with pytest.raises(ImageError, match="type Points; select an image layer"):
        LayerFacts.of(layers.Points(np.zeros((3, 2))))
    with pytest.raises(ImageError, match="Split RGB"):
        LayerFacts.of(layers.Image(np.zeros((9, 9, 3), "u1"), rgb=True))


def test_a_colour_file_shown_as_a_stack_is_refused(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype="u1")
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb")
    with pytest.raises(ImageError, match="colour picture"):
        found(pixels, path=tmp_path / "a.tif")
    split = found(pixels[..., 1], path=tmp_path / "a.tif")
    assert split.selection.channel == "1"
