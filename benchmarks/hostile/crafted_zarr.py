"""Crafted Zarr stores."""

from __future__ import annotations

import gzip
import json
import math
import pickle
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np

from benchmarks.hostile.crafted import Boom, Crafted, Surroundings

_BYTES: dict[str, Any] = {"name": "bytes", "configuration": {"endian": "little"}}
_GZIP: dict[str, Any] = {"name": "gzip", "configuration": {"level": 1}}
_ZSTD: dict[str, Any] = {"name": "zstd", "configuration": {"level": 1, "checksum": False}}
_SHARDS: dict[str, Any] = {"chunk_shape": [0, 0], "codecs": []}
_OME: tuple[Any, ...] = (
    *({}, [], {"version": "0.5"}, {"version": "0.5", "multiscales": []}),
    *({"version": "0.5", "multiscales": {}}, {"version": "0.5", "multiscales": [{}]}),
    {"version": "0.5", "multiscales": [{"axes": [], "datasets": []}]},
    {"version": 7, "multiscales": [{"axes": "yx", "datasets": [{"path": "0"}]}]},
    {"version": "0.5", "plate": {"wells": [{"path": "."}] * 10}},
    *({"version": "0.5", "well": {}}, {"version": "0.5", "plate": None}),
)
_OLD: tuple[dict[str, Any], ...] = (
    {"dtype": "|O", "filters": [{"id": "pickle"}]},
    {"dtype": "|O", "filters": [{"id": "pickle", "protocol": 5}], "fill_value": None},
    {"dtype": "|O", "filters": [{"id": "vlen-utf8"}]},
    *({"compressor": {"id": "pickle"}}, {"filters": [{"id": "pickle"}]}, {"dtype": [["a", "<u2"]]}),
    *({"dtype": "<c8"}, {"compressor": {"id": "nope"}}, {"compressor": 7}, {"shape": [-1, 2]}),
    {"compressor": {"id": "blosc", "cname": "nope"}},
    {"filters": [{"id": "delta", "dtype": "|O"}]},
    {"filters": [{"id": "astype", "encode_dtype": "<u2", "decode_dtype": "|O"}]},
    {"filters": [{"id": "categorize", "labels": [], "dtype": "<u2"}]},
    *({"fill_value": "NaN"}, {"order": "Q"}, {"dimension_separator": "../"}),
)


def _axes(count: int) -> list[dict[str, str]]:
    return [{"name": name, "type": "space"} for name in "zyx"[3 - count :]]


def store(
    folder: Path,
    *,
    shape: Sequence[int] = (16, 16),
    chunk: Sequence[int] = (16, 16),
    dtype: str = "uint16",
    path: str = "0",
    ome: Any = None,
    codecs: Sequence[Any] = (_BYTES,),
    content: bytes | None = None,
    series: Sequence[str] | None = None,
) -> None:
    """OME-Zarr 0.5 of one array with one chunk, written file by file."""
    level = {"path": path, "coordinateTransformations": [{"type": "scale", "scale": [1.0] * 2}]}
    usual = {"version": "0.5", "multiscales": [{"axes": _axes(len(shape)), "datasets": [level]}]}
    _group(folder, usual if ome is None else ome)
    array = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(shape),
        "data_type": dtype,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(chunk)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0,
        "codecs": list(codecs),
        "attributes": {},
    }
    place = folder / "0" / "c" / "/".join("0" * len(shape))
    place.parent.mkdir(parents=True, exist_ok=True)
    (folder / "0" / "zarr.json").write_text(json.dumps(array))
    count = math.prod(chunk)
    pixels = np.arange(count if 0 <= count < 10**6 else 4).astype(dtype)
    place.write_bytes(pixels.tobytes() if content is None else content)
    if series is not None:
        _group(folder / "OME", {"version": "0.5", "series": series})


