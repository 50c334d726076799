"""Files of an OME-TIFF set among the inputs: the set is one image, and is denoised once."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from autodip.io import tiff


def covered(files: Iterable[Path]) -> set[Path]:
    """Files whose only image is read together with another one of ``files``.

    That is the first one of its set, in the order of the planes.
    """
    places = {
        path: os.path.realpath(path) for path in files if path.suffix.lower() in (".tif", ".tiff")
    }
    there = set(places.values())
    found: set[Path] = set()
    for path, place in places.items():
        members = (os.path.realpath(member) for member in tiff.members(path))
        first = next((member for member in members if member in there), place)
        if first != place:
            found.add(path)
    return found
