"""Choice of one image from a file that holds several (scenes, series, positions)."""

from __future__ import annotations

from collections.abc import Sequence

from autodip.errors import FormatError, ParameterError

_LISTED = 12


def choose(names: Sequence[str], scene: str | int | None) -> int:
    """Index of the chosen image among the images of a file.

    Parameters
    ----------
    names : sequence of str
        Name of each image of the file; "" for an image without a name.
    scene : str or int, optional
        Name of an image, or its number from 0; not required for a file with one image.

    Raises
    ------
    FormatError
        If there is no image, or there are several and none was chosen.
    ParameterError
        If no image has that name or number, or several have that name.
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
        + ("" if several else " or one of these names")
    )


def _listed(names: Sequence[str]) -> str:
    """Numbers and names of the images, at most the first 12."""
    words = [f"{n} {name!r}" if name else str(n) for n, name in enumerate(names[:_LISTED])]
    left = len(names) - len(words)
    return ", ".join(words) + (f" and {left} more" if left else "")
