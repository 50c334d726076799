"""Small valid files of every format, from which damaged ones are made."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile

import autodip
from tests.helpers import lif_file, nd2_file

_DATA = Path(__file__).parents[2] / "tests" / "data"
_NAMES, _COLOURS = ("DAPI", "GFP"), ("0000FF", "00FF00")
_OPTIONS = {
    "p.nd2": {"scene": 0},
    "a.lif": {"scene": 0},
    "two_scenes.czi": {"scene": 0},
    "v.mrc": {"axes": "ZYX"},
}


@dataclass(frozen=True)
class Base:
    """A valid file or folder, and how it is read."""

    path: Path
    axes: str | None = None
    scene: int | None = None


def bases(folder: Path) -> dict[str, Base]:
    """Valid files by name, written to a folder."""
    rng = np.random.default_rng(0)
    plane = rng.integers(0, 4000, (40, 48)).astype("uint16")
    stack = rng.integers(0, 4000, (3, 2, 32, 40)).astype("uint16")
    _tiffs(folder, plane, stack)
    _arrays(folder, plane, stack)
    _stores(folder, stack)
    _vendor(folder, plane, stack)
    return {
        path.name: Base(path, **_OPTIONS.get(path.name, {})) for path in sorted(folder.iterdir())
    }


def _tiffs(folder: Path, plane: np.ndarray, stack: np.ndarray) -> None:
    colours = np.random.default_rng(1).integers(0, 255, (32, 36, 3)).astype("uint8")
    eight = (plane // 16).astype("uint8")
    options = {
        "plain8": (eight, {}),
        "deflate16": (plane, {"tile": (16, 16), "compression": "zlib", "predictor": True}),
        "lzw": (plane, {"compression": "lzw", "rowsperstrip": 8, "byteorder": ">"}),
        "big": (plane, {"bigtiff": True, "metadata": None}),
        "float": (plane.astype("float32"), {"metadata": None, "description": "hello"}),
        "rgb": (colours, {"photometric": "rgb"}),
        "zstd": (plane, {"compression": "zstd"}),
        "packbits": (eight, {"compression": "packbits"}),
    }
    for name, (data, more) in options.items():
        tifffile.imwrite(folder / f"{name}.tif", data, **more)
    labelled = {"axes": "ZCYX", "Labels": list("abcdef"), "unit": "um", "spacing": 0.3}
    tifffile.imwrite(folder / "imagej.tif", stack, imagej=True, metadata=labelled)
    described = {"axes": "ZCYX", "Channel": {"Name": list(_NAMES)}, "PhysicalSizeX": 0.1}
    plain = {"photometric": "minisblack"}
    tifffile.imwrite(folder / "ome.ome.tif", stack, ome=True, metadata=described, **plain)
    with tifffile.TiffWriter(folder / "pyramid.ome.tif", ome=True) as tif:
        tif.write(stack[0], subifds=2, tile=(16, 16), metadata={"axes": "CYX"}, **plain)
        for step in (2, 4):
            tif.write(stack[0, :, ::step, ::step], subfiletype=1, tile=(16, 16))


def _arrays(folder: Path, plane: np.ndarray, stack: np.ndarray) -> None:
    eight = (plane // 16).astype("uint8")
    for name, data, axes in (
        ("g8.png", eight, "YX"),
        ("g16.png", plane, "YX"),
        ("rgb.png", np.stack([eight] * 3, -1), "YXS"),
        ("a.mrc", plane.astype("int16"), "YX"),
        ("v.mrc", stack[:, 0].astype("float32"), "ZYX"),
    ):
        size = {} if name.endswith(".png") else {"X": 0.1, "Y": 0.1}
        autodip.write(folder / name, autodip.Image(data, axes, pixel_size=size))
    np.save(folder / "a.npy", plane)
    np.save(folder / "f.npy", np.asfortranarray(plane.astype(">f8")))
    np.savez(folder / "a.npz", image=plane, other=eight)
    np.savez_compressed(folder / "c.npz", plane)


def _stores(folder: Path, stack: np.ndarray) -> None:
    image = autodip.Image(
        stack, "ZCYX", channel_names=_NAMES, channel_colours=_COLOURS, pixel_size={"X": 0.1}
    )
    autodip.write(folder / "z4.ome.zarr", image, format="ome-zarr-0.4")
    autodip.write(folder / "z5.ome.zarr", image, format="ome-zarr")


def _vendor(folder: Path, plane: np.ndarray, stack: np.ndarray) -> None:
    part = stack[:2, :, :20, :24]
    nd2_file.write(folder / "a.nd2", part, "TCYX", _NAMES, _COLOURS)
    nd2_file.write(folder / "p.nd2", part[None], "TPCYX", _NAMES, _COLOURS)
    steps = {"X": 1e-7, "Y": 2e-7, "Z": 3e-7, "T": 2.5}
    images = {"S1": (stack, "ZCYX"), "O": ((plane // 16).astype("uint8"), "YX")}
    lif_file.write(folder / "a.lif", images, steps, _NAMES, ("Blue", "Green"))
    for path in sorted(_DATA.glob("*.czi")):
        shutil.copy(path, folder / path.name)
