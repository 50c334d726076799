import numpy as np
import pytest

from autodip.errors import ImageError, ParameterError
from autodip.image.image import Image


def make(axes="TCYX", shape=(3, 2, 4, 5), **kwargs):
    return Image(np.arange(np.prod(shape), dtype=np.uint16).reshape(shape), axes, **kwargs)


@pytest.mark.parametrize("axes", ["TYX", "TCYXQ", "TCYY", "TCZX", "", "tcyx"])
def test_axes_must_describe_the_shape(axes):
    with pytest.raises(ParameterError, match=r"\(3, 2, 4, 5\)"):
        make(axes)


@pytest.mark.parametrize("dtype", [complex, "U3", object])
def test_pixels_are_real_numbers(dtype):
    with pytest.raises(ImageError, match="real numbers"):
        Image(np.zeros((3, 3), dtype), "YX")


def test_a_mask_is_no_image():
    with pytest.raises(ImageError, match="a mask, not an image"):
        Image(np.zeros((3, 3), bool), "YX")


def test_empty_image():
    with pytest.raises(ImageError, match="holds no pixel"):
        Image(np.zeros((0, 3)), "YX")


@pytest.mark.parametrize("axes", ["TCYX", "YXTC", "CYTX"])
def test_planes_are_views_in_the_order_of_the_axes(axes):
    image = make(axes)
    planes = list(image.planes())
    names = [a for a in axes if a not in "YX"]
    assert [a for a, _ in planes[0][0]] == names
    assert len(planes) == np.prod([image.size(a) for a in names])
    assert planes[-1][1].shape == image.plane_shape
    assert np.shares_memory(planes[0][1], image.data)


def test_transparency_is_no_plane():
    image = make("YXS", (4, 5, 4), alpha=True)
    assert [dict(index)["S"] for index, _ in image.planes()] == [0, 1, 2]


def test_select_keeps_the_axes():
    image = make(channel_names=("DAPI", "GFP"))
    part = image.select(slice(1, 3), "GFP")
    assert part.data.shape == (2, 1, 4, 5)
    assert part.channel_names == ("GFP",)
    np.testing.assert_array_equal(part.data[:, 0], image.data[1:, 1])
    assert image.select(slice(-1, None), "0").data.shape == (1, 1, 4, 5)


@pytest.mark.parametrize(
    ("frames", "channel", "message"),
    [
        (slice(7, 9), None, "axis T has 3, numbered 0 to 2"),
        (None, "2", "numbered 0 to 1, named DAPI, GFP"),
        (None, "Cy5", "no channel 'Cy5'"),
    ],
)
def test_select_says_what_there_is(frames, channel, message):
    with pytest.raises(ParameterError, match=message):
        make(channel_names=("DAPI", "GFP")).select(frames, channel)


def test_select_needs_the_axis():
    with pytest.raises(ParameterError, match="axes of this image are YX"):
        make("YX", (4, 5)).select(slice(3, 5))
    with pytest.raises(ParameterError, match="axes of this image are ZYX"):
        make("ZYX", (3, 4, 5)).select(slice(0, 2))


def test_the_one_frame_and_channel_of_a_plane_can_be_selected():
    image = make("YX", (4, 5), channel_names=("DAPI",))
    assert image.select(slice(0, 1), "DAPI") == image.select(None, "0") == image


def test_one_sample_of_a_colour_image_is_grey():
    image = make("YXS", (4, 5, 4), alpha=True)
    green = image.select(channel="1")
    assert (green.axes, green.alpha) == ("YX", False)
    np.testing.assert_array_equal(green.data, image.data[..., 1])
    with pytest.raises(ParameterError, match="there are 3"):
        image.select(channel="3")


def test_metadata_of_more_channels_than_there_are():
    assert make(channel_names=("a", "b", "c")).channel_names == ("a", "b")


def test_frames_are_averaged():
    data = np.arange(2 * 3 * 4 * 5, dtype=np.uint16).reshape(2, 3, 4, 5)
    one = Image(data, "CTYX", channel_names=("a", "b"), time_step=2.0).averaged()
    assert (one.axes, one.data.shape, one.data.dtype) == ("CTYX", (2, 1, 4, 5), np.float32)
    np.testing.assert_allclose(one.data[:, 0], data.mean(axis=1))
    assert one.channel_names == ("a", "b")
    assert Image(data.astype(np.float64), "CTYX").averaged().data.dtype == np.float64
    plane = Image(data[0, 0], "YX")
    assert np.array_equal(plane.averaged().data, plane.data)
    with pytest.raises(ParameterError, match="--average"):
        Image(data, "CZYX").averaged()
