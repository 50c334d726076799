"""Files that hold several images (scenes, series, positions): which one is meant."""

from __future__ import annotations

from collections.abc import Sequence

from autodip.errors import FormatError, ParameterError

_LISTED = 12


def choose(names: Sequence[str], scene: str | int | None) -> int:
    """Position of the image that is meant among those of a file.

    Parameters
    ----------
    names : sequence of str
        One for each image of the file; "" where it has none.
    scene : str or int, optional
        Name of an image, or its number from 0; a file of one image needs none.

    Raises
    ------
    FormatError
        If there is no image, or there are several and none was chosen.
    ParameterError
        If there is no image of that name or number.
    """
    if not names:
        raise FormatError("the file holds no image")
    if scene is None:
        if len(names) == 1:
            return 0
        raise FormatError(
            f"the file holds {len(names)} images: {_listed(names)}; "
            "choose one by name or number, as in --scene 0 or read(path, scene=0)"
        )
    if isinstance(scene, str) and names.count(scene) == 1:
        return names.index(scene)
    if str(scene).isdecimal() and int(scene) < len(names):
        return int(scene)
    several = isinstance(scene, str) and scene in names
    raise ParameterError(
        f"{'several images are called' if several else 'there is no image'} {scene!r}; "
        f"the file holds {_listed(names)}: give a number"
        + ("" if several else " or a name that is there")
    )


def _listed(names: Sequence[str]) -> str:
    """Numbers and names of the images, the first few of many."""
    words = [f"{n} {name!r}" if name else str(n) for n, name in enumerate(names[:_LISTED])]
    left = len(names) - len(words)
    return ", ".join(words) + (f" and {left} more" if left else "")
