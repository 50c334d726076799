"""Which learned prior is applied to an image, and how."""

from __future__ import annotations

import hashlib
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Self

from autodip.errors import FormatError
from autodip.util.values import Value, check_float, check_int

BUILTIN = "builtin"
"""Name of the prior included in the package."""


@dataclass(frozen=True)
class PriorParams(Value):
    """A learned prior and how it is applied.

    Parameters
    ----------
    weights : str
        "builtin", or the path of a safetensors file.
    sha256 : str
        Hash of that file; empty if not known yet.
    passes : int
        Number of passes, 1 to 4; from the second, the network is told how strong the noise is
        that the pass before removed.
    orientations : int
        Number of copies, turned and flipped (8) and shifted by a pixel (4 times as many), whose
        results are averaged, 1 to 32.
    grain : float
        Share by which the expected squared error, of a single orientation, may grow by noise that
        is returned to the result, 0 to 0.5: a result without any looks painted.
    """

    weights: str = BUILTIN
    _: KW_ONLY
    sha256: str = ""
    passes: int = 2
    orientations: int = 1
    grain: float = 0.0

    def __post_init__(self) -> None:
        check_int("passes", self.passes, 1, 4)
        check_int("orientations", self.orientations, 1, 32)
        check_float("grain", self.grain, 0, 0.5)

    def identified(self) -> Self:
        """Copy with the hash of the file, unless it is known already.

        Raises
        ------
        FormatError
            If the file cannot be read.
        """
        return self if self.sha256 else self.replace(sha256=digest_of(self.weights))


def path_of(weights: str) -> Path:
    """File of the weights of a prior: that of the package for "builtin", else the path itself."""
    if weights == BUILTIN:
        return Path(str(resources.files("autodip") / "data" / "prior.safetensors"))
    return Path(weights)


def digest_of(weights: str) -> str:
    """SHA-256 of the file of a prior, in hexadecimal digits.

    Raises
    ------
    FormatError
        If the file cannot be read.
    """
    path = path_of(weights)
    try:
        return _digest(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise FormatError(f"the weights {path} cannot be read: {error.strerror}") from error


@lru_cache(maxsize=16)
def _digest(path: Path, stamp: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
