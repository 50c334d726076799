"""Images of plain arrays."""

from __future__ import annotations

import numpy as np

from autodip.errors import ParameterError
from autodip.image.image import Image


def as_image(image: np.ndarray | Image, axes: str | None = None) -> Image:
    """Convert an array to an image with the given axes.

    Raises
    ------
    ParameterError
        If ``axes`` is not specified and the array does not have two dimensions.
    """
    if isinstance(image, Image):
        return image if axes is None else image.replace(axes=axes.upper())
    array = np.asarray(image)
    if axes is None and array.ndim != 2:
        raise ParameterError(
            f"the order of the dimensions of an array of shape {array.shape} is ambiguous; "
            'specify axes, for example axes="TYX" for frames, axes="ZYX" for depth or axes="YXS" '
            "for colours"
        )
    return Image(array, "YX" if axes is None else axes.upper())
