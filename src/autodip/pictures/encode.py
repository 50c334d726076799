"""Pictures as bytes of a PNG, and as text to embed in a page."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO

import numpy as np
from PIL import Image as Picture


def png(picture: Picture.Image | np.ndarray) -> bytes:
    """Encode a picture, or grey (Y, X) or colour (Y, X, 3) pixels of type uint8, as PNG."""
    drawn = Picture.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    memory = BytesIO()
    drawn.save(memory, format="PNG", optimize=True)
    return memory.getvalue()


def data_url(picture: Picture.Image | np.ndarray) -> str:
    """Encode a picture as a ``data:`` URL, which a page embeds without another file."""
    return "data:image/png;base64," + b64encode(png(picture)).decode()