def _group(folder: Path, ome: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    attributes = {"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}}
    (folder / "zarr.json").write_text(json.dumps(attributes))


def _old(folder: Path, changes: Mapping[str, Any], content: bytes) -> None:
    """OME-Zarr 0.4 of one array with one chunk."""
    (folder / "0").mkdir(parents=True)
    (folder / ".zgroup").write_text('{"zarr_format": 2}')
    entry = {"version": "0.4", "axes": _axes(2), "datasets": [{"path": "0"}]}
    (folder / ".zattrs").write_text(json.dumps({"multiscales": [entry]}))
    array = {"zarr_format": 2, "shape": [16, 16], "chunks": [16, 16], "dtype": "<u2"}
    array |= {"compressor": None, "fill_value": 0, "order": "C", "filters": None, **changes}
    (folder / "0" / ".zarray").write_text(json.dumps(array))
    (folder / "0" / "0.0").write_bytes(content)


def _linked(folder: Path, target: str) -> None:
    store(folder)
    shutil.rmtree(folder / "0")
    (folder / "0").symlink_to(target)


def crafted(around: Surroundings) -> Iterator[Crafted]:
    """Zarr stores."""
    for shape in ((99999, 99999), (40000, 40000), (2**40, 2**40), (-1, 8), (0, 8), (8,), ()):
        yield Crafted("lies.ome.zarr", partial(store, shape=shape, chunk=(16,) * len(shape)))
    for chunk in ((0, 0), (-1, 16), (2**31, 2**31), (40000, 40000), (1, 1), (99999, 16)):
        yield Crafted("chunk.ome.zarr", partial(store, chunk=chunk))
    for dtype in ("complex64", "bool", "float16", "int64"):
        yield Crafted("type.ome.zarr", partial(store, dtype=dtype))
    for ome in _OME:
        yield Crafted("ome.ome.zarr", partial(store, ome=ome))
    pickled = pickle.dumps(Boom(around.mark)).ljust(512, b"\0")
    for changes in _OLD:
        yield Crafted("old.ome.zarr", partial(_old, changes=changes, content=pickled))
    yield from _codecs()
    yield from _places(around.outside)


def _codecs() -> Iterator[Crafted]:
    wrong = {"name": "gzip", "configuration": {"level": 99}}
    shards = {"name": "sharding_indexed", "configuration": _SHARDS}
    names = ({"name": "nope"}, {"name": "numcodecs.pickle"}, {"name": "numcodecs.json2"}, shards)
    for codecs in ([], [_BYTES, wrong], [_BYTES, _ZSTD], *([one] for one in names)):
        yield Crafted("codec.ome.zarr", partial(store, codecs=codecs))
    for codec, encode, size in (
        (_GZIP, gzip.compress, 2**28),
        (_ZSTD, imagecodecs.zstd_encode, 2**30),
    ):
        yield Crafted("bomb.ome.zarr", partial(_bomb, codec=codec, encode=encode, size=size))


def _bomb(folder: Path, codec: Any, encode: Callable[[bytes], bytes], size: int) -> None:
    store(folder, codecs=(_BYTES, codec), content=encode(bytes(size)))


def _places(outside: Path) -> Iterator[Crafted]:
    """Stores whose paths and links lead elsewhere."""
    inner = outside / "z.ome.zarr" / "0"
    for path in (
        *("../outside", "../../outside/z.ome.zarr/0", "/etc", str(inner), f"file://{inner}"),
        *("http://127.0.0.1:9/0", "", ".", "..", "0/../../..", "\\..\\..", "0\0", "x" * 5000),
        *("c:\\0", "memory://0", "zip::/0", "0/", "//0"),
    ):
        plate = {"version": "0.5", "plate": {"wells": [{"path": path}]}}
        well = {"version": "0.5", "well": {"images": [{"path": path}]}}
        yield Crafted("path.ome.zarr", partial(store, path=path))
        yield Crafted("plate.ome.zarr", partial(store, ome=plate))
        yield Crafted("well.ome.zarr", partial(store, ome=well))
        listed = partial(store, ome={"version": "0.5"}, series=[path])
        yield Crafted("series.ome.zarr", listed)
    for target in ("/etc", str(inner), "..", "."):
        yield Crafted("link.ome.zarr", partial(_linked, target=target))
