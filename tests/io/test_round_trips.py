"""What is written and read back is unchanged."""

import tempfile
from pathlib import Path

import numpy as np
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autodip import io
from autodip.fit.params import FitParams, NetParams
from autodip.image.image import Image
from autodip.image.scaling import Scale

INTEGERS = ["uint8", "uint16", "int16", "uint32", "int32"]
TIFF_TYPES = [*INTEGERS, "float16", "float32", "float64"]


SMALL = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)


def planes(dtypes, shape=SMALL):
    return st.sampled_from(dtypes).flatmap(
        lambda name: hnp.arrays(np.dtype(name), shape, elements=finite(name))
    )


def finite(name):
    dtype = np.dtype(name)
    if dtype.kind == "f":
        return st.floats(-1e4, 1e4, width=dtype.itemsize * 8)
    return None


@given(planes([*INTEGERS, "float32", "float64"]))
def test_scaling_is_undone(image):
    if image.min() == image.max():
        return
    scale = Scale.of(image)
    scaled = scale.apply(image)
    assert scaled.min() >= 0
    assert scaled.max() <= 1
    back = scale.invert(scaled, image.dtype)
    if image.dtype.kind in "iu":
        np.testing.assert_array_equal(back, image)
    else:
        span = float(image.max()) - float(image.min())
        np.testing.assert_allclose(back, image, rtol=1e-6, atol=1e-6 * span)


def written_and_read(image, suffix, axes=None):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"image{suffix}"
        io.write(path, image)
        return io.read(path, axes)


@given(planes([*TIFF_TYPES, ">u2", ">f4"]))
def test_npy(data):
    back = written_and_read(Image(data, "YX"), ".npy")
    assert back.data.dtype == data.dtype
    np.testing.assert_array_equal(back.data, data)


@given(planes(["uint8", "uint16"]), st.sampled_from([0, 2, 3, 4]))
def test_png(data, samples):
    if samples:
        data = np.stack([np.roll(data, n) for n in range(samples)], -1)
    back = written_and_read(Image(data, "YXS" if samples else "YX"), ".png")
    assert back.data.dtype == data.dtype
    assert back.alpha == (samples in (2, 4))
    np.testing.assert_array_equal(back.data, data)


@st.composite
def stacks(draw, letters, dtypes):
    """Some of the axes in their order, Y and X among them, and an array with them."""
    axes = "".join(a for a in letters if a in "YX" or draw(st.booleans()))
    shape = tuple(draw(st.integers(2, 4)) for _ in axes)
    seed = draw(st.integers(0, 2**16))
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    data = np.random.default_rng(seed).integers(0, 200, shape).astype(dtype)
    return axes, data


def same(path, **changes):
    """Assert that reading, writing and reading again preserves the content; return the image."""
    image = io.read(path)
    again = path.with_name("again" + path.suffix)
    io.write(again, image)
    back = io.read(again)
    assert back.axes == image.axes
    assert back.data.dtype == image.data.dtype
    np.testing.assert_array_equal(back.data, image.data)
    for name in ("pixel_size", "time_step", "channel_names", "hints", "alpha"):
        assert getattr(back, name) == getattr(image, name), name
    return image


@settings(max_examples=40)
@given(stacks("TZCYX", ["uint8", "uint16", "float32"]))
def test_imagej(stack):
    axes, data = stack
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.tif"
        metadata = {"axes": axes, "unit": "um", "spacing": 0.5, "finterval": 2.5}
        tifffile.imwrite(path, data, imagej=True, resolution=(10.0, 10.0), metadata=metadata)
        image = same(path)
        assert image.axes == axes
        assert image.pixel_size["X"] == 0.1
        assert image.time_step == 2.5
        np.testing.assert_array_equal(image.data, data)


@settings(max_examples=40)
@given(stacks("TZCYX", ["uint8", "uint16", "int16", "float32", "float64"]))
def test_ome(stack):
    axes, data = stack
    names = [f"dye {n}" for n in range(data.shape[axes.index("C")])] if "C" in axes else ["dye"]
    metadata = {
        "axes": axes,
        "PhysicalSizeX": 65.0,
        "PhysicalSizeXUnit": "nm",
        "PhysicalSizeY": 0.065,
        "PhysicalSizeYUnit": "µm",
        "TimeIncrement": 1.5,
        "TimeIncrementUnit": "min",
        "Channel": {"Name": names},
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.ome.tif"
        tifffile.imwrite(path, data, ome=True, photometric="minisblack", metadata=metadata)
        image = same(path)
        assert image.axes == axes
        assert image.pixel_size["X"] == image.pixel_size["Y"] == 0.065
        assert image.time_step == 90
        assert image.channel_names == tuple(names)
        np.testing.assert_array_equal(image.data, data)


@settings(max_examples=40)
@given(
    planes(TIFF_TYPES, st.tuples(st.integers(2, 40), st.integers(2, 40))),
    st.sampled_from(["zlib", "lzw", "zstd", None]),
    st.sampled_from(["<", ">"]),
)
def test_plain_tiff(data, compression, order):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.tif"
        tifffile.imwrite(
            path,
            data,
            byteorder=order,
            compression=compression,
            metadata=None,
            description="cells",
            resolution=(300, 300),
            resolutionunit="CENTIMETER",
            software="MyScope 3",
            extratags=[(65000, "s", 0, "stage 7", True), (315, "s", 0, "Ada", True)],
        )
        same(path)
        with (
            tifffile.TiffFile(path) as before,
            tifffile.TiffFile(path.with_name("again.tif")) as after,
        ):
            assert after.byteorder == before.byteorder
            kept = ("XResolution", "ResolutionUnit", "Compression", "ImageDescription", "Software")
            for tag in (*kept, "Artist", 65000):
                assert after.pages[0].tags[tag].value == before.pages[0].tags[tag].value


net_params = st.builds(
    NetParams,
    depth=st.just(3),
    width=st.one_of(st.integers(1, 600), st.just("asc_to512"), st.tuples(*[st.integers(1, 9)] * 3)),
    skip=st.integers(0, 8),
    downsample=st.sampled_from(["stride", "avg", "max"]),
    upsample=st.sampled_from(["bilinear", "nearest"]),
    input_channels=st.integers(1, 64),
)
fit_params = st.builds(
    FitParams,
    iterations=st.integers(1, 5000),
    learning_rate=st.floats(1e-6, 1),
    average=st.floats(0, 0.999),
    start_at_mean=st.booleans(),
)


@given(st.one_of(net_params, fit_params))
def test_params(params):
    assert type(params).from_dict(params.to_dict()) == params
