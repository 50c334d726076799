"""A layer as an image: its pixels, and what its file or the layer itself states about them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autodip import io
from autodip.compute.device import free_memory
from autodip.errors import (
    FormatError,
    ImageError,
    MissingPackageError,
    OutOfMemoryError,
    ParameterError,
)
from autodip.image.image import Image
from autodip.runs.selection import Selection
from autodip.util.cancelling import check
from autodip.util.paths import exists

AXES = {3: ("TYX", "ZYX", "CYX"), 4: ("TZYX", "TCYX", "CZYX"), 5: ("TCZYX", "TZCYX")}
"""Orders of the dimensions that can be entered for a layer, by their number."""

_UNSAVED = (
    "this layer is not a file; save it (File > Save Selected Layers…, as .tif), open the file, "
    "and denoise that layer"
)


@dataclass(frozen=True)
class LayerFacts:
    """What is taken over from a layer of napari, in the thread of the window.

    Parameters
    ----------
    name : str
    data : array
        Pixels of the whole resolution; possibly not in memory.
    path : Path or None
        File from which the layer was read.
    labels : tuple of str
        Labels of its axes.
    metadata : mapping
    """

    name: str
    data: Any = field(repr=False)
    _: KW_ONLY
    path: Path | None = None
    labels: tuple[str, ...] = ()
    metadata: Mapping[Any, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, layer: Any) -> LayerFacts:
        """Facts of a layer.

        Raises
        ------
        ImageError
            If it is no image layer, or a colour picture.
        """
        kinds = [kind.__name__ for kind in type(layer).__mro__]
        if "Image" not in kinds or "Labels" in kinds:
            raise ImageError(
                f"{layer.name} is a layer of the type {kinds[0]}; select an image layer"
            )
        if layer.rgb:
            raise _coloured(layer.name)
        source = layer.source.path
        return cls(
            layer.name,
            layer.data[0] if layer.multiscale else layer.data,
            path=None if source is None else Path(source),
            labels=tuple(layer.axis_labels),
            metadata=layer.metadata,
        )


@dataclass(frozen=True)
class LayerImage:
    """A layer as an image.

    Parameters
    ----------
    image : Image
        With the loaded pixels of the layer, and its shape; if it is in a file, possibly without
        axes of length 1.
    path : Path or None
        File whose pixels, or a part of whose pixels, the layer shows unchanged.
    selection : Selection
        Which part of the file this is.
    reason : str
        Why there is no such file, and what to do; empty if there is one.
    """

    image: Image
    path: Path | None = None
    selection: Selection = field(default_factory=Selection)
    reason: str = ""

    @classmethod
    def of(cls, facts: LayerFacts, axes: str | None = None) -> LayerImage:
        """Load the pixels of a layer, and find them in its file.

        Parameters
        ----------
        facts : LayerFacts
        axes : str, optional
            Order of the dimensions of the layer; by default as its file or its labels state.

        Raises
        ------
        ParameterError
            If nothing states the order of the dimensions.
        ImageError
            If the pixels are not real numbers.
        OutOfMemoryError
            If they, and the result, do not fit into memory.
        """
        pixels = _loaded(facts.data)
        return _found(facts, axes, pixels, lambda own: _equal(own, pixels))

    @classmethod
    def glimpse(cls, facts: LayerFacts, axes: str | None = None) -> LayerImage:
        """Like :meth:`of`, but pixels that are not in memory are not read, and 0 in the image."""
        pixels = facts.data
        if isinstance(pixels, np.ndarray):
            return cls.of(facts, axes)
        zeros = np.broadcast_to(np.zeros((), _real(pixels.dtype)), pixels.shape)
        return _found(facts, axes, zeros, lambda own: True)


def _found(
    facts: LayerFacts, axes: str | None, pixels: np.ndarray, equal: Callable[[np.ndarray], bool]
) -> LayerImage:
    """Pixels of a layer, with what the part of its file states that has their shape."""
    path, reason = facts.path, _UNSAVED
    if path is not None and exists(path):
        try:
            with tempfile.TemporaryDirectory(prefix="autodip-") as scratch:
                for image, selection in _parts(io.read(path, axes, scratch=Path(scratch)), axes):
                    bare = _squeezed(image, pixels.shape)
                    if bare is None or not equal(bare.data):
                        continue
                    if "S" in bare.axes:
                        raise _coloured(facts.name)
                    own = pixels.reshape(bare.data.shape)
                    return LayerImage(bare.replace(data=own), path, selection)
        except (FormatError, ParameterError, OutOfMemoryError, MissingPackageError) as error:
            reason = f"the file of this layer cannot be read by autodip ({error})"
        else:
            reason = (
                f"the pixels of this layer are not those of {path.name}; save the layer (File > "
                "Save Selected Layers…, as .tif), open that file, and denoise it"
            )
    return LayerImage(Image(pixels, axes or _labelled(facts.labels, pixels.ndim)), reason=reason)


def _coloured(name: str) -> ImageError:
    return ImageError(
        f"{name} is a colour picture (RGB), not measured intensities; open the microscope's own "
        "file, or split it (right click > Split RGB) and denoise the channel that holds the signal"
    )


def _loaded(data: Any) -> np.ndarray:
    """Pixels in memory; those that are elsewhere (dask, zarr) are read plane by plane."""
    dtype = _real(data.dtype)
    if isinstance(data, np.ndarray):
        return data
    needed = int(np.prod(data.shape, dtype=np.int64)) * (2 * dtype.itemsize + 4)
    free = free_memory("cpu")
    if needed > free:
        raise OutOfMemoryError(
            f"this layer and its result need {needed / 1e9:.1f} GB of memory, but only "
            f"{free / 1e9:.1f} GB are free; denoise a crop of it, or its file by the command line, "
            "which reads large files piece by piece"
        )
    pixels = np.empty(data.shape, dtype)
    for place in np.ndindex(*data.shape[:-2]):
        check()
        pixels[place] = np.asarray(data[place])
    return pixels


def _real(dtype: Any) -> np.dtype:
    """Data type of pixels, which must be real numbers."""
    found: np.dtype = np.dtype(dtype)
    if found.kind not in "iuf":
        raise ImageError(
            f"pixels of type {found} cannot be denoised; real numbers are needed (integers or "
            "floats)"
        )
    return found


def _parts(image: Image, axes: str | None) -> Iterator[tuple[Image, Selection]]:
    """The image of a file, and each of its channels."""
    whole = Selection(axes=axes)
    yield image, whole
    if image.channels > 1:
        for number in range(image.channels):
            one = str(number)
            yield image.select(channel=one), whole.replace(channel=one)


def _squeezed(image: Image, shape: tuple[int, ...]) -> Image | None:
    """Image of a shape, apart from axes of length 1, which are left out; None if it has another."""
    if image.data.shape == shape:
        return image.replace(data=np.asarray(image.data))
    axes = "".join(axis for axis in image.axes if axis in "YX" or image.size(axis) > 1)
    sizes = tuple(map(image.size, axes))
    if sizes != tuple(length for length in shape if length > 1):
        return None
    return image.replace(data=np.asarray(image.data).reshape(sizes), axes=axes)


def _equal(own: np.ndarray, pixels: np.ndarray) -> bool:
    """Whether two arrays of one size have the same type and values; NaN equals NaN."""
    same = own.dtype.newbyteorder("=") == pixels.dtype.newbyteorder("=")
    floats = pixels.dtype.kind == "f"
    return same and np.array_equal(own, pixels.reshape(own.shape), equal_nan=floats)


def _labelled(labels: Sequence[str], dimensions: int) -> str:
    """Axes as the labels of a layer state them; for two dimensions they are Y and X."""
    axes = "".join(label.upper() for label in labels if len(label) == 1)
    if len(axes) == dimensions == len(set(axes)) and {"Y", "X"} <= set(axes) <= set("TCZYX"):
        return axes
    if dimensions == 2:
        return "YX"
    allowed = AXES.get(dimensions)
    if allowed is None:
        raise ImageError(f"a layer with {dimensions} dimensions cannot be denoised; crop it")
    raise ParameterError(
        f"specify what the {dimensions} dimensions of this layer are: {', '.join(allowed)} "
        "(T time, Z depth, C channels)"
    )
